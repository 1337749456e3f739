//! Planning: compares configuration with state and proposes changes. Writes nothing, takes no lock.
//!
//! In: [`Config`](crate::config::Config), stored states, providers. Out: a [`Plan`] (one segment: what can be planned with
//! what is known now) and the order of its [`Steps`]. Not here: carrying out (`apply`), the loop over segments and approval
//! (`ops`), drawing (`view`).

mod actions;
mod checks;
mod copies;
mod ends;
pub mod ephemeral;
pub mod expand;
mod found;
pub mod gates;
mod ignore;
mod import;
mod inherit;
mod instance;
mod judge;
pub mod keyed;
mod model;
mod moves;
mod objects;
mod options;
mod order;
mod orphan;
mod outputs;
mod prior;
pub mod provider;
mod provision;
mod reading;
mod refresh;
pub mod remote;
mod removed;
mod results;
pub mod rules;
mod run;
pub mod scope;
mod storable;
mod subjects;
mod trigger;
pub mod values;
mod waits;
mod walk;
pub mod world;

pub use actions::{Invocation, Triggered};
pub use checks::{Assertions, CHECK_SUMMARY, Checkable, Checked, assertions};
pub use found::Found;
pub use ignore::ignore_changes;
pub use instance::schema_of;
pub use model::{
    GateDecision, GatePlan, LayerPlan, OutputChange, PhasePlan, Plan, PlanMode, PlannedChange, Segment, Work,
};
pub use moves::relocated;
pub use options::Options;
pub use order::{Call, StepKind, Steps, order};
pub use results::results;
pub use rules::CheckStatus;
pub use run::{run, values as evaluate};
pub use walk::block_name;
