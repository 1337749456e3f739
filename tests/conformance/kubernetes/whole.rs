//! The program as a whole over a cluster: a folder, what it plans, and how that is compared.

use infra::client::Secret;
use infra::client::kube::{Kube, Settings as Connection, connect};
use infra::sandbox::{Sandbox, Server, Timing, serve};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::cli::program::{Answer, Program};

/// A cluster that programs reach with a kubeconfig.
pub struct Cluster {
    pub kubeconfig: String,
    pub kube: Kube,
    _served: Option<(Server, Sandbox, TempDir)>,
}

impl Cluster {
    /// A sandbox of the test's own.
    pub async fn sandbox() -> Cluster {
        let folder = TempDir::new().unwrap();
        let sandbox = Sandbox::open(folder.path(), Timing::default()).await.unwrap();
        let server = serve(&sandbox, 0).await.unwrap();
        let kubeconfig = server.endpoint.kubeconfig();
        let kube = Kube::from_service(sandbox.service());
        Cluster { kubeconfig, kube, _served: Some((server, sandbox, folder)) }
    }

    /// The lab's API server; `None` when there is none.
    pub async fn real() -> Option<Cluster> {
        let kubeconfig = crate::lab::kube()?.kubeconfig.clone();
        let config_raw = Some(Secret::new(kubeconfig.as_str()));
        let kube = connect(&Connection { config_raw, ..Connection::default() }).await.unwrap();
        Some(Cluster { kubeconfig, kube, _served: None })
    }

    /// A folder with a configuration whose provider leads here.
    pub fn folder(&self, main: &str) -> Program {
        let provider = "provider \"kubernetes\" {\n  config_path = \"kubeconfig.yaml\"\n}\n";
        Program::with(&[("kubeconfig.yaml", &self.kubeconfig), ("provider.tf", provider), ("main.tf", main)])
    }
}

/// Calls the program. The sandbox answers from this process, so its threads must go on meanwhile.
pub fn call(program: &Program, args: &[&str]) -> Answer {
    tokio::task::block_in_place(|| program.call(args))
}

/// Calls the program, which must succeed.
pub fn ok(program: &Program, args: &[&str]) -> String {
    let answer = call(program, args);
    assert_eq!(answer.code, 0, "{args:?}\n{}\n{}", answer.out, answer.err);
    answer.out
}

/// A plan as JSON, or the answer of the program that made none.
pub fn try_plan(program: &Program, args: &[&str]) -> Result<Value, Answer> {
    let answer = call(program, &[&["plan", "-no-color", "-input=false", "-out=made.plan"], args].concat());
    if answer.code != 0 {
        return Err(answer);
    }
    Ok(serde_json::from_str(&ok(program, &["show", "-json", "made.plan"])).unwrap())
}

pub fn plan(program: &Program, args: &[&str]) -> Value {
    try_plan(program, args).unwrap_or_else(|answer| panic!("{args:?}\n{}\n{}", answer.out, answer.err))
}

/// What is planned for each object, but for those with nothing to do.
pub fn planned(plan: &Value) -> Vec<Change> {
    let changes = plan["resource_changes"].as_array().into_iter().flatten();
    changes.map(Change::of).filter(|change| change.action != "no-op" && change.action != "read").collect()
}

/// Nothing is planned, and nothing has drifted.
pub fn assert_nothing_planned(program: &Program, args: &[&str], when: &str) {
    let plan = plan(program, args);
    let changes = planned(&plan);
    assert!(changes.is_empty(), "{when}:\n{}", lines(&changes));
    let drift = plan["resource_drift"].as_array().into_iter().flatten().map(Change::of);
    let drift: Vec<Change> = drift.filter(|change| !change.differences.is_empty()).collect();
    assert!(drift.is_empty(), "{when}, drift:\n{}", lines(&drift));
}

/// What is planned for an object.
#[derive(Debug)]
pub struct Change {
    pub object: String,
    /// `update`, `delete/create`…
    pub action: String,
    /// The paths that force a replacement, as JSON, in order.
    pub replace: Vec<String>,
    /// What becomes of it, path by path.
    pub differences: Vec<String>,
}

impl Change {
    fn of(json: &Value) -> Change {
        let change = &json["change"];
        let names: Vec<&str> = change["actions"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let mut replace: Vec<String> =
            change["replace_paths"].as_array().into_iter().flatten().map(Value::to_string).collect();
        replace.sort();
        let after = with_unknown(&change["after"], &change["after_unknown"]);
        let differences = differences(&change["before"], &after);
        Change { object: json["address"].as_str().unwrap().to_owned(), action: names.join("/"), replace, differences }
    }
}

pub fn lines(changes: &[Change]) -> String {
    let line = |change: &Change| {
        let differences = change.differences.join("\n    ");
        format!("{} {} {}\n    {differences}\n", change.object, change.action, change.replace.join(" "))
    };
    changes.iter().map(line).collect()
}

/// The paths at which two values differ, but for what changes by itself.
pub fn differences(before: &Value, after: &Value) -> Vec<String> {
    let mut found = Vec::new();
    differ(before, after, String::new(), &mut found);
    found
}

fn differ(before: &Value, after: &Value, path: String, found: &mut Vec<String>) {
    match (before, after) {
        (Value::Object(a), Value::Object(b)) => {
            let names: std::collections::BTreeSet<&String> = a.keys().chain(b.keys()).collect();
            for name in names {
                let (a, b) = (a.get(name).unwrap_or(&Value::Null), b.get(name).unwrap_or(&Value::Null));
                differ(a, b, format!("{path}.{name}"), found);
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (at, (a, b)) in a.iter().zip(b).enumerate() {
                differ(a, b, format!("{path}[{at}]"), found);
            }
        }
        _ if before == after || changes_by_itself(&path) => {}
        _ => found.push(format!("{}: {before} -> {after}", path.trim_start_matches('.'))),
    }
}

/// A planned value with a mark where it is not known yet.
fn with_unknown(value: &Value, unknown: &Value) -> Value {
    match unknown {
        Value::Bool(true) => json!("(known after apply)"),
        Value::Object(parts) => {
            let mut value = value.as_object().cloned().unwrap_or_default();
            for (name, part) in parts {
                let marked = with_unknown(value.get(name).unwrap_or(&Value::Null), part);
                value.insert(name.clone(), marked);
            }
            Value::Object(value)
        }
        Value::Array(parts) => {
            let mut value = value.as_array().cloned().unwrap_or_default();
            for (at, part) in parts.iter().enumerate() {
                match value.get_mut(at) {
                    Some(there) => *there = with_unknown(there, part),
                    None => value.push(with_unknown(&Value::Null, part)),
                }
            }
            Value::Array(value)
        }
        Value::Bool(false) | Value::Null | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

/// Attributes that differ from one run to the next.
const BY_ITSELF: [&str; 12] = [
    "uid",
    "resource_version",
    "generation",
    "cluster_ip",
    "cluster_ips",
    "node_port",
    "health_check_node_port",
    "creationTimestamp",
    "resourceVersion",
    "managedFields",
    "time",
    "status",
];

/// Whether what is at a path changes without anybody's doing.
pub fn changes_by_itself(path: &str) -> bool {
    path.split(['.', '[', ']']).any(|part| BY_ITSELF.contains(&part))
}

/// The JSON merge patch from one object to another.
pub fn merge_patch(before: &Value, after: &Value) -> Option<Value> {
    match (before, after) {
        _ if before == after => None,
        (Value::Object(before), Value::Object(after)) => {
            let mut patch = serde_json::Map::new();
            for (name, part) in after {
                if let Some(change) = merge_patch(before.get(name).unwrap_or(&Value::Null), part) {
                    patch.insert(name.clone(), change);
                }
            }
            patch.extend(
                before.keys().filter(|name| !after.contains_key(*name)).map(|name| (name.clone(), Value::Null)),
            );
            Some(Value::Object(patch))
        }
        _ => Some(after.clone()),
    }
}
