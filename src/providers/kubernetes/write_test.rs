//! Changes to live objects, by table.

use serde_json::json;

use super::*;
use crate::providers::kubernetes::object::{Look, api_type, changed, read};
use crate::providers::kubernetes::table::table;
use crate::providers::kubernetes::{compare, hidden::Ignored, identity::Place};

/// What a change of configuration makes of a live object that reads as `config` says but for what `edit` does to it.
fn patch(kind: &str, live: &Json, edit: impl Fn(&mut Json)) -> Option<Json> {
    let resource = &table().resources[kind];
    let place = Place { namespace: Some("d".into()), name: "x".into() };
    let ignored = Ignored::default();
    let before = read(resource, live, &place, Look::Whole(&ignored));
    let mut config: Json = serde_json::from_str(&crate::value::to_json(&before).unwrap()).unwrap();
    edit(&mut config);
    let (config, _) = crate::value::from_json_stored(config.to_string().as_bytes(), &resource.schema().ty()).unwrap();
    let planned = compare::planned(&resource.fields, &before, &config, &api_type(resource));
    let change = Change { before: &before, planned: &planned, config: &config };
    merge_patch(live, &changed(resource, live, change))
}

fn deployment() -> Json {
    json!({
        "metadata": { "name": "x", "namespace": "d", "labels": { "a": "1", "who": "else", "k.kubernetes.io/x": "y" } },
        "spec": {
            "replicas": 1,
            "selector": { "matchLabels": { "app": "x" } },
            "strategy": { "type": "RollingUpdate", "rollingUpdate": { "maxSurge": "25%", "maxUnavailable": "25%" } },
            "template": {
                "metadata": { "labels": { "app": "x" } },
                "spec": {
                    "containers": [
                        { "name": "c", "image": "nginx:1", "env": [{ "name": "A", "value": "1" }, { "name": "B", "value": "2" }],
                          "resizePolicy": [{ "resourceName": "cpu", "restartPolicy": "NotRequired" }] },
                        { "name": "side", "image": "busybox" }
                    ],
                    "securityContext": {}
                }
            }
        }
    })
}

#[test]
fn nothing_changes_where_configuration_says_what_is_there() {
    assert_eq!(patch("kubernetes_deployment_v1", &deployment(), |_| {}), None);
}

#[test]
fn a_change_touches_what_differs_and_keeps_what_the_schema_does_not_cover() {
    let live = deployment();
    let containers = |edit: &dyn Fn(&mut Vec<Json>)| {
        let patch = patch("kubernetes_deployment_v1", &live, |config| {
            edit(config.pointer_mut("/spec/0/template/0/spec/0/container").unwrap().as_array_mut().unwrap());
        });
        patch.unwrap()["spec"]["template"]["spec"]["containers"].clone()
    };
    let was = live["spec"]["template"]["spec"]["containers"].clone();
    let mut without_b = was[0].clone();
    without_b["env"] = json!([{ "name": "A", "value": "1" }]);
    assert_eq!(
        containers(&|list| {
            list[0]["env"].as_array_mut().unwrap().pop();
        }),
        json!([without_b, was[1]])
    );
    assert_eq!(
        containers(&|list| {
            list.pop();
        }),
        json!([was[0]])
    );
    // The first goes: the other is found by its name, and keeps what it has.
    assert_eq!(
        containers(&|list| {
            list.remove(0);
        }),
        json!([was[1]])
    );
}

#[test]
fn keys_of_others_go_and_those_of_kubernetes_stay() {
    let patch = patch("kubernetes_deployment_v1", &deployment(), |config| {
        config["metadata"][0]["labels"] = json!({ "a": "2" });
    });
    assert_eq!(patch, Some(json!({ "metadata": { "labels": { "a": "2", "who": null } } })));
}

#[test]
fn another_strategy_leaves_nothing_of_the_one_before() {
    let patch = patch("kubernetes_deployment_v1", &deployment(), |config| {
        config["spec"][0]["strategy"] = json!([{ "type": "Recreate", "rolling_update": [] }]);
    });
    assert_eq!(patch, Some(json!({ "spec": { "strategy": { "type": "Recreate", "rollingUpdate": null } } })));
}

#[test]
fn a_zero_that_is_written_is_sent() {
    let patch = patch("kubernetes_deployment_v1", &deployment(), |config| config["spec"][0]["replicas"] = json!("0"));
    assert_eq!(patch, Some(json!({ "spec": { "replicas": 0 } })));
}

#[test]
fn secrets_change_key_by_key_in_base64() {
    let live = json!({ "metadata": { "name": "x", "namespace": "d" }, "data": { "a": "MQ==", "b": "Mg==", "raw": "/wD+" }, "type": "Opaque" });
    let changed = patch("kubernetes_secret_v1", &live, |config| config["data"] = json!({ "a": "1", "c": "3" }));
    assert_eq!(changed, Some(json!({ "data": { "b": null, "c": "Mw==" } })));
    let binary = patch("kubernetes_secret_v1", &live, |config| config["binary_data"] = json!({}));
    assert_eq!(binary, Some(json!({ "data": { "raw": null } })));
    // A key that only changes its form stays.
    let moved = patch("kubernetes_secret_v1", &live, |config| {
        config["data"] = json!({ "a": "1", "b": "2" });
        config["binary_data"] = json!({ "raw": "/wD+" });
    });
    assert_eq!(moved, None);
}

#[test]
fn merge_patches() {
    for (from, to, expect) in [
        (json!({ "a": 1 }), json!({ "a": 1 }), None),
        (json!({ "a": 1, "b": 2 }), json!({ "a": 1 }), Some(json!({ "b": null }))),
        (json!({ "a": { "b": 1 } }), json!({ "a": { "b": 1, "c": [1] } }), Some(json!({ "a": { "c": [1] } }))),
        (json!({ "a": [1, 2] }), json!({ "a": [2] }), Some(json!({ "a": [2] }))),
        (json!({ "a": {} }), json!({ "a": "x" }), Some(json!({ "a": "x" }))),
    ] {
        assert_eq!(merge_patch(&from, &to), expect, "{from} -> {to}");
    }
}
