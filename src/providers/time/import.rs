//! What the ids of `import` stand for.

use super::moments::{Moment, duration};
use super::schemas::{OFFSETS, ROTATIONS};
use crate::diag::Diagnostic;
use crate::value::{Type, Value};

type Fields = Vec<(&'static str, Value)>;

/// The arguments that an id stands for. Times are told in whole seconds.
pub fn fields(kind: &str, id: &str) -> Result<Fields, Diagnostic> {
    let parts: Vec<&str> = id.split(',').collect();
    let wrong = |form: &str| {
        Diagnostic::error("Unexpected Format of ID", format!("Unexpected format of ID ({id:?}), expected {form}."))
    };
    match (kind, &parts[..]) {
        ("time_static", _) => {
            let text =
                time(id, "Import time static error", "The id that was supplied could not be parsed as RFC3339.")?;
            Ok(vec![("rfc3339", text)])
        }
        ("time_offset", [base, units @ ..]) => {
            const FORM: &str = "BASETIMESTAMP,YEARS,MONTHS,DAYS,HOURS,MINUTES,SECONDS";
            if units.len() != OFFSETS.len() {
                return Err(wrong(FORM));
            }
            if units.iter().all(|unit| unit.is_empty()) {
                return Err(wrong(&format!("{FORM} where at least one offset value is non-empty")));
            }
            let summary = "Import time offset error";
            let why = "The base_rfc3339 timestamp that was supplied could not be parsed as RFC3339.";
            let base = ("base_rfc3339", time(base, summary, why)?);
            Ok([vec![base], numbers(OFFSETS, units, summary)?].concat())
        }
        ("time_rotating", [base, units @ ..]) => {
            const FORM: &str = "BASETIMESTAMP,YEARS,MONTHS,DAYS,HOURS,MINUTES";
            let (summary, why) = ("Import time rotating error", "The parameter that was supplied could not be parsed.");
            if let [rotation] = units {
                let base = ("rfc3339", time(base, summary, why)?);
                return Ok(vec![base, ("rotation_rfc3339", time(rotation, summary, why)?)]);
            }
            let names = &ROTATIONS[..5];
            if units.len() != names.len() {
                return Err(wrong(&format!("{FORM} or BASETIMESTAMP,ROTATIONTIMESTAMP")));
            }
            if units.iter().all(|unit| unit.is_empty()) {
                return Err(wrong(&format!("{FORM} where at least one rotation value is non-empty")));
            }
            let base = ("rfc3339", time(base, summary, why)?);
            Ok([vec![base], numbers(names, units, summary)?].concat())
        }
        (_, [create, destroy]) if !(create.is_empty() && destroy.is_empty()) => {
            let field = |(name, text): (&'static str, &str)| match duration(text) {
                _ if text.is_empty() => Ok((name, Value::Null(Type::String))),
                Some(_) => Ok((name, text.into())),
                None => Err(Diagnostic::error(
                    "Import time sleep error",
                    format!("The {name} cannot be parsed\n\nOriginal Error: time: invalid duration {text:?}"),
                )),
            };
            [("create_duration", *create), ("destroy_duration", *destroy)].into_iter().map(field).collect()
        }
        _ => Err(wrong("CREATEDURATION,DESTROYDURATION where at least one value is non-empty")),
    }
}

fn time(text: &str, summary: &str, why: &str) -> Result<Value, Diagnostic> {
    match Moment::parse(text) {
        Ok(moment) => Ok(Value::string(moment.to_string())),
        Err(error) => Err(Diagnostic::error(summary, format!("{why}\n\nOriginal Error: {error}"))),
    }
}

fn numbers(names: &'static [&'static str], texts: &[&str], summary: &str) -> Result<Fields, Diagnostic> {
    let given = names.iter().zip(texts).filter(|(_, text)| !text.is_empty());
    let number = |(name, text): (&&'static str, &&str)| match text.parse::<i64>() {
        Ok(number) => Ok((*name, Value::int(number))),
        Err(_) => Err(Diagnostic::error(
            summary,
            format!(
                "The {name} parameter that was supplied could not be parsed as Int64.\n\nOriginal Error: {text:?} is not a whole number."
            ),
        )),
    };
    given.map(number).collect()
}
