//! The SSH client against a real sshd.

mod client;
mod files;
pub mod sshd;
