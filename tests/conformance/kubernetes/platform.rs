//! A platform of 41 objects of every usual kind, as `main.tf` beside this file's modules has it, through the program itself: what the
//! real provider (hashicorp/kubernetes 2.38.0) wrote and planned for it is what ours writes and plans.
//!
//! | file in `platform/` | what |
//! | --- | --- |
//! | `main.tf` | the configuration |
//! | `state.jsonl` | the state that the real provider made of it, one object a line, without keys and tokens |
//! | `changes.jsonl` | 143 changes of it, and what the real provider plans for each |
//!
//! Where two amounts are equal the real provider plans an update for ever; ours has nothing to do.

mod changed;
mod drifted;
mod imported;
mod lives;
mod recorded;

use std::sync::atomic::{AtomicU32, Ordering};

use infra::client::kube::types::find;
use serde_json::Value;

use super::whole::{Cluster, assert_nothing_planned, ok};
use crate::cli::program::Program;

/// The configuration.
pub const MAIN: &str = include_str!("platform/main.tf");

/// The platform in a folder and on a cluster.
pub struct Platform<'a> {
    pub cluster: &'a Cluster,
    pub program: Program,
    pub namespace: String,
    variable: String,
}

impl<'a> Platform<'a> {
    /// In a folder; nothing is applied yet.
    pub fn new(cluster: &'a Cluster) -> Platform<'a> {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let namespace = format!("platform-{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let program = cluster.folder(MAIN);
        // The server asks that both are there, and looks into neither.
        program.write("tls.crt", "a certificate");
        program.write("tls.key", "its key");
        let variable = format!("ns={namespace}");
        Platform { cluster, program, namespace, variable }
    }

    pub fn args(&self) -> [&str; 2] {
        ["-var", &self.variable]
    }

    pub fn apply(&self) {
        ok(&self.program, &[&["apply", "-auto-approve", "-no-color", "-input=false"][..], &self.args()].concat());
    }

    pub fn assert_nothing_planned(&self, when: &str) {
        assert_nothing_planned(&self.program, &self.args(), when);
    }

    /// Gone, and nothing of it is left in the cluster.
    pub async fn destroy(&self) {
        ok(&self.program, &[&["destroy", "-auto-approve", "-no-color"][..], &self.args()].concat());
        let kind = find("v1", "Namespace").unwrap();
        let left = self.cluster.kube.get(kind, None, &self.namespace).await.unwrap();
        assert!(left.is_none(), "{left:?}");
    }

    /// An object of the namespace as it is.
    pub async fn live(&self, version: &str, kind: &str, name: &str) -> Value {
        let kind = find(version, kind).unwrap();
        self.cluster.kube.get(kind, Some(&self.namespace), name).await.unwrap().unwrap()
    }

    /// The state as JSON.
    pub fn state(&self) -> Value {
        serde_json::from_str(&std::fs::read_to_string(self.program.path("terraform.tfstate")).unwrap()).unwrap()
    }
}
