//! Typed resources: plan by the schema and the table, apply by server-side apply, wait as the kind asks for.

use super::configured::Cluster;
use super::identity::Place;
use super::object::Look;
use super::settle::{with_defaults, with_prior_quantities};
use super::table::{Fields, Resource, What};
use super::{MANAGER, foreign, object, template, waits, write_only};
use crate::change::Action;
use crate::client::kube::types::Json;
use crate::client::kube::{Apply, KubeError};
use crate::diag::{Diagnostics, Outcome};
use crate::provider::{Applied, ApplyRequest, Now, PlanRequest, Planned, Progress};
use crate::schema::{Schema, computed_unknown};
use crate::value::{Entries, Path, Step, Str, Type, Value};

/// The planned value of a new object.
pub fn planned_new(resource: &Resource, schema: &Schema, proposed: &Value, config: &Value) -> Value {
    let filled = with_defaults(&resource.fields, proposed, None);
    let value = computed_unknown(&schema.block, config, &filled);
    match (&value, Place::of_block(&value, resource.kind)) {
        (Value::Object(entries), Some(place)) => Value::Object(entries.clone().with("id", Value::string(place.id()))),
        _ => value,
    }
}

/// Says what an object will be.
pub async fn plan(cluster: &Cluster, resource: &Resource, schema: &Schema, request: PlanRequest) -> Outcome<Planned> {
    if request.prior.is_null() {
        let value = planned_new(resource, schema, &request.proposed, &request.config);
        return Outcome::ok(Planned { value, replace: Vec::new(), private: request.private });
    }
    let filled = with_defaults(&resource.fields, &request.proposed, Some(&request.prior));
    let filled = with_prior_quantities(&resource.fields, &object::api_type(resource), &filled, &request.prior);
    if filled == request.prior {
        return Outcome::ok(Planned { value: request.prior, replace: Vec::new(), private: request.private });
    }
    let mut value = template::settled(&request.prior, &computed_unknown(&schema.block, &request.config, &filled));
    let mut replace = Vec::new();
    replaced(&resource.fields, &request.prior, &value, &mut Path::root(), &mut replace);
    value = restamped(&value);
    let mut said = Diagnostics::none();
    if replace.is_empty() && value_is_sendable(&request.config) {
        said.append(try_out(cluster, resource, &request, &value).await);
    }
    Outcome { value: Some(Planned { value, replace, private: request.private }), said }
}

/// Asks the server what it thinks of a change, so that a refusal shows in the plan.
async fn try_out(cluster: &Cluster, resource: &Resource, request: &PlanRequest, planned: &Value) -> Diagnostics {
    let Some(place) =
        Place::of_block(&request.config, resource.kind).or_else(|| Place::of_block(&request.prior, resource.kind))
    else {
        return Diagnostics::none();
    };
    let object = object::build(resource, &request.config, planned, &place, nonce_of(&request.private).as_deref());
    let how = Apply { manager: MANAGER, force: true, dry_run: true };
    match cluster.kube.apply(resource.kind, &object, &how).await {
        Err(error @ (KubeError::Invalid { .. } | KubeError::Forbidden(_) | KubeError::Refused { .. })) => {
            error.diagnostic(&format!("change {}", place.title(resource.kind))).into()
        }
        // Whatever else keeps the server from answering is said when it is asked to do it.
        _ => Diagnostics::none(),
    }
}

fn value_is_sendable(config: &Value) -> bool {
    config.is_wholly_known()
}

/// Where values differ that cannot be changed in place.
fn replaced(fields: &Fields, prior: &Value, planned: &Value, path: &mut Path, found: &mut Vec<Path>) {
    for entry in &fields.entries {
        let (old, new) = (prior.get(entry.name), planned.get(entry.name));
        if old == new {
            continue;
        }
        path.inside(Step::Attribute(entry.name.into()), |path| match &entry.what {
            // An unknown that only the server decides is no change of ours.
            What::Attribute { attribute, .. } => {
                let decided =
                    attribute.is_computed() && new.is_some_and(|new| !new.is_known()) && old.is_none_or(Value::is_null);
                if entry.replace && !decided {
                    found.push(path.clone());
                }
            }
            What::Block { fields, .. } => {
                let (old, new) = (old.and_then(Value::as_items), new.and_then(Value::as_items));
                let (old, new) = (old.unwrap_or_default(), new.unwrap_or_default());
                if entry.replace
                    && (old.len() != new.len() || old.iter().zip(new).any(|(old, new)| differs(fields, old, new)))
                {
                    found.push(path.clone());
                    return;
                }
                for (at, (old, new)) in old.iter().zip(new).enumerate() {
                    path.inside(Step::Index(at), |path| replaced(fields, old, new, path, found));
                }
            }
        });
    }
}

/// Whether a block differs in anything that the configuration decides.
fn differs(fields: &Fields, old: &Value, new: &Value) -> bool {
    fields.entries.iter().any(|entry| {
        let (old, new) = (old.get(entry.name), new.get(entry.name));
        match &entry.what {
            What::Attribute { attribute, .. } => {
                old != new && !(attribute.is_computed() && new.is_some_and(|new| !new.is_known()))
            }
            What::Block { fields, .. } => {
                let (old, new) = (old.and_then(Value::as_items), new.and_then(Value::as_items));
                let (old, new) = (old.unwrap_or_default(), new.unwrap_or_default());
                old.len() != new.len() || old.iter().zip(new).any(|(old, new)| differs(fields, old, new))
            }
        }
    })
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
    let nonce = if creates { Some(request.nonce.clone()) } else { nonce_of(&request.private) };
    let place = match Place::of_block(&request.planned, resource.kind) {
        Some(place) => place,
        None => generated(&request, resource),
    };
    let title = place.title(resource.kind);
    if creates {
        match cluster.kube.get(resource.kind, place.namespace.as_deref(), &place.name).await {
            Ok(None) => {}
            // Made by a try of this very call whose answer was lost.
            Ok(Some(found)) if nonce.as_deref().is_some_and(|nonce| is_marked(&found, nonce)) => {}
            Ok(Some(_)) => {
                let exists = KubeError::Exists(format!("{title} is there already"));
                return Applied::failed(exists.diagnostic(&format!("create {title}")));
            }
            Err(error) => return Applied::failed(error.diagnostic(&format!("create {title}"))),
        }
    }
    let config = match write_only::with_kept(cluster, resource, &place, &request).await {
        Ok(config) => config,
        Err(error) => return Applied::failed(error.diagnostic(&format!("read {title}"))),
    };
    let wanted = object::build(resource, &config, &request.planned, &place, nonce.as_deref());
    let how = Apply { manager: MANAGER, force: true, dry_run: false };
    let live = match cluster.kube.apply(resource.kind, &wanted, &how).await {
        Ok(live) => live,
        Err(error) => {
            let doing = if creates { "create" } else { "change" };
            let said = error.diagnostic(&format!("{doing} {title}")).into();
            let now = if error.is_unreachable() { Now::Unclear } else { Now::Unchanged };
            return Applied { now, said };
        }
    };
    let private = noted(nonce.as_deref());
    let live = match without_removed(cluster, resource, &request, &wanted, live, &place).await {
        Ok(live) => live,
        Err((live, error)) => {
            // The change is made, and what was to go is there: state has both, so that the next plan takes it out.
            let value =
                object::read(resource, &live, &place, Look::Shared(&write_only::hint(&request), &cluster.ignored));
            return Applied {
                now: Now::Is { value, private },
                said: error.diagnostic(&format!("change {title}")).into(),
            };
        }
    };
    let waited = waits::after(cluster, resource, &request.planned, creates, &place, live, progress).await;
    let value = object::read(resource, &waited.object, &place, Look::Ours(&write_only::hint(&request)));
    Applied { now: Now::Is { value, private }, said: waited.said }
}

/// Takes out what the plan has taken out of the object's maps and an apply leaves to others. Gives the object as it is then.
async fn without_removed(
    cluster: &Cluster,
    resource: &Resource,
    request: &ApplyRequest,
    wanted: &Json,
    live: Json,
    place: &Place,
) -> Result<Json, (Json, KubeError)> {
    let patch = foreign::removals(resource, &request.prior, &request.planned, wanted, &live);
    let Some(patch) = patch.filter(|_| request.action == Action::Update) else { return Ok(live) };
    let namespace = place.namespace.as_deref();
    cluster.kube.merge(resource.kind, namespace, &place.name, &patch, MANAGER).await.map_err(|error| (live, error))
}

/// The name of a new object of which only the beginning is given: it ends in what the nonce begins with, so that recovery finds it.
fn generated(request: &ApplyRequest, resource: &Resource) -> Place {
    let meta = request.planned.get("metadata").and_then(Value::as_items).and_then(<[Value]>::first);
    let text = |name: &str| meta.and_then(|meta| meta.get(name)).and_then(Value::as_str).unwrap_or_default().to_owned();
    let name = generated_name(&text("generate_name"), &request.nonce);
    let namespace = Some(text("namespace")).filter(|text| !text.is_empty()).unwrap_or_else(|| "default".into());
    Place { namespace: resource.kind.namespaced.then_some(namespace), name }
}

/// See [`generated`].
pub fn generated_name(prefix: &str, nonce: &str) -> String {
    let ending: String = nonce.chars().filter(char::is_ascii_alphanumeric).take(8).collect();
    format!("{prefix}{}", ending.to_ascii_lowercase())
}

/// Whether an object carries the nonce.
pub fn is_marked(object: &Json, nonce: &str) -> bool {
    !nonce.is_empty() && object["metadata"]["annotations"][super::INTENT] == nonce
}

/// The nonce that an object was made with, kept beside it so that it is not dropped with the next change.
pub fn nonce_of(private: &[u8]) -> Option<String> {
    let notes: Json = serde_json::from_slice(private).ok()?;
    notes["intent"].as_str().map(str::to_owned)
}

/// The notes kept beside an object.
pub fn noted(nonce: Option<&str>) -> Vec<u8> {
    nonce.map(|nonce| serde_json::json!({ "intent": nonce }).to_string().into_bytes()).unwrap_or_default()
}
