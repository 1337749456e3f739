//! Values of variables that nobody declares, and what is said of them.

use std::collections::BTreeSet;

use super::assign::Assignments;
use super::model::{Layer, Module, Origin};
use crate::addr::Name;
use crate::diag::{Diagnostic, Diagnostics, did_you_mean};

/// How many warnings of one kind are given in full; the others are counted.
const IN_FULL: usize = 2;

/// How all of them are called.
const UNDECLARED: &str = "Value for undeclared variable";

/// What is to be said in plain mode about assignments to variables that the root module does not declare.
pub fn undeclared_in_folder(assignments: &Assignments, module: &Module) -> Diagnostics {
    let undeclared = assignments.iter().filter(|(name, _)| !module.variables.contains_key(*name));
    let names = || module.variables.keys().map(Name::as_str);
    let (mut errors, mut warnings) = (Diagnostics::none(), Vec::new());
    for (name, assignment) in undeclared {
        let hint = did_you_mean(name, names());
        match &assignment.origin {
            Origin::Environment | Origin::Test => {}
            Origin::CommandLine => {
                let detail = format!(
                    "A variable named {:?} was assigned on the command line, but the root module does not declare a variable \
                     of that name. To use this value, add a \"variable\" block to the configuration.{hint}",
                    name.as_str()
                );
                errors.error(UNDECLARED, detail);
            }
            Origin::File(path) => {
                let file = path.file_name().unwrap_or_default().to_string_lossy();
                let detail = format!(
                    "The root module does not declare a variable named {:?} but a value was found in file {file:?}. If you \
                     meant to use this value, add a \"variable\" block to the configuration.{hint}\n\nTo silence these \
                     warnings, use TF_VAR_... environment variables to provide certain \"global\" settings to all \
                     configurations in your organization. To reduce the verbosity of these warnings, use the \
                     -compact-warnings option.",
                    name.as_str()
                );
                let warning = Diagnostic::warning(UNDECLARED, detail);
                warnings.push(match assignment.span {
                    Some(span) => warning.at(span),
                    None => warning,
                });
            }
        }
    }
    errors.append(summed_up(warnings));
    errors
}

/// The first warnings, and how many more there are: a file that serves many folders would bury everything else.
fn summed_up(mut warnings: Vec<Diagnostic>) -> Diagnostics {
    let others = warnings.len().saturating_sub(IN_FULL);
    warnings.truncate(IN_FULL);
    if others > 0 {
        let detail = format!(
            "In addition to the other similar warnings shown, {others} other variable(s) defined without being declared."
        );
        warnings.push(Diagnostic::warning("Values for undeclared variables", detail));
    }
    Diagnostics(warnings)
}

/// What is to be said in a project about assignments to variables that no layer declares.
pub fn undeclared_in_project(layers: &[Layer]) -> Diagnostics {
    let declared: BTreeSet<&Name> = layers.iter().flat_map(|layer| layer.root.variables.keys()).collect();
    let mut seen = BTreeSet::new();
    let mut warnings = Vec::new();
    for (name, assignment) in layers.iter().flat_map(|layer| layer.assignments.iter()) {
        if declared.contains(name) || assignment.origin == Origin::Environment || !seen.insert(name) {
            continue;
        }
        // A value that only serves other assignments of its set is no mistake.
        let used = layers.iter().any(|layer| layer.assignments.names_of_expressions().contains(name));
        if used {
            continue;
        }
        let hint = did_you_mean(name, declared.iter().map(|name| name.as_str()));
        let detail =
            format!("A value is assigned to {:?}, but no layer declares a variable of that name.{hint}", name.as_str());
        let warning = Diagnostic::warning(UNDECLARED, detail);
        warnings.push(match assignment.span {
            Some(span) => warning.at(span),
            None => warning,
        });
    }
    summed_up(warnings)
}
