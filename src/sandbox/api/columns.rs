//! Tables for people: the columns `kubectl get` shows for a kind.

use std::sync::Arc;

use serde_json::json;

use crate::client::kube::types::{Json, Kind};
use crate::sandbox::store::Object;

/// A column: its title, whether only `-o wide` shows it, and its text for an object.
type Column = (&'static str, bool, fn(&Json) -> String);

/// The table of some objects of a kind. `meta` is the list's metadata.
pub fn table(kind: &Kind, objects: &[Arc<Object>], meta: &Json) -> Json {
    let columns = columns(kind);
    let definitions: Vec<Json> = columns
        .iter()
        .map(|(title, wide, _)| {
            let format = if *title == "Name" { "name" } else { "" };
            json!({ "name": title, "type": "string", "format": format, "description": title, "priority": i32::from(*wide) })
        })
        .collect();
    let rows: Vec<Json> = objects
        .iter()
        .map(|object| {
            let json = object.json();
            let cells: Vec<String> = columns.iter().map(|(_, _, text)| text(json)).collect();
            let shown = json!({ "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": json["metadata"] });
            json!({ "cells": cells, "object": shown })
        })
        .collect();
    json!({ "kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": meta, "columnDefinitions": definitions, "rows": rows })
}

fn columns(kind: &Kind) -> Vec<Column> {
    let middle: &[Column] = match (kind.group.as_str(), kind.kind.as_str()) {
        ("", "Pod") => &[
            ("Ready", false, ready_containers),
            ("Status", false, pod_status),
            ("Restarts", false, |pod| {
                let list = pod["status"]["containerStatuses"].as_array().into_iter().flatten();
                list.map(|one| one["restartCount"].as_i64().unwrap_or(0)).sum::<i64>().to_string()
            }),
            ("Node", true, |pod| text(&pod["spec"]["nodeName"])),
            ("IP", true, |pod| text(&pod["status"]["podIP"])),
        ],
        ("", "Namespace") => &[("Status", false, |one| text(&one["status"]["phase"]))],
        ("", "Service") => &[
            ("Type", false, |one| text(&one["spec"]["type"])),
            ("Cluster-IP", false, |one| text(&one["spec"]["clusterIP"])),
            ("External-IP", false, |one| text(&one["status"]["loadBalancer"]["ingress"][0]["ip"])),
            ("Port(s)", false, ports),
            ("Selector", true, |one| labels(&one["spec"]["selector"])),
        ],
        ("apps", "Deployment") => &[
            ("Ready", false, |one| {
                format!("{}/{}", count(&one["status"]["readyReplicas"]), count(&one["spec"]["replicas"]))
            }),
            ("Up-to-date", false, |one| count(&one["status"]["updatedReplicas"])),
            ("Available", false, |one| count(&one["status"]["availableReplicas"])),
            ("Images", true, images),
        ],
        ("apps", "StatefulSet") => &[
            ("Ready", false, |one| {
                format!("{}/{}", count(&one["status"]["readyReplicas"]), count(&one["spec"]["replicas"]))
            }),
            ("Images", true, images),
        ],
        ("apps", "ReplicaSet") => &[
            ("Desired", false, |one| count(&one["spec"]["replicas"])),
            ("Current", false, |one| count(&one["status"]["replicas"])),
            ("Ready", false, |one| count(&one["status"]["readyReplicas"])),
        ],
        ("apps", "DaemonSet") => &[
            ("Desired", false, |one| count(&one["status"]["desiredNumberScheduled"])),
            ("Ready", false, |one| count(&one["status"]["numberReady"])),
        ],
        ("batch", "Job") => &[("Completions", false, |one| {
            format!("{}/{}", count(&one["status"]["succeeded"]), count(&one["spec"]["completions"]))
        })],
        ("batch", "CronJob") => &[("Schedule", false, |one| text(&one["spec"]["schedule"]))],
        ("", "ConfigMap") => &[("Data", false, |one| size(&one["data"]))],
        ("", "Secret") => &[("Type", false, |one| text(&one["type"])), ("Data", false, |one| size(&one["data"]))],
        ("", "PersistentVolumeClaim") => &[
            ("Status", false, |one| text(&one["status"]["phase"])),
            ("Volume", false, |one| text(&one["spec"]["volumeName"])),
            ("Capacity", false, |one| text(&one["status"]["capacity"]["storage"])),
            ("StorageClass", false, |one| text(&one["spec"]["storageClassName"])),
        ],
        ("", "PersistentVolume") => &[
            ("Capacity", false, |one| text(&one["spec"]["capacity"]["storage"])),
            ("Status", false, |one| text(&one["status"]["phase"])),
            ("Claim", false, |one| {
                let claim = &one["spec"]["claimRef"];
                format!("{}/{}", text(&claim["namespace"]), text(&claim["name"]))
            }),
        ],
        ("networking.k8s.io", "Ingress") => &[
            ("Class", false, |one| text(&one["spec"]["ingressClassName"])),
            ("Hosts", false, |one| {
                let rules = one["spec"]["rules"].as_array().into_iter().flatten();
                rules.map(|rule| text(&rule["host"])).collect::<Vec<_>>().join(",")
            }),
            ("Address", false, |one| text(&one["status"]["loadBalancer"]["ingress"][0]["ip"])),
        ],
        ("", "Event") => &[
            ("Type", false, |one| text(&one["type"])),
            ("Reason", false, |one| text(&one["reason"])),
            ("Object", false, |one| {
                let about = &one["involvedObject"];
                format!("{}/{}", text(&about["kind"]).to_lowercase(), text(&about["name"]))
            }),
            ("Message", false, |one| text(&one["message"])),
        ],
        ("", "Node") => &[
            ("Status", false, |_| "Ready".into()),
            ("Version", false, |one| text(&one["status"]["nodeInfo"]["kubeletVersion"])),
        ],
        ("storage.k8s.io", "StorageClass") => &[("Provisioner", false, |one| text(&one["provisioner"]))],
        ("", "Endpoints") => &[("Endpoints", false, |one| {
            let subsets = one["subsets"].as_array().into_iter().flatten();
            let all = subsets.flat_map(|subset| subset["addresses"].as_array().into_iter().flatten());
            let all: Vec<String> = all.map(|address| text(&address["ip"])).collect();
            if all.is_empty() { "<none>".into() } else { all.join(",") }
        })],
        _ => &[],
    };
    let first: Column = ("Name", false, |one| text(&one["metadata"]["name"]));
    let last: Column = ("Age", false, age);
    std::iter::once(first).chain(middle.iter().copied()).chain(std::iter::once(last)).collect()
}

fn text(value: &Json) -> String {
    match value {
        Json::Null => "<none>".into(),
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn count(value: &Json) -> String {
    value.as_i64().unwrap_or(0).to_string()
}

fn size(value: &Json) -> String {
    value.as_object().map_or(0, serde_json::Map::len).to_string()
}

fn labels(value: &Json) -> String {
    let map = value.as_object().into_iter().flatten();
    map.map(|(name, value)| format!("{name}={}", text(value))).collect::<Vec<_>>().join(",")
}

fn images(object: &Json) -> String {
    let list = object["spec"]["template"]["spec"]["containers"].as_array().into_iter().flatten();
    list.map(|container| text(&container["image"])).collect::<Vec<_>>().join(",")
}

fn ports(service: &Json) -> String {
    let list = service["spec"]["ports"].as_array().into_iter().flatten();
    let list = list.map(|port| match port["nodePort"].as_i64() {
        Some(node) => format!("{}:{node}/{}", port["port"], text(&port["protocol"])),
        None => format!("{}/{}", port["port"], text(&port["protocol"])),
    });
    list.collect::<Vec<_>>().join(",")
}

fn ready_containers(pod: &Json) -> String {
    let list = pod["status"]["containerStatuses"].as_array().map(Vec::as_slice).unwrap_or_default();
    let ready = list.iter().filter(|one| one["ready"] == true).count();
    let all = pod["spec"]["containers"].as_array().map_or(0, Vec::len);
    format!("{ready}/{all}")
}

fn pod_status(pod: &Json) -> String {
    if pod["metadata"]["deletionTimestamp"].is_string() {
        return "Terminating".into();
    }
    let mut list = pod["status"]["containerStatuses"].as_array().into_iter().flatten();
    let reason = list.find_map(|one| {
        let state = &one["state"];
        state["waiting"]["reason"].as_str().or_else(|| state["terminated"]["reason"].as_str())
    });
    reason.map_or_else(|| text(&pod["status"]["phase"]), str::to_owned)
}

fn age(object: &Json) -> String {
    let made = object["metadata"]["creationTimestamp"].as_str().and_then(|text| text.parse::<jiff::Timestamp>().ok());
    let Some(made) = made else { return "<unknown>".into() };
    let seconds = (jiff::Timestamp::now().as_second() - made.as_second()).max(0);
    match seconds {
        0..120 => format!("{seconds}s"),
        120..7_200 => format!("{}m", seconds / 60),
        7_200..172_800 => format!("{}h", seconds / 3_600),
        _ => format!("{}d", seconds / 86_400),
    }
}
