//! The graph of a configuration as DOT and as Mermaid: its resources and which depends on which, or every node of a plan.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::graph::{Graph, Node, NodeId};
use crate::lang::eval::references;

/// A drawn graph: names, and for each what it needs.
type Edges = BTreeMap<String, BTreeSet<String>>;

/// The resources of a configuration as DOT, a box for each module, as `terraform graph` prints them.
pub fn graph_dot(graph: &Graph) -> String {
    let mut out = String::from("digraph G {\n  rankdir = \"RL\";\n  node [shape = rect, fontname = \"sans-serif\"];\n");
    for (module, resources) in clusters(graph) {
        let pad = if module.is_empty() { "  " } else { "    " };
        if !module.is_empty() {
            let _ = writeln!(out, "  subgraph {:?} {{", format!("cluster_{module}"));
            let _ = writeln!(out, "    label = {module:?}\n    fontname = \"sans-serif\"");
        }
        for (name, label) in resources {
            let _ = writeln!(out, "{pad}{name:?} [label={label:?}];");
        }
        if !module.is_empty() {
            out.push_str("  }\n");
        }
    }
    // Edges come in the order of their clusters, those of the root module first.
    let edges = reduced(&resource_edges(graph));
    let mut all: Vec<(&String, &String)> =
        edges.iter().flat_map(|(from, to)| to.iter().map(move |to| (from, to))).collect();
    let position = position(graph);
    all.sort_by_key(|(from, to)| (position.get(*from), position.get(*to)));
    for (from, to) in all {
        let _ = writeln!(out, "  {from:?} -> {to:?};");
    }
    out.push_str("}\n");
    out
}

/// The same as a Mermaid flowchart.
pub fn graph_mermaid(graph: &Graph) -> String {
    let mut out = String::from("flowchart RL\n");
    let position = position(graph);
    let id = |name: &str| format!("n{}", position.get(name).copied().unwrap_or_default());
    let label = |text: &str| text.replace('"', "#quot;");
    for (at, (module, resources)) in clusters(graph).into_iter().enumerate() {
        let pad = if module.is_empty() { "  " } else { "    " };
        if !module.is_empty() {
            let _ = writeln!(out, "  subgraph s{at}[\"{}\"]", label(&module));
        }
        for (name, text) in resources {
            let _ = writeln!(out, "{pad}{}[\"{}\"]", id(&name), label(&text));
        }
        if !module.is_empty() {
            out.push_str("  end\n");
        }
    }
    for (from, to) in &reduced(&resource_edges(graph)) {
        for to in to {
            let _ = writeln!(out, "  {} --> {}", id(from), id(to));
        }
    }
    out
}

/// Every node that a plan visits as DOT, as `terraform graph -type=plan` prints it.
pub fn graph_plan_dot(graph: &Graph) -> String {
    let (edges, shapes) = plan_edges(graph);
    let mut out = String::from("digraph {\n\tcompound = \"true\"\n\tnewrank = \"true\"\n\tsubgraph \"root\" {\n");
    for (name, (label, shape)) in &shapes {
        let _ = writeln!(out, "\t\t{:?} [label = {label:?}, shape = {shape:?}]", format!("[root] {name}"));
    }
    for (from, to) in &reduced(&edges) {
        for to in to {
            let _ = writeln!(out, "\t\t{:?} -> {:?}", format!("[root] {from}"), format!("[root] {to}"));
        }
    }
    out.push_str("\t}\n}\n");
    out
}

/// A resource by its whole name and by its name inside its module.
type Named = (String, String);

/// The resources of each module that has any, the root module's first.
fn clusters(graph: &Graph) -> Vec<(String, Vec<Named>)> {
    let mut clusters: BTreeMap<String, Vec<Named>> = BTreeMap::new();
    for id in all(graph) {
        let Some(addr) = graph.config_addr(id) else { continue };
        let whole = graph.describe(id);
        let label = addr.resource.to_string();
        let outer = whole.strip_suffix(&label).unwrap_or_default().trim_end_matches('.').to_owned();
        clusters.entry(outer).or_default().push((whole, label));
    }
    for resources in clusters.values_mut() {
        resources.sort();
    }
    clusters.into_iter().collect()
}

fn position(graph: &Graph) -> BTreeMap<String, usize> {
    let names = clusters(graph).into_iter().flat_map(|(_, resources)| resources.into_iter().map(|(name, _)| name));
    names.enumerate().map(|(at, name)| (name, at)).collect()
}

fn all(graph: &Graph) -> impl Iterator<Item = NodeId> {
    (0..graph.nodes.len() as u32).map(NodeId)
}

/// Which resource depends on which, through whatever lies between them that is no resource.
fn resource_edges(graph: &Graph) -> Edges {
    let mut reached: Vec<BTreeSet<NodeId>> = vec![BTreeSet::new(); graph.nodes.len()];
    let mut edges = Edges::new();
    let is_resource =
        |id: &NodeId| matches!(graph.node(*id), Node::Resource(..) | Node::Data(..) | Node::Ephemeral(..));
    for id in &graph.order {
        let mut below = BTreeSet::new();
        for need in &graph.needs[id.index()] {
            if is_resource(need) {
                below.insert(*need);
            } else {
                below.extend(reached[need.index()].iter().copied());
            }
        }
        if is_resource(id) {
            edges.insert(graph.describe(*id), below.iter().map(|need| graph.describe(*need)).collect());
        } else {
            reached[id.index()] = below;
        }
    }
    edges
}

/// Nodes that are drawn with a label and a shape.
type Shapes = BTreeMap<String, (String, &'static str)>;

fn plan_edges(graph: &Graph) -> (Edges, Shapes) {
    let mut edges = Edges::new();
    let mut shapes = Shapes::new();
    let names: Vec<String> = all(graph).map(|id| plan_name(graph, id)).collect();
    for id in all(graph) {
        let name = &names[id.index()];
        edges
            .entry(name.clone())
            .or_default()
            .extend(graph.needs[id.index()].iter().map(|need| names[need.index()].clone()));
        match graph.node(id) {
            Node::Resource(..) | Node::Data(..) | Node::Ephemeral(..) => {
                shapes.insert(name.clone(), (graph.describe(id), "box"));
                if let Some(provider) = graph.provider_of.get(&id) {
                    let close = format!("{} (close)", names[graph.providers[provider.index()].node.index()]);
                    edges.entry(close).or_default().insert(name.clone());
                }
            }
            Node::Provider(_) => {
                shapes.insert(name.clone(), (name.clone(), "diamond"));
            }
            Node::Variable(module, _) if graph.module(*module).addr.is_root() => {
                shapes.insert(name.clone(), (graph.describe(id), "note"));
            }
            Node::Variable(..) | Node::Local(..) | Node::Output(..) | Node::ModuleCall(..) | Node::ModuleEnd(..) => {}
        }
    }
    checks(graph, &names, &mut edges);
    // The root needs everything that nothing else needs.
    let needed: BTreeSet<String> = edges.values().flatten().cloned().collect();
    let top = edges.keys().filter(|name| !needed.contains(*name)).cloned().collect();
    edges.insert("root".to_owned(), top);
    (edges, shapes)
}

fn checks(graph: &Graph, names: &[String], edges: &mut Edges) {
    for module in &graph.modules {
        for check in &module.module.checks {
            let path = match (module.addr.is_root(), graph.layers.len() > 1) {
                (true, false) => format!("check.{}", check.name),
                (true, true) => format!("layer.{}.check.{}", graph.layers[module.layer], check.name),
                (false, _) => format!("{}.check.{}", module.addr, check.name),
            };
            let mut needs = BTreeSet::from([format!("{path} (report)")]);
            let exprs = check.asserts.iter().flat_map(|rule| [&rule.condition, &rule.error_message]);
            for found in exprs.flat_map(|expr| references(expr)) {
                let shape = &module.shape;
                let offset = match &found.reference {
                    crate::lang::eval::Reference::Var(name) => shape.variable(name),
                    crate::lang::eval::Reference::Local(name) => shape.local(name),
                    crate::lang::eval::Reference::Resource(addr) => shape.resource(addr),
                    crate::lang::eval::Reference::Module { name, .. } => shape.call(name).map(|call| call + 1),
                    _ => None,
                };
                needs.extend(offset.map(|offset| names[(module.base.0 + offset) as usize].clone()));
            }
            edges.entry(format!("{path} (report)")).or_default();
            edges.insert(format!("{path} (expand)"), needs);
        }
    }
}

/// A node as Terraform's plan calls it.
fn plan_name(graph: &Graph, id: NodeId) -> String {
    match graph.node(id) {
        Node::Variable(module, _) if graph.module(*module).addr.is_root() => graph.describe(id),
        Node::ModuleEnd(..) => graph.describe(id),
        Node::Provider(provider) => {
            let addr = &graph.providers[provider.index()].addr;
            let mut name = format!("provider[\"{}\"]", addr.source);
            if !addr.module.is_root() {
                name = format!("{}.{name}", addr.module);
            }
            if let Some(alias) = &addr.alias {
                let _ = write!(name, ".{alias}");
            }
            match &addr.layer {
                Some(layer) if graph.layers.len() > 1 => format!("layer.{layer}.{name}"),
                _ => name,
            }
        }
        Node::Variable(..)
        | Node::Local(..)
        | Node::Output(..)
        | Node::Resource(..)
        | Node::Data(..)
        | Node::Ephemeral(..)
        | Node::ModuleCall(..) => format!("{} (expand)", graph.describe(id)),
    }
}

/// The same graph without the edges that follow from others.
fn reduced(edges: &Edges) -> Edges {
    let index: BTreeMap<&String, usize> = edges.keys().enumerate().map(|(at, name)| (name, at)).collect();
    let names: Vec<&String> = edges.keys().collect();
    let needs: Vec<Vec<usize>> =
        edges.values().map(|needs| needs.iter().filter_map(|need| index.get(need).copied()).collect()).collect();
    let mut out = Edges::new();
    let mut seen = vec![usize::MAX; names.len()];
    for (from, direct) in needs.iter().enumerate() {
        // Whatever can be reached through one of the needs is no direct need.
        let mut stack: Vec<usize> = direct.iter().flat_map(|need| &needs[*need]).copied().collect();
        while let Some(next) = stack.pop() {
            if seen[next] != from {
                seen[next] = from;
                stack.extend(&needs[next]);
            }
        }
        let kept = direct.iter().filter(|need| seen[**need] != from && **need != from);
        out.insert(names[from].clone(), kept.map(|need| names[*need].clone()).collect());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edges_that_follow_from_others_are_left_out() {
        let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<String>>();
        let edges: Edges = [("a", &["b", "c", "d"][..]), ("b", &["c"]), ("c", &["d"]), ("d", &[])]
            .into_iter()
            .map(|(from, to)| (from.to_owned(), set(to)))
            .collect();
        let left = reduced(&edges);
        assert_eq!((&left["a"], &left["b"], &left["c"]), (&set(&["b"]), &set(&["c"]), &set(&["d"])));
    }
}
