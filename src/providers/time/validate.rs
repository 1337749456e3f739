//! What is wrong with a configuration.

use super::moments::{is_plain_duration, parse};
use super::schemas::{OFFSETS, ROTATIONS};
use crate::diag::{Diagnostic, Diagnostics};
use crate::value::{Number, Value};

/// Durations of `time_sleep`.
const DURATIONS: [&str; 2] = ["create_duration", "destroy_duration"];

/// Everything wrong with the arguments of a kind. What is not known yet is not looked at.
pub fn check(kind: &str, config: &Value) -> Diagnostics {
    let mut said = Diagnostics::none();
    for name in ["base_rfc3339", "rfc3339", "rotation_rfc3339"] {
        said.append(config.get(name).and_then(Value::as_str).and_then(|text| parse(text).err()));
    }
    match kind {
        "time_offset" => {
            whole_numbers(config, OFFSETS, None, &mut said);
            one_of(config, OFFSETS.iter().rev().copied(), &mut said);
        }
        "time_rotating" => {
            let (numbers, time) = ROTATIONS.split_at(5);
            whole_numbers(config, numbers, Some(1), &mut said);
            one_of(config, numbers.iter().rev().chain(time).copied(), &mut said);
        }
        "time_sleep" => durations(config, &mut said),
        _ => {}
    }
    said
}

fn is_given(config: &Value, name: &str) -> bool {
    config.get(name).is_some_and(|value| !value.is_null())
}

fn one_of<'n>(config: &Value, names: impl Iterator<Item = &'n str>, said: &mut Diagnostics) {
    let names: Vec<&str> = names.collect();
    if !names.iter().any(|name| is_given(config, name)) {
        let text = format!("At least one of these attributes must be configured: [{}]", names.join(","));
        said.push(Diagnostic::error("Missing Attribute Configuration", text));
    }
}

fn whole_numbers(config: &Value, names: &[&str], least: Option<i64>, said: &mut Diagnostics) {
    for name in names {
        let Some(number) = config.get(name).and_then(Value::as_number) else { continue };
        match (Number::as_i64(number), least) {
            (None, _) => said.error(
                "Configuration Read Error",
                format!("Attribute {name} must be a whole number of at most 64 bits, got: {number}"),
            ),
            (Some(count), Some(least)) if count < least => said.error(
                "Invalid Attribute Value",
                format!("Attribute {name} value must be at least {least}, got: {count}"),
            ),
            (Some(_), _) => {}
        }
    }
}

fn durations(config: &Value, said: &mut Diagnostics) {
    for name in DURATIONS {
        let Some(text) = config.get(name).and_then(Value::as_str) else { continue };
        if !is_plain_duration(text) {
            said.error(
                "Invalid Attribute Value Match",
                format!(
                    "Attribute {name} must be a number immediately followed by ms (milliseconds), s (seconds), m (minutes), or h (hours). For example, \"30s\" for 30 seconds., got: {text}"
                ),
            );
        }
    }
    if !DURATIONS.iter().any(|name| is_given(config, name)) {
        for [one, other] in [[1, 0], [0, 1]] {
            let (one, other) = (DURATIONS[one], DURATIONS[other]);
            said.error(
                "Invalid Attribute Combination",
                format!("At least one attribute out of [{one},{other}] must be specified"),
            );
        }
    }
}
