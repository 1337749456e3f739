//! The contracts between the engine and everything that can touch the world.
//!
//! A [`Provider`] is a type: it knows schemas. Only a [`Configured`] one can be asked to do something. The [`Registry`]
//! resolves a provider on demand from the sources the program was started with. Not here: any provider (`providers`),
//! anything of the engine: providers never see it.

mod contract;
mod in_state;
mod made_up;
pub mod mock;
mod registry;

pub use contract::{
    Applied, ApplyRequest, Boxed, Configured, DataRequest, Identity, ImportRequest, Imported, InvokeRequest, Limits,
    MoveRequest, Moved, Now, OpenRequest, Opened, PlanRequest, Planned, Progress, Provider, ProviderSchema,
    ReadRequest, ReadResult, Recovered, SilentProgress, answering,
};
pub use in_state::{InState, StateOnly, plan_by_schema, unknown_kind};
pub use registry::{ProviderFactory, Registry, StandIns};
