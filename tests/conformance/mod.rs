//! Suites that every implementation of a contract has to pass.

mod kubernetes;
mod state_on_stores;
mod stores;
