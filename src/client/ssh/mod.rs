//! SSH: commands and files on a host that is reached by the secure shell protocol.
//!
//! In: a [`Target`] (address, user, ways to log in, the host keys that are accepted) and argument vectors or file contents.
//! Out: exit codes with bounded output, files read and written, or an [`SshError`] that says what to do next.
//! Not here: what is done on the host (`providers/ssh`, `providers/k3s`).
//!
//! Invariants: no session carries anything before its host key was found among the accepted ones (nothing is trusted on
//! first use); no secret appears in an error or in `Debug`; a file is either the former one or the new one, never half of it.

mod arguments;
mod client;
mod error;
mod exec;
mod file;
mod hostkey;
mod quote;
mod session;
mod target;
mod tunnel;

pub use arguments::{Host, Hosts, Surroundings, attributes, target_of, validate};
pub use client::Client;
pub use error::SshError;
pub use exec::{Exec, ExecOutput, OutputLine};
pub use file::{FileError, RemoteFile, Upload};
pub use hostkey::{HostKeyError, HostKeys, Verdict, fingerprint};
pub use quote::{join, quote};
pub use target::{Login, Target};
