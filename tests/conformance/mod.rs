//! Suites that every implementation of a contract has to pass.

mod corpus;
mod fmt;
mod known;
mod kubernetes;
mod modules;
mod opentofu;
pub mod peer;
mod sequences;
mod state_on_stores;
mod stores;
mod tested;
mod validate;
