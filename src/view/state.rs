//! State as text: `state show`, `show`, `state list`.

use std::fmt::Write as _;

use crate::addr::{DeposedKey, InstanceAddr, Mode};
use crate::schema::Schema;
use crate::value::{Path, Type, Value};

use super::change::difference;
use super::diff::{Compare, Drawing};
use super::literal;
use super::outputs::ShownOutput;
use super::style::Style;

/// An object of state, decoded by its schema.
#[derive(Clone, Debug)]
pub struct ShownObject<'a> {
    /// Whose.
    pub addr: InstanceAddr,
    /// Which deposed object; `None` is the current one.
    pub deposed: Option<DeposedKey>,
    /// Whether the next plan replaces it.
    pub tainted: bool,
    /// Its schema, where a provider has one.
    pub schema: Option<&'a Schema>,
    /// Version of the schema that its stored form follows.
    pub schema_version: u64,
    /// The source address of its provider.
    pub provider: String,
    /// What it depends on, as stored.
    pub depends_on: Vec<String>,
    /// Its attributes, marks inside.
    pub value: Value,
}

/// One object as `state show` prints it.
pub fn object(object: &ShownObject<'_>, prefixes_layers: bool, style: Style) -> String {
    let mut note = String::new();
    if object.tainted {
        note.push_str(" (tainted)");
    }
    if let Some(key) = &object.deposed {
        let _ = write!(note, " (deposed object {key})");
    }
    let resource = &object.addr.resource;
    let word = match resource.mode {
        Mode::Managed => "resource",
        Mode::Data => "data",
        Mode::Ephemeral => "ephemeral",
    };
    let head = style.bold(&format!("# {}:{note}", object.addr.in_project(prefixes_layers)));
    let (kind, name) = (literal::quoted(&resource.kind), literal::quoted(&resource.name));
    let diff = difference(&object.value, &object.value, object.schema, &[]);
    let mut drawing = Drawing::new(style);
    drawing.everything = true;
    drawing.bare = true;
    let _ = writeln!(drawing.out, "{head}\n{word} {kind} {name} {{");
    drawing.content(&diff, 1);
    drawing.out.push_str("}\n");
    drawing.out
}

/// The whole state: every object, then the outputs.
pub fn state(objects: &[ShownObject<'_>], outputs: &[ShownOutput], prefixes_layers: bool, style: Style) -> String {
    if objects.is_empty() && outputs.is_empty() {
        return "The state file is empty. No resources are represented.\n".into();
    }
    let mut out = String::new();
    for one in objects {
        out.push_str(&object(one, prefixes_layers, style));
        out.push('\n');
    }
    if outputs.is_empty() {
        out.pop();
    } else {
        out.push_str("\nOutputs:\n\n");
        let mut drawing = Drawing::new(style);
        drawing.everything = true;
        drawing.bare = true;
        for output in outputs {
            let value = if output.sensitive { output.value.clone().sensitive() } else { output.value.clone() };
            let compare = Compare { replace: &[], quiet: true };
            let diff = super::diff::value(Some(&value), Some(&value), &Type::Any, &mut Path::root(), &compare);
            drawing.named(&output.label(prefixes_layers), 0, &diff, 0, false);
        }
        out.push_str(&drawing.out);
    }
    out
}
