//! Argument vectors as Terraform prints them.

/// `["/bin/sh" "-c" "echo \"a\""]`.
pub(super) fn vector<S: AsRef<str>>(argv: &[S]) -> String {
    let words: Vec<String> = argv.iter().map(|word| quoted(word.as_ref())).collect();
    format!("[{}]", words.join(" "))
}

/// A text in double quotes, with the escapes of Go.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{b}' => out.push_str("\\v"),
            c if c.is_ascii_control() => out.push_str(&format!("\\x{:02x}", u32::from(c))),
            c if c.is_control() => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_as_terraform_does() {
        let shown = vector(&["/bin/sh", "-c", "echo \"a\\b\"\n\tü\u{1b}[0m"]);
        assert_eq!(shown, r#"["/bin/sh" "-c" "echo \"a\\b\"\n\tü\x1b[0m"]"#);
    }
}
