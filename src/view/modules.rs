//! The modules that a configuration calls: as a tree, and as Terraform's JSON.

use std::fmt::Write as _;

use serde_json::{Value as Json, json};

use crate::config::{Module, ModuleCall};

/// What `modules -json` prints. `layers` are root modules, each with the name that stands before its keys in a project.
pub fn modules_json(layers: &[(Option<String>, &Module)]) -> Json {
    let mut found = Vec::new();
    for (layer, root) in layers {
        let prefix = layer.as_ref().map(|layer| format!("{layer}.")).unwrap_or_default();
        collect(root, &prefix, &mut found);
    }
    // As Terraform says that there is none.
    let modules = if found.is_empty() { Json::Null } else { Json::Array(found) };
    json!({ "format_version": "1.0", "modules": modules })
}

/// Each call, followed by those of its module; a key is the name of the call.
fn collect(module: &Module, prefix: &str, found: &mut Vec<Json>) {
    for (name, call) in &module.calls {
        found.push(json!({
            "key": format!("{prefix}{name}"),
            "source": call.address.to_string(),
            "version": call.version.as_deref().unwrap_or_default(),
        }));
        collect(&call.module, prefix, found);
    }
}

/// What `modules` prints.
pub fn modules_tree(layers: &[(Option<String>, &Module)]) -> String {
    if layers.iter().all(|(_, root)| root.calls.is_empty()) {
        return "No modules found in configuration.\n".to_owned();
    }
    let mut out = String::from("\nModules declared by configuration:\n");
    for (layer, root) in layers {
        let _ = writeln!(out, "{}", layer.as_deref().unwrap_or("."));
        branch(&mut out, root, "");
        out.push('\n');
    }
    out
}

fn branch(out: &mut String, module: &Module, indent: &str) {
    let count = module.calls.len();
    for (at, (name, call)) in module.calls.iter().enumerate() {
        // Terraform's tree is drawn with hard spaces below a branch that goes on.
        let (edge, below) = if at + 1 == count { ("└── ", "    ") } else { ("├── ", "│\u{a0}\u{a0} ") };
        let _ = writeln!(out, "{indent}{edge}{:?}[{}]{}", name.as_str(), call.address, version(call));
        branch(out, &call.module, &format!("{indent}{below}"));
    }
}

/// The installed version, and what was asked for.
fn version(call: &ModuleCall) -> String {
    let installed = call.version.as_ref().map(|version| format!(" {version}")).unwrap_or_default();
    let asked = call.version_constraint.as_ref().map(|asked| format!(" ({asked})")).unwrap_or_default();
    format!("{installed}{asked}")
}
