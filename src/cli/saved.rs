//! What a saved plan carries of the command line: what was read, and what decided how.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::config::{Again, Captured, DEFAULT_WORKSPACE, Given, LoadOptions, Withheld, chosen_workspace};
use crate::diag::Diagnostic;
use crate::ops::{SavedPlan, Session};

use super::args::SelectArgs;
use super::project::{Call, process_env};

#[derive(Serialize, Deserialize)]
struct Load {
    working_dir: PathBuf,
    environment: Option<String>,
    /// The workspace, of a folder without a project.
    workspace: Option<String>,
    /// Whether it is a plan of the global layers.
    global: bool,
    given: Vec<SavedGiven>,
    now: String,
    generates: bool,
    captured: Captured,
    /// Values that are not carried: whoever applies the plan gives them anew.
    withheld: Withheld,
    /// The values of the other variables that came from the environment.
    env: BTreeMap<String, String>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum SavedGiven {
    Var { name: String, text: String },
    File(PathBuf),
}

/// Packs what was read, so that the configuration that was planned is the one applied.
pub(super) fn pack(call: &Call, session: &Session, select: &SelectArgs, generates: bool) -> serde_json::Value {
    let own = session.config.project.as_ref().filter(|project| !project.global);
    let environment = own.map(|_| session.config.environment.to_string());
    let workspace = session.config.project.is_none().then(|| session.config.environment.to_string());
    let withheld = Withheld::of(&session.config);
    let kept = |given: &&Given| !matches!(given, Given::Var { name, .. } if withheld.names.contains(name));
    let given = call.given.iter().filter(kept).map(|given| match given {
        Given::Var { name, text } => SavedGiven::Var { name: name.clone(), text: text.clone() },
        Given::File(path) => SavedGiven::File(path.clone()),
    });
    let load = Load {
        working_dir: call.working_dir.clone(),
        environment: select.env.clone().or(environment),
        workspace,
        global: select.global,
        given: given.collect(),
        now: call.now.to_string(),
        generates,
        captured: withheld.without(call.capture.captured(), &session.config),
        env: variables(process_env(), &withheld.names).collect(),
        withheld,
    };
    serde_json::to_value(load).unwrap_or_default()
}

/// What to load for a saved plan.
///
/// # Errors
/// When the file is damaged, or was made in another folder, workspace or environment.
pub(super) fn unpack(call: &Call, saved: &SavedPlan, select: &SelectArgs) -> Result<LoadOptions, Box<Diagnostic>> {
    let damaged = |why: String| {
        Box::new(Diagnostic::error(
            "Invalid plan file",
            format!("The plan file cannot be used: {why}. Make a new plan."),
        ))
    };
    let load: Load = serde_json::from_value(saved.load.clone()).map_err(|error| damaged(error.to_string()))?;
    if load.working_dir != call.working_dir {
        return Err(damaged(format!("it was made in {}", load.working_dir.display())));
    }
    let now: Timestamp = load.now.parse().map_err(|_| damaged("its time cannot be read".to_owned()))?;
    let here = call.load(select);
    if let Some(diagnostic) = elsewhere(&load, &here) {
        return Err(Box::new(diagnostic));
    }
    let given: Vec<Given> = load
        .given
        .into_iter()
        .map(|given| match given {
            SavedGiven::Var { name, text } => Given::Var { name, text },
            SavedGiven::File(path) => Given::File(path),
        })
        .collect();
    let (generates, run) = (load.generates, (load.environment, load.global));
    let mut options = LoadOptions { generates, ..call.load_saved(load.captured, run, given, now) };
    let anew: BTreeMap<String, String> = variables(options.process_env.clone(), &load.withheld.names).collect();
    let differs = anew != load.env;
    options.process_env.retain(|name, _| !anew.contains_key(name));
    options.process_env.extend(load.env);
    if differs || !call.given.is_empty() || !load.withheld.names.is_empty() {
        let now =
            LoadOptions { environment: options.environment.clone(), global: options.global, generates, now, ..here };
        options.again = Some(Arc::new(Again { now, withheld: load.withheld }));
    }
    Ok(options)
}

/// Why a plan is not carried out here: another workspace or environment is chosen than the one it was made in.
fn elsewhere(load: &Load, here: &LoadOptions) -> Option<Diagnostic> {
    let chosen = chosen_workspace(here);
    if let Some(workspace) = &load.workspace {
        let detail = format!(
            "The plan was made in workspace {workspace:?}, and the selected workspace is {chosen:?}. Select the other one with infra \
             workspace select {workspace}, or make a new plan."
        );
        let refused = Diagnostic::error("Saved plan belongs to another workspace", detail);
        return (*workspace != chosen).then_some(refused);
    }
    let made = load.environment.as_deref();
    // Nothing has to be chosen beside a plan: it says what it is for.
    let remembered = Some(chosen).filter(|name| name != DEFAULT_WORKSPACE);
    let chosen = here.environment.clone().or(remembered.filter(|_| !here.global));
    let chosen = chosen.filter(|chosen| made != Some(chosen.as_str()))?;
    let of = made.map_or_else(|| "the global layers".to_owned(), |made| format!("environment {made:?}"));
    let detail = format!(
        "The plan was made for {of}, and {chosen:?} is chosen here. Leave out the choice, which the plan makes, or make a new plan."
    );
    Some(Diagnostic::error("Saved plan belongs to another environment", detail))
}

/// Those of the environment's variables that give input variables their values, but for the ephemeral ones.
fn variables(
    env: impl IntoIterator<Item = (String, String)>,
    ephemeral: &[String],
) -> impl Iterator<Item = (String, String)> {
    let carried =
        |name: &str| name.strip_prefix("TF_VAR_").is_some_and(|name| !ephemeral.iter().any(|one| one == name));
    env.into_iter().filter(move |(name, _)| carried(name))
}
