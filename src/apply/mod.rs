//! Applying: carries out a plan, exactly those changes, in parallel where the order allows.
//!
//! In: a [`Plan`](crate::plan::Plan), one state writer per layer, the wish to stop. Out: [`Report`]; events on the way. Every
//! result is durable before it is reported or anything that needs it starts. Not here: whether something should be done
//! (`plan`), approval and the loop over segments (`ops`). `apply` re-evaluates arguments only.

mod actions;
mod call;
mod critical;
mod ephemeral;
pub mod gates;
mod phases;
mod pools;
mod prepare;
mod provision;
mod record;
mod report;
mod run;
mod values;
mod write;

pub use crate::event::Stop;
pub use gates::{Clusters, GateContext};
pub use record::Dependencies;
pub use report::{PhaseReport, Report};
pub use run::{Inputs, run};
