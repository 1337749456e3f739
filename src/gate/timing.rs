//! How often and how long a gate is tried.

use std::sync::OnceLock;
use std::time::Duration;

use crate::diag::{Diagnostic, Diagnostics, Outcome};
use crate::schema::{Attribute, Block};
use crate::text::duration;
use crate::value::{Type, Value};

/// One try takes at most this long.
pub(super) const TRY_LIMIT: Duration = Duration::from_secs(10);

/// How often and how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// The pause between two tries.
    pub interval: Duration,
    /// All tries together take at most this long.
    pub timeout: Duration,
    /// How many tries may fail before it is given up; `None` tries until the time-out.
    pub retries: Option<u32>,
}

impl Default for Timing {
    fn default() -> Self {
        Timing { interval: Duration::from_secs(2), timeout: Duration::from_secs(300), retries: None }
    }
}

/// `interval`, `timeout` and `retries`: arguments of the gate itself, beside its check.
pub fn timing_schema() -> &'static Block {
    static BLOCK: OnceLock<Block> = OnceLock::new();
    BLOCK.get_or_init(|| {
        Block::new([
            ("interval", Attribute::optional(Type::String)),
            ("timeout", Attribute::optional(Type::String)),
            ("retries", Attribute::optional(Type::Number)),
        ])
    })
}

impl Timing {
    /// Reads a value of [`timing_schema`]; null and missing arguments have their defaults.
    pub fn from_value(value: &Value) -> Outcome<Timing> {
        let mut said = Diagnostics::none();
        let mut timing = Timing::default();
        let mut read = |name: &str, into: &mut Duration| {
            let Some(text) = value.get(name).and_then(Value::as_str) else { return };
            match duration::parse(text) {
                Some(found) if !found.is_zero() || name == "interval" => *into = found,
                _ => said.push(Diagnostic::error(
                    "Invalid duration",
                    format!("{name} is {text:?}; a duration is written like \"2s\", \"500ms\" or \"5m\"."),
                )),
            }
        };
        read("interval", &mut timing.interval);
        read("timeout", &mut timing.timeout);
        if let Some(number) = value.get("retries").and_then(Value::as_number) {
            match number.as_u64().and_then(|number| u32::try_from(number).ok()) {
                Some(retries) => timing.retries = Some(retries),
                None => said.error(
                    "Invalid number of retries",
                    format!("retries is {number}; it must be a whole number, 0 or more."),
                ),
            }
        }
        if said.has_errors() { Outcome::fail(said) } else { Outcome::ok(timing) }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn reads_values() {
        let value = |interval: &str, timeout: &str, retries: Value| {
            Value::object([("interval", interval.into()), ("timeout", timeout.into()), ("retries", retries)])
        };
        let timing = Timing::from_value(&value("500ms", "2m", Value::int(3))).value.unwrap();
        let expect =
            Timing { interval: Duration::from_millis(500), timeout: Duration::from_secs(120), retries: Some(3) };
        assert_eq!(timing, expect);
        assert_eq!(Timing::from_value(&Value::NULL).value, Some(Timing::default()));
        let wrong = Timing::from_value(&value("soon", "0s", Value::int(-1)));
        assert_eq!((wrong.value, wrong.said.0.len()), (None, 3));
    }
}
