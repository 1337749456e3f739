//! Writing a state file: straight into the bytes, without an intermediate tree.

use std::io::{self, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::VERSION;
use crate::addr::{DeposedKey, InstanceKey, LayerName, Mode, ModuleInstance, ResourceAddr};
use crate::state::model::{ForeignFields, Object, OutputState, State, Status};
use crate::value::{self, Path, Step, Type};

/// Writes the state in Terraform's layout, except that attributes and values stand on one line each.
///
/// # Errors
/// When `out` refuses to be written to, or the value of an output is not wholly known.
pub fn write(state: &State, out: &mut dyn Write) -> io::Result<()> {
    write!(out, "{{\n  \"version\": {VERSION},\n  \"terraform_version\": ")?;
    text(out, &state.written_by)?;
    write!(out, ",\n  \"serial\": {},\n  \"lineage\": ", state.serial)?;
    text(out, &state.lineage)?;
    out.write_all(b",\n  \"outputs\": {")?;
    for (index, (name, output)) in state.outputs.iter().enumerate() {
        out.write_all(if index == 0 { b"\n    " } else { b",\n    " })?;
        text(out, name)?;
        out.write_all(b": {")?;
        output_fields(out, output)?;
        out.write_all(b"}")?;
    }
    out.write_all(if state.outputs.is_empty() { b"},\n  \"resources\": [" } else { b"\n  },\n  \"resources\": [" })?;
    let mut some = false;
    for ((module, addr), resource) in state.resources() {
        out.write_all(if some { b",\n    {\n      " } else { b"\n    {\n      " })?;
        some = true;
        fields_of_place(out, module, addr, ",\n      ")?;
        let objects = resource.instances.values().flat_map(|one| one.current.iter().chain(one.deposed.values()));
        let mut objects = objects.peekable();
        // Where each object names its own configuration, the resource has none, as OpenTofu has it.
        if objects.peek().is_none() || objects.any(|object| object.provider_key.is_none()) {
            out.write_all(b",\n      \"provider\": ")?;
            text(out, &resource.provider.to_string())?;
        }
        fields_of_foreign(out, &resource.foreign, ",\n      ")?;
        out.write_all(b",\n      \"instances\": [")?;
        let mut first = true;
        for (key, instance) in &resource.instances {
            let deposed = instance.deposed.iter().map(|(key, object)| (Some(key), object));
            for (deposed, object) in instance.current.iter().map(|object| (None, object)).chain(deposed) {
                out.write_all(if first { b"\n        {\n          " } else { b",\n        {\n          " })?;
                first = false;
                fields_of_instance(out, key.as_ref(), deposed, ",\n          ")?;
                if let Some(key) = &object.provider_key {
                    out.write_all(b"\"provider\": ")?;
                    text(out, &resource.provider.with_key(Some(key.clone())).to_string())?;
                    out.write_all(b",\n          ")?;
                }
                fields_of_object(out, &state.layer, object, ",\n          ")?;
                out.write_all(b"\n        }")?;
            }
        }
        out.write_all(b"\n      ]\n    }")?;
    }
    out.write_all(if some { b"\n  ]" } else { b"]" })?;
    write!(out, ",\n  \"check_results\": {}", state.check_results.as_deref().unwrap_or("null"))?;
    fields_of_foreign(out, &state.foreign, ",\n  ")?;
    out.write_all(b"\n}\n")
}

/// The fields of an output, compact, without braces.
///
/// # Errors
/// When `out` refuses to be written to, or the value is not wholly known.
pub fn output_fields(out: &mut dyn Write, output: &OutputState) -> io::Result<()> {
    let ty = output.value.ty();
    let json = match &ty {
        Type::Any => value::to_json(&output.value),
        ty => value::to_json_typed(&output.value, ty),
    };
    write!(out, "\"value\": {}, \"type\": {}", json.map_err(io::Error::other)?, value::type_to_json(&ty))?;
    if output.sensitive { out.write_all(b", \"sensitive\": true") } else { Ok(()) }
}

/// `module`, `mode`, `type` and `name`, without braces.
///
/// # Errors
/// When `out` refuses to be written to.
pub fn fields_of_place(
    out: &mut dyn Write,
    module: &ModuleInstance,
    resource: &ResourceAddr,
    comma: &str,
) -> io::Result<()> {
    if !module.is_root() {
        out.write_all(b"\"module\": ")?;
        text(out, &module.to_string())?;
        out.write_all(comma.as_bytes())?;
    }
    let mode = match resource.mode {
        Mode::Managed => "managed",
        Mode::Data => "data",
        Mode::Ephemeral => "ephemeral",
    };
    write!(out, "\"mode\": \"{mode}\"{comma}\"type\": ")?;
    text(out, &resource.kind)?;
    write!(out, "{comma}\"name\": ")?;
    text(out, &resource.name)
}

/// `index_key` and `deposed`, each followed by a comma.
///
/// # Errors
/// When `out` refuses to be written to.
pub fn fields_of_instance(
    out: &mut dyn Write,
    key: Option<&InstanceKey>,
    deposed: Option<&DeposedKey>,
    comma: &str,
) -> io::Result<()> {
    match key {
        None => {}
        Some(InstanceKey::Int(index)) => write!(out, "\"index_key\": {index}{comma}")?,
        Some(InstanceKey::Str(key)) => {
            out.write_all(b"\"index_key\": ")?;
            text(out, key)?;
            out.write_all(comma.as_bytes())?;
        }
        // Copies whose keys are not known yet exist in plans only.
        Some(InstanceKey::Unknown) => return Err(io::Error::other("an instance has no key yet")),
    }
    if let Some(deposed) = deposed {
        out.write_all(b"\"deposed\": ")?;
        text(out, &deposed.0)?;
        out.write_all(comma.as_bytes())?;
    }
    Ok(())
}

/// The fields of an object, without braces. `layer` is the one whose state this is: dependencies in others are left out.
///
/// # Errors
/// When `out` refuses to be written to.
pub fn fields_of_object(out: &mut dyn Write, layer: &LayerName, object: &Object, comma: &str) -> io::Result<()> {
    match object.status {
        Status::Ready => {}
        Status::Tainted => write!(out, "\"status\": \"tainted\"{comma}")?,
    }
    write!(out, "\"schema_version\": {}{comma}\"attributes\": {}", object.schema_version, object.attributes)?;
    write!(out, "{comma}\"sensitive_attributes\": [")?;
    for (index, path) in object.sensitive.iter().enumerate() {
        if index > 0 {
            out.write_all(b",")?;
        }
        write_path(out, path)?;
    }
    out.write_all(b"]")?;
    if let Some(version) = object.identity_schema_version {
        write!(out, "{comma}\"identity_schema_version\": {version}")?;
    }
    if let Some(identity) = &object.identity {
        write!(out, "{comma}\"identity\": {identity}")?;
    }
    if !object.private.is_empty() {
        write!(out, "{comma}\"private\": \"{}\"", STANDARD.encode(&object.private))?;
    }
    let mut own = object.dependencies.iter().filter(|dependency| dependency.layer == *layer).peekable();
    if own.peek().is_some() {
        write!(out, "{comma}\"dependencies\": [")?;
        for (index, dependency) in own.enumerate() {
            if index > 0 {
                out.write_all(b",")?;
            }
            text(out, &dependency.to_string())?;
        }
        out.write_all(b"]")?;
    }
    if object.create_before_destroy {
        write!(out, "{comma}\"create_before_destroy\": true")?;
    }
    fields_of_foreign(out, &object.foreign, comma)
}

fn fields_of_foreign(out: &mut dyn Write, fields: &ForeignFields, comma: &str) -> io::Result<()> {
    for (name, json) in fields {
        out.write_all(comma.as_bytes())?;
        text(out, name)?;
        write!(out, ": {json}")?;
    }
    Ok(())
}

fn write_path(out: &mut dyn Write, path: &Path) -> io::Result<()> {
    out.write_all(b"[")?;
    for (index, step) in path.steps().iter().enumerate() {
        if index > 0 {
            out.write_all(b",")?;
        }
        match step {
            Step::Attribute(name) => {
                out.write_all(b"{\"type\":\"get_attr\",\"value\":")?;
                text(out, name)?;
                out.write_all(b"}")?;
            }
            Step::Key(key) => {
                out.write_all(b"{\"type\":\"index\",\"value\":{\"value\":")?;
                text(out, key)?;
                out.write_all(b",\"type\":\"string\"}}")?;
            }
            Step::Index(at) => {
                write!(out, "{{\"type\":\"index\",\"value\":{{\"value\":{at},\"type\":\"number\"}}}}")?;
            }
        }
    }
    out.write_all(b"]")
}

/// A JSON text with its quotes.
///
/// # Errors
/// When `out` refuses to be written to.
pub fn text(out: &mut dyn Write, text: &str) -> io::Result<()> {
    serde_json::to_writer(out, text).map_err(io::Error::from)
}
