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

/// Whether a workspace can be called so: the name becomes a part of paths and keys. As in Terraform it is one that stays as it is
/// where a segment of a URL's path is escaped; beyond that the two names that mean folders themselves are refused, whose state
/// would be another's.
pub fn is_workspace_name(name: &str) -> bool {
    let plain =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '~' | '$' | '&' | '+' | ':' | '=' | '@');
    !name.is_empty() && name.chars().all(plain) && !matches!(name, "." | "..")
}

/// What is wrong with a name that is none.
pub fn wrong_workspace_name(name: &str) -> String {
    format!(
        "The workspace name {name:?} is not allowed. The name must contain only URL safe characters, and no path separators."
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_that_terraform_takes() {
        for name in ["a", "-a", "_a", "~a", "a.b", "a@b", "a&b", "a=b", "a+b", "a$b", "a:b", "...", "A9"] {
            assert!(is_workspace_name(name), "{name}");
        }
        for name in [
            "", ".", "..", "a b", "a/b", "é", "a%b", "a'b", "a!b", "a*b", "a(b)", "a;b", "a,b", "a?b", "a#b", "a\\b",
            "a\"b", "a|b", "a^b", "a`b", "[a]", "{a}", "<a>", "日本", "a\n",
        ] {
            assert!(!is_workspace_name(name), "{name}");
        }
    }
}
