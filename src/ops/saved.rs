//! Saved plans: everything that is needed to carry out later exactly what was shown.
//!
//! The file is JSON, readable for its owner only: it holds values of variables. It carries the configuration as it was, the
//! serials and lineages it was made from, what was approved by saving it, and the texts that `show` prints.

use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::addr::{LayerName, parse_pattern};
use crate::change::Action;
use crate::diag::Diagnostic;
use crate::plan::{Found, Plan, PlanMode, PlannedChange};
use crate::state::{Object, Slot, State, format};

use super::session::RunOptions;

/// Names the format; another one is refused.
const FORMAT: &str = "infra saved plan 2";

/// Greatest size of a plan file that is read, in bytes.
const LIMIT: u64 = 1 << 30;

/// A saved plan.
#[derive(Clone, Serialize, Deserialize)]
pub struct SavedPlan {
    format: String,
    /// When it was made: what `timestamp()` gave.
    pub timestamp: String,
    mode: String,
    refresh: bool,
    targets: Vec<String>,
    excludes: Vec<String>,
    replace: Vec<String>,
    #[serde(default)]
    invoke: Vec<String>,
    /// The actions it invokes, each with what invokes it.
    #[serde(default)]
    invocations: Vec<String>,
    layer: Option<String>,
    layers: Vec<SavedLayer>,
    changes: Vec<SavedChange>,
    /// What was read when it was made.
    found: Vec<SavedFound>,
    /// Whether planning failed.
    errored: bool,
    /// The configuration and flags it was made with; `cli` knows how to load from it.
    pub load: serde_json::Value,
    /// What `show` prints.
    pub text: String,
    /// What `show -json` prints.
    pub json: String,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
struct SavedLayer {
    name: String,
    serial: u64,
    lineage: String,
}

/// What was found in a layer, as states.
#[derive(Clone, Serialize, Deserialize)]
struct SavedFound {
    layer: String,
    /// Objects that are not as stored, and those of data sources.
    objects: String,
    /// Objects that were gone.
    absent: String,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct SavedChange {
    addr: String,
    deposed: Option<String>,
    action: String,
    /// A hash of the planned object, unknown parts and all: planning again has to give the same.
    after: String,
}

impl SavedPlan {
    /// Packs a plan. `load`, `text` and `json` come from whoever shows and loads.
    pub fn new(plan: &Plan, options: &RunOptions, load: serde_json::Value, text: String, json: String) -> SavedPlan {
        let patterns = |patterns: &[crate::addr::Pattern]| patterns.iter().map(ToString::to_string).collect();
        SavedPlan {
            format: FORMAT.to_owned(),
            timestamp: plan.timestamp.to_string(),
            mode: match plan.mode {
                PlanMode::Normal => "normal",
                PlanMode::Destroy => "destroy",
                PlanMode::RefreshOnly => "refresh-only",
            }
            .to_owned(),
            refresh: options.refresh,
            targets: patterns(&options.targets),
            excludes: patterns(&options.excludes),
            replace: patterns(&options.replace),
            invoke: patterns(&options.invoke),
            invocations: invocations(plan),
            layer: options.layer.as_ref().map(ToString::to_string),
            layers: layers(plan),
            changes: changes(plan),
            found: found_in(plan),
            errored: plan.errored,
            load,
            text,
            json,
        }
    }

    /// The options it was made with, over those of the run that carries it out.
    ///
    /// # Errors
    /// When the file holds something that is no address or time.
    pub fn options(&self, run: &RunOptions) -> Result<RunOptions, Box<Diagnostic>> {
        let patterns = |texts: &[String]| {
            let parsed: Result<Vec<_>, _> = texts.iter().map(|text| parse_pattern(text)).collect();
            parsed.map_err(|error| damaged(&error.to_string()))
        };
        let timestamp: Timestamp = self.timestamp.parse().map_err(|_| damaged("its time cannot be read"))?;
        Ok(RunOptions {
            mode: match self.mode.as_str() {
                "normal" => PlanMode::Normal,
                "destroy" => PlanMode::Destroy,
                "refresh-only" => PlanMode::RefreshOnly,
                _ => return Err(damaged("it has an unknown mode")),
            },
            refresh: self.refresh,
            targets: patterns(&self.targets)?,
            excludes: patterns(&self.excludes)?,
            replace: patterns(&self.replace)?,
            invoke: patterns(&self.invoke)?,
            layer: self.layer.as_deref().map(LayerName::from),
            timestamp,
            ..run.clone()
        })
    }

    /// Why it is never carried out, whatever state is.
    pub(super) fn refused(&self) -> Option<Diagnostic> {
        let detail = "Planning ended with errors, so that the plan is not complete and cannot be applied. Correct what it was \
                      refused for, and make a new plan.";
        self.errored.then(|| Diagnostic::error("Cannot apply incomplete plan", detail))
    }

    /// What was read when the plan was made.
    ///
    /// # Errors
    /// When the file is damaged.
    pub(super) fn found(&self) -> Result<Found, Box<Diagnostic>> {
        let mut found = Found::default();
        for saved in &self.found {
            let layer = LayerName::from(saved.layer.as_str());
            let read = |text: &str| format::read(&layer, text.as_bytes()).map_err(|error| damaged(&error.to_string()));
            let (objects, absent) = (read(&saved.objects)?, read(&saved.absent)?);
            for placed in objects.objects() {
                let slot = Slot { addr: placed.addr(&layer), deposed: placed.deposed.cloned() };
                found.objects.insert(slot, (placed.provider.clone(), placed.object.clone()));
            }
            for placed in absent.objects() {
                let slot = Slot { addr: placed.addr(&layer), deposed: placed.deposed.cloned() };
                found.absent.insert(slot, placed.provider.clone());
            }
        }
        Ok(found)
    }

    /// Whether a plan made now is the one that was saved.
    ///
    /// # Errors
    /// When the state has moved on, or planning gives something else.
    pub fn agrees(&self, plan: &Plan) -> Result<(), Box<Diagnostic>> {
        for (saved, now) in self.layers.iter().zip(layers(plan)) {
            if *saved != now {
                let of = if plan.prefixes_layers { format!("layer {}", saved.name) } else { "the state".to_owned() };
                let detail = format!(
                    "The plan was made from serial {} of {of}, which is now at serial {}. Make a new plan.",
                    saved.serial, now.serial
                );
                return Err(Box::new(Diagnostic::error("Saved plan is stale", detail)));
            }
        }
        if self.invocations != invocations(plan) {
            let detail = "Planned again with the saved configuration, other actions are invoked than what was saved says. Make a \
                          new plan.";
            return Err(Box::new(Diagnostic::error("Saved plan is stale", detail)));
        }
        let now = changes(plan);
        let beyond = now.iter().find(|change| !self.changes.contains(change));
        let missing = self.changes.iter().find(|change| !now.contains(change));
        match beyond.or(missing) {
            None => Ok(()),
            Some(change) => Err(Box::new(Diagnostic::error(
                "Saved plan is stale",
                format!(
                    "Planned again with the saved configuration, {} differs from what was saved: what it depends on has \
                     changed since. Make a new plan.",
                    change.addr
                ),
            ))),
        }
    }
}

fn layers(plan: &Plan) -> Vec<SavedLayer> {
    let of = |layer: &crate::plan::LayerPlan| SavedLayer {
        name: layer.name.to_string(),
        serial: layer.serial,
        lineage: layer.lineage.clone(),
    };
    plan.layers.iter().map(of).collect()
}

fn found_in(plan: &Plan) -> Vec<SavedFound> {
    let Some(segment) = plan.segment.as_deref() else { return Vec::new() };
    let text = |state: &State| {
        let mut bytes = Vec::new();
        // Memory takes all that is written to it.
        drop(format::write(state, &mut bytes));
        String::from_utf8(bytes).unwrap_or_default()
    };
    let of = |layer: &crate::plan::LayerPlan| {
        let (mut objects, mut absent) = (State::empty(layer.name.clone()), State::empty(layer.name.clone()));
        for (slot, (provider, object)) in segment.found.objects.iter().filter(|(slot, _)| slot.addr.layer == layer.name)
        {
            objects.put(slot, provider, object.clone());
        }
        for (slot, provider) in segment.found.absent.iter().filter(|(slot, _)| slot.addr.layer == layer.name) {
            absent.put(slot, provider, Arc::new(Object::new(0, "{}")));
        }
        let (objects, absent) = (text(&objects), text(&absent));
        SavedFound { layer: layer.name.to_string(), objects, absent }
    };
    plan.layers.iter().map(of).collect()
}

fn invocations(plan: &Plan) -> Vec<String> {
    let named = plan.invocations.iter().map(|one| {
        let by = one.trigger.as_ref().map(|by| format!(" {} {}", by.addr.in_project(true), by.event.json_name()));
        format!("{}{} {}", one.addr.in_project(true), by.unwrap_or_default(), digest(&one.config))
    });
    named.collect()
}

fn changes(plan: &Plan) -> Vec<SavedChange> {
    let counts = |planned: &&PlannedChange| planned.change.action != Action::NoOp;
    plan.changes.iter().filter(counts).map(saved_change).collect()
}

fn saved_change(planned: &PlannedChange) -> SavedChange {
    SavedChange {
        addr: planned.change.addr.in_project(true),
        deposed: planned.change.deposed.as_ref().map(ToString::to_string),
        action: planned.change.action.to_string(),
        // What a check reads counts when it is carried out.
        after: if planned.work.check { String::new() } else { digest(&planned.work.planned) },
    }
}

/// A hash of a value with its unknown parts, for comparing only.
fn digest(value: &crate::value::Value) -> String {
    use sha2::Digest;
    use std::hash::Hash;
    /// Feeds what `Hash` feeds into a hasher that does not collide.
    struct Feed(sha2::Sha256);
    impl std::hash::Hasher for Feed {
        fn write(&mut self, bytes: &[u8]) {
            self.0.update(bytes);
        }
        fn finish(&self) -> u64 {
            0
        }
    }
    let mut feed = Feed(sha2::Sha256::new());
    value.hash(&mut feed);
    let bytes = feed.0.finalize();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn damaged(why: &str) -> Box<Diagnostic> {
    Box::new(Diagnostic::error("Invalid plan file", format!("The plan file cannot be used: {why}. Make a new plan.")))
}

/// Writes a plan file, readable for its owner only.
///
/// # Errors
/// When it cannot be written.
pub fn write_saved(path: &Path, saved: &SavedPlan) -> Result<(), Box<Diagnostic>> {
    use std::io::Write;
    let fail = |error: &dyn std::fmt::Display| {
        Box::new(Diagnostic::error("Plan file not written", format!("{}: {error}.", path.display())))
    };
    let bytes = serde_json::to_vec(saved).map_err(|error| fail(&error))?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // A temporary file of this library is readable for its owner only from the start.
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(|error| fail(&error))?;
    file.write_all(&bytes).map_err(|error| fail(&error))?;
    file.as_file().sync_all().map_err(|error| fail(&error))?;
    file.persist(path).map_err(|error| fail(&error.error))?;
    Ok(())
}

/// Reads a plan file.
///
/// # Errors
/// When it cannot be read or is no plan file of this version.
pub fn read_saved(path: &Path) -> Result<SavedPlan, Box<Diagnostic>> {
    let fail = |why: String| {
        let summary = format!("Failed to load {:?} as a plan file", path.display().to_string());
        Box::new(Diagnostic::error(summary, format!("{}: {why}.", path.display())))
    };
    let missing = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => fail("there is no such file; infra plan -out=FILE makes one".to_owned()),
        _ => fail(error.to_string()),
    };
    let length = std::fs::metadata(path).map_err(missing)?.len();
    if length > LIMIT {
        return Err(fail(format!("it is larger than {LIMIT} bytes")));
    }
    let bytes = std::fs::read(path).map_err(|error| fail(error.to_string()))?;
    parse_saved(&bytes).map_err(fail)
}

/// A saved plan from the bytes of its file.
///
/// # Errors
/// Why it is no plan file of this version, without an end of sentence.
pub fn parse_saved(bytes: &[u8]) -> Result<SavedPlan, String> {
    let saved: SavedPlan =
        serde_json::from_slice(bytes).map_err(|_| "it is no plan file of this program".to_owned())?;
    if saved.format != FORMAT {
        return Err(format!("it has the format {:?}; this program writes {FORMAT:?}", saved.format));
    }
    Ok(saved)
}
