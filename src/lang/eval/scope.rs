//! What an evaluation asks its surroundings for.

use crate::diag::{Diagnostic, Span};
use crate::lang::functions::{Context, Function};
use crate::value::Value;

use super::Reference;

/// How many values a block stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Repeats {
    /// One, without a key.
    Not,
    /// As many as its `count` says.
    Count,
    /// One for each key of its `for_each`.
    Each,
}

/// Gives values to references. `lang` knows nothing of where they come from.
pub trait Scope {
    /// The value of a reference, marks inside. The span is the place of the reference, for the error.
    ///
    /// # Errors
    /// When there is no such thing, or it may not be used here.
    fn resolve(&self, reference: &Reference, span: Span) -> Result<Value, Box<Diagnostic>>;

    /// What functions may see: base folder, files, the time of the plan.
    fn functions(&self) -> &Context<'_>;

    /// Whether a resource or module has copies, where that is known.
    fn repeats(&self, reference: &Reference) -> Option<Repeats> {
        let _ = reference;
        None
    }

    /// Whether a name stands for a value of its own here ([`Reference::Bare`]) and not for what it would be in a module,
    /// where `tags.env` is a resource of type `tags`. In tfvars files all names do, in the project file a few.
    fn is_bare(&self, name: &str) -> bool {
        let _ = name;
        false
    }

    /// A function of the provider that has this local name here.
    fn provided(&self, provider: &str, name: &str) -> Option<&'static Function> {
        let _ = (provider, name);
        None
    }

    /// Whether this is the console, which has a function more: `type`, for a whole line only.
    fn is_console(&self) -> bool {
        false
    }
}
