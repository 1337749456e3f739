//! Rules with a condition and a message: conditions of objects and outputs, validations, assertions. Each is evaluated once.

use crate::config::CheckRule;
use crate::diag::{Diagnostic, Diagnostics};
use crate::lang::eval::{Blame, Scope, evaluate, involved};
use crate::value::{Marks, Type, Value, convert};

/// Whether a condition holds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum CheckStatus {
    /// It does.
    Pass,
    /// Only apply will tell.
    Unknown,
    /// It does not.
    Fail,
    /// It cannot be told: the condition, or what is to be said, is itself wrong.
    Error,
}

impl CheckStatus {
    /// Terraform's name of it.
    pub fn json_name(self) -> &'static str {
        match self {
            CheckStatus::Pass => "pass",
            CheckStatus::Unknown => "unknown",
            CheckStatus::Fail => "fail",
            CheckStatus::Error => "error",
        }
    }
}

/// How one rule stands.
pub struct Verdict {
    /// Whether it holds.
    pub status: CheckStatus,
    /// Its message, where it does not hold and the message may be shown.
    pub message: Option<String>,
    /// What is to be said: that it does not hold, and what is wrong with its message whether it holds or not.
    pub said: Diagnostics,
}

/// What a message came to.
enum Words {
    Text(String),
    /// It is not known yet, or must not be shown.
    Withheld,
    /// It is wrong, which has been said.
    Wrong,
}

/// Evaluates a rule.
pub fn judge(rule: &CheckRule, scope: &dyn Scope, summary: &str) -> Verdict {
    let outcome = evaluate(&rule.condition, scope);
    let mut said = outcome.said;
    let holds = outcome.value.map(|value| truth(&value));
    let words = words(rule, scope, &mut said);
    let about = |summary: &str, text: &str| {
        let mut error = Diagnostic::error(summary, text).at(rule.condition.span);
        error.values = involved(&rule.condition, scope, Blame::Nothing);
        error
    };
    let failed = |text: &str| about(summary, text).of_rule(rule.span);
    let (status, message) = match holds {
        None => (CheckStatus::Error, None),
        Some(Truth::Open) => (CheckStatus::Unknown, None),
        Some(Truth::Yes) => (CheckStatus::Pass, None),
        Some(Truth::Neither) => {
            let detail = "Condition expression must return either true or false, not null or another kind of value.";
            said.push(about("Invalid condition result", detail));
            (CheckStatus::Error, None)
        }
        Some(Truth::No) => match &words {
            Words::Text(text) => {
                said.push(failed(text));
                (CheckStatus::Fail, Some(text.clone()))
            }
            Words::Withheld => {
                said.push(failed("The condition does not hold."));
                (CheckStatus::Fail, None)
            }
            Words::Wrong => (CheckStatus::Fail, None),
        },
    };
    let status = if matches!(words, Words::Wrong) { CheckStatus::Error } else { status };
    Verdict { status, message, said }
}

/// Evaluates a condition: nothing to say when it holds or is not known yet.
pub fn check(rule: &CheckRule, scope: &dyn Scope, summary: &str) -> Diagnostics {
    judge(rule, scope, summary).said
}

/// How several rules stand together, and the messages of those that do not hold.
pub(super) fn judge_all(rules: &[CheckRule], scope: &dyn Scope) -> (CheckStatus, Vec<String>) {
    let (mut status, mut messages) = (CheckStatus::Pass, Vec::new());
    for rule in rules {
        let verdict = judge(rule, scope, "");
        status = status.max(verdict.status);
        messages.extend(verdict.message);
    }
    (status, messages)
}

/// What a value says as an answer.
pub(super) enum Truth {
    Yes,
    No,
    /// Not known yet.
    Open,
    /// Null, or another kind of value.
    Neither,
}

pub(super) fn truth(value: &Value) -> Truth {
    match convert(value, &Type::Bool).as_ref().map(|value| (value.is_known(), value.as_bool())) {
        Ok((false, _)) => Truth::Open,
        Ok((true, Some(true))) => Truth::Yes,
        Ok((true, Some(false))) => Truth::No,
        Ok((true, None)) | Err(_) => Truth::Neither,
    }
}

/// What the rule says when it does not hold. What is wrong with that is said in any case.
fn words(rule: &CheckRule, scope: &dyn Scope, said: &mut Diagnostics) -> Words {
    match message(rule, scope, said) {
        Some(Ok(text)) => Words::Text(text),
        Some(Err(hidden)) => {
            if let Some(hidden) = hidden {
                said.push(hidden.warning().at(rule.error_message.span));
            }
            Words::Withheld
        }
        None => Words::Wrong,
    }
}

/// Why a message is not shown.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Hidden {
    Sensitive,
    Ephemeral,
}

impl Hidden {
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Hidden::Sensitive => (
                "Error message refers to sensitive values",
                "It is not shown. Name no sensitive values in it, or use nonsensitive() where it gives nothing away.",
            ),
            Hidden::Ephemeral => (
                "Error message refers to ephemeral values",
                "The error expression used to explain this condition refers to ephemeral values, so the resulting message is not \
                 shown.\n\nYou can correct this by removing references to ephemeral values, or by using the ephemeralasnull() \
                 function on the references to not reveal ephemeral data.",
            ),
        }
    }

    /// What stands in the place of the message.
    pub(super) fn instead(self) -> &'static str {
        match self {
            Hidden::Sensitive => "The error message included a sensitive value, so it will not be displayed.",
            Hidden::Ephemeral => "The error message included an ephemeral value, so it will not be displayed.",
        }
    }

    pub(super) fn warning(self) -> Diagnostic {
        Diagnostic::warning(self.words().0, self.words().1)
    }

    /// In a validation, it is an error to name ephemeral values.
    pub(super) fn of_validation(self) -> Diagnostic {
        match self {
            Hidden::Sensitive => self.warning(),
            Hidden::Ephemeral => Diagnostic::error(self.words().0, self.words().1),
        }
    }
}

/// The message of a rule; `Err` where it is not known yet or hidden, `None` where it is wrong, which is said.
pub(super) fn message(
    rule: &CheckRule,
    scope: &dyn Scope,
    said: &mut Diagnostics,
) -> Option<Result<String, Option<Hidden>>> {
    let outcome = evaluate(&rule.error_message, scope);
    let evaluated = !outcome.has_errors();
    said.append(outcome.said);
    let value = outcome.value.filter(|_| evaluated)?;
    let wrong = match convert(&value, &Type::String) {
        Ok(text) if !text.is_null() => {
            let marks = value.marks_deep();
            let hidden = match () {
                () if marks.contains(Marks::SENSITIVE) => Some(Hidden::Sensitive),
                () if marks.contains(Marks::EPHEMERAL) => Some(Hidden::Ephemeral),
                () => None,
            };
            return Some(match text.as_str() {
                Some(text) if hidden.is_none() => {
                    Ok(if text.is_empty() { "The condition does not hold." } else { text }.to_owned())
                }
                Some(_) | None => Err(hidden),
            });
        }
        Ok(_) => "it is null".to_owned(),
        Err(error) => error.to_string(),
    };
    let detail = format!("It has to be a text: {wrong}.");
    said.push(Diagnostic::error("Invalid error message", detail).at(rule.error_message.span));
    None
}
