//! Diagnostics: what is to be said to the user about their input, and where in it.
//!
//! In: rooms that read, evaluate or apply push [`Diagnostic`]s. Out: `view` draws them. Not here: drawing (`view`), errors of
//! the outside world (each boundary has its own `thiserror` enum and turns it into a diagnostic where the user must see it).

mod outcome;
mod source;

use std::fmt;

pub use outcome::Outcome;
pub use source::{FileId, Position, Section, Source, SourceMap, Span};

/// How bad it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub enum Severity {
    /// The command fails.
    Error,
    /// Worth knowing; the command goes on.
    Warning,
}

/// One thing to be said: what is wrong in a line, why and what to do next, and where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Diagnostic {
    /// Error or warning.
    pub severity: Severity,
    /// One line without a full stop, such as `Unsupported argument`.
    pub summary: String,
    /// Full sentences: the cause and what to do next. May be empty.
    pub detail: String,
    /// The argument it is about, where only its name is known: whoever has the block finds its source.
    pub argument: Option<String>,
    /// The source it is about, underlined in the snippet.
    pub subject: Option<Span>,
    /// What has to be seen with it to understand it, such as the whole call of which an argument is wrong.
    pub frame: Option<Span>,
    /// The function in whose call it happened, as it was called.
    pub calling: Option<String>,
    /// What the source stands in, such as `resource "local_file" "a"`; where there is a source, its text says it.
    pub within: Option<String>,
    /// The object it is about, when no source is: an instance address, a state key.
    pub address: Option<String>,
    /// Values of the expressions involved, already rendered; sensitive ones say only that they are.
    pub values: Vec<(String, String)>,
    /// The rule whose condition does not hold or cannot be told yet, when that is what it is about.
    pub rule: Option<Box<Rule>>,
    /// Whether it is advice on what is written, and no part of what a run has to say: `validate` alone gives it.
    pub advice: bool,
    /// What it comes from, where many objects meet the same trouble, such as a server that does not answer: text tells it once, with a
    /// count.
    pub trouble: Option<Box<str>>,
}

/// A rule whose condition does not hold or cannot be told yet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rule {
    /// Where it is written.
    pub span: Span,
    /// The key of the instance that it was evaluated for, such as `[0]`.
    pub instance: Option<String>,
}

impl Diagnostic {
    /// An error.
    pub fn error(summary: impl Into<String>, detail: impl Into<String>) -> Self {
        Diagnostic {
            severity: Severity::Error,
            summary: summary.into(),
            detail: detail.into(),
            argument: None,
            subject: None,
            frame: None,
            calling: None,
            within: None,
            address: None,
            values: Vec::new(),
            rule: None,
            advice: false,
            trouble: None,
        }
    }

    /// A warning.
    pub fn warning(summary: impl Into<String>, detail: impl Into<String>) -> Self {
        Diagnostic { severity: Severity::Warning, ..Diagnostic::error(summary, detail) }
    }

    /// Points at the source.
    #[must_use]
    pub fn at(mut self, span: Span) -> Self {
        self.subject = Some(span);
        self
    }

    /// Names the source that is shown around what it points at.
    #[must_use]
    pub fn framed(mut self, frame: Span) -> Self {
        self.frame = Some(frame);
        self
    }

    /// Points at the source, unless it already points somewhere or there is none.
    #[must_use]
    pub fn or_at(mut self, span: Option<Span>) -> Self {
        self.subject = self.subject.or(span);
        self
    }

    /// Names the block the source stands in.
    #[must_use]
    pub fn within(mut self, block: impl Into<String>) -> Self {
        self.within = Some(block.into());
        self
    }

    /// Names the object it is about, with its layer where addresses have one (`{:#}`).
    #[must_use]
    pub fn about(mut self, address: impl fmt::Display) -> Self {
        self.address = Some(format!("{address:#}"));
        self
    }

    /// Makes it advice: see [`Diagnostic::advice`].
    #[must_use]
    pub fn as_advice(mut self) -> Self {
        self.advice = true;
        self
    }

    /// Names the trouble that it comes from: see [`Diagnostic::trouble`].
    #[must_use]
    pub fn of_trouble(mut self, trouble: impl Into<String>) -> Self {
        self.trouble = Some(trouble.into().into());
        self
    }

    /// Names the argument of its block that it is about.
    #[must_use]
    pub fn of_argument(mut self, name: impl Into<String>) -> Self {
        self.argument = Some(name.into());
        self
    }

    /// Names the rule whose condition it is about.
    #[must_use]
    pub fn of_rule(mut self, rule: Span) -> Self {
        self.rule = Some(Box::new(Rule { span: rule, instance: None }));
        self
    }

    /// Adds the value of an expression that was involved, as the end of a sentence about it: `is "b"`. The caller withholds
    /// sensitive ones.
    #[must_use]
    pub fn value(mut self, expression: impl Into<String>, rendered: impl Into<String>) -> Self {
        self.values.push((expression.into(), rendered.into()));
        self
    }

    /// Whether this is an error.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

/// Everything said so far, in the order it was found.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Diagnostics(pub Vec<Diagnostic>);

impl Diagnostics {
    /// Nothing to say.
    pub fn none() -> Self {
        Diagnostics::default()
    }

    /// Adds one.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.0.push(diagnostic);
    }

    /// Adds an error without a source.
    pub fn error(&mut self, summary: impl Into<String>, detail: impl Into<String>) {
        self.push(Diagnostic::error(summary, detail));
    }

    /// Adds all of `others`.
    pub fn append(&mut self, others: impl IntoIterator<Item = Diagnostic>) {
        self.0.extend(others);
    }

    /// Whether any is an error.
    pub fn has_errors(&self) -> bool {
        self.0.iter().any(Diagnostic::is_error)
    }

    /// Whether there is nothing to say.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them, in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.0.iter()
    }

    /// All of them about an address, where they do not name one already.
    #[must_use]
    pub fn about(mut self, address: impl fmt::Display) -> Self {
        for diagnostic in &mut self.0 {
            diagnostic.address.get_or_insert_with(|| format!("{address:#}"));
        }
        self
    }

    /// Points every diagnostic without a source at `span`, and names the block it is in where none is named.
    #[must_use]
    pub fn located(mut self, span: Option<Span>, within: Option<&dyn fmt::Display>) -> Self {
        for diagnostic in &mut self.0 {
            diagnostic.subject = diagnostic.subject.or(span);
            if diagnostic.within.is_none() {
                diagnostic.within = within.map(ToString::to_string);
            }
        }
        self
    }

    /// Names the instance that rules were evaluated for.
    #[must_use]
    pub fn of_instance(mut self, key: Option<&impl fmt::Display>) -> Self {
        let key = key.map(ToString::to_string);
        for rule in self.0.iter_mut().filter_map(|diagnostic| diagnostic.rule.as_mut()) {
            rule.instance.clone_from(&key);
        }
        self
    }

    /// Takes `prefix` off every address that begins with it.
    #[must_use]
    pub fn without_prefix(mut self, prefix: &str) -> Self {
        for address in self.0.iter_mut().filter_map(|diagnostic| diagnostic.address.as_mut()) {
            if let Some(rest) = address.strip_prefix(prefix) {
                *address = rest.to_owned();
            }
        }
        self
    }

    /// `Err` with these diagnostics when any is an error, else `Ok(value)` beside the warnings.
    ///
    /// # Errors
    /// Exactly when [`Diagnostics::has_errors`].
    pub fn into_result(self) -> Result<Diagnostics, Diagnostics> {
        if self.has_errors() { Err(self) } else { Ok(self) }
    }
}

impl From<Diagnostic> for Diagnostics {
    fn from(diagnostic: Diagnostic) -> Self {
        Diagnostics(vec![diagnostic])
    }
}

impl FromIterator<Diagnostic> for Diagnostics {
    fn from_iter<I: IntoIterator<Item = Diagnostic>>(iter: I) -> Self {
        Diagnostics(iter.into_iter().collect())
    }
}

impl IntoIterator for Diagnostics {
    type Item = Diagnostic;
    type IntoIter = std::vec::IntoIter<Diagnostic>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl fmt::Display for Diagnostics {
    /// Summaries and details only, for tests and last resorts; `view` draws the real thing.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, diagnostic) in self.0.iter().enumerate() {
            let severity = if diagnostic.is_error() { "Error" } else { "Warning" };
            write!(f, "{}{severity}: {}", if index == 0 { "" } else { "\n" }, diagnostic.summary)?;
            if !diagnostic.detail.is_empty() {
                write!(f, ": {}", diagnostic.detail)?;
            }
        }
        Ok(())
    }
}

/// ` Did you mean "…"?` when one of the known names is close to what was written, else nothing.
pub fn did_you_mean<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let limit = (written.chars().count() / 3).max(1) + 1;
    let close = known
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(written, name), name))
        .filter(|(distance, name)| *distance < limit.max(2).min(name.chars().count()) && *name != written)
        .min();
    close.map_or_else(String::new, |(_, name)| format!(" Did you mean {name:?}?"))
}
