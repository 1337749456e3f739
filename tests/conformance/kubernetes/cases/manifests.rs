//! `kubernetes_manifest` beside the Terraform provider: the owner of fields, what is kept beside an object, what is planned.

use infra::client::kube::Apply;
use infra::client::kube::types::{Json, find};
use infra::provider::{ImportRequest, Recovered};
use infra::value::Value;
use serde_json::json;

use super::super::{Thing, World};
use super::{deployment, meta};

const KIND: &str = "kubernetes_manifest";

fn config_map(name: &str, rest: &str) -> String {
    format!(
        "manifest = {{\n apiVersion = \"v1\"\n kind = \"ConfigMap\"\n metadata = {{ name = \"{name}\", namespace = \"NAMESPACE\" }}\n {rest}\n}}"
    )
}

async fn live(world: &World, name: &str) -> Json {
    let kind = find("v1", "ConfigMap").unwrap();
    world.kube.get(kind, Some(&world.namespace), name).await.unwrap().unwrap()
}

/// Who applied what to an object.
fn owners(object: &Json) -> Vec<(String, String, Json)> {
    let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
    let entries = object["metadata"]["managedFields"].as_array().unwrap().iter();
    entries.map(|entry| (text(&entry["manager"]), text(&entry["operation"]), entry["fieldsV1"].clone())).collect()
}

/// An object is in the end as if it had been made by one server-side apply of the field manager.
pub async fn owners_of_manifests(world: &World) {
    let text = config_map("o", "data = { a = \"1\", b = \"2\" }");
    let thing = world.create(KIND, &text).await;
    let fields = json!({ "f:data": { "f:a": {}, "f:b": {} } });
    let object = live(world, "o").await;
    assert_eq!(owners(&object), [("Terraform".into(), "Apply".into(), fields)]);
    assert_eq!(object["metadata"]["annotations"], json!(null));
    assert!(thing.private.is_empty(), "nothing is kept beside it");
    world.settled(KIND, &thing, &text).await;
    // What is taken out goes.
    let thing = world.update(KIND, &thing, &config_map("o", "data = { a = \"2\", c = null }")).await;
    let object = live(world, "o").await;
    assert_eq!(object["data"], json!({ "a": "2" }));
    assert_eq!(owners(&object), [("Terraform".into(), "Apply".into(), json!({ "f:data": { "f:a": {} } }))]);
    world.delete(KIND, &thing).await;
    let named = format!("{}\nfield_manager {{\n name = \"me\"\n}}", config_map("p", "data = { a = \"1\" }"));
    let thing = world.create(KIND, &named).await;
    assert_eq!(owners(&live(world, "p").await), [("me".into(), "Apply".into(), json!({ "f:data": { "f:a": {} } }))]);
    world.delete(KIND, &thing).await;
    let exists = world.create("kubernetes_config_map", &meta("q")).await;
    let applied = world.try_create(KIND, &config_map("q", ""), "n").await;
    assert!(applied.said.to_string().contains("exists"), "{}", applied.said);
    world.delete("kubernetes_config_map", &exists).await;
}

/// What older versions made is read, changed and handed over to the field manager.
pub async fn manifests_of_older_versions(world: &World) {
    let namespace = world.namespace.clone();
    let body = |data: Json| {
        json!({
            "apiVersion": "v1", "kind": "ConfigMap", "data": data,
            "metadata": { "name": "old", "namespace": namespace, "annotations": { "infra/intent": "n" } },
        })
    };
    let kind = find("v1", "ConfigMap").unwrap();
    let how = Apply { manager: "infra", force: false, dry_run: false };
    world.kube.apply(kind, &body(json!({ "a": "1", "b": "2" })), &how).await.unwrap();
    let text = config_map("old", "data = { a = \"1\", b = \"2\" }");
    let config = world.config(KIND, &text);
    let Value::Object(entries) = &config else { panic!() };
    let object = config.get("manifest").unwrap().clone();
    let value = Value::Object(entries.clone().with("object", object));
    let older = Thing { value, private: br#"{"intent":"n"}"#.to_vec() };
    let read = world.read(KIND, &older).await.unwrap();
    assert!(read.private.is_empty(), "the Terraform provider cannot read the notes of older versions");
    assert_eq!(read.at("/object/metadata/annotations"), json!(null));
    let (planned, said, _) = world.plan(KIND, &read, &text).await;
    assert!(!said.has_errors(), "{said}");
    assert_eq!(planned.value, read.value);
    world.update(KIND, &read, &config_map("old", "data = { a = \"3\" }")).await;
    let object = live(world, "old").await;
    assert_eq!(object["data"], json!({ "a": "3" }));
    assert_eq!(object["metadata"]["annotations"], json!(null));
    assert_eq!(owners(&object), [("Terraform".into(), "Apply".into(), json!({ "f:data": { "f:a": {} } }))]);
}

/// What is planned: known where the manifest says it or the object has it.
pub async fn planned_manifests(world: &World) {
    let text = config_map("f", "data = { a = \"1\" }");
    let (planned, _, _) = world.plan(KIND, &Thing::none(), &text).await;
    let part =
        |value: &Value, path: &[&str]| path.iter().try_fold(value.clone(), |value, step| value.get(step).cloned());
    let known = |value: &Value, path: &[&str]| part(value, path).and_then(|part| part.as_str().map(str::to_owned));
    assert_eq!(known(&planned.value, &["object", "metadata", "name"]).as_deref(), Some("f"));
    assert_eq!(known(&planned.value, &["object", "data", "a"]).as_deref(), Some("1"));
    assert!(!part(&planned.value, &["object", "metadata", "labels"]).unwrap().is_known());
    let thing = world.create(KIND, &text).await;
    // Every field is there, null where nothing is set.
    for pointer in ["/object/immutable", "/object/metadata/labels", "/object/metadata/uid"] {
        assert_eq!(thing.json().pointer(pointer), Some(&json!(null)), "{pointer}");
    }
    // A change leaves known what it does not touch: what refers to it is not replaced.
    let (planned, _, _) = world.plan(KIND, &thing, &config_map("f", "data = { a = \"2\" }")).await;
    assert_eq!(known(&planned.value, &["object", "metadata", "name"]).as_deref(), Some("f"));
    assert_eq!(known(&planned.value, &["object", "data", "a"]).as_deref(), Some("2"));
    // Labels and annotations are left to others, unless other fields are named.
    world.meddle("v1", "ConfigMap", "f", json!({ "metadata": { "labels": { "x": "y" } }, "data": { "z": "1" } })).await;
    let read = world.read(KIND, &thing).await.unwrap();
    assert_eq!(read.at("/object/metadata/labels"), json!({ "x": "y" }));
    let (planned, _, _) = world.plan(KIND, &read, &text).await;
    assert_eq!(planned.value, read.value);
    world.meddle("v1", "ConfigMap", "f", json!({ "data": { "a": "drifted" } })).await;
    let read = world.read(KIND, &read).await.unwrap();
    let computed = format!("{text}\ncomputed_fields = [\"data[\\\"a\\\"]\"]");
    let (planned, said, _) = world.plan(KIND, &read, &computed).await;
    assert!(!said.has_errors(), "{said}");
    assert_eq!(known(&planned.value, &["object", "data", "a"]).as_deref(), Some("drifted"));
    let forced = format!("{text}\nfield_manager {{\n force_conflicts = true\n}}");
    let thing = world.update(KIND, &read, &forced).await;
    assert_eq!(thing.at("/object/data"), json!({ "a": "1", "z": "1" }));
    world.delete(KIND, &thing).await;
    // Fields that cannot be changed need a new object.
    let workload = |app: &str| {
        format!(
            r#"manifest = {{
  apiVersion = "apps/v1"
  kind       = "Deployment"
  metadata   = {{ name = "r", namespace = "NAMESPACE" }}
  spec = {{
    replicas = 0
    selector = {{ matchLabels = {{ app = "{app}" }} }}
    template = {{
      metadata = {{ labels = {{ app = "{app}" }} }}
      spec     = {{ containers = [{{ name = "a", image = "a:1" }}] }}
    }}
  }}
}}"#
        )
    };
    let thing = world.create(KIND, &workload("a")).await;
    let (planned, said, _) = world.plan(KIND, &thing, &workload("b")).await;
    assert!(!said.has_errors(), "{said}");
    let paths: Vec<String> = planned.replace.iter().map(ToString::to_string).collect();
    assert_eq!(paths, ["manifest.spec.selector"]);
    world.delete(KIND, &thing).await;
}

/// An object that was imported has no manifest yet: the next apply gives it one, and does not replace it.
pub async fn imported_manifests(world: &World) {
    world.create("kubernetes_config_map", &format!("{}data = {{ a = \"1\" }}", meta("im"))).await;
    let id = format!("apiVersion=v1,kind=ConfigMap,namespace={},name=im", world.namespace);
    let request = ImportRequest { kind: KIND.into(), id };
    let imported = world.configured.import(request).await.value.unwrap().remove(0);
    assert_eq!(imported.private, b"\x81\xaaIsImported\xc3");
    let thing = Thing { value: imported.value, private: imported.private };
    let read = world.read(KIND, &thing).await.unwrap();
    assert_eq!(read.at("/object/data"), json!({ "a": "1" }));
    let text = config_map("im", "data = { a = \"1\" }");
    let thing = world.update(KIND, &read, &text).await;
    assert!(thing.private.is_empty());
    world.delete(KIND, &thing).await;
}

/// A creation that was cut off while it waited is no success.
pub async fn creations_that_were_cut_off(world: &World) {
    let kind = "kubernetes_deployment_v1";
    // No node has so much.
    let text = deployment("cut", "redis:7", "", 1).replace("cpu = \"0.25\"", "cpu = \"100000\"");
    let text = text.replace("60s", "1s");
    let (planned, _, _) = world.plan(kind, &Thing::none(), &text).await;
    let applied = world.try_create(kind, &text, "cut-1").await;
    assert!(applied.said.has_errors());
    let Recovered::Found { complete, .. } = world.recover(kind, planned.value, "cut-1").await else { panic!() };
    assert!(!complete, "the rollout that was waited for has not come");
    let awaited = format!(
        "{}\nwait {{\n fields = {{ \"data.ready\" = \"yes\" }}\n}}\ntimeouts {{\n create = \"60s\"\n}}",
        config_map("cut", "data = { a = \"1\" }")
    );
    let (planned, _, _) = world.plan(KIND, &Thing::none(), &awaited).await;
    // The call is dropped while it waits, as with a process that dies.
    let kind = find("v1", "ConfigMap").unwrap();
    let made = async {
        while world.kube.get(kind, Some(&world.namespace), "cut").await.unwrap().is_none() {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        applied = world.try_create(KIND, &awaited, "cut-2") => panic!("{applied:?}"),
        () = made => {}
    }
    let Recovered::Found { complete, .. } = world.recover(KIND, planned.value.clone(), "cut-2").await else { panic!() };
    assert!(!complete);
    world.meddle("v1", "ConfigMap", "cut", json!({ "data": { "ready": "yes" } })).await;
    let Recovered::Found { complete, .. } = world.recover(KIND, planned.value, "cut-2").await else { panic!() };
    assert!(complete);
}

/// Objects of any kind, by selectors.
pub async fn objects_of_any_kind(world: &World) {
    let labelled = |name: &str| meta(name).replace("\n}", "\n  labels = { set = \"s\" }\n}");
    for name in ["s1", "s2"] {
        world.create("kubernetes_config_map", &labelled(name)).await;
    }
    world.create("kubernetes_config_map", &meta("s3")).await;
    let select = "api_version = \"v1\"\nkind = \"ConfigMap\"\nnamespace = \"NAMESPACE\"";
    let names = async |rest: &str| {
        let found = world.data("kubernetes_resources", &format!("{select}\n{rest}")).await;
        let objects = found.get("objects").and_then(Value::as_items).unwrap().to_vec();
        let name =
            |object: &Value| object.get("metadata").unwrap().get("name").and_then(Value::as_str).unwrap().to_owned();
        objects.iter().map(name).collect::<Vec<_>>()
    };
    assert_eq!(names("label_selector = \"set=s\"").await, ["s1", "s2"]);
    assert_eq!(names("label_selector = \"set=s\"\nlimit = 1").await, ["s1"]);
    assert_eq!(names("field_selector = \"metadata.name=s3\"").await, ["s3"]);
    assert_eq!(names("label_selector = \"set=none\"").await, Vec::<String>::new());
    let one = format!("api_version = \"v1\"\nkind = \"ConfigMap\"\n{}", meta("s3"));
    let found = world.data("kubernetes_resource", &one).await;
    assert!(found.get("object").unwrap().get("immutable").unwrap().is_null());
}
