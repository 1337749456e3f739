//! The block `timeouts`: how long an operation may take.

use std::time::Duration;

use crate::diag::{Diagnostic, Diagnostics};
use crate::text::duration;
use crate::value::Value;

/// How long an operation (`create`, `update`, `delete`) may take, as the block says. What is less than nothing is none.
pub fn timeout(value: &Value, operation: &str) -> Option<Duration> {
    let text = block(value)?.get(operation)?.as_str()?;
    duration::go(text).ok().map(|limit| limit.try_into().unwrap_or(Duration::ZERO))
}

/// Checks that every duration of the block can be read, in the words of the library that Terraform's provider is made with.
pub fn check(config: &Value) -> Diagnostics {
    let mut said = Diagnostics::none();
    for (operation, value) in block(config).and_then(Value::as_entries).into_iter().flatten() {
        if let Some(Err(error)) = value.as_str().map(duration::go) {
            let what = "A number and a unit follow one another, as in \"90s\", \"10m\" or \"1h30m\".";
            let said_as = format!("Error parsing {:?} timeout: {error}", operation.to_string());
            said.push(Diagnostic::error(said_as, what).of_argument("timeouts"));
        }
    }
    said
}

/// The block of manifests is a list, that of typed resources an object.
fn block(value: &Value) -> Option<&Value> {
    let timeouts = value.get("timeouts")?;
    Some(timeouts.as_items().and_then(<[Value]>::first).unwrap_or(timeouts))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(create: Value, as_list: bool) -> Value {
        let block = Value::object([("create", create)]);
        let block = if as_list { Value::list(block.ty(), vec![block]) } else { block };
        Value::object([("timeouts", block)])
    }

    #[test]
    fn durations_are_read_in_both_forms_of_the_block() {
        for (text, seconds) in
            [("10m", Some(600)), ("1h10m", Some(4200)), ("-5m", Some(0)), ("10", None), ("10d", None)]
        {
            for as_list in [false, true] {
                let config = config(text.into(), as_list);
                assert_eq!(timeout(&config, "create").map(|limit| limit.as_secs()), seconds, "{text}");
                assert_eq!(check(&config).has_errors(), seconds.is_none(), "{text}");
            }
        }
        assert_eq!(timeout(&config(Value::NULL, false), "create"), None);
        let said = check(&config("10 minutes".into(), false));
        let expect = "Error parsing \"create\" timeout: time: unknown unit \" minutes\" in duration \"10 minutes\"";
        assert_eq!(said.iter().next().map(|one| one.summary.as_str()), Some(expect));
    }
}
