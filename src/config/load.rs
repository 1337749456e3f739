//! From a working directory to a [`Config`].

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;

use crate::diag::{Diagnostic, Diagnostics, Outcome, SourceMap};

use crate::lang::functions::ReadError;

use super::files::{Files, normal};
use super::folder::{Reading, is_configuration};
use super::initialised::BackendUse;
use super::model::Config;
use super::modules::Installing;
use super::withheld::Again;
use super::workspace::environment_file as environment_file_of;
use super::{plain, project};

/// The name of a project file.
pub const PROJECT_FILE: &str = "infra.hcl";

/// What decides which configuration is loaded, and how.
#[derive(Clone)]
pub struct LoadOptions {
    /// The working directory, absolute, after `-chdir`.
    pub working_dir: PathBuf,
    /// Where the texts go, so that errors can be drawn even when nothing could be loaded.
    pub sources: SourceMap,
    /// Where files come from.
    pub files: Arc<dyn Files>,
    /// `-env`.
    pub environment: Option<String>,
    /// `-global`: the layers that exist once for all environments, and only these.
    pub global: bool,
    /// `-var` and `-var-file`, as written.
    pub given: Vec<Given>,
    /// The environment variables of the process: `TF_VAR_*`, credentials, and those that the project lists.
    pub process_env: BTreeMap<String, String>,
    /// `-backend-config`: `key=value` or a path, as written.
    pub backend_config: Vec<String>,
    /// What `timestamp()` gives in variables and the project file.
    pub now: Timestamp,
    /// Whether a folder without configuration is taken for an empty one: to destroy what state still has.
    pub may_be_empty: bool,
    /// Whether it matters where state lies. Without it (`validate`) no argument of a backend or state block is evaluated,
    /// and the settings of every layer are those of the local default.
    pub needs_state: bool,
    /// Whether it matters what variables are. Without it (`validate`) nothing is said of files of assignments in a folder that is
    /// no project's, and advice is given on what is written.
    pub needs_values: bool,
    /// Whether another workspace is about to be chosen, so that the name of the present one does not matter.
    pub leaves_workspace: bool,
    /// Whether `import` blocks without a resource block get one that is written from what they find.
    pub generates: bool,
    /// Where the values come from that a saved plan does not carry; `None` for everything but such a plan.
    pub again: Option<Arc<Again>>,
    /// Which backend counts in a folder without a project.
    pub backend: BackendUse,
    /// `-state`: the file that takes the place of that of a local backend.
    pub state_file: Option<PathBuf>,
    /// `-state-out`: the file that it is written to instead.
    pub state_out: Option<PathBuf>,
    /// Whether nothing but state is looked at: configuration is read only to find out where state lies. What it calls need
    /// not be installed, and a folder without configuration is as good as any.
    pub only_state: bool,
    /// Modules that are being installed; what is missing is noted there instead of being an error.
    pub installing: Option<Arc<Installing>>,
}

/// A variable or a file of variables from the command line.
#[derive(Clone, PartialEq, Eq)]
pub enum Given {
    /// `-var 'name=text'`, split already.
    Var {
        /// The variable.
        name: String,
        /// What stands behind the equals sign.
        text: String,
    },
    /// `-var-file path`.
    File(PathBuf),
}

impl LoadOptions {
    /// Options without flags and environment, reading from the given files.
    pub fn new(working_dir: impl Into<PathBuf>, files: Arc<dyn Files>) -> Self {
        LoadOptions {
            working_dir: working_dir.into(),
            sources: SourceMap::default(),
            files,
            environment: None,
            global: false,
            given: Vec::new(),
            process_env: BTreeMap::new(),
            backend_config: Vec::new(),
            now: Timestamp::UNIX_EPOCH,
            may_be_empty: false,
            needs_state: true,
            needs_values: true,
            leaves_workspace: false,
            generates: false,
            again: None,
            backend: BackendUse::default(),
            state_file: None,
            state_out: None,
            only_state: false,
            installing: None,
        }
    }

    pub(super) fn reading(&self) -> Reading<'_> {
        Reading {
            files: &*self.files,
            sources: &self.sources,
            working_dir: &self.working_dir,
            advises: !self.needs_values,
        }
    }
}

/// Where a root module keeps what is installed for it: `.terraform` beside its files, or the folder that TF_DATA_DIR names;
/// there each layer of a project has a folder of its own.
pub(super) fn data_folder(options: &LoadOptions, root: &Path, layer: Option<&str>) -> PathBuf {
    match options.process_env.get("TF_DATA_DIR").filter(|dir| !dir.is_empty()) {
        Some(dir) => normal(&options.working_dir.join(dir).join(layer.unwrap_or_default())),
        None => root.join(".terraform"),
    }
}

/// Where the working directory keeps what is installed for it.
pub fn data_dir(options: &LoadOptions) -> PathBuf {
    data_folder(options, &normal(&options.working_dir), None)
}

/// Whether there is anything to load: a project, or files of configuration.
pub fn has_configuration(options: &LoadOptions) -> bool {
    let dir = normal(&options.working_dir);
    let here = options.files.list(&dir).unwrap_or_default();
    here.iter().any(|entry| is_configuration(entry) || entry.name == PROJECT_FILE)
        || find_project(&LoadOptions { working_dir: dir, ..options.clone() }, &mut Diagnostics::none()).is_some()
}

/// Reads the configuration of a working directory: the project whose folder it lies in, or that folder alone.
pub fn load(options: &LoadOptions) -> Outcome<Config> {
    if let Some(again) = &options.again {
        return super::withheld::load_again(options, again);
    }
    let mut options = options.clone();
    options.working_dir = normal(&options.working_dir);
    let mut said = Diagnostics::none();
    let Some(dir) = find_project(&options, &mut said) else {
        if said.has_errors() {
            return Outcome::fail(said);
        }
        return plain::load(&options, None);
    };
    let Some(body) = options.reading().body(&dir.join(PROJECT_FILE), &mut said) else { return Outcome::fail(said) };
    if said.has_errors() {
        return Outcome::fail(said);
    }
    if is_plain(&options, &dir, &project::sources(&body, &dir)) {
        return plain::load(&options, Some(&dir));
    }
    project::load(&options, &dir, &body)
}

/// Whether the working directory belongs to a project.
pub(super) fn is_project(options: &LoadOptions) -> Outcome<bool> {
    let mut said = Diagnostics::none();
    let Some(dir) = find_project(options, &mut said) else {
        return if said.has_errors() { Outcome::fail(said) } else { Outcome::ok(false) };
    };
    let Some(body) = options.reading().body(&dir.join(PROJECT_FILE), &mut said) else { return Outcome::fail(said) };
    if said.has_errors() {
        return Outcome::fail(said);
    }
    Outcome::with(!is_plain(options, &dir, &project::sources(&body, &dir)), said)
}

/// The environments that the project declares (`default` when it declares none), and the chosen one; `None` in a folder
/// without a project. Nothing but the project file is read.
pub fn environments(options: &LoadOptions) -> Outcome<Option<(Vec<String>, Option<String>)>> {
    let mut options = options.clone();
    options.working_dir = normal(&options.working_dir);
    let mut said = Diagnostics::none();
    let Some(dir) = find_project(&options, &mut said) else {
        return if said.has_errors() { Outcome::fail(said) } else { Outcome::ok(None) };
    };
    let Some(body) = options.reading().body(&dir.join(PROJECT_FILE), &mut said) else { return Outcome::fail(said) };
    if said.has_errors() {
        return Outcome::fail(said);
    }
    if is_plain(&options, &dir, &project::sources(&body, &dir)) {
        return Outcome::ok(None);
    }
    let found = project::environments(&options, &dir, &body, &mut said);
    if said.has_errors() { Outcome::fail(said) } else { Outcome::with(Some(found), said) }
}

/// The file that remembers an environment of the project; `None` in a folder without one. Nothing but the project file is read.
///
/// Fails where the project has no environment of that name.
pub fn environment_file(options: &LoadOptions, name: &str) -> Outcome<Option<PathBuf>> {
    let mut options = options.clone();
    options.working_dir = normal(&options.working_dir);
    let mut said = Diagnostics::none();
    let Some(dir) = find_project(&options, &mut said) else {
        return if said.has_errors() { Outcome::fail(said) } else { Outcome::ok(None) };
    };
    let Some(body) = options.reading().body(&dir.join(PROJECT_FILE), &mut said) else { return Outcome::fail(said) };
    if is_plain(&options, &dir, &project::sources(&body, &dir)) {
        return Outcome::ok(None);
    }
    if let Err(unknown) = project::has_environment(&options, &dir, &body, name) {
        said.push(unknown);
    }
    if said.has_errors() { Outcome::fail(said) } else { Outcome::with(Some(environment_file_of(&options, &dir)), said) }
}

/// The folder with the project file, upwards from the working directory.
pub(super) fn find_project(options: &LoadOptions, said: &mut Diagnostics) -> Option<PathBuf> {
    for dir in options.working_dir.ancestors() {
        match options.files.read(&dir.join(PROJECT_FILE)) {
            Ok(_) => return Some(dir.to_owned()),
            Err(ReadError::Missing | ReadError::Folder) => {}
            // A folder above that may not be looked into cannot be the project's: it ends the search.
            Err(_) if dir != options.working_dir => return None,
            Err(error) => {
                let path = dir.join(PROJECT_FILE);
                said.push(Diagnostic::error(
                    "Failed to read file",
                    format!("{} cannot be read: {error}.", path.display()),
                ));
                return None;
            }
        }
    }
    None
}

/// Whether the working directory is a configuration of its own, beneath a project or not.
fn is_plain(options: &LoadOptions, project: &Path, layers: &[PathBuf]) -> bool {
    // The project file decides about its own folder, whatever else is in it.
    if options.working_dir == project {
        return false;
    }
    let below = |dir: &Path| layers.iter().any(|layer| dir.starts_with(layer));
    if below(&options.working_dir) {
        return false;
    }
    let entries = options.files.list(&options.working_dir).unwrap_or_default();
    entries.iter().any(is_configuration)
}
