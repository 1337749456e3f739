//! Native providers, one folder each, with the names, schemas and ids of the Terraform providers they stand for.
//!
//! In: a provider's source address. Out: the provider, through [`native`]. Not here: the contracts (`provider`), what two
//! providers share (`client`), external plugins. No provider knows another one or the engine.

mod http;
mod k3s;
pub mod kubernetes;
mod local;
mod native;
mod null;
mod over_ssh;
mod prose;
mod random;
mod ssh;
mod terraform;
mod time;
mod versions;

pub use native::{Native, Settings, native};
pub use terraform::{NoRemoteState, RemoteState, RemoteStateRequest, StoredStates};
pub use versions::version_of;
