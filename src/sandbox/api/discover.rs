//! What the API says about itself: versions, groups, resources, health, and as much OpenAPI as kubectl asks for before it writes.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::response::Response;
use http::StatusCode;
use serde_json::{Map, json};

use super::answer::{Refusal, respond, tree};
use crate::client::kube::types::{Json, Kind};
use crate::sandbox::store::Store;

/// Answers a path that is not a resource's.
pub fn answer(store: &Store, words: &[String], _accept: &str) -> Result<Response, Refusal> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let kinds: Vec<Arc<Kind>> = store.read(|state| state.kinds.all().cloned().collect());
    let json = match &words[..] {
        [] => json!({ "paths": ["/api", "/apis", "/healthz", "/livez", "/openapi/v3", "/readyz", "/version"] }),
        ["healthz" | "livez" | "readyz", ..] => return Ok(respond(StatusCode::OK, "text/plain; charset=utf-8", "ok")),
        ["version"] => json!({
            "major": "1", "minor": "34", "gitVersion": "v1.34.4+sandbox", "gitCommit": "", "gitTreeState": "clean",
            "buildDate": "1970-01-01T00:00:00Z", "goVersion": "", "compiler": "", "platform": "sandbox",
        }),
        ["api"] => json!({ "kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": [] }),
        ["api", "v1"] => resources(&kinds, "", "v1"),
        ["apis"] => {
            let groups: Vec<Json> =
                groups(&kinds).into_iter().map(|(name, versions)| group(&name, &versions, false)).collect();
            json!({ "kind": "APIGroupList", "apiVersion": "v1", "groups": groups })
        }
        ["apis", name] => match groups(&kinds).get(*name) {
            Some(versions) => group(name, versions, true),
            None => return Err(Refusal::no_such_path()),
        },
        ["apis", name, version] => {
            if !kinds.iter().any(|kind| kind.group == *name && kind.version == *version) {
                return Err(Refusal::no_such_path());
            }
            resources(&kinds, name, version)
        }
        ["openapi", "v3"] => openapi_index(&kinds),
        ["openapi", "v3", "api", version] => openapi(&kinds, "", version),
        ["openapi", "v3", "apis", group, version] => openapi(&kinds, group, version),
        _ => return Err(Refusal::no_such_path()),
    };
    Ok(tree(StatusCode::OK, &json))
}

/// Groups and their versions, without the core group.
fn groups(kinds: &[Arc<Kind>]) -> BTreeMap<String, Vec<String>> {
    let mut groups: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for kind in kinds.iter().filter(|kind| !kind.group.is_empty()) {
        let versions = groups.entry(kind.group.clone()).or_default();
        if !versions.contains(&kind.version) {
            versions.push(kind.version.clone());
        }
    }
    groups
}

fn group(name: &str, versions: &[String], alone: bool) -> Json {
    let named = |version: &String| json!({ "groupVersion": format!("{name}/{version}"), "version": version });
    let all: Vec<Json> = versions.iter().map(named).collect();
    let mut group = json!({ "name": name, "versions": all, "preferredVersion": all.first() });
    if alone {
        group["kind"] = json!("APIGroup");
        group["apiVersion"] = json!("v1");
    }
    group
}

fn resources(kinds: &[Arc<Kind>], group: &str, version: &str) -> Json {
    let mut list = Vec::new();
    for kind in kinds.iter().filter(|kind| kind.group == group && kind.version == version) {
        let verbs = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];
        let mut one = json!({
            "name": kind.plural, "singularName": kind.kind.to_lowercase(), "namespaced": kind.namespaced, "kind": kind.kind, "verbs": verbs,
        });
        if !kind.short.is_empty() {
            one["shortNames"] = json!(kind.short);
        }
        if !kind.categories.is_empty() {
            one["categories"] = json!(kind.categories);
        }
        list.push(one);
        for subresource in &kind.subresources {
            let (shown, verbs): (&str, &[&str]) = match subresource.as_str() {
                "log" => (&kind.kind, &["get"]),
                "exec" | "portforward" => continue,
                "scale" => ("Scale", &["get", "patch", "update"]),
                "token" => ("TokenRequest", &["create"]),
                _ => (&kind.kind, &["get", "patch", "update"]),
            };
            let mut one = json!({
                "name": format!("{}/{subresource}", kind.plural), "singularName": "", "namespaced": kind.namespaced, "kind": shown, "verbs": verbs,
            });
            if subresource == "scale" {
                one["group"] = json!("autoscaling");
                one["version"] = json!("v1");
            }
            if subresource == "token" {
                one["group"] = json!("authentication.k8s.io");
                one["version"] = json!("v1");
            }
            list.push(one);
        }
    }
    let version = if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") };
    json!({ "kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version, "resources": list })
}

fn openapi_index(kinds: &[Arc<Kind>]) -> Json {
    let mut paths = Map::new();
    for kind in kinds {
        let path = if kind.group.is_empty() {
            format!("api/{}", kind.version)
        } else {
            format!("apis/{}/{}", kind.group, kind.version)
        };
        paths.insert(path.clone(), json!({ "serverRelativeURL": format!("/openapi/v3/{path}") }));
    }
    json!({ "paths": paths })
}

/// Says of each kind of a version only that it can be patched with field validation: that is what kubectl looks for.
fn openapi(kinds: &[Arc<Kind>], group: &str, version: &str) -> Json {
    let parameter =
        |name: &str| json!({ "name": name, "in": "query", "schema": { "type": "string", "uniqueItems": true } });
    let mut paths = Map::new();
    for kind in kinds.iter().filter(|kind| kind.group == group && kind.version == version) {
        let path = format!("{}/{{name}}", kind.path(kind.namespaced.then_some("{namespace}")));
        let operation = json!({
            "operationId": format!("patch{}", kind.kind), "responses": {},
            "parameters": [parameter("dryRun"), parameter("fieldManager"), parameter("fieldValidation"), parameter("force")],
            "x-kubernetes-action": "patch",
            "x-kubernetes-group-version-kind": { "group": group, "version": version, "kind": kind.kind },
        });
        paths.insert(path, json!({ "patch": operation }));
    }
    json!({ "openapi": "3.0.0", "info": { "title": "sandbox", "version": "v1.34.4" }, "paths": paths, "components": { "schemas": {} } })
}
