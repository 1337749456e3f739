//! Values of ephemeral variables: no saved plan carries them, whatever they came from, so that they are given again when it is
//! carried out.
//!
//! In: what was read for a plan; later, what is given beside its file. Out: the same without these values; later, a
//! configuration that has the new ones. Every other variable keeps the value that was planned.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::diag::{Diagnostic, Diagnostics, Outcome, SourceMap};
use crate::lang::decode::constant;
use crate::lang::functions::{self, Files as FunctionFiles, ReadError};
use crate::value::{Type, Value, convert, to_json};

use super::files::{Captured, Entry, Files, normal};
use super::load::{Given, LoadOptions, load};
use super::model::{Assignment, Config, Layer, Origin, Variable};

/// What a saved plan does not carry.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct Withheld {
    /// The names of ephemeral variables. Their values are nowhere in the plan.
    pub names: Vec<String>,
    /// Those that were set when planning: layer, and name.
    pub set: Vec<(String, String)>,
}

/// How a saved plan's configuration is completed.
#[derive(Clone)]
pub struct Again {
    /// What there is now: flags, environment variables, files of values.
    pub now: LoadOptions,
    /// What the plan does not carry.
    pub withheld: Withheld,
}

impl Withheld {
    /// What a configuration's plan must not carry.
    pub fn of(config: &Config) -> Withheld {
        let mut withheld = Withheld::default();
        for layer in &config.layers {
            for variable in layer.root.variables.values().filter(|variable| variable.ephemeral) {
                withheld.names.push(variable.name.to_string());
                if layer.assignments.get(&variable.name).is_some() {
                    withheld.set.push((layer.name.to_string(), variable.name.to_string()));
                }
            }
        }
        withheld
    }

    /// What was read, without the values in its files.
    pub fn without(&self, mut captured: Captured, config: &Config) -> Captured {
        if self.names.is_empty() {
            return captured;
        }
        let assigned = config.layers.iter().flat_map(|layer| layer.assignments.iter());
        let from: Vec<PathBuf> = assigned
            .filter_map(|(_, assignment)| match &assignment.origin {
                Origin::File(path) => Some(path.clone()),
                Origin::Environment | Origin::CommandLine | Origin::Test => None,
            })
            .collect();
        for (path, content) in &mut captured.files {
            if is_value_file(path) || from.contains(path) {
                *content = self.strip(path, content);
            }
        }
        captured
    }

    /// A file of values without those of ephemeral variables. One that cannot be read is left out as a whole.
    fn strip(&self, path: &Path, content: &[u8]) -> Vec<u8> {
        let is_withheld = |name: &str| self.names.iter().any(|one| one == name);
        if path.extension().is_some_and(|end| end == "json") {
            let Ok(mut values) = serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(content) else {
                return b"{}".to_vec();
            };
            values.retain(|name, _| !is_withheld(name));
            return serde_json::to_vec(&values).unwrap_or_else(|_| b"{}".to_vec());
        }
        let sources = SourceMap::default();
        let file = sources.add_file(path, &String::from_utf8_lossy(content));
        let (parsed, said) = crate::lang::syntax::parse(&sources, file);
        let Some(source) = sources.get(file).filter(|_| !said.has_errors()) else { return Vec::new() };
        let mut text = source.text.to_string();
        let mut spans: Vec<_> = parsed.body.attributes.iter().filter(|one| is_withheld(&one.name.text)).collect();
        spans.sort_by_key(|attribute| std::cmp::Reverse(attribute.span.start));
        for attribute in spans {
            let (from, to) = (attribute.span.start as usize, attribute.span.end as usize);
            // Places in the rest stay what they were.
            let lines = text[from..to].matches('\n').count();
            text.replace_range(from..to, &"\n".repeat(lines));
        }
        text.into_bytes()
    }
}

/// Whether a file holds values of variables, by its name.
fn is_value_file(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    name.ends_with(".tfvars") || name.ends_with(".tfvars.json")
}

/// Loads the configuration of a saved plan with the ephemeral values that are given now.
pub(super) fn load_again(options: &LoadOptions, again: &Again) -> Outcome<Config> {
    let mut said = Diagnostics::none();
    let planned = LoadOptions { again: None, ..options.clone() };
    let Some(mut config) = load(&planned).take(&mut said) else { return Outcome::fail(said) };
    let files = Anew { saved: options.files.clone(), now: again.now.files.clone(), given: again.given() };
    let anew = LoadOptions { files: Arc::new(files), ..again.now.clone() };
    // What is said of the configuration was said when it was planned; what is wrong with what is given now is new.
    said.0.retain(Diagnostic::is_error);
    let now = load(&anew).take(&mut said);
    let Some(now) = now.filter(|_| !said.has_errors()) else { return Outcome::fail(said) };
    for layer in &mut config.layers {
        let Some(here) = now.layers.iter().find(|here| here.name == layer.name) else { continue };
        said.append(again.complete(layer, here));
    }
    if said.has_errors() { Outcome::fail(said) } else { Outcome::with(config, said) }
}

impl Again {
    /// The paths of `-var-file`, as they may be asked for.
    fn given(&self) -> Vec<PathBuf> {
        let files = self.now.given.iter().filter_map(|given| match given {
            Given::File(path) => Some(path),
            Given::Var { .. } => None,
        });
        files.flat_map(|path| [normal(&self.now.working_dir.join(path)), path.clone()]).collect()
    }

    /// Gives a layer its ephemeral values, and compares the others.
    fn complete(&self, layer: &mut Layer, here: &Layer) -> Diagnostics {
        let mut said = Diagnostics::none();
        let root = layer.root.clone();
        for variable in root.variables.values() {
            let name = variable.name.as_str();
            let given = here.assignments.get(name);
            if !self.withheld.names.iter().any(|one| one == name) {
                said.append(given.and_then(|given| self.keeps(variable, given, layer, here)));
                continue;
            }
            let was_set =
                self.withheld.set.iter().any(|(of, one)| (of.as_str(), one.as_str()) == (layer.name.as_str(), name));
            match given {
                Some(_) if variable.ephemeral && !was_set => said.push(set_only_now(name)),
                Some(given) => layer.assignments.set(variable.name.clone(), given.clone()),
                None if was_set => said.push(not_set_again(name)),
                None => layer.assignments.remove(&variable.name),
            }
        }
        said
    }

    /// What is said of a value that is not the planned one.
    fn keeps(&self, variable: &Variable, given: &Assignment, layer: &Layer, here: &Layer) -> Option<Diagnostic> {
        let (planned, now) = (value_of(layer, variable)?, value_of(here, variable)?);
        let by = match &given.origin {
            Origin::CommandLine => "a CLI argument",
            Origin::File(path) if self.given().iter().any(|given| path.ends_with(given)) => {
                "a .tfvars file passed through -var-file argument"
            }
            Origin::Environment => "an environment variable",
            // What lies in the folder is read when planning, and only then.
            Origin::File(_) | Origin::Test => return None,
        };
        // A text from outside stands for what it spells where the variable takes any type.
        let spells = || now.as_str().is_some() && convert(&planned, &Type::String).ok().as_ref() == Some(&now);
        (planned != now && !spells()).then(|| changed(variable, given, [&planned, &now], by))
    }
}

/// The value of a variable in a layer, its default where nothing is assigned.
fn value_of(layer: &Layer, variable: &Variable) -> Option<Value> {
    let value = match layer.assigned(variable) {
        Some(outcome) => outcome.value?,
        None => constant(variable.default.as_ref()?).value?,
    };
    convert(&variable.defaults.apply(&value), &variable.ty).ok()
}

fn changed(variable: &Variable, given: &Assignment, values: [&Value; 2], by: &str) -> Diagnostic {
    let name = &variable.name;
    let [planned, now] = values.map(|value| match to_json(value) {
        Ok(text) if !variable.sensitive => text,
        Ok(_) | Err(_) => "(sensitive value)".to_owned(),
    });
    let rest = format!(
        "because a saved plan includes the variable values that were set when it was created. The saved plan specifies {planned} \
         as the value whereas during apply the value {now} was set by {by}. To declare an ephemeral variable which is not saved \
         in the plan file, use ephemeral = true."
    );
    if given.origin == Origin::Environment {
        let detail = format!("The variable {name} cannot be overridden when applying a saved plan file, {rest}");
        return Diagnostic::warning("Ignoring variable when applying a saved plan", detail);
    }
    let detail = format!(
        "The variable {name} cannot be set using the -var and -var-file options when applying a saved plan file, {rest}"
    );
    Diagnostic::error("Can't change variable when applying a saved plan", detail).or_at(given.span)
}

fn not_set_again(name: &str) -> Diagnostic {
    let detail = format!(
        "The ephemeral input variable {name:?} was set during the plan phase, and so must also be set during the apply phase: the \
         plan does not carry it. Use -var, -var-file or TF_VAR_{name}."
    );
    Diagnostic::error("No value for required variable", detail)
}

fn set_only_now(name: &str) -> Diagnostic {
    let detail = format!(
        "The ephemeral input variable {name:?} was not set during the planning phase, and so must remain unset during the apply \
         phase."
    );
    Diagnostic::error("Ephemeral variable was not set during planning", detail)
}

/// The files that a plan was made from, with the files of values as they are now.
struct Anew {
    saved: Arc<dyn Files>,
    now: Arc<dyn Files>,
    /// Paths of `-var-file`.
    given: Vec<PathBuf>,
}

impl FunctionFiles for Anew {
    fn read(&self, path: &Path) -> Result<Vec<u8>, ReadError> {
        if is_value_file(path) || self.given.iter().any(|given| path.ends_with(given)) {
            return self.now.read(path);
        }
        self.saved.read(path)
    }

    fn is_file(&self, path: &Path) -> Option<bool> {
        self.saved.is_file(path)
    }

    fn members(&self, folder: &Path) -> Vec<functions::Entry> {
        self.saved.members(folder)
    }

    fn home(&self) -> Option<PathBuf> {
        self.saved.home()
    }
}

impl Files for Anew {
    fn list(&self, dir: &Path) -> Result<Vec<Entry>, ReadError> {
        let of_values = |entry: &Entry| !entry.is_dir && is_value_file(Path::new(&entry.name));
        let mut entries = self.saved.list(dir)?;
        entries.retain(|entry| !of_values(entry));
        entries.extend(self.now.list(dir).unwrap_or_default().into_iter().filter(of_values));
        entries.sort();
        Ok(entries)
    }
}
