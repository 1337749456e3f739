//! The arguments behind the question mark of an address: some are for us, the rest is the server's.

use percent_encoding::percent_decode_str;

/// An address without the arguments that are for us.
pub struct Address {
    /// What is left.
    pub url: String,
    taken: Vec<(String, String)>,
}

impl Address {
    /// Takes the arguments with these names out.
    pub fn take(url: &str, names: &[&str]) -> Address {
        let Some((path, query)) = url.split_once('?') else {
            return Address { url: url.to_owned(), taken: Vec::new() };
        };
        let mut taken = Vec::new();
        let mut left = Vec::new();
        for pair in query.split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            if names.contains(&name) {
                let value = percent_decode_str(&value.replace('+', " ")).decode_utf8_lossy().into_owned();
                taken.push((name.to_owned(), value));
            } else {
                left.push(pair);
            }
        }
        let url = if left.is_empty() { path.to_owned() } else { format!("{path}?{}", left.join("&")) };
        Address { url, taken }
    }

    /// The value of an argument that was taken out; nothing for an empty one.
    pub fn argument(&self, name: &str) -> Option<&str> {
        let found = self.taken.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }
}
