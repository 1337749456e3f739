//! A value together with what is to be said about it.

use super::{Diagnostic, Diagnostics};

/// What a step that can fail in the user's eyes gives back: a value if there is one, and diagnostics either way.
/// A value may be present beside errors (a partial result worth keeping); no value means there are errors.
#[must_use]
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome<T> {
    /// The result; `None` only beside at least one error.
    pub value: Option<T>,
    /// What is to be said.
    pub said: Diagnostics,
}

impl<T> Outcome<T> {
    /// A value and nothing to say.
    pub fn ok(value: T) -> Self {
        Outcome { value: Some(value), said: Diagnostics::none() }
    }

    /// A value, and something to say.
    pub fn with(value: T, said: Diagnostics) -> Self {
        Outcome { value: Some(value), said }
    }

    /// No value.
    pub fn fail(said: impl Into<Diagnostics>) -> Self {
        Outcome { value: None, said: said.into() }
    }

    /// Turns the value into another one.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Outcome<U> {
        Outcome { value: self.value.map(f), said: self.said }
    }

    /// Goes on with the value, if there is one, and keeps what both steps said.
    pub fn and_then<U>(self, f: impl FnOnce(T) -> Outcome<U>) -> Outcome<U> {
        let mut said = self.said;
        match self.value {
            None => Outcome { value: None, said },
            Some(value) => {
                let next = f(value);
                said.append(next.said);
                Outcome { value: next.value, said }
            }
        }
    }

    /// Hands what was said to `said` and gives the value.
    pub fn take(self, said: &mut Diagnostics) -> Option<T> {
        said.append(self.said);
        self.value
    }

    /// Whether any error was said.
    pub fn has_errors(&self) -> bool {
        self.said.has_errors()
    }

    /// The value with warnings, or everything said when any of it is an error.
    ///
    /// # Errors
    /// When an error was said or there is no value.
    pub fn into_result(self) -> Result<(T, Diagnostics), Diagnostics> {
        match self.value {
            Some(value) if !self.said.has_errors() => Ok((value, self.said)),
            _ => Err(self.said),
        }
    }
}

impl<T> From<Diagnostic> for Outcome<T> {
    fn from(diagnostic: Diagnostic) -> Self {
        Outcome::fail(diagnostic)
    }
}
