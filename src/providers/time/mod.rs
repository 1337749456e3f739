//! Times that are taken once and kept in state, and waiting.
//!
//! In: requests of the engine and a clock. Out: values with the attributes and ids of the Terraform provider `time` 0.13.
//! A time that the configuration gives stays as it is written; what follows from it is RFC 3339 in whole seconds, at the
//! offset of the given one. Nothing outside of state exists.

mod import;
mod moments;
mod schemas;
mod validate;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::change::Action;
use crate::diag::{Diagnostic, Diagnostics, Outcome};
use crate::provider::{
    InState, PlanRequest, Planned, Provider, ProviderSchema, StateOnly, plan_by_schema, unknown_kind,
};
use crate::value::{Entries, Type, Value};

use super::Settings;
use moments::{Moment, Shift, duration, parse};

/// The provider.
pub fn provider(settings: &Settings) -> Arc<dyn Provider> {
    Arc::new(StateOnly::new(Time {
        schema: super::prose::described("time", schemas::all()),
        now: settings.now.clone(),
    }))
}

struct Time {
    schema: ProviderSchema,
    now: Arc<dyn Fn() -> Timestamp + Send + Sync>,
}

/// Attributes that follow from a moment.
const PARTS: [&str; 7] = ["day", "hour", "minute", "month", "second", "unix", "year"];

impl Time {
    /// The moment an object starts from, and its text: as configured, else as it was, else now.
    fn base(&self, entries: &Entries, name: &str) -> Result<(Moment, Value), Diagnostic> {
        match entries.get(name).and_then(Value::as_str) {
            Some(text) => Ok((parse(text)?, text.into())),
            None => {
                let now = Moment::utc((self.now)());
                Ok((now, rfc3339(now)))
            }
        }
    }

    fn make(&self, kind: &str, entries: &Entries) -> Result<Entries, Diagnostic> {
        let set = |entries: &Entries, values: Vec<(&'static str, Value)>| {
            values.into_iter().fold(entries.clone(), |entries, (name, value)| entries.with(name, value))
        };
        match kind {
            "time_static" => {
                let (moment, text) = self.base(entries, "rfc3339")?;
                Ok(set(entries, moment.parts()).with("rfc3339", text.clone()).with("id", text))
            }
            "time_offset" => {
                let (base, text) = self.base(entries, "base_rfc3339")?;
                let moment = Shift::read(entries, "offset_").from(base)?;
                let entries = set(entries, moment.parts());
                Ok(entries.with("base_rfc3339", text).with("rfc3339", rfc3339(moment)).with("id", rfc3339(base)))
            }
            "time_rotating" => {
                let (base, text) = self.base(entries, "rfc3339")?;
                let shift = Shift::read(entries, "rotation_");
                let (rotation, written) = match entries.get("rotation_rfc3339").and_then(Value::as_str) {
                    Some(written) => (parse(written)?, written.into()),
                    None => {
                        let moment = shift.by_last(base).unwrap_or(Ok(base))?;
                        (moment, rfc3339(moment))
                    }
                };
                // They spell out when it ends, not when it began.
                let entries = set(entries, rotation.parts());
                Ok(entries.with("rfc3339", text).with("rotation_rfc3339", written).with("id", rfc3339(base)))
            }
            _ => Ok(entries.clone().with("id", rfc3339(Moment::utc((self.now)())))),
        }
    }
}

fn rfc3339(moment: Moment) -> Value {
    Value::string(moment.to_string())
}

/// The request of a rotation, where a time that is written in another form of the one in state stays as it is in state.
fn with_settled_forms(request: &PlanRequest) -> PlanRequest {
    let mut request = request.clone();
    let Value::Object(mut entries) = request.proposed.clone() else { return request };
    for name in ["rfc3339", "rotation_rfc3339"] {
        let text = |value: &Value| value.get(name).and_then(Value::as_str).map(str::to_owned);
        let (Some(configured), Some(prior)) = (text(&request.config), text(&request.prior)) else { continue };
        if Moment::parse(&configured).is_ok_and(|moment| moment.to_string() == prior) {
            entries = entries.with(name, prior.into());
        }
    }
    request.proposed = Value::Object(entries);
    request
}

impl Time {
    /// The plan with everything that follows from what is known.
    fn spelled_out(&self, request: &PlanRequest, entries: &Entries, planned: &Planned) -> Outcome<Planned> {
        match self.make(&request.kind, entries) {
            Ok(entries) => Outcome::ok(Planned { value: Value::Object(entries), ..planned.clone() }),
            Err(said) => said.into(),
        }
    }
}

impl InState for Time {
    fn schema(&self) -> &ProviderSchema {
        &self.schema
    }

    fn validate(&self, kind: &str, _data: bool, config: &Value) -> Diagnostics {
        validate::check(kind, config)
    }

    fn plan(&self, request: &PlanRequest) -> Outcome<Planned> {
        let Some(schema) = self.schema.resources.get(request.kind.as_str()) else { return unknown_kind(&request.kind) };
        let settled;
        let request = if request.kind == "time_rotating" {
            settled = with_settled_forms(request);
            &settled
        } else {
            request
        };
        let planned = plan_by_schema(&schema.block, request);
        let Value::Object(entries) = &planned.value else { return Outcome::ok(planned) };
        let given = |name: &str| request.config.get(name).is_some_and(|value| value.as_str().is_some());
        if request.kind == "time_static" && request.prior.is_null() && given("rfc3339") {
            // A moment that is given can be spelled out at once.
            return self.spelled_out(request, entries, &planned);
        }
        let changes = !request.prior.is_null() && planned.value != request.prior && planned.replace.is_empty();
        if !changes || !matches!(request.kind.as_str(), "time_offset" | "time_rotating") {
            return Outcome::ok(planned);
        }
        // What follows from an offset or a rotation that changes in place can be told, unless it starts from another moment.
        let same_base = entries.get("base_rfc3339") == request.prior.get("base_rfc3339");
        if same_base && request.config.is_wholly_known() {
            let left_open = request.config.get("rotation_rfc3339").is_none_or(Value::is_null);
            let entries = match request.kind.as_str() {
                "time_rotating" if left_open => &entries.clone().with("rotation_rfc3339", Value::Null(Type::String)),
                _ => entries,
            };
            return self.spelled_out(request, entries, &planned);
        }
        let follow = |name: &str| match name {
            "rotation_rfc3339" => request.config.get(name).is_none_or(Value::is_null),
            "rfc3339" | "id" => request.kind == "time_offset",
            name => PARTS.contains(&name),
        };
        let value = Value::Object(
            entries.map_values(|name, value| if follow(name) { Value::unknown(value.ty()) } else { value.clone() }),
        );
        Outcome::ok(Planned { value, ..planned })
    }

    fn create(&self, kind: &str, planned: &Value) -> Outcome<Value> {
        let Value::Object(entries) = planned else { return unknown_kind(kind) };
        match self.make(kind, entries) {
            Ok(entries) => Outcome::ok(Value::Object(entries)),
            Err(said) => said.into(),
        }
    }

    fn update(&self, kind: &str, _prior: &Value, planned: &Value) -> Outcome<Value> {
        // A sleep that only changes its durations keeps the moment it was made.
        if kind == "time_sleep" { Outcome::ok(planned.clone()) } else { self.create(kind, planned) }
    }

    fn read(&self, kind: &str, prior: Value) -> Option<Value> {
        if kind != "time_rotating" {
            return Some(prior);
        }
        // Once its time has come it ceases to be, so that the plan makes a new one.
        let due = prior.get("rotation_rfc3339").and_then(Value::as_str).and_then(|text| parse(text).ok());
        if due.is_some_and(|due| due.is_before((self.now)())) { None } else { Some(prior) }
    }

    fn import(&self, kind: &str, id: &str) -> Outcome<Value> {
        let Some(schema) = self.schema.resources.get(kind) else { return unknown_kind(kind) };
        let Type::Object(attributes) = schema.ty() else { return unknown_kind(kind) };
        let nothing = attributes.iter().map(|(name, attribute)| (name.clone(), Value::Null(attribute.ty.clone())));
        let given = match import::fields(kind, id) {
            Ok(given) => given,
            Err(wrong) => return wrong.into(),
        };
        let entries: Entries = nothing.chain(given.into_iter().map(|(name, value)| (name.into(), value))).collect();
        self.create(kind, &Value::Object(entries))
    }

    fn lasts(&self, kind: &str, action: Action, object: &Value) -> Duration {
        let name = match (kind, action) {
            ("time_sleep", Action::Create) => "create_duration",
            ("time_sleep", Action::Delete) => "destroy_duration",
            _ => return Duration::ZERO,
        };
        object.get(name).and_then(Value::as_str).and_then(duration).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests;
