//! The language: text to AST, expressions to values.
//!
//! `syntax` reads text, `eval` evaluates expressions in a scope, `functions` holds the built-in functions, `decode` turns
//! a block's body into a value of a schema. Not here: which blocks mean what (`config`), state, plans.
//!
//! Invariants: parsing never fails (it returns an AST and diagnostics); evaluation knows neither state nor plan.

pub mod decode;
pub mod eval;
pub mod format;
pub mod functions;
pub mod generate;
pub mod syntax;
