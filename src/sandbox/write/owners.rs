//! Who owns which fields: keeps `metadata.managedFields` and settles applies against it.

use serde_json::json;

use super::fields::Fields;
use super::merge;
use crate::client::kube::types::{Json, Kind, Type};
use crate::sandbox::api::answer::{Cause, Refusal};
use crate::sandbox::store::now;

/// Who writes, and how.
#[derive(Clone, Debug)]
pub struct Writer {
    /// The field manager.
    pub manager: String,
    /// Whether by server-side apply.
    pub applies: bool,
    /// Through which subresource; empty for the object itself.
    pub subresource: String,
}

/// One entry of `managedFields`.
#[derive(Clone, Debug)]
struct Entry {
    manager: String,
    operation: String,
    api_version: String,
    subresource: String,
    time: String,
    fields: Fields,
}

impl Entry {
    fn is_of(&self, writer: &Writer) -> bool {
        let operation = if writer.applies { "Apply" } else { "Update" };
        self.manager == writer.manager && self.operation == operation && self.subresource == writer.subresource
    }
}

fn entries(object: &Json) -> Vec<Entry> {
    let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
    let list = object["metadata"]["managedFields"].as_array().into_iter().flatten();
    list.map(|entry| Entry {
        manager: text(&entry["manager"]),
        operation: text(&entry["operation"]),
        api_version: text(&entry["apiVersion"]),
        subresource: text(&entry["subresource"]),
        time: text(&entry["time"]),
        fields: Fields::from_json(&entry["fieldsV1"]),
    })
    .collect()
}

fn record(object: &mut Json, mut entries: Vec<Entry>) {
    // Who owns an object of nothing but its name owns nothing.
    entries.retain(|entry| !entry.fields.children.is_empty() || (entry.operation != "Apply" && entry.fields.member));
    let order = |entry: &Entry| (entry.operation != "Apply", entry.time.clone(), entry.manager.clone());
    entries.sort_by_key(order);
    let list: Vec<Json> = entries
        .into_iter()
        .map(|entry| {
            let mut json = json!({
                "manager": entry.manager, "operation": entry.operation, "apiVersion": entry.api_version, "time": entry.time,
                "fieldsType": "FieldsV1", "fieldsV1": entry.fields.to_json(),
            });
            if !entry.subresource.is_empty() {
                json["subresource"] = json!(entry.subresource);
            }
            json
        })
        .collect();
    object["metadata"]["managedFields"] = Json::Array(list);
}

/// The object without the fields nobody owns: its identity, and what only the server writes.
fn ownable(object: &Json, with_status: bool) -> Json {
    let mut object = object.clone();
    if let Json::Object(map) = &mut object {
        map.shift_remove("apiVersion");
        map.shift_remove("kind");
        if !with_status {
            map.shift_remove("status");
        }
        if let Some(Json::Object(meta)) = map.get_mut("metadata") {
            let kept = ["labels", "annotations", "finalizers", "ownerReferences"];
            meta.retain(|name, _| kept.contains(&name.as_str()));
            if meta.is_empty() {
                map.shift_remove("metadata");
            }
        }
    }
    object
}

fn root(kind: &Kind) -> Type {
    kind.schema().cloned().map_or(Type::Any, Type::Struct)
}

/// Merges an apply into an object: gives the new object with its owners recorded.
///
/// # Errors
/// Other managers own fields that would change, and `force` is off.
pub fn apply(kind: &Kind, live: Option<&Json>, applied: &Json, writer: &Writer, force: bool) -> Result<Json, Refusal> {
    let ty = root(kind);
    let with_status = writer.subresource == "status";
    let wanted = Fields::of(&ownable(applied, with_status), &ty);
    let mut owners = live.map(entries).unwrap_or_default();
    let nothing = json!({});
    let base = live.unwrap_or(&nothing);
    // What others own and this apply would change.
    let changed =
        Fields::changed(Some(&ownable(base, with_status)), &ownable(applied, with_status), &ty).common(&wanted);
    let mut causes = Vec::new();
    for owner in owners.iter_mut().filter(|owner| !owner.is_of(writer)) {
        let contested = owner.fields.common(&changed);
        if contested.is_empty() {
            continue;
        }
        if force {
            owner.fields = owner.fields.without(&contested, false);
            continue;
        }
        let by = match owner.subresource.as_str() {
            "" => format!("conflict with {:?}", owner.manager),
            subresource => format!("conflict with {:?} with subresource {subresource:?}", owner.manager),
        };
        // The API server names the version only of those who do not apply.
        let applies = owner.operation == "Apply" || owner.api_version.is_empty();
        let version = if applies { String::new() } else { format!(" using {}", owner.api_version) };
        let causes_here = contested.paths().into_iter().map(|field| Cause {
            reason: "FieldManagerConflict",
            field,
            message: format!("{by}{version}"),
        });
        causes.extend(causes_here);
    }
    if !causes.is_empty() {
        return Err(Refusal::owned(&causes));
    }
    let mut merged = merge::apply(base, &without_owners(applied), &ty);
    // What this manager applied before and leaves out now goes, unless somebody else owns it too.
    if let Some(before) = owners.iter().find(|owner| owner.is_of(writer)) {
        let mut dropped = before.fields.without(&wanted, true);
        for owner in owners.iter().filter(|owner| !owner.is_of(writer)) {
            dropped = dropped.without(&owner.fields, true);
        }
        dropped.remove_from(&mut merged, &ty);
    }
    let time = match owners.iter().position(|owner| owner.is_of(writer)) {
        // An apply that claims the same fields as before and changes nothing leaves no trace.
        Some(at) if owners[at].fields == wanted && changed.is_empty() => owners.remove(at).time,
        Some(at) => {
            owners.remove(at);
            now()
        }
        None => now(),
    };
    owners.push(Entry {
        manager: writer.manager.clone(),
        operation: "Apply".into(),
        api_version: kind.api_version(),
        subresource: writer.subresource.clone(),
        time,
        fields: wanted,
    });
    record(&mut merged, owners);
    Ok(merged)
}

fn without_owners(applied: &Json) -> Json {
    let mut applied = applied.clone();
    if let Some(Json::Object(meta)) = applied.get_mut("metadata") {
        meta.shift_remove("managedFields");
    }
    applied
}

/// Records that a writer changed an object in another way than by apply: what it changed is now its own, and nobody else's.
/// The object has the record of owners from before.
pub fn updated(kind: &Kind, live: Option<&Json>, object: &mut Json, writer: &Writer) {
    let ty = root(kind);
    let mut owners = entries(object);
    let with_status = writer.subresource == "status";
    let new = ownable(object, with_status);
    let changed = match live {
        Some(live) => Fields::changed(Some(&ownable(live, with_status)), &new, &ty),
        None => Fields::of(&new, &ty),
    };
    for owner in &mut owners {
        if !owner.is_of(writer) {
            owner.fields = owner.fields.without(&changed, false);
        }
        // Fields that are gone belong to nobody.
        owner.fields = owner.fields.existing(&ownable(object, true), &ty);
    }
    if !changed.is_empty() {
        match owners.iter_mut().find(|owner| owner.is_of(writer)) {
            Some(own) => {
                own.fields.unite(&changed);
                own.time = now();
            }
            None => owners.push(Entry {
                manager: writer.manager.clone(),
                operation: "Update".into(),
                api_version: kind.api_version(),
                subresource: writer.subresource.clone(),
                time: now(),
                fields: changed,
            }),
        }
    }
    record(object, owners);
}
