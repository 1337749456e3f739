//! Gates: health checks that must pass before the next phase may start.
//!
//! In: a [`Spec`] (which check, its arguments as a value of its schema, how long to try) and its surroundings (a cluster if it
//! needs one, whether everything is simulated). Out: events while it waits, and a [`Report`], or an error that explains what is
//! wrong with what the gate looks at. Beside that, from arguments alone, what a gate looks at ([`subjects`]) and which resource makes such
//! an object ([`Made`]). Not here: whether and when a gate runs (`plan`), and what its expressions mean (`apply`, `ops`).
//!
//! Invariants: a gate changes nothing; no try outlives the gate's time-out; a password is in no message.

mod absent;
mod check;
mod cluster;
mod database;
mod explain;
mod made;
mod place;
mod program;
mod run;
mod schemas;
mod subject;
mod timing;
mod web;

pub use absent::{Absent, KnownFrom};
pub use made::{Fit, Made, Others, is_behind, makes_others, stands_for};
pub use run::{Around, Cluster, NoCluster, Report, Spec, run};
pub use schemas::{KINDS, schema};
pub use subject::{ObjectName, Subject, subjects};
pub use timing::{Timing, timing_schema};

#[cfg(test)]
mod tests;
