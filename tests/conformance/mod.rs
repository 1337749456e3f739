//! Suites that every implementation of a contract has to pass.

mod fmt;
mod kubernetes;
mod sequences;
mod state_on_stores;
mod stores;
mod validate;
