//! The table of known differences: each row names a case, and why our answer to it is another one than the real program's. A row
//! whose difference is gone fails its suite. Beside these: `expressions/known.txt`, expressions of random making, and
//! `tests/cli/plan_text/document.rs`, two places of JSON plans.

pub mod commands;
pub mod compat;
pub mod corpus;
pub mod documents;
pub mod modules;
pub mod opentofu;
pub mod runs;
pub mod sequences;
pub mod tested;
pub mod validate;
