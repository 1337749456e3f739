//! Random values that are made once and then kept in state: ids, texts, passwords, numbers, names, orders.
//!
//! In: requests of the engine. Out: values with the attributes and ids of the Terraform provider `random` 3.7. One thing
//! differs: with a `seed`, the same seed gives the same result here, but not the one the Terraform provider gives, whose
//! generator is that of its language.

mod keepers;
mod names;
mod schemas;
mod text;
mod values;

use std::sync::Arc;

use crate::diag::{Diagnostic, Diagnostics, Outcome};
use crate::provider::{
    InState, PlanRequest, Planned, Provider, ProviderSchema, StateOnly, plan_by_schema, unknown_kind,
};
use crate::value::{Entries, Number, Type, Value};

use super::Settings;

/// The provider.
pub fn provider(_settings: &Settings) -> Arc<dyn Provider> {
    Arc::new(StateOnly::new(Random { schema: super::prose::described("random", schemas::all()) }))
}

struct Random {
    schema: ProviderSchema,
}

impl InState for Random {
    fn schema(&self) -> &ProviderSchema {
        &self.schema
    }

    fn validate(&self, kind: &str, _data: bool, config: &Value) -> Diagnostics {
        match kind {
            "random_string" | "random_password" => text::validate(config),
            "random_integer" => values::validate_integer(config),
            "random_id" => at_least_one(config, "byte_length"),
            "random_bytes" => at_least_one(config, "length"),
            _ => Diagnostics::none(),
        }
    }

    fn plan(&self, request: &PlanRequest) -> Outcome<Planned> {
        let Some(schema) = self.schema.resources.get(request.kind.as_str()) else { return unknown_kind(&request.kind) };
        // What is not written has its default, also where the object was made with something else.
        let mut request = request.clone();
        if let Value::Object(entries) = &request.proposed {
            let fill = |entries: Entries, (name, default): &(&str, Value)| match request.config.get(name) {
                Some(configured) if !configured.is_null() => entries,
                _ => entries.with(*name, default.clone()),
            };
            let defaults = schemas::defaults(&request.kind, &request.config);
            request.proposed = Value::Object(defaults.iter().fold(entries.clone(), fill));
        }
        let mut planned = plan_by_schema(&schema.block, &request);
        planned.replace.retain(|path| keepers::is_reason(&request.prior, &planned.value, path));
        Outcome::ok(planned)
    }

    fn create(&self, kind: &str, planned: &Value) -> Outcome<Value> {
        let Value::Object(entries) = planned else { return unknown_kind(kind) };
        let made = match kind {
            "random_string" | "random_password" => text::make(kind, entries),
            "random_id" => values::id(&text_of(entries, "prefix"), &values::bytes(usize_of(entries, "byte_length"))),
            "random_bytes" => values::bytes_object(&values::bytes(usize_of(entries, "length"))),
            "random_integer" => values::integer(entries),
            "random_uuid" => values::uuid(&uuid::Uuid::new_v4()),
            "random_shuffle" => values::shuffle(entries),
            "random_pet" => names::pet(entries),
            _ => return unknown_kind(kind),
        };
        Outcome::ok(Value::Object(
            made.into_iter().fold(entries.clone(), |entries, (name, value)| entries.with(name, value)),
        ))
    }

    fn open(&self, kind: &str, config: &Value) -> Outcome<Value> {
        let Value::Object(entries) = config else { return unknown_kind(kind) };
        let missing = |entries: Entries, (name, default): (&str, Value)| match entries.get(name) {
            Some(written) if written.is_null() => entries.with(name, default),
            Some(_) | None => entries,
        };
        let filled = schemas::defaults(kind, config).into_iter().fold(entries.clone(), missing);
        let made = text::make(kind, &filled).into_iter().filter(|(name, _)| filled.get(name).is_some());
        let made: Vec<_> = made.collect();
        Outcome::ok(Value::Object(made.into_iter().fold(filled, |all, (name, value)| all.with(name, value))))
    }

    fn import(&self, kind: &str, id: &str) -> Outcome<Value> {
        let Some(schema) = self.schema.resources.get(kind) else { return unknown_kind(kind) };
        let found = match kind {
            "random_string" | "random_password" => Ok(text::imported(kind, id)),
            "random_id" => values::imported_id(id),
            "random_bytes" => values::imported_bytes(id),
            "random_integer" => values::imported_integer(id),
            "random_uuid" => values::imported_uuid(id),
            _ => Err(format!("Objects of type {kind} cannot be imported.")),
        };
        match found {
            Ok(found) => {
                let Type::Object(attributes) = schema.ty() else { return unknown_kind(kind) };
                let nothing =
                    attributes.iter().map(|(name, attribute)| (name.clone(), Value::Null(attribute.ty.clone())));
                let found = found.into_iter().map(|(name, value)| (name.into(), value));
                Outcome::ok(Value::Object(nothing.chain(found).collect()))
            }
            Err(why) => Diagnostic::error("Resource import failed", why).into(),
        }
    }

    fn upgrade(&self, kind: &str, _version: u64, object: &mut serde_json::Map<String, serde_json::Value>) {
        if matches!(kind, "random_string" | "random_password") {
            text::upgrade(kind, object);
        }
    }
}

/// Attributes to be set on an object.
type Set = Vec<(&'static str, Value)>;

fn text_of(entries: &Entries, name: &str) -> String {
    entries.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn number_of(entries: &Entries, name: &str) -> Option<i64> {
    entries.get(name).and_then(Value::as_number).and_then(Number::as_i64)
}

fn usize_of(entries: &Entries, name: &str) -> usize {
    number_of(entries, name).and_then(|number| usize::try_from(number).ok()).unwrap_or_default()
}

fn at_least_one(config: &Value, name: &str) -> Diagnostics {
    let value = config.get(name).and_then(Value::as_number).and_then(Number::as_i64);
    match value {
        Some(number) if number < 1 => Diagnostic::error(
            "Invalid Attribute Value",
            format!("Attribute {name} value must be at least 1, got: {number}"),
        )
        .into(),
        _ => Diagnostics::none(),
    }
}

#[cfg(test)]
mod tests;
