//! What is expected to fail, and what does.

use std::collections::HashMap;

use crate::addr::{Mode, Name, ResourceAddr};
use crate::config::{Expected, Module};
use crate::diag::{Diagnostic, Diagnostics, Severity, Span};
use crate::lang::eval::Reference;
use crate::plan::CHECK_SUMMARY;

/// What has conditions in a root module, by where these are written.
struct Owners(HashMap<Span, Reference>);

impl Owners {
    fn of(module: &Module) -> Owners {
        let named = |kind: &str, name: &Name| {
            Reference::Resource(ResourceAddr { mode: Mode::Managed, kind: kind.into(), name: name.clone() })
        };
        let mut owners = HashMap::new();
        for variable in module.variables.values() {
            let owner = Reference::Var(variable.name.clone());
            owners.extend(variable.validations.iter().map(|rule| (rule.span, owner.clone())));
        }
        for output in module.outputs.values() {
            let owner = named("output", &output.name);
            owners.extend(output.preconditions.iter().map(|rule| (rule.span, owner.clone())));
        }
        for check in &module.checks {
            let owner = named("check", &check.name);
            owners.extend(check.asserts.iter().map(|rule| (rule.span, owner.clone())));
        }
        for resource in module.resources.values() {
            let owner = Reference::Resource(resource.addr.clone());
            let rules = resource.lifecycle.preconditions.iter().chain(&resource.lifecycle.postconditions);
            owners.extend(rules.map(|rule| (rule.span, owner.clone())));
        }
        Owners(owners)
    }

    fn of_diagnostic(&self, diagnostic: &Diagnostic) -> Option<&Reference> {
        self.0.get(&diagnostic.rule.as_ref()?.span)
    }
}

/// What was said without the failures that were expected; what failed of checks is an error here. Says as well what was
/// expected and did not come.
pub(super) fn sift(module: &Module, expected: &[Expected], said: Diagnostics) -> Diagnostics {
    let owners = Owners::of(module);
    let mut came = vec![false; expected.len()];
    let mut left = Vec::new();
    for mut diagnostic in said {
        let owner = owners.of_diagnostic(&diagnostic);
        let mut met = false;
        for (at, one) in expected.iter().enumerate() {
            if owner == Some(&one.target) && is_of(&diagnostic, one) {
                (came[at], met) = (true, true);
            }
        }
        if met {
            continue;
        }
        if diagnostic.summary.starts_with(CHECK_SUMMARY) {
            diagnostic.severity = Severity::Error;
        }
        left.push(diagnostic);
    }
    let mut said = Diagnostics::none();
    for (one, _) in expected.iter().zip(came).filter(|(_, came)| !came) {
        let detail = format!("{} was expected to fail, and did not.", named(one));
        said.push(Diagnostic::error("Missing expected failure", detail).at(one.span));
    }
    said.append(left);
    said
}

/// Whether a failure is that of the instance that is expected to fail.
fn is_of(diagnostic: &Diagnostic, expected: &Expected) -> bool {
    let instance = diagnostic.rule.as_ref().and_then(|rule| rule.instance.as_ref());
    expected.key.as_ref().is_none_or(|key| instance.is_some_and(|instance| *instance == key.to_string()))
}

/// Whether a failure was expected, before it is known when it came.
pub(super) fn any_expected(module: &Module, expected: &[Expected], said: &Diagnostics) -> Vec<Span> {
    let owners = Owners::of(module);
    let met = |one: &&Expected| {
        said.iter().any(|diagnostic| {
            let owner = owners.of_diagnostic(diagnostic);
            diagnostic.is_error() && owner == Some(&one.target) && is_of(diagnostic, one)
        })
    };
    expected.iter().filter(met).map(|one| one.span).collect()
}

fn named(one: &Expected) -> String {
    one.key.as_ref().map_or_else(|| one.target.to_string(), |key| format!("{}{key}", one.target))
}
