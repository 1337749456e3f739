//! How the conditions of a configuration stand in a plan: validations, preconditions, postconditions, assertions.
//!
//! A plan in which one of an object or an output fails is no plan, so that what is left is whether it holds already or apply has
//! to tell. Assertions of `check` blocks may fail.

use std::collections::BTreeMap;

use foldhash::{HashMap, HashMapExt};

use crate::addr::{InstanceKey, LayerName, ModuleAddr, ModuleInstance, Name, ResourceAddr};
use crate::change::Action;
use crate::config::{Check, CheckRule, Resource};
use crate::diag::{Diagnostic, Diagnostics, Severity};
use crate::graph::{ModuleId, NodeId};
use crate::lang::eval::{Blame, involved};

use super::model::PlannedChange;
use super::rules::{CheckStatus, Verdict, judge, judge_all};
use super::scope::{ModuleScope, Surroundings};
use super::world::CopyId;

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
    /// Whether it was looked at: when everything goes, and of a part, assertions are not.
    pub told: bool,
}

impl Checked {
    /// How the block stands as a whole: as the worst of its copies.
    pub fn status(&self) -> CheckStatus {
        let worst = self.copies.iter().map(|(_, _, status)| *status).max();
        if self.told { worst.unwrap_or(CheckStatus::Pass) } else { CheckStatus::Unknown }
    }
}

/// All blocks with conditions: by module, then outputs, resources, variables, each by name.
pub(super) fn checks(
    around: Surroundings<'_>,
    changes: &[PlannedChange],
    asserted: Option<&Assertions>,
) -> Vec<Checked> {
    let planned = conditioned(around, changes);
    let mut all = Vec::new();
    for index in 0..around.graph.modules.len() {
        module(&planned, around, ModuleId(index as u32), asserted, &mut all);
    }
    all
}

/// Whether a block has conditions.
pub(super) fn has_conditions(resource: &Resource) -> bool {
    let lifecycle = &resource.lifecycle;
    !lifecycle.preconditions.is_empty() || !lifecycle.postconditions.is_empty()
}

/// The changes of blocks that have conditions.
pub(super) fn conditioned<'p>(
    around: Surroundings<'_>,
    changes: &'p [PlannedChange],
) -> HashMap<NodeId, Vec<&'p PlannedChange>> {
    let mut planned: HashMap<NodeId, Vec<&PlannedChange>> = HashMap::new();
    for one in changes.iter().filter(|one| stays(one)) {
        if let Some(node) = one.work.node
            && around.graph.resource(node).is_some_and(|(_, resource)| has_conditions(resource))
        {
            planned.entry(node).or_default().push(one);
        }
    }
    planned
}

fn module(
    planned: &HashMap<NodeId, Vec<&PlannedChange>>,
    around: Surroundings<'_>,
    id: ModuleId,
    asserted: Option<&Assertions>,
    all: &mut Vec<Checked>,
) {
    let node = around.graph.module(id);
    let content = &node.module;
    let layer = &around.graph.layers[node.layer];
    let mut add = |what: Checkable, copies: Vec<_>| {
        let (layer, module) = (layer.clone(), node.addr.clone());
        all.push(Checked { layer, module, what, copies, problems: Vec::new(), told: true });
    };
    let each_copy = |rules: &[CheckRule]| {
        let copies = around.world.copies_of(id).iter();
        let of = |copy: &CopyId| {
            let (status, _) = judge_all(rules, &ModuleScope::plain(around, *copy));
            (around.world.copy(*copy).addr.clone(), None, status)
        };
        copies.map(of).collect::<Vec<_>>()
    };
    for output in content.outputs.values().filter(|output| !output.preconditions.is_empty()) {
        add(Checkable::Output(output.name.clone()), each_copy(&output.preconditions));
    }
    for resource in content.resources.values().filter(|resource| has_conditions(resource)) {
        let Some(offset) = node.shape.resource(&resource.addr) else { continue };
        let lifecycle = &resource.lifecycle;
        let rules = [lifecycle.preconditions.as_slice(), lifecycle.postconditions.as_slice()];
        let copies = planned.get(&around.graph.at(id, offset)).into_iter().flatten().map(|planned| {
            let addr = &planned.change.addr;
            (addr.module.clone(), addr.key.clone(), of_instance(around, planned, rules))
        });
        add(Checkable::Resource(resource.addr.clone()), copies.collect());
    }
    for variable in content.variables.values().filter(|variable| !variable.validations.is_empty()) {
        add(Checkable::Variable(variable.name.clone()), each_copy(&variable.validations));
    }
    for block in &content.checks {
        let found = asserted.into_iter().flat_map(|asserted| asserted.of(id, block)).map(|(copy, judged)| {
            ((around.world.copy(copy).addr.clone(), None, judged.status), judged.messages.clone())
        });
        let (copies, problems) = found.unzip();
        let (layer, module, what) = (layer.clone(), node.addr.clone(), Checkable::Check(block.name.clone()));
        all.push(Checked { layer, module, what, copies, problems, told: asserted.is_some() });
    }
}

/// How every summary about an assertion begins.
pub const CHECK_SUMMARY: &str = "Check block assertion";

/// How one copy of a `check` block stands.
pub(super) struct Judged {
    pub(super) status: CheckStatus,
    /// What was said where it does not hold, sorted; what must not be shown or is not known yet is left out.
    pub(super) messages: Vec<String>,
    /// Warnings about assertions that do not hold, errors about those that are wrong.
    said: Vec<Diagnostic>,
    /// Warnings about those that only apply can tell.
    open: Vec<Diagnostic>,
}

/// How all copies of all `check` blocks stand, each evaluated once.
#[derive(Default)]
pub struct Assertions(BTreeMap<(ModuleId, Name, CopyId), Judged>);

/// Evaluates the assertions of all `check` blocks. Those that need something that failed are not: nobody can tell.
pub fn assertions(around: Surroundings<'_>, failed: &dyn Fn(NodeId) -> bool) -> Assertions {
    let mut all = BTreeMap::new();
    for (index, node) in around.graph.modules.iter().enumerate() {
        let module = ModuleId(index as u32);
        for block in &node.module.checks {
            let needs = around.graph.check_needs.get(&(module, block.name.clone()));
            let blocked = needs.into_iter().flatten().any(|need| failed(*need));
            for copy in around.world.copies_of(module) {
                let judged = match blocked {
                    true => Judged {
                        status: CheckStatus::Unknown,
                        messages: Vec::new(),
                        said: Vec::new(),
                        open: Vec::new(),
                    },
                    false => assert(block, module, &ModuleScope::plain(around, *copy)),
                };
                all.insert((module, block.name.clone(), *copy), judged);
            }
        }
    }
    Assertions(all)
}

impl Assertions {
    /// The copies of a block.
    pub(super) fn of(&self, module: ModuleId, block: &Check) -> impl Iterator<Item = (CopyId, &Judged)> {
        let (from, to) = (CopyId(0), CopyId(u32::MAX));
        let range = (module, block.name.clone(), from)..=(module, block.name.clone(), to);
        self.0.range(range).map(|((_, _, copy), judged)| (*copy, judged))
    }

    /// What they say: warnings where they do not hold, errors where they are wrong. While planning, also which of them only
    /// apply can tell.
    pub fn said(&self, around: Surroundings<'_>, planning: bool) -> Diagnostics {
        let mut said = Diagnostics::none();
        for (index, node) in around.graph.modules.iter().enumerate() {
            for block in &node.module.checks {
                let within = format!("check {:?}", block.name.as_str());
                for (_, judged) in self.of(ModuleId(index as u32), block) {
                    let open = judged.open.iter().filter(|_| planning);
                    let all: Diagnostics = judged.said.iter().chain(open).cloned().collect();
                    said.append(all.located(Some(block.span), Some(&within)));
                }
            }
        }
        said
    }
}

fn assert(block: &Check, module: ModuleId, scope: &ModuleScope<'_>) -> Judged {
    let mut found = Judged { status: CheckStatus::Pass, messages: Vec::new(), said: Vec::new(), open: Vec::new() };
    if let Some(why) = scope.around.unread(module, block, scope.copy) {
        // It has been said: the assertions can tell nothing.
        return Judged { status: CheckStatus::Fail, messages: vec![why.to_owned()], ..found };
    }
    for rule in &block.asserts {
        let Verdict { status, message, said } = judge(rule, scope, "Check block assertion failed");
        if status == CheckStatus::Unknown {
            let detail =
                "The condition could not be evaluated at this time, a result will be known when this plan is applied.";
            let mut diagnostic = Diagnostic::warning("Check block assertion known after apply", detail);
            diagnostic.values = involved(&rule.condition, scope, Blame::Nothing);
            found.open.push(diagnostic.at(rule.condition.span).of_rule(rule.span));
        }
        found.status = found.status.max(status);
        found.messages.extend(message);
        found.said.extend(said.into_iter().map(|mut diagnostic| {
            if diagnostic.rule.is_some() {
                diagnostic.severity = Severity::Warning;
            }
            diagnostic
        }));
    }
    found.messages.sort();
    found
}

impl Surroundings<'_> {
    /// Why the data block of a check could not be read.
    fn unread(&self, module: ModuleId, block: &Check, copy: CopyId) -> Option<&str> {
        let offset = self.graph.module(module).shape.resource(block.data.as_ref()?)?;
        self.world.unread(self.graph.at(module, offset), copy)
    }
}

pub(super) fn stays(planned: &PlannedChange) -> bool {
    planned.change.deposed.is_none() && !matches!(planned.change.action, Action::Delete | Action::Forget)
}

fn of_instance(around: Surroundings<'_>, planned: &PlannedChange, rules: [&[CheckRule]; 2]) -> CheckStatus {
    let Some(copy) = planned.work.copy.filter(|_| planned.pending.is_none()) else { return CheckStatus::Unknown };
    let mut scope = ModuleScope { around, copy, repetition: &planned.work.repetition, this: None };
    let (before, _) = judge_all(rules[0], &scope);
    scope.this = Some(&planned.change.after);
    before.max(judge_all(rules[1], &scope).0)
}
