//! Terraform's workspaces in a folder without a project: which there are, making and removing them.

use crate::config::{Config, DEFAULT_WORKSPACE, StateSettings, Workspaces};
use crate::diag::{Diagnostic, Diagnostics};
use crate::state::store::Condition;
use crate::state::{Lock, LockRequest, State, StateHandle, format};

use super::session::store_of;

/// The names of all workspaces that have a place for their state, the default one first.
///
/// # Errors
/// When the place cannot be read.
pub async fn workspaces(config: &Config) -> Result<Vec<String>, Diagnostics> {
    let (Some(workspaces), Some(layer)) = (&config.workspaces, config.layers.first()) else { return Ok(Vec::new()) };
    let default = match (workspaces, &layer.state) {
        (Workspaces::Objects { prefix }, StateSettings::S3(settings)) => {
            let Some(key) = key_in(&layer.state, prefix, config.environment.as_str()) else { return Ok(Vec::new()) };
            StateSettings::S3(Box::new(crate::config::S3Settings { key, ..(**settings).clone() }))
        }
        (Workspaces::Objects { .. } | Workspaces::Folders(_), settings) => settings.clone(),
    };
    workspaces_at(&default, workspaces).await
}

/// The same for a place of states that no configuration names any more, or not yet.
pub(super) async fn workspaces_at(
    default: &StateSettings,
    workspaces: &Workspaces,
) -> Result<Vec<String>, Diagnostics> {
    let mut names = match (workspaces, default) {
        (Workspaces::Folders(dir), _) => folders(dir)?,
        (Workspaces::Objects { prefix }, StateSettings::S3(settings)) => {
            let end = &settings.key;
            let (store, _) = store_of(default);
            let keys = store.list(&format!("{prefix}/")).await.map_err(|error| error.diagnostic())?;
            let name = |key: &String| {
                let name = key.strip_prefix(&format!("{prefix}/"))?.strip_suffix(&format!("/{end}"))?;
                (!name.contains('/')).then(|| name.to_owned())
            };
            keys.iter().filter_map(name).collect()
        }
        (Workspaces::Objects { .. }, StateSettings::Local { .. }) => Vec::new(),
    };
    names.retain(|name| name != DEFAULT_WORKSPACE);
    names.sort();
    names.insert(0, DEFAULT_WORKSPACE.to_owned());
    Ok(names)
}

fn folders(dir: &std::path::Path) -> Result<Vec<String>, Diagnostics> {
    let entries = match std::fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => {
            let detail = format!("{} cannot be read: {error}.", dir.display());
            return Err(Diagnostic::error("Workspaces not read", detail).into());
        }
    };
    let folder =
        |entry: std::fs::DirEntry| entry.path().is_dir().then(|| entry.file_name().into_string().ok()).flatten();
    Ok(entries.flatten().filter_map(folder).collect())
}

/// The key of the default workspace, from that of the chosen one.
fn key_in(settings: &StateSettings, prefix: &str, workspace: &str) -> Option<String> {
    let StateSettings::S3(settings) = settings else { return None };
    let inner = settings.key.strip_prefix(&format!("{prefix}/{workspace}/"));
    Some(if workspace == DEFAULT_WORKSPACE { settings.key.clone() } else { inner?.to_owned() })
}

/// Where the state of another workspace lies than that of the chosen one.
fn settings_of(config: &Config, name: &str) -> Option<StateSettings> {
    let (workspaces, layer) = (config.workspaces.as_ref()?, config.layers.first()?);
    match (workspaces, &layer.state) {
        (Workspaces::Objects { prefix }, StateSettings::S3(settings)) => {
            let key = key_in(&layer.state, prefix, config.environment.as_str())?;
            let default = crate::config::S3Settings { key, ..(**settings).clone() };
            Some(workspaces.settings(&StateSettings::S3(Box::new(default)), name))
        }
        _ => Some(workspaces.settings(&layer.state, name)),
    }
}

/// Makes the place for the state of a new workspace, with the content of a state file when there is one. How many objects it has
/// then. Its state is locked while it is written, unless no lock is asked for.
///
/// # Errors
/// When it cannot be made, or the file is no state.
pub async fn make_workspace(
    config: &Config,
    name: &str,
    from: Option<&[u8]>,
    lock: Option<&LockRequest>,
) -> Result<usize, Diagnostics> {
    let Some(settings) = settings_of(config, name) else { return Ok(0) };
    let layer = config.layers.first().map_or_else(crate::addr::LayerName::plain, |layer| layer.name.clone());
    let begins = from.map(|bytes| format::read(&layer, bytes)).transpose();
    let begins =
        begins.map_err(|error| Diagnostic::error("State file not read", format!("It is no state: {error}.")))?;
    if let StateSettings::Local { path } = &settings {
        let folder = path.parent().unwrap_or(path);
        std::fs::create_dir_all(folder).map_err(|error| {
            let detail = format!("{} cannot be made: {error}.", folder.display());
            Diagnostics::from(Diagnostic::error("Workspace not made", detail))
        })?;
        if begins.is_none() {
            return Ok(0);
        }
    }
    // The bucket knows a workspace by its state: an empty one.
    let (store, key) = store_of(&settings);
    let mut bytes = Vec::new();
    let mut state = begins.unwrap_or_else(|| State::empty(layer));
    // It is another state from now on, whatever it was copied from.
    state.lineage = uuid::Uuid::new_v4().to_string();
    state.serial = u64::from(state.object_count() > 0);
    format::write(&state, &mut bytes)
        .map_err(|error| Diagnostics::from(Diagnostic::error("State not written", error.to_string())))?;
    let handle = StateHandle::new(store.clone(), key.clone(), state.layer.clone());
    let held = take(&handle, lock).await?;
    let written = store.put(&key, bytes.into(), Condition::Absent).await.map_err(|error| error.diagnostic());
    release(held).await?;
    written?;
    Ok(state.object_count())
}

async fn take(handle: &StateHandle, request: Option<&LockRequest>) -> Result<Option<Lock>, Diagnostics> {
    match request {
        Some(request) => Ok(Some(handle.lock(request).await.map_err(|error| error.diagnostic())?)),
        None => Ok(None),
    }
}

async fn release(held: Option<Lock>) -> Result<(), Diagnostics> {
    match held {
        Some(lock) => Ok(lock.release().await.map_err(|error| error.diagnostic())?),
        None => Ok(()),
    }
}

/// Removes a workspace with its state. How many objects it still had; with `force` they are forgotten. Its state is locked
/// meanwhile, unless no lock is asked for.
///
/// # Errors
/// When it has objects and `force` is not given, when its state is locked, or the store fails.
pub async fn remove_workspace(
    config: &Config,
    name: &str,
    force: bool,
    lock: Option<&LockRequest>,
) -> Result<usize, Diagnostics> {
    let (Some(settings), Some(layer)) = (settings_of(config, name), config.layers.first()) else { return Ok(0) };
    let (store, key) = store_of(&settings);
    let state = StateHandle::new(store.clone(), key.clone(), layer.name.clone());
    let held = take(&state, lock).await?;
    let removed = remove_locked(&settings, &state, name, force).await;
    release(held).await?;
    removed
}

async fn remove_locked(
    settings: &StateSettings,
    state: &StateHandle,
    name: &str,
    force: bool,
) -> Result<usize, Diagnostics> {
    let (store, key) = (state.store(), state.key());
    let objects = state.read().await.map_err(|error| error.diagnostic())?.state.object_count();
    if objects > 0 && !force {
        let detail = format!(
            "Workspace {name:?} still has {objects} {}. Removing it would leave them behind with nothing that knows of them: \
             destroy them first, or pass -force to let go of them.",
            if objects == 1 { "object" } else { "objects" }
        );
        return Err(Diagnostic::error("Workspace is not empty", detail).into());
    }
    match settings {
        StateSettings::Local { path } => {
            let folder = path.parent().unwrap_or(path);
            std::fs::remove_dir_all(folder).map_err(|error| {
                let detail = format!("{} cannot be removed: {error}.", folder.display());
                Diagnostics::from(Diagnostic::error("Workspace not removed", detail))
            })?;
        }
        StateSettings::S3(_) => {
            store.delete(key).await.map_err(|error| error.diagnostic())?;
            // What was noted beside the state means nothing without it.
            store.delete(&format!("{key}.meta")).await.map_err(|error| error.diagnostic())?;
        }
    }
    Ok(objects)
}
