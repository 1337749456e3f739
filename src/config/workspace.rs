//! Terraform's workspaces: which one is chosen, and where that is written. Those of a project are its environments.

use std::path::{Path, PathBuf};

use super::load::{LoadOptions, data_folder};

/// The workspace that is always there.
pub const DEFAULT_WORKSPACE: &str = "default";

/// The file that remembers which workspace is chosen: `.terraform/environment`, or that in `TF_DATA_DIR`.
pub fn workspace_file(options: &LoadOptions) -> PathBuf {
    environment_file(options, &options.working_dir)
}

/// The same of a project, whose workspaces are its environments: beside the project file.
pub(super) fn environment_file(options: &LoadOptions, project: &Path) -> PathBuf {
    data_folder(options, project, None).join("environment")
}

/// What such a file says, if it is there and says something.
pub(super) fn remembered(options: &LoadOptions, file: &Path) -> Option<String> {
    let text = options.files.read(file).ok().and_then(|bytes| String::from_utf8(bytes).ok())?;
    Some(text.trim().to_owned()).filter(|name| !name.is_empty())
}

/// The chosen workspace: `TF_WORKSPACE`, else what is remembered.
pub fn chosen_workspace(options: &LoadOptions) -> String {
    if let Some(name) = options.process_env.get("TF_WORKSPACE").filter(|name| !name.is_empty()) {
        return name.clone();
    }
    remembered(options, &workspace_file(options)).unwrap_or_else(|| DEFAULT_WORKSPACE.to_owned())
}

/// Whether a workspace can be called so: the name becomes a part of paths and keys.
pub fn is_workspace_name(name: &str) -> bool {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '~' | '@' | '+' | '=' | ',' | ':' | '!');
    !name.is_empty() && name.chars().all(plain) && !matches!(name, "." | "..")
}
