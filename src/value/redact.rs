//! The registry of secret texts: events, logs and texts of providers pass through it before anyone sees them.
//!
//! In: values as they are evaluated. Out: text with every registered secret replaced. There is no global registry; each run
//! has its own and hands it to whoever writes.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::{Arc, RwLock, RwLockReadGuard};

use regex::Regex;

use super::{Marks, Value};

/// What is written instead of a secret.
pub const WITHHELD: &str = "(sensitive value)";

/// Shorter texts are not registered: replacing every `1` or `yes` would garble all output and hide nothing.
const SHORTEST: usize = 4;

/// The secrets of a run. Clones share them.
#[derive(Clone, Default)]
pub struct Redactor(Arc<RwLock<Secrets>>);

#[derive(Default)]
struct Secrets {
    texts: HashSet<String>,
    /// One automaton for all of them, built when text is next redacted.
    matcher: Option<Arc<Regex>>,
}

impl Redactor {
    /// Nothing registered.
    pub fn new() -> Self {
        Redactor::default()
    }

    fn read(&self) -> RwLockReadGuard<'_, Secrets> {
        // A panic while adding cannot leave a half-added secret behind.
        self.0.read().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Registers a text, and each of its lines when it has several, since output is often written line by line. Texts of
    /// fewer than four characters are passed over.
    pub fn add(&self, secret: &str) {
        let mut texts = vec![secret];
        if secret.contains('\n') {
            texts.extend(secret.lines().map(str::trim));
        }
        texts.retain(|text| text.chars().nth(SHORTEST - 1).is_some() && !is_common(text));
        if texts.iter().all(|text| self.read().texts.contains(*text)) {
            return;
        }
        let mut secrets = self.0.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        secrets.texts.extend(texts.into_iter().map(str::to_owned));
        secrets.matcher = None;
    }

    /// Registers every text and number in the value that a sensitive mark covers.
    pub fn add_value(&self, value: &Value) {
        match value {
            Value::Marked(marked) if marked.marks.contains(Marks::SENSITIVE) => self.add_all(&marked.value),
            Value::Marked(marked) => self.add_value(&marked.value),
            Value::List(sequence) => sequence.items.iter().for_each(|item| self.add_value(item)),
            Value::Tuple(items) => items.iter().for_each(|item| self.add_value(item)),
            Value::Map(mapping) => mapping.entries.values().for_each(|part| self.add_value(part)),
            Value::Object(entries) => entries.values().for_each(|part| self.add_value(part)),
            // Elements of sets carry no marks.
            Value::Set(_)
            | Value::Null(_)
            | Value::Unknown(_)
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_) => {}
        }
    }

    /// Registers every text and number in the value.
    fn add_all(&self, value: &Value) {
        match value.bare() {
            Value::String(text) => self.add(text),
            Value::Number(number) => self.add(&number.to_string()),
            other => {
                if let Some(items) = other.as_items() {
                    items.iter().for_each(|item| self.add_all(item));
                } else if let Some(entries) = other.as_entries() {
                    entries.values().for_each(|part| self.add_all(part));
                }
            }
        }
    }

    /// The text with every registered secret replaced, the longest where several begin at one place.
    pub fn redact<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let matcher = {
            let secrets = self.read();
            if secrets.texts.is_empty() {
                return Cow::Borrowed(text);
            }
            secrets.matcher.clone()
        };
        match matcher.map_or_else(|| self.build(), Ok) {
            Ok(matcher) => matcher.replace_all(text, regex::NoExpand(WITHHELD)),
            Err(texts) => Cow::Owned(replace_each(text, &texts)),
        }
    }

    /// Builds the automaton; gives the texts back should they be too many for one.
    fn build(&self) -> Result<Arc<Regex>, Vec<String>> {
        let mut secrets = self.0.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut texts: Vec<String> = secrets.texts.iter().cloned().collect();
        // Alternatives are tried in order: longer ones first, lest a prefix leave the rest of a secret readable.
        texts.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        let pattern = texts.iter().map(|text| regex::escape(text)).collect::<Vec<_>>().join("|");
        let built = regex::RegexBuilder::new(&pattern).size_limit(1 << 28).unicode(false).build();
        match built.or_else(|_| regex::RegexBuilder::new(&pattern).size_limit(1 << 28).build()) {
            Ok(matcher) => {
                let matcher = Arc::new(matcher);
                secrets.matcher = Some(matcher.clone());
                Ok(matcher)
            }
            Err(_) => Err(texts),
        }
    }
}

impl std::fmt::Debug for Redactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Redactor")
    }
}

/// Words that a sensitive object may hold without their being secrets.
fn is_common(text: &str) -> bool {
    matches!(text, "true" | "false" | "null" | "none" | "default")
}

fn replace_each(text: &str, secrets: &[String]) -> String {
    secrets.iter().fold(text.to_owned(), |text, secret| text.replace(secret.as_str(), WITHHELD))
}

#[cfg(test)]
mod tests {
    use super::super::Type;
    use super::*;

    #[test]
    fn replaces_registered_texts() {
        let redactor = Redactor::new();
        for secret in ["hunter2x", "hunter", "abc", "pässwörd", "a.*b", "first line\n  second line", "true"] {
            redactor.add(secret);
        }
        for (text, expect) in [
            ("nothing here", "nothing here"),
            ("is hunter2x!", "is (sensitive value)!"),
            ("hunterhunter2x", "(sensitive value)(sensitive value)"),
            ("abc is too short", "abc is too short"),
            ("pässwörd", "(sensitive value)"),
            ("a.*b and axxb", "(sensitive value) and axxb"),
            ("> second line", "> (sensitive value)"),
            ("true", "true"),
        ] {
            assert_eq!(redactor.redact(text), expect);
        }
        redactor.add("later");
        assert_eq!(redactor.clone().redact("and later"), "and (sensitive value)");
    }

    #[test]
    fn registers_what_marks_cover() {
        let redactor = Redactor::new();
        redactor.add_value(&Value::object([
            ("open", Value::from("visible")),
            ("secret", Value::tuple(vec![Value::from("inner"), Value::int(123456)]).sensitive()),
            ("deep", Value::list(Type::String, vec![Value::from("deeper").sensitive()])),
        ]));
        assert_eq!(
            redactor.redact("visible inner 123456 deeper"),
            "visible (sensitive value) (sensitive value) (sensitive value)"
        );
        assert_eq!(format!("{redactor:?}"), "Redactor");
    }

    #[test]
    fn many_secrets_stay_fast() {
        let redactor = Redactor::new();
        for index in 0..5_000 {
            redactor.add(&format!("secret-number-{index}-of-many"));
        }
        let text = "x secret-number-4321-of-many ".repeat(1_000);
        assert_eq!(redactor.redact(&text), "x (sensitive value) ".repeat(1_000));
    }
}
