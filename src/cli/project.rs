//! Opening the project that a command is about, with what the process knows: folder, environment, clock, user.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;

use crate::addr::LayerName;
use crate::config::{self, BackendUse, Capture, Captured, Config, Files, Given, LayerScope, LoadOptions};
use crate::diag::{Diagnostic, Diagnostics, Outcome, SourceMap};
use crate::lang::functions::DirFiles;
use crate::ops::{Backup, RunOptions, Session, SessionOptions};
use crate::plan::PlanMode;

use super::args::{PlanningArgs, SelectArgs, StateFileArgs};
use super::identity::identity;

/// What every command gets.
pub(super) struct Call {
    /// The working directory, absolute, after `-chdir`.
    pub working_dir: PathBuf,
    /// `-var` and `-var-file` in their order.
    pub given: Vec<Given>,
    /// The clock at the beginning.
    pub now: Timestamp,
    /// The texts that were read, for diagnostics.
    pub sources: SourceMap,
    /// What was read, for a saved plan.
    pub capture: Arc<Capture>,
}

impl Call {
    /// Looks at the process. `chdir` as typed.
    ///
    /// # Errors
    /// When the folder does not exist.
    pub fn new(chdir: Option<&PathBuf>, given: Vec<Given>) -> Result<Call, Box<Diagnostic>> {
        if let Some(dir) = chdir {
            std::env::set_current_dir(dir).map_err(|error| {
                let detail = format!("-chdir={} cannot be entered: {error}.", dir.display());
                Box::new(Diagnostic::error("Folder not found", detail))
            })?;
        }
        let working_dir = std::env::current_dir().map_err(|error| {
            Box::new(Diagnostic::error("Working directory not found", format!("It cannot be read: {error}.")))
        })?;
        // For output that is the same on every run: tests, and people who compare.
        let fixed = std::env::var("INFRA_NOW").ok().and_then(|text| text.parse().ok());
        Ok(Call {
            working_dir,
            given,
            now: fixed.unwrap_or_else(Timestamp::now),
            sources: SourceMap::default(),
            capture: Arc::new(Capture::new(Arc::new(DirFiles))),
        })
    }

    /// What to load. The environment is the flag, else TF_WORKSPACE.
    pub fn load(&self, select: &SelectArgs) -> LoadOptions {
        let mut load = LoadOptions::new(&self.working_dir, self.capture.clone() as Arc<dyn Files>);
        load.sources = self.sources.clone();
        load.global = select.global;
        load.environment = select.env.clone();
        if !select.global && load.environment.is_none() {
            load.environment = std::env::var("TF_WORKSPACE").ok().filter(|name| !name.is_empty());
        }
        load.given.clone_from(&self.given);
        load.process_env = process_env();
        load.now = self.now;
        load.backend = BackendUse::Initialised;
        load
    }

    /// What to load to look at state alone.
    pub fn load_state(&self, select: &SelectArgs) -> LoadOptions {
        let mut load = self.load(select);
        load.only_state = true;
        load
    }

    /// What to load for a saved plan: what was read when it was made.
    pub fn load_saved(
        &self,
        captured: Captured,
        (environment, global): (Option<String>, bool),
        given: Vec<Given>,
        now: Timestamp,
    ) -> LoadOptions {
        let mut load = LoadOptions::new(&self.working_dir, Arc::new(captured));
        load.sources = self.sources.clone();
        (load.environment, load.global) = (environment, global);
        load.given = given;
        load.process_env = process_env();
        load.now = now;
        load.backend = BackendUse::Initialised;
        load
    }

    /// Opens the project with all layers of the run.
    pub fn open_all(&self, load: LoadOptions) -> Outcome<Session> {
        let wiring = super::wiring::Wiring::default();
        Session::open(SessionOptions {
            load,
            registry: &|config| wiring.registry(config),
            clusters: &|config| wiring.clusters(config),
            identity: identity(),
        })
    }

    /// Opens the project; says when it has no layer of the name that is chosen.
    pub fn open(&self, load: LoadOptions, select: &SelectArgs) -> Outcome<Session> {
        let mut said = Diagnostics::none();
        let Some(session) = self.open_all(load).take(&mut said) else { return Outcome::fail(said) };
        if let Some(name) = &select.layer
            && let Err(diagnostic) = known(&session.config, &LayerName::from(name.as_str()))
        {
            said.push(diagnostic);
            return Outcome::fail(said);
        }
        Outcome::with(session, said)
    }
}

/// Whether a run has that layer.
fn known(config: &Config, name: &LayerName) -> Result<(), Diagnostic> {
    if config.layer_index(name).is_some() {
        return Ok(());
    }
    let detail = match config.project.as_ref().and_then(|project| project.scope_of(name)) {
        Some(LayerScope::Global) => {
            format!("Layer {name} exists once for all environments: add -global, without an environment.")
        }
        Some(LayerScope::Environment) => {
            format!("Layer {name} exists once per environment: choose one with -env NAME, without -global.")
        }
        None if config.is_plain() => {
            format!("This folder belongs to no project, and has no layers: leave out -layer={name}.")
        }
        None => {
            let names: Vec<&str> = config.layers.iter().map(|layer| layer.name.as_str()).collect();
            format!("There is no layer {:?}. The layers are: {}.", name.as_str(), names.join(", "))
        }
    };
    Err(Diagnostic::error("No such layer", detail))
}

/// The files of a local state, as the flags have them.
pub(super) fn with_files(mut load: LoadOptions, files: &StateFileArgs) -> LoadOptions {
    load.state_file.clone_from(&files.state);
    load.state_out.clone_from(&files.state_out);
    load
}

/// Where the former state is kept; `usual` without the flag.
pub(super) fn backup(path: Option<&PathBuf>, usual: Backup) -> Backup {
    match path {
        None => usual,
        Some(path) if path.as_os_str() == "-" => Backup::None,
        Some(path) => Backup::At(path.clone()),
    }
}

/// That `-state` is on its way out under Terraform, too.
pub(super) fn deprecated(files: &StateFileArgs) -> Option<Diagnostic> {
    let detail = "Use `path` attribute within the `local` backend instead.";
    files.state.as_ref().map(|_| Diagnostic::warning("Deprecated flag: -state", detail))
}

/// An environment to read the project with where none is chosen: programs run `init` before they choose a workspace, and modules are the
/// same in all of them.
pub(super) fn chosen_later(load: &LoadOptions) -> Option<String> {
    let by_file = |given: &Given| matches!(given, Given::File(_));
    if load.environment.is_some() || load.global || load.given.iter().any(by_file) {
        return None;
    }
    let (names, current) = config::environments(load).value??;
    let is_one = |name: &String| config::environment_file(load, name).value.is_some();
    let nobodys = |name: &String| *name == config::DEFAULT_WORKSPACE && !names.contains(name);
    if current.as_ref().is_some_and(|name| is_one(name) && !nobodys(name)) {
        return None;
    }
    names.into_iter().find(is_one)
}

/// The options of a run.
pub(super) fn run_options(args: &PlanningArgs, now: Timestamp) -> RunOptions {
    let mut options = RunOptions::new(now);
    // An invoked action runs by itself: objects are looked at and left as they are.
    options.mode = match (args.destroy, args.refresh_only || !args.invoke.is_empty()) {
        (true, _) => PlanMode::Destroy,
        (false, true) => PlanMode::RefreshOnly,
        (false, false) => PlanMode::Normal,
    };
    options.refresh = args.refresh;
    options.targets.clone_from(&args.target);
    options.excludes.clone_from(&args.exclude);
    options.replace.clone_from(&args.replace);
    options.invoke.clone_from(&args.invoke);
    options.layer = layer(&args.select);
    options.lock = args.lock;
    options.lock_timeout = args.lock_timeout;
    options.take_over_expired = args.take_over_expired;
    // As under Terraform, 0 is what no flag is.
    options.parallelism = if args.parallelism == 0 { 10 } else { args.parallelism as usize };
    options
}

/// Flags of planning that do not go together.
pub(super) fn incompatible(args: &PlanningArgs) -> Option<Diagnostic> {
    let detail = "-destroy removes everything, -refresh-only changes nothing: one of them has to go.";
    (args.destroy && args.refresh_only).then(|| Diagnostic::error("Incompatible plan mode options", detail))
}

/// The layer of `-layer`.
pub(super) fn layer(select: &SelectArgs) -> Option<LayerName> {
    select.layer.as_deref().map(LayerName::from)
}

/// Whether a command is about a layer: all, unless `-layer` names one.
pub(super) fn wants(select: &SelectArgs, layer: &LayerName) -> bool {
    select.layer.as_deref().is_none_or(|name| name == layer.as_str())
}

/// The environment of the process, as far as it is text.
pub(super) fn process_env() -> BTreeMap<String, String> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

/// What a run of a project is about.
pub(super) fn about(config: &Config) -> String {
    match (config.is_global(), config.sandbox) {
        (true, true) => format!("global layers in the sandbox of {}", config.environment),
        (true, false) => "global layers".to_owned(),
        (false, _) => format!("environment {}", config.environment),
    }
}

/// How the line above a plan names the place of state: the bucket, or the folder.
pub(super) fn place(config: &Config) -> String {
    match config.layers.first().map(|layer| &layer.state) {
        Some(crate::config::StateSettings::S3(settings)) => format!("s3://{}", settings.bucket),
        Some(crate::config::StateSettings::Local { path }) => {
            let folder = path.parent().unwrap_or(path);
            let shown = folder.strip_prefix(&config.working_dir).unwrap_or(folder);
            if shown.as_os_str().is_empty() { ".".to_owned() } else { shown.display().to_string() }
        }
        None => String::new(),
    }
}
