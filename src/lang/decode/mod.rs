//! A body and a schema to a value; type constraints to types.
//!
//! In: a body of the syntax tree, the schema of what it describes, a scope for its expressions. Out: the object of the schema's
//! type, with unknown parts and marks inside, and what is to be said. Used alike for resources, providers, gates and stores.
//! Not here: meta-arguments such as `count` (`config` takes them out of the body), what the values mean.
//!
//! Invariant: the value given back is of the schema's type, whatever was written.

mod body;
mod constraint;
mod defaults;
mod dynamic;
mod gather;
#[cfg(test)]
mod tests;

pub use body::decode;
pub use constraint::{constant, pure_context, type_constraint};
pub use defaults::Defaults;
pub use gather::{gather, references_in};
