//! The block `timeouts`: how long an operation may take.

use std::time::Duration;

use serde_json::{Map, json};

use super::table::Resource;
use crate::client::kube::types::Json;
use crate::diag::{Diagnostic, Diagnostics};
use crate::text::duration;
use crate::value::Value;

/// How long an operation (`create`, `update`, `delete`) may take, as the block says. What is less than nothing is none.
pub fn timeout(value: &Value, operation: &str) -> Option<Duration> {
    let text = block(value)?.get(operation)?.as_str()?;
    duration::go(text).ok().map(|limit| limit.try_into().unwrap_or(Duration::ZERO))
}

/// How long an operation on a typed resource may take: as configured, as the provider has it for the type, or what its library has for all.
pub fn limit(resource: &Resource, value: &Value, operation: &str) -> Duration {
    const OTHERS: Duration = Duration::from_secs(20 * 60);
    let own = resource.timeouts.iter().find(|(of, _)| *of == operation).map(|(_, limit)| *limit);
    timeout(value, operation).or(own).unwrap_or(OTHERS)
}

/// The key of the time-outs in private data, which that library gives every provider.
const KEY: &str = "e2bfb730-ecaa-11e6-8f88-34363bc7c4c0";

/// What Terraform's provider keeps beside an object of this schema version in state: its time-outs in nanoseconds, which a later deletion
/// goes by.
pub fn private(own: &[(&str, Duration)], version: u64, config: &Value) -> Vec<u8> {
    let limit = |(operation, own): &(&str, Duration)| {
        let limit = timeout(config, operation).unwrap_or(*own);
        ((*operation).to_owned(), json!(u64::try_from(limit.as_nanos()).unwrap_or(u64::MAX)))
    };
    let limits: Map<String, Json> = own.iter().map(limit).collect();
    let mut private = Map::new();
    if !limits.is_empty() {
        private.insert(KEY.to_owned(), Json::Object(limits));
    }
    if version > 0 {
        private.insert("schema_version".to_owned(), json!(version.to_string()));
    }
    let private = if private.is_empty() { Json::Null } else { Json::Object(private) };
    private.to_string().into_bytes()
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
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn config(create: Value, as_list: bool) -> Value {
        let block = Value::object([("create", create)]);
        let block = if as_list { Value::list(block.ty(), vec![block]) } else { block };
        Value::object([("timeouts", block)])
    }

    #[test]
    fn private_data_is_what_the_real_provider_writes() {
        let minutes = |minutes: u64| Duration::from_secs(minutes * 60);
        let write = |own: &[(&str, Duration)], version, config: &Value| {
            String::from_utf8(private(own, version, config)).unwrap()
        };
        let none = Value::object([("timeouts", Value::NULL)]);
        assert_eq!(write(&[], 0, &none), "null");
        assert_eq!(write(&[], 1, &none), r#"{"schema_version":"1"}"#);
        let own = [("create", minutes(10)), ("delete", minutes(10))];
        assert_eq!(
            write(&own, 1, &config("90s".into(), false)),
            r#"{"e2bfb730-ecaa-11e6-8f88-34363bc7c4c0":{"create":90000000000,"delete":600000000000},"schema_version":"1"}"#
        );
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
