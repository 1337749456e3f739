//! Typed resources: planned by the schema and the table, made by POST, changed by a patch that is computed from the live object, waited for as
//! the kind asks for.

use super::compare::{planned, replaced};
use super::configured::Cluster;
use super::identity::Place;
use super::object::{self, Look, api_type};
use super::table::{Fields, Resource, What};
use super::write::{Change, merge_patch};
use super::{MANAGER, immutable, proof, timeouts, trial, waits};
use crate::change::Action;
use crate::client::kube::types::Json;
use crate::client::kube::{KubeError, Write};
use crate::diag::{Diagnostic, Diagnostics, Outcome};
use crate::provider::{Applied, ApplyRequest, Now, PlanRequest, Planned, Progress};
use crate::value::{Entries, Path, Str, Type, Value};

/// So often an object that changes meanwhile is read and changed again.
const TRIES: usize = 10;

/// The planned value of a new object.
pub fn planned_new(resource: &Resource, config: &Value) -> Value {
    let value = planned(&resource.fields, &Value::NULL, config, &api_type(resource));
    match (&value, Place::of_block(&value, resource.kind)) {
        (Value::Object(entries), Some(place)) => Value::Object(entries.clone().with("id", Value::string(place.id()))),
        _ => value,
    }
}

/// Says what an object will be.
pub async fn plan(cluster: &Cluster, resource: &Resource, request: PlanRequest) -> Outcome<Planned> {
    if request.prior.is_null() {
        let value = planned_new(resource, &request.config);
        let said = trial::new(cluster, resource, &request.config, &value).await;
        let private = private(resource, &request.config);
        return Outcome { value: Some(Planned { value, replace: Vec::new(), private }), said };
    }
    let value = planned(&resource.fields, &request.prior, &request.config, &api_type(resource));
    if value == request.prior {
        return Outcome::ok(Planned { value, replace: Vec::new(), private: request.private });
    }
    let mut replace = Vec::new();
    replaced(&resource.fields, &request.prior, &value, &mut Path::root(), &mut replace);
    immutable::replaced(resource, &request.prior, &value, &mut replace);
    let value = restamped(&value);
    let mut said = Diagnostics::none();
    if replace.is_empty() && request.config.is_wholly_known() {
        match trial::change(cluster, resource, &request, &value).await {
            Ok(paths) => replace = paths,
            Err(refused) => said.append(refused),
        }
    }
    let private = private(resource, &request.config);
    Outcome { value: Some(Planned { value, replace, private }), said }
}

/// What is kept beside an object.
pub fn private(resource: &Resource, config: &Value) -> Vec<u8> {
    timeouts::private(&resource.timeouts, resource.version, config)
}

/// A changed object gets a new revision, and often a new generation.
fn restamped(value: &Value) -> Value {
    let (Value::Object(entries), Some(Value::List(list))) = (value, value.get("metadata")) else {
        return value.clone();
    };
    let items = list.items.iter().map(|item| match item {
        Value::Object(meta) => {
            let meta: Entries = meta.map_values(|name: &Str, part| match name.as_str() {
                "generation" => Value::unknown(Type::Number),
                "resource_version" => Value::unknown(Type::String),
                _ => part.clone(),
            });
            Value::Object(meta)
        }
        other => other.clone(),
    });
    let metadata = Value::list(list.element.clone(), items.collect());
    Value::Object(entries.clone().with("metadata", metadata))
}

/// Carries out a create or update.
pub async fn apply(cluster: &Cluster, resource: &Resource, request: ApplyRequest, progress: &dyn Progress) -> Applied {
    let creates = request.action == Action::Create;
    let place = place_of(resource, &request.planned, &request.nonce);
    let title = place.title(resource.kind);
    let written = if creates {
        create(cluster, resource, &request, &place).await
    } else {
        update(cluster, resource, &request, &place).await
    };
    let (live, refused) = match written {
        Ok(Written { live, refused }) => (live, refused),
        Err(error) => {
            let doing = if creates { "create" } else { "change" };
            let said = error.diagnostic(&format!("{doing} {title}")).into();
            let now = if error.is_unreachable() { Now::Unclear } else { Now::Unchanged };
            return Applied { now, said };
        }
    };
    if !refused.is_empty() {
        // What was changed is changed; what was to go is there still, and shows in the next plan.
        let value = object::read(resource, &live, &place, Look::Ours(&request.planned, &cluster.ignored));
        return Applied { now: Now::Is { value, private: request.private }, said: kept(&title, &refused).into() };
    }
    let waited = waits::after(cluster, resource, &request.planned, creates, &place, live, progress).await;
    let value = object::read(resource, &waited.object, &place, Look::Ours(&request.planned, &cluster.ignored));
    Applied { now: Now::Is { value, private: request.private }, said: waited.said }
}

/// An object after it was written.
struct Written {
    /// The object as the server has it.
    live: Json,
    /// What was to go and is there still.
    refused: Vec<String>,
}

async fn create(
    cluster: &Cluster,
    resource: &Resource,
    request: &ApplyRequest,
    place: &Place,
) -> Result<Written, KubeError> {
    let wanted = object::build(resource, &request.config, &request.planned, place);
    let manager = proof::manager(&request.nonce);
    let namespace = place.namespace.as_deref();
    match cluster.kube.create(resource.kind, namespace, &wanted, &Write::by(&manager)).await {
        Ok(live) => Ok(Written { live, refused: Vec::new() }),
        Err(KubeError::Exists(message)) => {
            // Made by a try of this very call whose answer was lost, perhaps.
            let found = cluster.kube.get(resource.kind, namespace, &place.name).await?;
            let ours = found.filter(|found| proof::is_made_by(found, &request.nonce));
            ours.map(|live| Written { live, refused: Vec::new() }).ok_or(KubeError::Exists(message))
        }
        Err(error) => Err(error),
    }
}

async fn update(
    cluster: &Cluster,
    resource: &Resource,
    request: &ApplyRequest,
    place: &Place,
) -> Result<Written, KubeError> {
    let (kind, namespace) = (resource.kind, place.namespace.as_deref());
    let mut tries = 0;
    loop {
        tries += 1;
        let live = cluster.kube.get(kind, namespace, &place.name).await?;
        let live = live.filter(|live| is_the_same(&request.prior, live));
        let gone = || KubeError::NotFound(format!("{} was deleted by somebody else meanwhile", place.title(kind)));
        let live = live.ok_or_else(gone)?;
        let before = object::read(resource, &live, place, Look::Shared(&request.prior, &cluster.ignored));
        let change = Change { before: &before, planned: &request.planned, config: &request.config };
        let wanted = object::changed(resource, &live, change);
        let Some(mut patch) = merge_patch(&live, &wanted) else { return Ok(Written { live, refused: Vec::new() }) };
        // Nobody's change is overwritten unseen, and no other object of this name is touched.
        for field in ["uid", "resourceVersion"] {
            patch["metadata"][field] = live["metadata"][field].clone();
        }
        match cluster.kube.merge(kind, namespace, &place.name, &patch, &Write::by(MANAGER)).await {
            Err(KubeError::Conflict { .. }) if tries < TRIES => {}
            Err(error) => return Err(error),
            Ok(answer) => {
                let after = object::read(resource, &answer, place, Look::Ours(&request.planned, &cluster.ignored));
                let mut refused = Vec::new();
                still_there(&before, &request.planned, &after, &mut String::new(), &mut refused);
                refused.retain(|path| !server_may_fill(&resource.fields, path));
                return Ok(Written { live: answer, refused });
            }
        }
    }
}

/// Whether a live object is the one that state has.
fn is_the_same(prior: &Value, live: &Json) -> bool {
    let meta = prior.get("metadata").and_then(Value::as_items).and_then(<[Value]>::first);
    let uid = meta.and_then(|meta| meta.get("uid")).and_then(Value::as_str).filter(|uid| !uid.is_empty());
    uid.is_none_or(|uid| live["metadata"]["uid"] == uid)
}

/// Keys and elements that were to go and are there still, by path. Single fields that are taken out may get their default again.
fn still_there(before: &Value, planned: &Value, after: &Value, path: &mut String, found: &mut Vec<String>) {
    if before == planned || !planned.is_known() {
        return;
    }
    let mut inside = |step: String, parts: (&Value, &Value, &Value), found: &mut Vec<String>| {
        let length = path.len();
        path.push_str(&step);
        still_there(parts.0, parts.1, parts.2, path, found);
        path.truncate(length);
    };
    match (before.bare(), planned.bare(), after.bare()) {
        (Value::Object(before), Value::Object(planned), Value::Object(after)) => {
            for (name, part) in planned.iter() {
                let (Some(before), Some(after)) = (before.get(name), after.get(name)) else { continue };
                inside(format!(".{name}"), (before, part, after), found);
            }
        }
        (Value::Map(before), planned, Value::Map(after)) => {
            let stays = |key: &str| planned.get(key).is_none() && after.entries.get(key).is_some();
            let keys = before.entries.keys().filter(|key| stays(key.as_str()));
            found.extend(keys.map(|key| format!("{path}[{:?}]", key.as_str())));
        }
        (Value::List(before), Value::List(planned), Value::List(after)) => {
            if after.items.len() > planned.items.len() && before.items.len() == after.items.len() {
                found.push(path.clone());
                return;
            }
            for (at, item) in planned.items.iter().enumerate() {
                let (Some(before), Some(after)) = (before.items.get(at), after.items.get(at)) else { continue };
                inside(format!("[{at}]"), (before, item, after), found);
            }
        }
        _ => {}
    }
}

/// Whether an attribute is one that the server fills in where configuration leaves something out, such as the requests of a limit range.
fn server_may_fill(fields: &Fields, path: &str) -> bool {
    let mut fields = fields;
    for step in path.split('.').filter(|step| !step.is_empty()) {
        let name = step.split('[').next().unwrap_or(step);
        match fields.entry(name).map(|entry| &entry.what) {
            Some(What::Block { fields: inner, .. }) => fields = inner,
            Some(What::Attribute { attribute, .. }) => return attribute.is_computed(),
            None => return false,
        }
    }
    false
}

fn kept(title: &str, paths: &[String]) -> Diagnostic {
    let lines: String = paths.iter().map(|path| format!("\n  {}", path.trim_start_matches('.'))).collect();
    Diagnostic::error(
        "Not removed",
        format!(
            "{title} was changed, but the server still has what was to be removed:{lines}\n\nA controller or an admission webhook \
             may put it back. Find out who owns it, or add it to the configuration."
        ),
    )
}

/// The name of an object. Where only the beginning of that of a new one is given, it ends in what the nonce begins with, so that recovery
/// finds it.
pub fn place_of(resource: &Resource, planned: &Value, nonce: &str) -> Place {
    if let Some(place) = Place::of_block(planned, resource.kind) {
        return place;
    }
    let meta = planned.get("metadata").and_then(Value::as_items).and_then(<[Value]>::first);
    let text = |name: &str| meta.and_then(|meta| meta.get(name)).and_then(Value::as_str).unwrap_or_default().to_owned();
    let name = generated_name(&text("generate_name"), nonce);
    let namespace = Some(text("namespace")).filter(|text| !text.is_empty()).unwrap_or_else(|| "default".into());
    Place { namespace: resource.kind.namespaced.then_some(namespace), name }
}

/// A name that begins so, see [`place_of`].
pub fn generated_name(prefix: &str, nonce: &str) -> String {
    let ending: String = nonce.chars().filter(char::is_ascii_alphanumeric).take(8).collect();
    format!("{prefix}{}", ending.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_server_fills_in_is_no_refusal() {
        for (kind, path, expect) in [
            ("kubernetes_limit_range_v1", ".spec[0].limit[1].default_request[\"memory\"]", true),
            ("kubernetes_config_map_v1", ".data[\"b\"]", false),
            ("kubernetes_deployment_v1", ".metadata[0].labels[\"example.com/x\"]", false),
            ("kubernetes_deployment_v1", ".spec[0].template[0].spec[0].container", false),
        ] {
            let resource = &crate::providers::kubernetes::table::table().resources[kind];
            assert_eq!(server_may_fill(&resource.fields, path), expect, "{kind} {path}");
        }
    }

    #[test]
    fn what_was_to_go_and_is_there_still_is_found() {
        let map = |keys: &[&str]| {
            Value::map(Type::String, keys.iter().map(|key| ((*key).into(), Value::from("1"))).collect::<Entries>())
        };
        let object = |labels: &[&str], names: &[&str]| {
            let list = Value::list(Type::String, names.iter().map(|name| Value::from(*name)).collect());
            let block = Value::object([("labels", map(labels)), ("names", list)]);
            Value::object([("meta", Value::list(block.ty(), vec![block]))])
        };
        for (before, planned, after, expect) in [
            (object(&["a", "b"], &[]), object(&["a"], &[]), object(&["a"], &[]), &[][..]),
            (object(&["a", "b"], &[]), object(&["a"], &[]), object(&["a", "b"], &[]), &[".meta[0].labels[\"b\"]"]),
            // What others add meanwhile is theirs to answer for, and shows in the next plan.
            (object(&["a"], &[]), object(&["a"], &[]), object(&["a", "c"], &[]), &[]),
            (object(&[], &["x", "y"]), object(&[], &["x"]), object(&[], &["x", "y"]), &[".meta[0].names"]),
            (object(&[], &["x", "y"]), object(&[], &["x"]), object(&[], &["x"]), &[]),
        ] {
            let mut found = Vec::new();
            still_there(&before, &planned, &after, &mut String::new(), &mut found);
            assert_eq!(found, expect);
        }
    }
}
