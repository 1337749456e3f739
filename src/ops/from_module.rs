//! `init -from-module`: an empty folder begins with a copy of a module.

use std::path::{Path, PathBuf};

use crate::addr::ModuleSource;
use crate::diag::{Diagnostic, Diagnostics};
use crate::install::{FetchError, copy_visible, fetch};

/// Copies a module into a folder. Hidden files stay behind: they belong to the folder that they lie in.
///
/// # Errors
/// When the folder has files, or the module cannot be fetched.
pub async fn copy_module(source: &str, dir: &Path) -> Result<(), Diagnostics> {
    let wrong = |summary: &str, detail: String| Diagnostics::from(Diagnostic::error(summary, detail));
    let not_fetched = |why: String| {
        wrong("Failed to download module", format!("Could not download the module from {source:?}: {why}."))
    };
    let failed = |error: FetchError| not_fetched(error.to_string());
    let entries = std::fs::read_dir(dir).map_err(|error| not_fetched(error.to_string()))?;
    if entries.flatten().any(|entry| entry.file_name() != ".terraform") {
        let detail = "The -from-module option requires an empty directory into which a copy of the referenced module will be \
                      placed.\n\nTo initialize the configuration already in this working directory, omit the -from-module option.";
        return Err(wrong("The working directory already contains files", detail.to_owned()));
    }
    let draft = tempfile::tempdir().map_err(|error| not_fetched(error.to_string()))?;
    let parsed = ModuleSource::parse(source, false)
        .map_err(|error| wrong("Invalid module source address", format!("{error}")))?;
    let module: PathBuf = match &parsed {
        ModuleSource::Local(path) => dir.join(path),
        ModuleSource::Remote { package, .. } => {
            let to = draft.path().join("package");
            let inner = fetch(package, &to).await.map_err(failed)?;
            to.join(inner).join(parsed.folder())
        }
        ModuleSource::Registry(_) => {
            let detail = "A module of a registry cannot be the beginning of a configuration here. Give the address of its \
                          repository, such as git::https://example.com/module.git.";
            return Err(wrong("Failed to download module", detail.to_owned()));
        }
    };
    if !module.is_dir() {
        return Err(not_fetched(format!("there is no folder {}", module.display())));
    }
    copy_visible(&module, dir).map_err(failed)
}
