//! Every object of the platform is imported: what is left to do is what only configuration knows.

use serde_json::Value;

use super::Platform;
use crate::conformance::kubernetes::whole::{assert_nothing_planned, call, lines, ok, plan, planned};

/// What an import cannot find out: how to wait, and metadata that belongs to others unless it is configured.
fn known_to_configuration_alone(object: &str, path: &str) -> bool {
    path.starts_with("wait_")
        || path.starts_with("metadata[0].annotations")
        || path.starts_with("metadata[0].labels")
        || object.starts_with("kubernetes_manifest.") && (path.starts_with("manifest") || path.starts_with("object"))
        // The real provider writes a default of the API server away, every time.
        || object == "kubernetes_limit_range_v1.lr" && path.starts_with("spec[0].limit[1]")
        // A block that has a default is not read when it is not configured.
        || object == "kubernetes_stateful_set_v1.sts" && path.starts_with("spec[0].update_strategy")
}

impl Platform<'_> {
    /// All at once, by import blocks, into a folder of its own.
    pub async fn is_imported(&self) {
        let other = self.program.copied();
        for left in ["terraform.tfstate", "terraform.tfstate.backup"] {
            let _ = std::fs::remove_file(other.path(left));
        }
        let blocks: String = self
            .ids()
            .iter()
            .map(|(object, id)| format!("import {{\n  to = {object}\n  id = \"{id}\"\n}}\n"))
            .collect();
        other.write("imports.tf", &blocks);
        let before = self.live("apps/v1", "Deployment", "full").await;
        let changes = planned(&plan(&other, &self.args()));
        for change in &changes {
            assert_eq!(change.action, "update", "{}", lines(std::slice::from_ref(change)));
            let left = change.differences.iter().find(|path| !known_to_configuration_alone(&change.object, path));
            assert!(left.is_none(), "{}", lines(std::slice::from_ref(change)));
        }
        ok(&other, &[&["apply", "-auto-approve", "-no-color"][..], &self.args()].concat());
        assert_nothing_planned(&other, &self.args(), "after the import");
        let after = self.live("apps/v1", "Deployment", "full").await;
        assert_eq!(after["metadata"]["generation"], before["metadata"]["generation"], "imported, and rolled out again");
        // One by one, by the command.
        std::fs::remove_file(other.path("imports.tf")).unwrap();
        std::fs::remove_file(other.path("terraform.tfstate")).unwrap();
        for (object, id) in self.ids().iter().step_by(7) {
            let answer = call(&other, &[&["import", "-no-color"][..], &self.args(), &[object, id]].concat());
            assert_eq!(answer.code, 0, "{object} {id}\n{}\n{}", answer.out, answer.err);
        }
    }

    /// What each object is imported by.
    fn ids(&self) -> Vec<(String, String)> {
        let state = self.state();
        let resources = state["resources"].as_array().unwrap().iter();
        let id = |resource: &Value| {
            let (kind, name) = (resource["type"].as_str().unwrap(), resource["name"].as_str().unwrap());
            let attributes = &resource["instances"][0]["attributes"];
            let id = match kind {
                "kubernetes_manifest" => {
                    let manifest = &attributes["manifest"]["value"];
                    let text = |path: &str| manifest.pointer(path).and_then(Value::as_str).unwrap().to_owned();
                    let (version, kind) = (text("/apiVersion"), text("/kind"));
                    format!(
                        "apiVersion={version},kind={kind},namespace={},name={}",
                        self.namespace,
                        text("/metadata/name")
                    )
                }
                _ => attributes["id"].as_str().unwrap().to_owned(),
            };
            (format!("{kind}.{name}"), id)
        };
        resources.map(id).collect()
    }
}
