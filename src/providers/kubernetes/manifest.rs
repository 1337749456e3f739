//! `kubernetes_manifest`: any object, as its manifest says.

use std::time::Duration;

use serde_json::json;

use super::awaited::Awaited;
use super::configured::Cluster;
use super::foreseen::{Foresight, computed_fields, to_apply};
use super::found::{Found, find, identity, kind_of, look, named, type_of, value_of, with_object};
use super::identity::Place;
use super::scalar::json_of;
use super::{FIELD_MANAGER, object, proof, timeouts, trial, waits};
use crate::change::Action;
use crate::client::kube::types::{Json, Kind, Type as ApiType};
use crate::client::kube::{Apply, KubeError, Readiness, Write};
use crate::diag::{Diagnostic, Diagnostics, Outcome};
use crate::provider::{
    Applied, ApplyRequest, ImportRequest, Imported, Now, PlanRequest, Planned, Progress, ReadRequest, ReadResult,
};
use crate::schema::{Attribute, Block, NestedBlock, Nesting, Schema};
use crate::value::{Path, Step, Type, Value};

/// What the Terraform provider keeps beside an object that was imported and not applied yet: `{"IsImported": true}` as MessagePack. Beside
/// all others it keeps nothing, and cannot read anything else.
const IMPORTED: &[u8] = b"\x81\xaaIsImported\xc3";

/// So often an object that changes meanwhile is read and handed over again.
const TRIES: usize = 5;

/// A deletion is waited for this long unless `timeouts` says otherwise.
const DELETION: Duration = Duration::from_secs(600);

/// A kind that a definition has just made is looked for this long.
const DISCOVERY: Duration = Duration::from_secs(10);

/// The schema.
pub fn schema() -> Schema {
    let field_manager =
        Block::new([("name", Attribute::optional(Type::String)), ("force_conflicts", Attribute::optional(Type::Bool))]);
    let timeouts = Block::new(["create", "update", "delete"].map(|name| (name, Attribute::optional(Type::String))));
    let condition = Block::new(["type", "status"].map(|name| (name, Attribute::optional(Type::String))));
    let wait = Block::new([
        ("fields", Attribute::optional(Type::map(Type::String))),
        ("rollout", Attribute::optional(Type::Bool)),
    ])
    .with_blocks([("condition", NestedBlock::new(Nesting::List, condition))]);
    let wait_for = Type::object([("fields", Type::map(Type::String))]);
    let once = |block| NestedBlock { max: 1, ..NestedBlock::new(Nesting::List, block) };
    let block = Block::new([
        ("manifest", Attribute::required(Type::Any)),
        ("object", Attribute::optional_computed(Type::Any)),
        ("computed_fields", Attribute::optional(Type::list(Type::String))),
        ("wait_for", Attribute::optional(wait_for).deprecated("Use the `wait` block.")),
    ]);
    let block =
        block.with_blocks([("field_manager", once(field_manager)), ("timeouts", once(timeouts)), ("wait", once(wait))]);
    Schema { version: 1, block }
}

/// Says what is wrong with a configuration.
pub fn validate(config: &Value) -> Diagnostics {
    let mut said = Diagnostics::none();
    let Some(manifest) = config.get("manifest").filter(|manifest| manifest.is_known()) else { return said };
    for (field, path) in
        [("apiVersion", vec!["apiVersion"]), ("kind", vec!["kind"]), ("metadata.name", vec!["metadata", "name"])]
    {
        let found =
            path.iter().try_fold(manifest, |value, step| if value.is_known() { value.get(step) } else { Some(value) });
        let generated = manifest.get("metadata").is_some_and(|meta| !meta.is_known());
        if found.is_none_or(Value::is_null) && !generated {
            said.error("Incomplete manifest", format!("The manifest has no `{field}`."));
        }
    }
    for field in ["status"] {
        if manifest.get(field).is_some() {
            said.error(
                "Forbidden field in manifest",
                format!("`{field}` belongs to the cluster and cannot be set in a manifest."),
            );
        }
    }
    said
}

/// The planned value of a new object whose cluster cannot be asked.
pub fn planned_new(config: &Value) -> Value {
    with_object(config, Value::unknown_not_null(Type::Any))
}

/// The notes beside an object that both programs can read. Older versions kept others.
fn notes(private: &[u8]) -> Vec<u8> {
    if private == IMPORTED { private.to_vec() } else { Vec::new() }
}

/// Says what an object will be.
pub async fn plan(cluster: &Cluster, request: PlanRequest) -> Outcome<Planned> {
    let private = notes(&request.private);
    let part = |value: &Value, name: &str| value.get(name).cloned().unwrap_or_default();
    let manifest = part(&request.config, "manifest");
    let (before, object) = (part(&request.prior, "manifest"), part(&request.prior, "object"));
    // Of a kind that is not there yet nothing can be told.
    let ty = match kind_of(cluster, &named(&manifest), Duration::ZERO).await {
        Ok(kind) if manifest.is_known() => type_of(&kind),
        _ => {
            let value = with_object(&request.proposed, Value::unknown_not_null(Type::Any));
            let replace = replaced(&before, &manifest);
            return Outcome::ok(Planned { value, replace, private });
        }
    };
    let computed = computed_fields(&request.config);
    let mut foresight = Foresight { computed: &computed, exists: !object.is_null(), changes: false };
    let foreseen = foresight.object(&manifest, &before, &object, &ty);
    if request.prior.is_null() {
        // What fields there are to be referred to is not known.
        let foreseen = if ty == ApiType::Any { Value::unknown_not_null(Type::Any) } else { foreseen };
        let value = with_object(&request.config, foreseen);
        return Outcome::ok(Planned { value, replace: Vec::new(), private });
    }
    let value = with_object(&request.proposed, foreseen);
    if value == request.prior {
        return Outcome::ok(Planned { value, replace: Vec::new(), private });
    }
    foresight.changes = true;
    let value = with_object(&request.proposed, foresight.object(&manifest, &before, &object, &ty));
    let mut replace = replaced(&before, &manifest);
    let mut said = Diagnostics::none();
    if replace.is_empty() && manifest.is_wholly_known() {
        match try_out(cluster, &request, &wanted(&request.config, &request.prior)).await {
            Ok(paths) => replace = paths,
            Err(refused) => said.append(refused),
        }
    }
    Outcome { value: Some(Planned { value, replace, private }), said }
}

/// The manifest as it is applied.
fn wanted(config: &Value, prior: &Value) -> Json {
    let part = |value: &Value, name: &str| value.get(name).map(json_of).unwrap_or_default();
    to_apply(&part(config, "manifest"), &part(prior, "manifest"), &part(prior, "object"), &computed_fields(config))
}

/// Where manifests name different objects.
fn replaced(before: &Value, manifest: &Value) -> Vec<Path> {
    if before.is_null() {
        // An object that was imported: what its manifest will be is new, and it is not.
        return Vec::new();
    }
    let paths = [&["apiVersion"][..], &["kind"], &["metadata", "name"], &["metadata", "namespace"]];
    let path = |steps: &[&str]| {
        let steps = steps.iter().map(|step| Step::Attribute((*step).into()));
        steps.fold(Path::attribute("manifest"), |path, step| path.child(step))
    };
    let at = |manifest: &Value, steps: &[&str]| {
        let found = steps.iter().try_fold(manifest, |value, step| value.get(step));
        found.cloned().unwrap_or_default()
    };
    let differs = |steps: &&[&str]| at(before, steps) != at(manifest, steps);
    paths.iter().filter(|steps| differs(steps)).map(|steps| path(steps)).collect()
}

/// Asks the server what it thinks of a change, so that a refusal shows in the plan. Gives the paths at which it needs a new object.
async fn try_out(cluster: &Cluster, request: &PlanRequest, manifest: &Json) -> Result<Vec<Path>, Diagnostics> {
    let Ok(kind) = kind_of(cluster, manifest, Duration::ZERO).await else { return Ok(Vec::new()) };
    let Some(place) = Place::of_manifest(manifest, &kind) else { return Ok(Vec::new()) };
    let (manager, force) = field_manager(&request.config);
    let live = cluster.kube.get(&kind, place.namespace.as_deref(), &place.name).await;
    // What we own under another name is handed over before it is changed.
    let ours = matches!(live, Ok(Some(live)) if proof::handed_over(&live, &manager, "").is_some());
    let how = Apply { manager: &manager, force: force || ours, dry_run: true };
    match cluster.kube.apply(&kind, &body(manifest, &place), &how).await {
        Err(KubeError::Invalid { fields, .. }) if !fields.is_empty() && fields.iter().all(trial::is_immutable) => {
            let manifest = request.config.get("manifest").cloned().unwrap_or_default();
            Ok(fields.iter().map(|problem| path_of(&manifest, &problem.field)).collect())
        }
        Err(
            error @ (KubeError::Invalid { .. }
            | KubeError::Forbidden(_)
            | KubeError::Refused { .. }
            | KubeError::Conflict { .. }),
        ) => Err(error.diagnostic(&format!("change {}", place.title(&kind))).into()),
        // Whatever else keeps the server from answering is said when it is asked to do it.
        _ => Ok(Vec::new()),
    }
}

/// The path in configuration of a field in the API, as far as the manifest has it.
fn path_of(manifest: &Value, field: &str) -> Path {
    let (mut path, mut value) = (Path::attribute("manifest"), manifest);
    for step in super::fieldpath::steps(field) {
        let index = step.parse::<usize>().ok().filter(|_| value.as_items().is_some());
        let part = match index {
            Some(index) => value.as_items().and_then(|items| items.get(index)),
            None => value.get(&step),
        };
        let Some(part) = part else { break };
        path = path.child(index.map_or_else(|| Step::Attribute(step.as_str().into()), Step::Index));
        value = part;
    }
    path
}

/// Looks at an object.
pub async fn read(cluster: &Cluster, request: &ReadRequest) -> ReadResult {
    match find(cluster, &request.prior).await {
        Ok(None) => ReadResult::Absent,
        Ok(Some(Found { object, kind, .. })) => {
            let value = value_of(&request.prior, &object, &kind);
            ReadResult::Found { value, private: notes(&request.private) }
        }
        Err(error) => super::batch::failed(&error, "a manifest's object"),
    }
}

/// Carries out a create or update.
pub async fn apply(cluster: &Cluster, request: ApplyRequest, progress: &dyn Progress) -> Applied {
    let creates = request.action == Action::Create;
    let manifest = wanted(&request.config, &request.prior);
    let doing = if creates { "create" } else { "change" };
    let kind = match kind_of(cluster, &manifest, DISCOVERY).await {
        Ok(kind) => kind,
        Err(error) => return Applied::failed(error.diagnostic(&format!("{doing} an object"))),
    };
    let Some(place) = Place::of_manifest(&manifest, &kind) else {
        return Applied::failed(Diagnostic::error("Incomplete manifest", "The manifest has no `metadata.name`."));
    };
    let title = place.title(&kind);
    // A pattern that cannot be read is found before anything is changed.
    let test = match Awaited::of(&request.config, &kind) {
        Ok(test) => test,
        Err(said) => return Applied::failed(said),
    };
    let target = Target { cluster, kind: &kind, place: &place, nonce: &request.nonce };
    let written = match field_manager(&request.config) {
        (_, _) if creates => target.create(&manifest).await,
        (manager, force) => target.update(&manifest, &manager, force).await,
    };
    let live = match written {
        Ok(live) => live,
        Err(error) => {
            let now = if error.is_unreachable() { Now::Unclear } else { Now::Unchanged };
            return Applied { now, said: error.diagnostic(&format!("{doing} {title}")).into() };
        }
    };
    let limit = timeouts::timeout(&request.planned, doing_key(creates)).unwrap_or(Duration::from_secs(600));
    let waited = waits::until(cluster, &kind, &place, live, limit, progress, &|object| test.judge(object)).await;
    let live =
        if creates { target.hand_over(waited.object, &field_manager(&request.config).0).await } else { waited.object };
    let value = value_of(&request.planned, &live, &kind);
    Applied { now: Now::Is { value, private: Vec::new() }, said: waited.said }
}

fn doing_key(creates: bool) -> &'static str {
    if creates { "create" } else { "update" }
}

/// An object that is written.
struct Target<'a> {
    cluster: &'a Cluster,
    kind: &'a Kind,
    place: &'a Place,
    nonce: &'a str,
}

impl Target<'_> {
    /// Applies it under a name that proves whose creation it is. [`Target::hand_over`] follows when it is all done.
    async fn create(&self, manifest: &Json) -> Result<Json, KubeError> {
        let found = self.cluster.kube.get(self.kind, self.place.namespace.as_deref(), &self.place.name).await?;
        if found.is_some_and(|found| !proof::is_made_by(&found, self.nonce)) {
            return Err(KubeError::Exists(format!("{} is there already", self.place.title(self.kind))));
        }
        let manager = proof::manager(self.nonce);
        let how = Apply { manager: &manager, force: false, dry_run: false };
        self.cluster.kube.apply(self.kind, &body(manifest, self.place), &how).await
    }

    async fn update(&self, manifest: &Json, manager: &str, force: bool) -> Result<Json, KubeError> {
        let live = self.cluster.kube.get(self.kind, self.place.namespace.as_deref(), &self.place.name).await?;
        if let Some(live) = live {
            self.hand_over(live, manager).await;
        }
        let how = Apply { manager, force, dry_run: false };
        self.cluster.kube.apply(self.kind, &body(manifest, self.place), &how).await
    }

    /// Gives what we own under other names to the field manager, as if it had applied it. Gives the object as it is then. Should it fail, the
    /// object is what it was asked to be all the same, and the next change does it.
    async fn hand_over(&self, mut live: Json, manager: &str) -> Json {
        let namespace = self.place.namespace.as_deref();
        for _ in 0..TRIES {
            let Some(owners) = proof::handed_over(&live, manager, self.nonce) else { break };
            let meta = &live["metadata"];
            let patch = json!({ "metadata": {
                "uid": meta["uid"], "resourceVersion": meta["resourceVersion"], "managedFields": owners,
            } });
            match self.cluster.kube.merge(self.kind, namespace, &self.place.name, &patch, &Write::by(manager)).await {
                Ok(now) => return now,
                // Somebody has changed it meanwhile.
                Err(KubeError::Conflict { .. }) => {
                    match self.cluster.kube.get(self.kind, namespace, &self.place.name).await {
                        Ok(Some(now)) => live = now,
                        Ok(None) | Err(_) => break,
                    }
                }
                Err(_) => break,
            }
        }
        live
    }
}

/// An object whose creation was cut off, and whether it is as was to be awaited. Nothing is changed: the next change hands it over.
pub fn recovered(planned: &Value, found: &Found) -> (Value, bool) {
    let Found { object, kind, .. } = found;
    let complete = Awaited::of(planned, kind).is_ok_and(|test| test.judge(object) == Readiness::Ready);
    (value_of(planned, object, kind), complete)
}

/// Deletes the object.
pub async fn delete(cluster: &Cluster, request: ApplyRequest, progress: &dyn Progress) -> Applied {
    let manifest = identity(&request.prior);
    let kind = match kind_of(cluster, &manifest, Duration::ZERO).await {
        Ok(kind) => kind,
        Err(KubeError::UnknownKind { .. }) => return Applied::gone(),
        Err(error) => return Applied::failed(error.diagnostic("delete an object")),
    };
    let Some(place) = Place::of_manifest(&manifest, &kind) else { return Applied::gone() };
    cluster.delete(&kind, &place, None, timeouts::timeout(&request.prior, "delete").unwrap_or(DELETION), progress).await
}

/// Finds an object by `apiVersion=v1,kind=ConfigMap,namespace=a,name=b`. Its manifest is what the next apply makes it.
pub async fn import(cluster: &Cluster, request: ImportRequest) -> Outcome<Vec<Imported>> {
    let part = |name: &str| {
        let parts = request.id.split(',').filter_map(|part| part.split_once('='));
        parts.into_iter().find(|(key, _)| key.trim() == name).map(|(_, value)| value.trim().to_owned())
    };
    let (Some(api_version), Some(kind), Some(name)) = (part("apiVersion"), part("kind"), part("name")) else {
        let form = "The id to import is `apiVersion=…,kind=…,namespace=…,name=…`.";
        return Outcome::fail(Diagnostic::error("Invalid import id", form));
    };
    let mut manifest = json!({ "apiVersion": api_version, "kind": kind, "metadata": { "name": name } });
    if let Some(namespace) = part("namespace") {
        manifest["metadata"]["namespace"] = json!(namespace);
    }
    match look(cluster, &manifest).await {
        Err(error) => Outcome::fail(error.diagnostic("import an object")),
        Ok(None) => Outcome::fail(Diagnostic::error(
            "Cannot import what does not exist",
            format!("{} does not exist.", request.id),
        )),
        Ok(Some(found)) => {
            let empty = schema().block.ty();
            let blank = crate::value::from_json_typed(br#"{"field_manager":[],"timeouts":[],"wait":[]}"#, &empty);
            let value = value_of(&blank.unwrap_or_default(), &found.object, &found.kind);
            Outcome::ok(vec![Imported { kind: request.kind, value, private: IMPORTED.to_vec() }])
        }
    }
}

/// The manifest as it is applied: fields that are null are fields that are not there.
fn body(manifest: &Json, place: &Place) -> Json {
    fn without_nulls(value: &mut Json) {
        match value {
            Json::Object(map) => {
                map.retain(|_, part| !part.is_null());
                map.values_mut().for_each(without_nulls);
            }
            Json::Array(items) => items.iter_mut().for_each(without_nulls),
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
        }
    }
    let mut body = manifest.clone();
    without_nulls(&mut body);
    object::name(&mut body, place);
    body
}

fn field_manager(config: &Value) -> (String, bool) {
    let block = config.get("field_manager").and_then(Value::as_items).and_then(<[Value]>::first);
    let name = block.and_then(|block| block.get("name")).and_then(Value::as_str).filter(|name| !name.is_empty());
    let force = block.and_then(|block| block.get("force_conflicts")).and_then(Value::as_bool).unwrap_or(false);
    (name.unwrap_or(FIELD_MANAGER).to_owned(), force)
}
