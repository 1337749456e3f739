//! Suites that every implementation of a contract has to pass.

mod commands;
mod compat;
mod console;
mod corpus;
mod coverage;
mod documents;
mod expressions;
mod fmt;
mod known;
mod kubernetes;
mod looking;
mod modules;
mod opentofu;
mod page;
pub mod peer;
mod runs;
mod sequences;
mod spoken;
mod state_on_stores;
mod stores;
mod tested;
mod validate;
mod workspaces;
mod workspaces_in_a_bucket;
