//! Gates: health checks that must pass before the next phase may start.
//!
//! In: a [`Spec`] (which check, its arguments as a value of its schema, how long to try) and its surroundings (a cluster if it
//! needs one, whether everything is simulated). Out: events while it waits, and a [`Report`], or an error that explains what is
//! wrong with what the gate looks at. Not here: when a gate runs and what its expressions mean (`apply`, `ops`).
//!
//! Invariants: a gate changes nothing; no try outlives the gate's time-out; a password is in no message.

mod check;
mod cluster;
mod database;
mod explain;
mod place;
mod program;
mod run;
mod schemas;
mod timing;
mod web;

pub use run::{Around, Cluster, NoCluster, Report, Spec, run};
pub use schemas::{KINDS, schema};
pub use timing::{Timing, timing_schema};

#[cfg(test)]
mod tests;
