//! Resource types that are no object of their own: parts of objects that others made (`parts`), certificates and tokens (`certificate`,
//! `token`). Here: which one a call is for, and how they are planned, which is by their schema alone.

use super::configured::Cluster;
use super::table::{Fields, Special, What, table};
use super::{certificate, parts, token};
use crate::change::Action;
use crate::client::kube::types::Json;
use crate::diag::{Diagnostic, Outcome};
use crate::provider::{
    Applied, ApplyRequest, ImportRequest, Imported, PlanRequest, Planned, Progress, ReadRequest, ReadResult,
};
use crate::schema::computed_unknown;
use crate::value::{Path, Step, Value};

/// What is known of a resource type, when it is one of these.
pub fn of(kind: &str) -> Option<&'static Special> {
    table().special.get(kind)
}

/// The planned value of a new one.
pub fn planned_new(special: &Special, config: &Value) -> Value {
    let value = with_defaults(&special.fields, config);
    computed_unknown(&special.fields.block(), config, &value)
}

/// Says what one will be.
pub fn plan(special: &Special, request: PlanRequest) -> Outcome<Planned> {
    if request.prior.is_null() {
        let value = planned_new(special, &request.config);
        return Outcome::ok(Planned { value, replace: Vec::new(), private: request.private });
    }
    let value = with_defaults(&special.fields, &request.proposed);
    let mut replace = Vec::new();
    replaced(&special.fields, &request.prior, &value, &mut Path::root(), &mut replace);
    let value = match (&value, replace.is_empty()) {
        // Whatever is computed is another for another object.
        (Value::Object(_), false) => computed_unknown(&special.fields.block(), &request.config, &blank(special, value)),
        // The taints of a node are part of the id.
        (Value::Object(entries), true) if value != request.prior && special.name == parts::NODE_TAINT => {
            Value::Object(entries.clone().with("id", Value::unknown(crate::value::Type::String)))
        }
        _ => value,
    };
    Outcome::ok(Planned { value, replace, private: request.private })
}

/// The value without what is computed at the top.
fn blank(special: &Special, value: Value) -> Value {
    let Value::Object(entries) = &value else { return value };
    Value::Object(entries.map_values(|name, part| match special.fields.entry(name).map(|entry| &entry.what) {
        Some(What::Attribute { attribute, .. }) if attribute.is_computed() => Value::Null(attribute.ty.clone()),
        Some(What::Attribute { .. } | What::Block { .. }) | None => part.clone(),
    }))
}

/// The value with the defaults of the table where nothing is configured.
fn with_defaults(fields: &Fields, value: &Value) -> Value {
    let Some(entries) = value.as_entries() else { return value.clone() };
    let filled = entries.map_values(|name, part| match fields.entry(name).map(|entry| &entry.what) {
        Some(What::Attribute { default: Some(default), .. }) if part.is_null() => default.clone(),
        Some(What::Block { fields, .. }) => match part {
            Value::List(list) => {
                let items = list.items.iter().map(|item| with_defaults(fields, item));
                Value::list(list.element.clone(), items.collect())
            }
            _ => part.clone(),
        },
        Some(What::Attribute { .. }) | None => part.clone(),
    });
    Value::Object(filled)
}

/// Where values differ that cannot be changed in place.
fn replaced(fields: &Fields, prior: &Value, planned: &Value, path: &mut Path, found: &mut Vec<Path>) {
    for entry in &fields.entries {
        let (old, new) = (prior.get(entry.name), planned.get(entry.name));
        if old == new {
            continue;
        }
        path.inside(Step::Attribute(entry.name.into()), |path| match &entry.what {
            What::Attribute { .. } if entry.replace => found.push(path.clone()),
            What::Attribute { .. } => {}
            What::Block { fields, .. } => {
                let items = |value: Option<&Value>| value.and_then(Value::as_items).unwrap_or_default().to_vec();
                let (old, new) = (items(old), items(new));
                if entry.replace && old.len() != new.len() {
                    found.push(path.clone());
                }
                for (at, (old, new)) in old.iter().zip(&new).enumerate() {
                    path.inside(Step::Index(at), |path| replaced(fields, old, new, path, found));
                }
            }
        });
    }
}

/// Looks at one.
pub async fn read(cluster: &Cluster, request: &ReadRequest) -> ReadResult {
    match parts::Part::named(&request.kind) {
        Some(part) => parts::read(cluster, part, request).await,
        // What a certificate or token is, only state knows.
        None => ReadResult::Found { value: request.prior.clone(), private: request.private.clone() },
    }
}

/// Carries out what was planned.
pub async fn apply(cluster: &Cluster, request: ApplyRequest, progress: &dyn Progress) -> Applied {
    match parts::Part::named(&request.kind) {
        Some(part) => parts::apply(cluster, part, request).await,
        None if request.action == Action::Delete => Applied::gone(),
        None if request.action == Action::Update => Applied::is(request.planned),
        None if request.kind == token::KIND => token::create(cluster, request).await,
        None => certificate::create(cluster, request, progress).await,
    }
}

/// None of them can be found by an id.
pub fn import(request: &ImportRequest) -> Outcome<Vec<Imported>> {
    let detail = format!(
        "A {} cannot be imported: it is no object of its own. Write it in the configuration, and apply it.",
        request.kind
    );
    Outcome::fail(Diagnostic::error("Resource Import Not Implemented", detail))
}

/// The one block of a name in a value, whichever way it nests.
pub fn block<'v>(value: &'v Value, name: &str) -> Option<&'v Value> {
    let block = value.get(name).filter(|block| block.is_known() && !block.is_null())?;
    match block.as_items() {
        Some(items) => items.first(),
        None => Some(block),
    }
}

/// A text in a value; empty when there is none.
pub fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// A map of texts as JSON.
pub fn texts(value: Option<&Value>) -> Json {
    let entries = value.and_then(Value::as_entries).into_iter().flatten();
    Json::Object(entries.filter_map(|(key, part)| Some((key.to_string(), Json::from(part.as_str()?)))).collect())
}
