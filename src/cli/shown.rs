//! Objects of state, decoded by the schemas of their providers, for showing.

use std::path::Path;
use std::sync::Arc;

use crate::addr::{LayerName, Mode};
use crate::diag::{Diagnostic, Diagnostics};
use crate::ops::Session;
use crate::provider::Provider;
use crate::schema::{Schema, sensitive_paths};
use crate::state::{OutputState, Placed, State, Status};
use crate::value::{Marks, Value, from_json, from_json_stored};
use crate::view::{ShownObject, ShownOutput};

/// Objects and outputs with the providers that their schemas are borrowed from.
pub(super) struct Decoded {
    objects: Vec<(Option<Arc<dyn Provider>>, ShownObject<'static>)>,
    /// Stored outputs.
    pub outputs: Vec<ShownOutput>,
    /// What could not be decoded.
    pub said: Diagnostics,
}

impl Decoded {
    /// The objects, each with its schema.
    pub fn objects(&self) -> Vec<ShownObject<'_>> {
        self.objects
            .iter()
            .map(|(provider, object)| ShownObject {
                schema: provider.as_deref().and_then(|provider| schema_of(provider, object)),
                ..object.clone()
            })
            .collect()
    }
}

fn schema_of<'a>(provider: &'a dyn Provider, object: &ShownObject<'_>) -> Option<&'a Schema> {
    let kind = object.addr.resource.kind.as_str();
    match object.addr.resource.mode {
        Mode::Managed => provider.schema().resources.get(kind),
        Mode::Data => provider.schema().data.get(kind),
        // Never stored.
        Mode::Ephemeral => None,
    }
}

/// Decodes states for showing.
pub(super) fn decode(session: &Session, states: &[&State]) -> Decoded {
    let mut decoded = Decoded { objects: Vec::new(), outputs: Vec::new(), said: Diagnostics::none() };
    for state in states {
        for placed in state.objects() {
            let one = object(session, &state.layer, placed, &mut decoded.said);
            decoded.objects.push(one);
        }
        let shown = state.outputs.iter().map(|(name, output)| self::output(&state.layer, name.clone(), output));
        decoded.outputs.extend(shown);
    }
    decoded
}

/// The state that a file holds; nothing where there is no such file.
///
/// # Errors
/// When it cannot be read, or holds no state.
pub(super) fn state_file(path: &Path) -> Result<Option<State>, Diagnostics> {
    let wrong = |why: String| {
        let detail = format!("{}: {why}.", path.display());
        Diagnostics::from(Diagnostic::error("Failed to read state file", detail))
    };
    match std::fs::read(path) {
        Ok(bytes) => {
            crate::state::format::read(&LayerName::plain(), &bytes).map(Some).map_err(|error| wrong(error.to_string()))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(wrong(error.to_string())),
    }
}

/// A stored output for showing.
pub(super) fn output(layer: &LayerName, name: crate::addr::Name, output: &OutputState) -> ShownOutput {
    ShownOutput { layer: layer.clone(), name, value: output.value.clone(), sensitive: output.sensitive }
}

fn object(
    session: &Session,
    layer: &LayerName,
    placed: Placed<'_>,
    said: &mut Diagnostics,
) -> (Option<Arc<dyn Provider>>, ShownObject<'static>) {
    let addr = placed.addr(layer);
    let stored = placed.object;
    let provider = session.registry.provider(&placed.provider.source);
    let mut shown = ShownObject {
        addr,
        deposed: placed.deposed.cloned(),
        tainted: stored.status == Status::Tainted,
        schema: None,
        schema_version: stored.schema_version,
        provider: placed.provider.source.to_string(),
        depends_on: stored.dependencies.iter().map(ToString::to_string).collect(),
        value: Value::NULL,
    };
    let schema = provider.as_deref().and_then(|provider| schema_of(provider, &shown));
    let mut marks: Vec<_> = stored.sensitive.iter().map(|path| (path.clone(), Marks::SENSITIVE)).collect();
    let value = match (schema, &provider) {
        (Some(schema), Some(_)) if schema.version == stored.schema_version => {
            from_json_stored(stored.attributes.as_bytes(), &schema.ty()).ok().map(|(value, _)| value)
        }
        (Some(_), Some(provider)) => {
            let kind = shown.addr.resource.kind.as_str();
            provider.upgrade(kind, stored.schema_version, &stored.attributes).take(said)
        }
        _ => None,
    };
    let (provider, value) = match value {
        Some(value) => {
            if let Some(schema) = schema {
                marks.extend(sensitive_paths(&schema.block, &value));
            }
            (provider, value)
        }
        // Without its provider an object is shown as it is written; what is sensitive by schema cannot be told then.
        None => {
            said.push(
                Diagnostic::warning(
                    "Object shown without its schema",
                    format!("No provider can read this object of type {}.", shown.addr.resource.kind),
                )
                .about(&shown.addr),
            );
            let raw = from_json(stored.attributes.as_bytes()).unwrap_or(Value::NULL);
            let value = if schema.is_none() && provider.is_none() { raw.sensitive() } else { raw };
            (None, value)
        }
    };
    shown.value = value.mark_paths(&marks);
    (provider, shown)
}
