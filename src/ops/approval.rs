//! What the user has agreed to: a set of addresses and actions, and whether a later segment keeps to it.

use foldhash::HashSet;

use crate::addr::{InstanceKey, Pattern};
use crate::change::Action;
use crate::plan::{Plan, PlannedChange};

/// What is put before the user.
pub struct Question<'a> {
    /// The plan of this segment.
    pub plan: &'a Plan,
    /// What is in it beyond what was agreed to: empty for the first segment, which is asked about as a whole.
    pub beyond: Vec<&'a PlannedChange>,
    /// What would be lost with the source of its provider's configuration.
    pub lost: Vec<&'a PlannedChange>,
    /// Whether this is the first segment.
    pub first: bool,
}

/// The user's answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Answer {
    /// Go on.
    Yes,
    /// Do nothing.
    No,
    /// There is nobody to ask.
    Nobody,
}

/// Asks the user.
pub trait Approve: Send {
    /// Puts a question; called once for each plan that goes beyond what was agreed to.
    fn ask(&mut self, question: &Question<'_>) -> Answer;

    /// Shows a plan that needs no question: the first one, and every further one that keeps to what was agreed to.
    fn show(&mut self, plan: &Plan) {
        let _ = plan;
    }

    /// Hears what a saved plan does, which was shown when it was made.
    fn begins(&mut self, plan: &Plan) {
        let _ = plan;
    }
}

/// What was agreed to.
#[derive(Clone, Debug, Default)]
pub struct Approval {
    exact: HashSet<(String, Action)>,
    patterns: Vec<(Pattern, Action)>,
    /// `-auto-approve`: creates and updates need no listing.
    automatic: bool,
}

impl Approval {
    /// Nothing is agreed to yet; with `automatic`, creates and updates are from the first.
    pub fn new(automatic: bool) -> Self {
        Approval { automatic, ..Approval::default() }
    }

    /// Adds everything in a plan.
    pub fn add(&mut self, plan: &Plan) {
        for planned in &plan.changes {
            let change = &planned.change;
            let is_open = change.key_is_open();
            let action = change.action;
            if action == Action::NoOp && planned.pending.is_none() {
                continue;
            }
            if is_open {
                let pattern = Pattern { key: None, ..Pattern::of(&change.addr) };
                self.patterns.push((pattern, Action::Create));
                continue;
            }
            self.exact.insert((name(planned), action));
            if planned.pending.is_some() || planned.lost_with.is_some() {
                // What was listed as pending may turn out to be an update, what is lost is made again.
                self.exact.insert((name(planned), Action::Create));
                self.exact.insert((name(planned), Action::Update));
            }
        }
    }

    /// Whether a change keeps to what was agreed to.
    pub fn covers(&self, planned: &PlannedChange) -> bool {
        match planned.change.action {
            Action::NoOp | Action::Read => true,
            action @ (Action::Create | Action::Update) => self.automatic || self.is_listed(planned, action),
            action @ (Action::Delete | Action::DeleteThenCreate | Action::CreateThenDelete | Action::Forget) => {
                self.is_listed(planned, action)
            }
        }
    }

    fn is_listed(&self, planned: &PlannedChange, action: Action) -> bool {
        self.exact.contains(&(name(planned), action))
            // The old object of an approved replacement may be removed by a later segment.
            || (planned.change.deposed.is_some()
                && self.exact.contains(&(planned.change.addr.in_project(true), Action::CreateThenDelete)))
            || self.patterns.iter().any(|(pattern, of)| *of == action && pattern.matches(&planned.change.addr))
    }
}

fn name(planned: &PlannedChange) -> String {
    let addr = planned.change.addr.in_project(true);
    match &planned.change.deposed {
        Some(key) => format!("{addr} deposed {key}"),
        None => addr,
    }
}

impl crate::change::Change {
    /// Whether it stands for copies whose keys are not known yet.
    pub fn key_is_open(&self) -> bool {
        let unknown = |key: &Option<InstanceKey>| *key == Some(InstanceKey::Unknown);
        unknown(&self.addr.key) || self.addr.module.steps().iter().any(|step| unknown(&step.key))
    }
}
