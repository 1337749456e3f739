//! Layers that are not in the project file any more, while their states still hold objects: nobody would look after these.

use crate::addr::LayerName;
use crate::config::{INSTANCE, StateSettings, Undeclared};
use crate::diag::{Diagnostic, Diagnostics};
use crate::lang::syntax::is_name;
use crate::state::{StateError, StateHandle};

use super::session::{Session, store_of};
use super::stored::{Stored, with_name};

/// Says which states hold objects of layers that the project does not have.
pub(super) async fn undeclared(session: &Session) -> Diagnostics {
    let mut said = Diagnostics::none();
    let Some(place) = &session.config.undeclared else { return said };
    match left_behind(place).await {
        Ok(found) => said.0.extend(found.iter().map(|one| one.diagnostic(&session.config.flags()))),
        Err(error) => said.push(error.diagnostic()),
    }
    said
}

/// Objects of a layer that is not there.
struct LeftBehind {
    layer: String,
    key: String,
    objects: usize,
}

impl LeftBehind {
    fn diagnostic(&self, flags: &str) -> Diagnostic {
        let LeftBehind { layer, key, objects } = self;
        let many = if *objects == 1 { "an object".to_owned() } else { format!("{objects} objects") };
        let detail = format!(
            "{key} holds {many} of layer {layer:?}, which the project file does not have: nothing would look after what they stand for. \
             Put the layer's block and folder back, destroy it with infra destroy{flags} -layer {layer}, and remove it then. If the state \
             belongs to another project, let the keys of this one begin with a name of its own.",
        );
        Diagnostic::error("State of a layer that is not in the project", detail)
    }
}

async fn left_behind(place: &Undeclared) -> Result<Vec<LeftBehind>, StateError> {
    let Some(stored) = Stored::of(&place.settings).await? else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for (name, _) in stored.names() {
        let settings = with_name(&place.settings, name);
        if !is_name(name) || place.known.contains(&settings) || is_elsewhere(place, &settings) {
            continue;
        }
        let (store, key) = store_of(&settings);
        let view = StateHandle::new(store, key.clone(), LayerName::from(name)).read().await?;
        let objects = view.state.object_count();
        if objects > 0 {
            found.push(LeftBehind { layer: name.to_owned(), key, objects });
        }
    }
    Ok(found)
}

/// Whether a key has the form that those of an environment have.
fn is_elsewhere(place: &Undeclared, settings: &StateSettings) -> bool {
    let text = |settings: &StateSettings| match settings {
        StateSettings::Local { path } => path.display().to_string(),
        StateSettings::S3(settings) => settings.key.clone(),
    };
    let own = text(settings);
    place.elsewhere.iter().any(|other| {
        let form = text(other);
        form.split_once(INSTANCE).is_some_and(|(prefix, suffix)| own.starts_with(prefix) && own.ends_with(suffix))
    })
}
