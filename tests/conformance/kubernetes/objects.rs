//! Objects that a real API server was asked to take, one after the other, with its answers: the sandbox answers the same, and so does
//! the API server of the lab.
//!
//! The first line of the data is a custom resource definition. Each of the others is a case: objects that are applied in turn, and the
//! status and the message that the last one got. Messages are cut at a length.

use infra::client::kube::types::{Json, Kind, find};
use infra::client::kube::{Apply, Kube, KubeError};
use serde_json::json;

use super::World;

/// What the sandbox still answers otherwise: `status CASE` or `words CASE`, a line each. The list only gets shorter; docs/sandbox.md
/// says why.
const OPEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/conformance/kubernetes/objects-open.txt");

struct Case {
    name: String,
    objects: Vec<Json>,
    code: u16,
    message: String,
}

fn cases() -> (Json, Vec<Case>) {
    let mut lines = include_str!("objects.jsonl").lines().map(|line| serde_json::from_str::<Json>(line).unwrap());
    let definition = lines.next().unwrap()["crd"].clone();
    let cases = lines.map(|line| Case {
        name: line["case"].as_str().unwrap().to_owned(),
        objects: line["objects"].as_array().unwrap().clone(),
        code: u16::try_from(line["code"].as_u64().unwrap()).unwrap(),
        message: line["message"].as_str().unwrap().to_owned(),
    });
    (definition, cases.collect())
}

fn kind_of(object: &Json) -> std::sync::Arc<Kind> {
    let (version, kind) = (object["apiVersion"].as_str().unwrap(), object["kind"].as_str().unwrap());
    match find(version, kind) {
        Some(kind) => kind.clone(),
        None => std::sync::Arc::new(Kind::new("demo.example.com", "v1", "Widget", "widgets", true)),
    }
}

/// The status and the message of an answer; 200 for whatever succeeded.
fn answer(result: Result<Json, KubeError>) -> (u16, String) {
    match result {
        Ok(_) => (200, String::new()),
        Err(KubeError::Invalid { message, .. }) => (422, message),
        Err(KubeError::Forbidden(message)) => (403, message),
        Err(KubeError::NotFound(message)) => (404, message),
        Err(KubeError::Refused { code, message, .. }) => (code, message),
        Err(other) => panic!("{other}"),
    }
}

async fn apply(kube: &Kube, namespace: &str, object: &Json) -> Result<Json, KubeError> {
    let kind = kind_of(object);
    let mut object = object.clone();
    if kind.namespaced && object["metadata"]["namespace"].is_null() {
        object["metadata"]["namespace"] = json!(namespace);
    }
    kube.apply(&kind, &object, &Apply { manager: "objects", force: true, dry_run: false }).await
}

/// Puts the definition there and waits until its objects are served.
async fn define(world: &World, definition: &Json) {
    let how = Apply { manager: "objects", force: true, dry_run: false };
    world.kube.apply(&kind_of(definition), definition, &how).await.unwrap();
    let limit = std::time::Duration::from_secs(60);
    world.kube.kind_within("demo.example.com/v1", "Widget", limit).await.unwrap();
}

/// Applies the objects of each case. Gives the answers to the last ones; what was made in the whole cluster is removed again.
async fn ask(world: &World, definition: &Json, cases: &[Case]) -> Vec<(u16, String)> {
    define(world, definition).await;
    let mut answers = Vec::new();
    for case in cases {
        let mut last = (0, String::new());
        for object in &case.objects {
            last = answer(apply(&world.kube, &world.namespace, object).await);
        }
        answers.push(last);
        // Those of the definition build on each other, and go with it.
        let is_made = |object: &&Json| !matches!(object["kind"].as_str(), Some("Widget" | "CustomResourceDefinition"));
        for object in case.objects.iter().filter(is_made) {
            let kind = kind_of(object);
            let namespace = object["metadata"]["namespace"].as_str().unwrap_or(&world.namespace);
            let namespace = kind.namespaced.then_some(namespace);
            let name = object["metadata"]["name"].as_str().unwrap();
            // Most were never made.
            let _ = world.kube.delete(&kind, namespace, name, None, "Background").await;
        }
    }
    answers
}

fn is_right(expected: u16, found: u16) -> bool {
    expected == found || expected == 201 && found == 200
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sandbox_answers_as_the_real_server_did() {
    let (definition, cases) = cases();
    let world = World::sandbox().await;
    let answers = ask(&world, &definition, &cases).await;
    let mut open = Vec::new();
    for (case, (code, message)) in cases.iter().zip(&answers) {
        let message = message.replace(&format!("{}/", world.namespace), "sb/");
        let expected = case.message.replace("object (/", "object (sb/");
        if !is_right(case.code, *code) {
            eprintln!("{}: {} {expected}\n   but {code} {message}", case.name, case.code);
            open.push(format!("status {}", case.name));
        } else if !message.starts_with(&expected) {
            eprintln!("{}: {expected}\n   but {message}", case.name);
            open.push(format!("words {}", case.name));
        }
    }
    let known = std::fs::read_to_string(OPEN).unwrap();
    assert_eq!(open, known.lines().collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_real_server_still_answers_so() {
    let Some(world) = World::real().await else { return };
    let (definition, cases) = cases();
    let answers = ask(&world, &definition, &cases).await;
    let kind = kind_of(&definition);
    let name = definition["metadata"]["name"].as_str().unwrap();
    world.kube.delete(&kind, None, name, None, "Background").await.unwrap();
    let namespaces = find("v1", "Namespace").unwrap();
    world.kube.delete(namespaces, None, &world.namespace, None, "Background").await.unwrap();
    for (case, (code, message)) in cases.iter().zip(&answers) {
        assert!(is_right(case.code, *code), "{}: {} {}, but {code} {message}", case.name, case.code, case.message);
    }
}
