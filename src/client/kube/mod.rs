//! The Kubernetes API as a client sees it.
//!
//! In: how to reach a cluster ([`Settings`], or a service in this process), kinds and objects as JSON. Out: objects, changes, connections into
//! pods, and why a workload is not ready; or one [`KubeError`] that tells apart what the user can do about it. Not here: which objects
//! there shall be (`providers::kubernetes`), the API itself (`sandbox`).

mod approval;
mod call;
mod causes;
mod connect;
mod credentials;
mod discovery;
mod error;
mod exec;
mod explain;
mod feed;
mod pace;
mod ready;
mod tunnel;
pub mod types;
mod version;
mod wait;
mod watch;

pub use call::{Apply, Kube, List, Select, Write};
pub use connect::{Exec, InCluster, Settings, connect};
pub use error::{FieldProblem, KubeError};
pub use exec::Output;
pub use explain::{ClaimState, Explanation, PodState, ServiceState, selector_of};
pub use pace::IN_FLIGHT;
pub use ready::{Readiness, condition, readiness};
pub use tunnel::Target;
pub use wait::{Test, WaitError, Waiting};
pub use watch::{Event, Watch};
