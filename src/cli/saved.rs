//! What a saved plan carries of the command line: what was read, and what decided how.

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::config::{Captured, Given, LoadOptions};
use crate::diag::Diagnostic;
use crate::ops::{SavedPlan, Session};

use super::args::SelectArgs;
use super::project::{Call, process_env};

#[derive(Serialize, Deserialize)]
struct Load {
    working_dir: PathBuf,
    environment: Option<String>,
    /// Whether it is a plan of the global layers.
    #[serde(default)]
    global: bool,
    given: Vec<SavedGiven>,
    now: String,
    #[serde(default)]
    generates: bool,
    captured: Captured,
    /// Variables whose values are not carried: whoever applies the plan gives them anew.
    #[serde(default)]
    ephemeral: Vec<String>,
    /// Those of them that were set when planning.
    #[serde(default)]
    withheld: Vec<String>,
    /// The values of the other variables that came from the environment.
    #[serde(default)]
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
    let roots = session.config.layers.iter().flat_map(|layer| layer.root.variables.values());
    let ephemeral: Vec<String> = roots.filter(|root| root.ephemeral).map(|root| root.name.to_string()).collect();
    let kept = |given: &&Given| !matches!(given, Given::Var { name, .. } if ephemeral.contains(name));
    let withheld = call.given.iter().filter(|given| !kept(given)).filter_map(|given| match given {
        Given::Var { name, .. } => Some(name.clone()),
        Given::File(_) => None,
    });
    let withheld = withheld.collect();
    let given = call.given.iter().filter(kept).map(|given| match given {
        Given::Var { name, text } => SavedGiven::Var { name: name.clone(), text: text.clone() },
        Given::File(path) => SavedGiven::File(path.clone()),
    });
    let load = Load {
        working_dir: call.working_dir.clone(),
        environment: select.env.clone().or(environment),
        global: select.global,
        given: given.collect(),
        now: call.now.to_string(),
        generates,
        captured: call.capture.captured(),
        env: variables(process_env(), &ephemeral).collect(),
        ephemeral,
        withheld,
    };
    serde_json::to_value(load).unwrap_or_default()
}

/// What to load for a saved plan.
///
/// # Errors
/// When the file is damaged, was made in another folder, or a variable is given whose value it carries.
pub(super) fn unpack(call: &Call, saved: &SavedPlan) -> Result<LoadOptions, Box<Diagnostic>> {
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
    let anew = |given: &Given| matches!(given, Given::Var { name, .. } if load.ephemeral.contains(name));
    if !call.given.iter().all(anew) {
        return Err(Box::new(Diagnostic::error(
            "Can't change variable when applying a saved plan",
            "A saved plan carries the values of its variables; -var and -var-file cannot change them. Only those of ephemeral \
             variables, which it does not carry, are given with -var.",
        )));
    }
    let set = |name: &String| {
        let here = call.given.iter().any(|given| matches!(given, Given::Var { name: given, .. } if given == name));
        here || std::env::var_os(format!("TF_VAR_{name}")).is_some()
    };
    if let Some(name) = load.withheld.iter().find(|name| !set(name)) {
        let detail = format!(
            "The ephemeral input variable {name:?} was set when planning, and has to be set when applying as well: the plan \
             does not carry it. Use -var, or TF_VAR_{name}."
        );
        return Err(Box::new(Diagnostic::error("No value for required variable", detail)));
    }
    let given = load.given.into_iter().map(|given| match given {
        SavedGiven::Var { name, text } => Given::Var { name, text },
        SavedGiven::File(path) => Given::File(path),
    });
    let given = given.chain(call.given.iter().cloned());
    let (generates, run) = (load.generates, (load.environment, load.global));
    let mut options = LoadOptions { generates, ..call.load_saved(load.captured, run, given.collect(), now) };
    let other: Vec<String> = variables(options.process_env.clone(), &load.ephemeral).map(|(name, _)| name).collect();
    options.process_env.retain(|name, _| !other.contains(name));
    options.process_env.extend(load.env);
    Ok(options)
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
