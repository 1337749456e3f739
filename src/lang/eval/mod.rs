//! Expressions to values: scopes, references, evaluation.
//!
//! In: an expression and a [`Scope`] that gives values to what it names. Out: a value (unknown parts and marks inside) and
//! what is to be said about it, in Terraform's words. Not here: the functions themselves (`functions`), state and plans.
//!
//! Invariants: evaluation has no effects of its own; it recurses as deep as brackets are nested (which the parser limits) and
//! walks chains of operators and attributes by loop.

mod budget;
mod call;
mod collection;
mod evaluator;
mod find;
mod involved;
mod operate;
mod operator;
mod reference;
mod root;
mod scope;
mod template;
#[cfg(test)]
mod tests;
mod traversal;
mod traverse;

pub use evaluator::evaluate;
pub(crate) use evaluator::{Evaluator, Failed};
pub use find::{Finder, first_name, has_call, references};
pub use involved::{Blame, describe, involved};
pub use reference::{Found, Reference};
pub use scope::{Repeats, Scope};
pub use template::TEMPLATES;
pub use traversal::{Ingredients, Traversal, ingredients};
