//! Changes: what is to happen to an instance, and why.
//!
//! In: `plan` proposes them. Out: `apply` carries them out, `view` shows them. Not here: how they are found or executed.

use std::fmt;

use crate::addr::{DeposedKey, InstanceAddr, ProviderConfigAddr};
use crate::value::{Path, Value};

/// What is to happen. Matched exhaustively everywhere.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Action {
    /// Nothing.
    NoOp,
    /// Make a new object.
    Create,
    /// Read a data source during apply.
    Read,
    /// Change the object in place.
    Update,
    /// Remove the object.
    Delete,
    /// Replace: remove the object, then make a new one.
    DeleteThenCreate,
    /// Replace: make a new object, then remove the old one.
    CreateThenDelete,
    /// Remove from state, leave the object alone.
    Forget,
}

impl Action {
    /// Whether an object is replaced by a new one, in either order.
    pub fn is_replace(self) -> bool {
        matches!(self, Action::DeleteThenCreate | Action::CreateThenDelete)
    }

    /// Whether an existing object is removed.
    pub fn deletes(self) -> bool {
        matches!(self, Action::Delete | Action::DeleteThenCreate | Action::CreateThenDelete)
    }

    /// Whether a new object is made.
    pub fn creates(self) -> bool {
        matches!(self, Action::Create | Action::DeleteThenCreate | Action::CreateThenDelete)
    }

    /// Terraform's names in JSON plans (`change.actions`).
    pub fn json_names(self) -> &'static [&'static str] {
        match self {
            Action::NoOp => &["no-op"],
            Action::Create => &["create"],
            Action::Read => &["read"],
            Action::Update => &["update"],
            Action::Delete => &["delete"],
            Action::DeleteThenCreate => &["delete", "create"],
            Action::CreateThenDelete => &["create", "delete"],
            Action::Forget => &["forget"],
        }
    }

    /// The marker before a line of plan text.
    pub fn symbol(self) -> &'static str {
        match self {
            Action::NoOp => " ",
            Action::Create => "+",
            Action::Read => "<=",
            Action::Update => "~",
            Action::Delete => "-",
            Action::DeleteThenCreate => "-/+",
            Action::CreateThenDelete => "+/-",
            Action::Forget => ".",
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Action::NoOp => "no-op",
            Action::Create => "create",
            Action::Read => "read",
            Action::Update => "update",
            Action::Delete => "delete",
            Action::DeleteThenCreate => "delete then create",
            Action::CreateThenDelete => "create then delete",
            Action::Forget => "forget",
        })
    }
}

/// Why an action other than the obvious one was chosen. Terraform's `action_reason`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Reason {
    /// The object is tainted.
    ReplaceBecauseTainted,
    /// An attribute cannot be changed in place.
    ReplaceBecauseCannotUpdate,
    /// `-replace` asked for it.
    ReplaceByRequest,
    /// Something in `replace_triggered_by` changes.
    ReplaceByTriggers,
    /// The block is gone.
    DeleteBecauseNoResourceConfig,
    /// The module call is gone.
    DeleteBecauseNoModule,
    /// The key is no longer in `for_each`.
    DeleteBecauseEachKey,
    /// The index is beyond `count`.
    DeleteBecauseCountIndex,
    /// The block is switched off.
    DeleteBecauseEnabledFalse,
    /// The block has gained or lost `count` or `for_each`.
    DeleteBecauseWrongRepetition,
    /// A `moved` block has moved it to where nothing is written.
    DeleteBecauseNoMoveTarget,
    /// The object is deposed: left over from an earlier replacement.
    DeleteDeposed,
    /// The data source's arguments are not known yet.
    ReadBecauseConfigUnknown,
    /// What the data source depends on has changes.
    ReadBecauseDependencyPending,
    /// It belongs to a check, which every apply makes.
    ReadBecauseCheckNested,
}

impl Reason {
    /// Terraform's name of it in JSON plans.
    pub fn json_name(self) -> &'static str {
        match self {
            Reason::ReplaceBecauseTainted => "replace_because_tainted",
            Reason::ReplaceBecauseCannotUpdate => "replace_because_cannot_update",
            Reason::ReplaceByRequest => "replace_by_request",
            Reason::ReplaceByTriggers => "replace_by_triggers",
            Reason::DeleteBecauseNoResourceConfig => "delete_because_no_resource_config",
            Reason::DeleteBecauseNoModule => "delete_because_no_module",
            Reason::DeleteBecauseEachKey => "delete_because_each_key",
            Reason::DeleteBecauseCountIndex => "delete_because_count_index",
            Reason::DeleteBecauseEnabledFalse => "delete_because_enabled_false",
            Reason::DeleteBecauseWrongRepetition => "delete_because_wrong_repetition",
            Reason::DeleteBecauseNoMoveTarget => "delete_because_no_move_target",
            Reason::DeleteDeposed => "delete_because_deposed",
            Reason::ReadBecauseConfigUnknown => "read_because_config_unknown",
            Reason::ReadBecauseDependencyPending => "read_because_dependency_pending",
            Reason::ReadBecauseCheckNested => "read_because_check_nested",
        }
    }
}

/// A change of one instance (or of one deposed object of it).
#[derive(Clone, Debug)]
pub struct Change {
    /// Whose.
    pub addr: InstanceAddr,
    /// The deposed object, when it is not the current one.
    pub deposed: Option<DeposedKey>,
    /// Where it was before a `moved` block renamed it.
    pub previous: Option<InstanceAddr>,
    /// What is to happen.
    pub action: Action,
    /// Why, where that is not obvious.
    pub reason: Option<Reason>,
    /// The object as it is; null for a new one. Marks inside.
    pub before: Value,
    /// The object as it shall be, unknown where only the apply will tell; null for a removed one. Marks inside.
    pub after: Value,
    /// Attributes that cannot be changed in place.
    pub replace_paths: Vec<Path>,
    /// The id that is being imported.
    pub importing: Option<String>,
    /// The resource block that was written from what the import found.
    pub generated: Option<std::sync::Arc<str>>,
    /// The provider configuration that is asked.
    pub provider: ProviderConfigAddr,
}

impl Change {
    /// Whether nothing happens at all: neither to the object nor to its address.
    pub fn is_noop(&self) -> bool {
        self.action == Action::NoOp && self.previous.is_none() && self.importing.is_none()
    }
}

/// How many changes of each kind: the numbers of `Plan: 1 to import, 2 to add, 1 to change, 0 to destroy.`
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    /// Objects taken over.
    pub import: usize,
    /// New objects, those of replacements included.
    pub add: usize,
    /// Objects changed in place.
    pub change: usize,
    /// Removed objects, those of replacements included.
    pub destroy: usize,
    /// Objects only forgotten.
    pub forget: usize,
    /// Actions invoked.
    pub invoke: usize,
}

impl Counts {
    /// Counts one more action.
    pub fn count(&mut self, action: Action) {
        match action {
            Action::NoOp | Action::Read => {}
            Action::Create => self.add += 1,
            Action::Update => self.change += 1,
            Action::Delete => self.destroy += 1,
            Action::DeleteThenCreate | Action::CreateThenDelete => {
                self.add += 1;
                self.destroy += 1;
            }
            Action::Forget => self.forget += 1,
        }
    }
}

/// What a remote call is about to do, written to the journal before the call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intent {
    /// Whose object.
    pub addr: InstanceAddr,
    /// The deposed object, when it is not the current one.
    pub deposed: Option<DeposedKey>,
    /// The kind of call.
    pub step: Step,
    /// A random text that the provider leaves on a new object where it can, so that the object can be recognised.
    pub nonce: String,
    /// The schema version and JSON of what the call is about: the prior object, or the planned one of a new object
    /// (unknown parts left out). Lets recovery find the object.
    pub schema_version: u64,
    /// See `schema_version`.
    pub object: std::sync::Arc<str>,
}

/// The kinds of remote calls; a replacement is two of them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Step {
    /// Makes a new object.
    Create,
    /// Changes an object.
    Update,
    /// Removes an object.
    Delete,
}
