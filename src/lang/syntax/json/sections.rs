//! Objects and arrays by the way that leads to them.

use super::node::{Kind, Node, Reader};
use crate::diag::{FileId, Section};

/// The objects and arrays in a text, without the outermost one, in the order in which they begin: `output.a`, `moved[1]`.
pub(in super::super) fn nested_sections(text: &str) -> Vec<Section> {
    let mut sections = Vec::new();
    if let Some(node) = Reader::new(text, FileId(0)).whole() {
        // Around everything there is no name; what lies between two parts is in neither.
        inside(&node, "", &mut sections);
    }
    sections
}

fn inside(node: &Node<'_>, way: &str, sections: &mut Vec<Section>) {
    let mut add = |node: &Node<'_>, name: String| {
        if matches!(node.kind, Kind::Object(_) | Kind::Array(_)) {
            sections.push(Section { start: node.span.start, end: node.span.end, name: name.clone() });
            inside(node, &name, sections);
        }
    };
    match &node.kind {
        Kind::Object(properties) => {
            for property in properties {
                let dot = if way.is_empty() { "" } else { "." };
                add(&property.value, format!("{way}{dot}{}", property.name.value));
            }
        }
        Kind::Array(items) => items.iter().enumerate().for_each(|(at, item)| add(item, format!("{way}[{at}]"))),
        Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::String(_) => {}
    }
}
