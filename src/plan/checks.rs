//! How the conditions of a configuration stand in a plan: validations, preconditions, postconditions.
//!
//! A plan in which one fails is no plan, so that what is left is whether it holds already or apply has to tell.

use foldhash::{HashMap, HashMapExt};

use crate::addr::{InstanceKey, LayerName, ModuleAddr, ModuleInstance, Name, ResourceAddr};
use crate::change::Action;
use crate::config::{Check, CheckRule};
use crate::diag::{Diagnostic, Diagnostics, Severity};
use crate::graph::{ModuleId, NodeId};
use crate::lang::eval::{Scope, evaluate};
use crate::value::Value;

use super::model::{Plan, PlannedChange};
use super::scope::{Functions, ModuleScope, Surroundings, Variables};

/// Whether a condition holds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum CheckStatus {
    /// It does.
    Pass,
    /// Only apply will tell.
    Unknown,
    /// It does not.
    Fail,
}

/// What has conditions.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Checkable {
    /// An output with preconditions.
    Output(Name),
    /// A resource or data source with conditions.
    Resource(ResourceAddr),
    /// A variable with validations.
    Variable(Name),
    /// A `check` block.
    Check(Name),
}

/// One block with conditions, and how they stand in each of its copies.
#[derive(Clone, Debug)]
pub struct Checked {
    /// Its layer.
    pub layer: LayerName,
    /// Its module.
    pub module: ModuleAddr,
    /// The block.
    pub what: Checkable,
    /// Each copy.
    pub copies: Vec<(ModuleInstance, Option<InstanceKey>, CheckStatus)>,
    /// What was said of each copy of a `check` block that does not hold.
    pub problems: Vec<Vec<String>>,
}

impl Checked {
    /// How the block stands as a whole: as the worst of its copies.
    pub fn status(&self) -> CheckStatus {
        self.copies.iter().map(|(_, _, status)| *status).max().unwrap_or(CheckStatus::Pass)
    }
}

/// All blocks with conditions: by module, then outputs, resources, variables, each by name.
pub fn checks(plan: &Plan, functions: &Functions<'_>) -> Vec<Checked> {
    let Some(segment) = plan.segment.as_deref() else { return Vec::new() };
    let around = Surroundings {
        config: &segment.config,
        graph: &segment.graph,
        world: &segment.world,
        states: &[],
        functions,
        variables: Variables::Given,
    };
    let mut planned: HashMap<NodeId, Vec<&PlannedChange>> = HashMap::new();
    for one in plan.changes.iter().filter(|one| stays(one)) {
        if let Some(node) = one.work.node {
            planned.entry(node).or_default().push(one);
        }
    }
    let mut all = Vec::new();
    for index in 0..segment.graph.modules.len() {
        module(&planned, around, ModuleId(index as u32), &mut all);
    }
    all
}

fn module(
    planned: &HashMap<NodeId, Vec<&PlannedChange>>,
    around: Surroundings<'_>,
    id: ModuleId,
    all: &mut Vec<Checked>,
) {
    let node = around.graph.module(id);
    let content = &node.module;
    let mut add = |what: Checkable, copies: Vec<_>| {
        let layer = around.graph.layers[node.layer].clone();
        all.push(Checked { layer, module: node.addr.clone(), what, copies, problems: Vec::new() });
    };
    let each_copy = |rules: &[CheckRule]| {
        let copies = around.world.copies_of(id).iter();
        let of = |copy: &super::world::CopyId| {
            let status = status(rules, &ModuleScope::plain(around, *copy));
            (around.world.copy(*copy).addr.clone(), None, status)
        };
        copies.map(of).collect::<Vec<_>>()
    };
    for output in content.outputs.values().filter(|output| !output.preconditions.is_empty()) {
        add(Checkable::Output(output.name.clone()), each_copy(&output.preconditions));
    }
    for resource in content.resources.values() {
        let lifecycle = &resource.lifecycle;
        if lifecycle.preconditions.is_empty() && lifecycle.postconditions.is_empty() {
            continue;
        }
        let Some(offset) = node.shape.resource(&resource.addr) else { continue };
        let at = around.graph.at(id, offset);
        let rules = [lifecycle.preconditions.as_slice(), lifecycle.postconditions.as_slice()];
        let copies = planned.get(&at).into_iter().flatten().map(|planned| {
            let addr = &planned.change.addr;
            (addr.module.clone(), addr.key.clone(), of_instance(around, planned, rules))
        });
        add(Checkable::Resource(resource.addr.clone()), copies.collect());
    }
    for variable in content.variables.values().filter(|variable| !variable.validations.is_empty()) {
        add(Checkable::Variable(variable.name.clone()), each_copy(&variable.validations));
    }
    for block in &content.checks {
        let copies = around.world.copies_of(id).iter();
        let found = copies.map(|copy| {
            let problems = problems(block, &ModuleScope::plain(around, *copy));
            (around.world.copy(*copy).addr.clone(), problems)
        });
        let (copies, problems) =
            found.map(|(module, Problems { status, messages, .. })| ((module, None, status), messages)).unzip();
        let layer = around.graph.layers[node.layer].clone();
        let what = Checkable::Check(block.name.clone());
        all.push(Checked { layer, module: node.addr.clone(), what, copies, problems });
    }
}

/// How every summary about an assertion begins.
pub const CHECK_SUMMARY: &str = "Check block assertion";

/// How one copy of a `check` block stands.
struct Problems {
    status: CheckStatus,
    /// Warnings about assertions that do not hold.
    failures: Vec<Diagnostic>,
    /// Their messages, sorted; one that is not known yet is left out.
    messages: Vec<String>,
    /// Warnings about those that only apply can tell.
    open: Vec<Diagnostic>,
}

/// How one copy of a `check` block stands, and what it says.
pub(super) fn problems_of(block: &Check, scope: &dyn Scope) -> (CheckStatus, Vec<String>) {
    let Problems { status, messages, .. } = problems(block, scope);
    (status, messages)
}

fn problems(block: &Check, scope: &dyn Scope) -> Problems {
    let mut found =
        Problems { status: CheckStatus::Pass, failures: Vec::new(), messages: Vec::new(), open: Vec::new() };
    for rule in &block.asserts {
        let said = super::values::check(rule, scope, "Check block assertion failed");
        if said.is_empty() && status(std::slice::from_ref(rule), scope) == CheckStatus::Unknown {
            found.status = found.status.max(CheckStatus::Unknown);
            let detail =
                "The condition could not be evaluated at this time, a result will be known when this plan is applied.";
            let diagnostic = Diagnostic::warning("Check block assertion known after apply", detail);
            found.open.push(diagnostic.at(rule.condition.span).of_rule(rule.span));
        }
        for mut diagnostic in said {
            found.status = CheckStatus::Fail;
            diagnostic.severity = Severity::Warning;
            let message = evaluate(&rule.error_message, scope).value;
            if message.is_none_or(|message| message.is_known()) {
                found.messages.push(diagnostic.detail.clone());
            }
            found.failures.push(diagnostic);
        }
    }
    found.messages.sort();
    found
}

/// What the assertions of all `check` blocks say: warnings, whatever is wrong. While planning, also which of them only apply
/// can tell.
pub fn assertions(around: Surroundings<'_>, planning: bool) -> Diagnostics {
    let mut said = Diagnostics::none();
    for (index, node) in around.graph.modules.iter().enumerate() {
        for block in &node.module.checks {
            for copy in around.world.copies_of(ModuleId(index as u32)) {
                let Problems { failures, open, .. } = problems(block, &ModuleScope::plain(around, *copy));
                let within = format!("check {:?}", block.name.as_str());
                let all: Diagnostics = failures.into_iter().chain(open.into_iter().filter(|_| planning)).collect();
                said.append(all.located(Some(block.span), Some(&within)));
            }
        }
    }
    said
}

pub(super) fn stays(planned: &PlannedChange) -> bool {
    planned.change.deposed.is_none() && !matches!(planned.change.action, Action::Delete | Action::Forget)
}

fn of_instance(around: Surroundings<'_>, planned: &PlannedChange, rules: [&[CheckRule]; 2]) -> CheckStatus {
    let Some(copy) = planned.work.copy.filter(|_| planned.pending.is_none()) else { return CheckStatus::Unknown };
    let mut scope = ModuleScope { around, copy, repetition: &planned.work.repetition, this: None };
    let before = status(rules[0], &scope);
    scope.this = Some(&planned.change.after);
    before.max(status(rules[1], &scope))
}

pub(super) fn status(rules: &[CheckRule], scope: &dyn Scope) -> CheckStatus {
    let of = |rule: &CheckRule| match evaluate(&rule.condition, scope).value {
        Some(value) if !value.is_known() => CheckStatus::Unknown,
        Some(value) if value.bare() == &Value::Bool(false) => CheckStatus::Fail,
        Some(_) => CheckStatus::Pass,
        None => CheckStatus::Unknown,
    };
    rules.iter().map(of).max().unwrap_or(CheckStatus::Pass)
}
