//! From results to journal records.

use std::collections::HashSet;
use std::sync::Arc;

use crate::addr::{ConfigResourceAddr, DeposedKey, Name};
use crate::change::{Intent, Step};
use crate::diag::Diagnostic;
use crate::graph::{Graph, Node, NodeId};
use crate::plan::{PlannedChange, schema_of};
use crate::state::{Object, OpenIntent, Slot, Status};
use crate::value::{Marks, Path, Value, to_json_typed, writable};

/// The object that state keeps of a value.
///
/// # Errors
/// When the value cannot be stored: parts of it are still unknown.
pub fn object(
    planned: &PlannedChange,
    value: &Value,
    private: &[u8],
    status: Status,
    dependencies: Arc<[ConfigResourceAddr]>,
) -> Result<Arc<Object>, Box<Diagnostic>> {
    let invalid = |why: String| {
        Box::new(
            Diagnostic::error(
                "Provider produced an object that cannot be stored",
                format!(
                    "After the apply the provider returned {why}. This is a defect of the provider, which should be reported \
                     to its developers. What can be stored of the object is kept in state."
                ),
            )
            .about(&planned.change.addr),
        )
    };
    let schema = planned.schema().ok_or_else(|| invalid("an object of a type it does not have".into()))?;
    let stored = crate::schema::write_only_null(&schema.block, value);
    let attributes = to_json_typed(&stored, &schema.ty()).map_err(|error| invalid(error.to_string()))?;
    let of_config = planned.work.marks.iter().filter(|(path, marks)| is_sensitive_part(path, *marks, &stored));
    let by_schema = crate::schema::sensitive_paths(&schema.block, &stored);
    let mut sensitive: Vec<Path> = by_schema.into_iter().map(|(path, _)| path).collect();
    let known: HashSet<&Path> = sensitive.iter().collect();
    let more: Vec<Path> = of_config.map(|(path, _)| path).filter(|path| !known.contains(path)).cloned().collect();
    sensitive.extend(more);
    Ok(Arc::new(Object {
        sensitive,
        private: private.to_vec().into(),
        dependencies,
        create_before_destroy: planned.work.creates_first,
        status,
        ..Object::new(schema.version, attributes)
    }))
}

fn is_sensitive_part(path: &Path, marks: Marks, value: &Value) -> bool {
    marks.contains(Marks::SENSITIVE) && path.of(value).is_some()
}

/// The object that state keeps of a value which it cannot hold as it is: with null for what is unknown still, infinite, or too
/// deep. An object that exists must not be forgotten because of a part of it. `None` where its type is not known.
pub fn partial(
    planned: &PlannedChange,
    value: &Value,
    private: &[u8],
    status: Status,
    dependencies: Arc<[ConfigResourceAddr]>,
) -> Option<Arc<Object>> {
    object(planned, &writable(value), private, status, dependencies).ok()
}

/// The intent of a remote call. Its object is the planned one (unknown parts null) for a create, else the prior one.
pub fn intent(
    planned: &PlannedChange,
    slot: &Slot,
    step: Step,
    nonce: &str,
    about: &Value,
    dependencies: Arc<[ConfigResourceAddr]>,
) -> OpenIntent {
    let (version, json) = match schema_of(&*planned.provider_type, &planned.change.addr) {
        Some(schema) => {
            let stored = writable(&crate::schema::write_only_null(&schema.block, about));
            (schema.version, to_json_typed(&stored, &schema.ty()).unwrap_or_else(|_| "{}".to_owned()))
        }
        None => (0, "{}".to_owned()),
    };
    OpenIntent {
        intent: Intent {
            addr: slot.addr.clone(),
            deposed: slot.deposed.clone(),
            step,
            nonce: nonce.to_owned(),
            schema_version: version,
            object: json.into(),
        },
        provider: planned.change.provider.clone(),
        dependencies,
        create_before_destroy: planned.work.creates_first,
        sensitive: planned.work.marks.iter().map(|(path, _)| path.clone()).collect(),
    }
}

/// A fresh key for an object that is put aside.
pub fn deposed_key() -> DeposedKey {
    DeposedKey(Name::from(format!("{:08x}", rand::random::<u32>())))
}

/// A fresh nonce for an intent.
pub fn nonce() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}

/// The resources that a block depends on directly, or through values: what state records as dependencies.
pub struct Dependencies<'a> {
    graph: &'a Graph,
    known: foldhash::HashMap<NodeId, Arc<[ConfigResourceAddr]>>,
}

impl<'a> Dependencies<'a> {
    /// Nothing asked yet.
    pub fn new(graph: &'a Graph) -> Self {
        Dependencies { graph, known: foldhash::HashMap::default() }
    }

    /// Those of a node, sorted. Shared by all its instances.
    pub fn of(&mut self, node: NodeId) -> Arc<[ConfigResourceAddr]> {
        if let Some(known) = self.known.get(&node) {
            return known.clone();
        }
        // Of a data source nothing is destroyed, and terraform stores no order for it.
        if matches!(self.graph.node(node), Node::Data(..)) {
            return Arc::default();
        }
        let mut found = Vec::new();
        let mut seen = foldhash::HashSet::default();
        let mut stack: Vec<NodeId> = self.graph.needs[node.index()].clone();
        if let Some(of_imports) = self.graph.import_needs.get(&node) {
            stack.retain(|need| !of_imports.contains(need));
        }
        while let Some(next) = stack.pop() {
            if !seen.insert(next) {
                continue;
            }
            match self.graph.node(next) {
                Node::Resource(..) => found.extend(self.graph.config_addr(next)),
                // What was read depends on what had to be there before.
                Node::Data(..) => {
                    found.extend(self.graph.config_addr(next));
                    stack.extend(&self.graph.needs[next.index()]);
                }
                Node::Variable(..)
                | Node::Ephemeral(..)
                | Node::Local(..)
                | Node::Output(..)
                | Node::ModuleCall(..)
                | Node::ModuleEnd(..)
                | Node::Provider(_) => stack.extend(&self.graph.needs[next.index()]),
            }
        }
        // By their text, as Terraform has them in state.
        found.sort_by_cached_key(ToString::to_string);
        found.dedup();
        let found: Arc<[ConfigResourceAddr]> = found.into();
        self.known.insert(node, found.clone());
        found
    }
}
