//! Clients of the protocols that providers and gates speak.
//!
//! In: addresses, credentials and what to ask. Out: answers, or one error enum a protocol that tells apart what the user can
//! do something about. Not here: what the answers mean (`providers`, `gate`), the engine.
//!
//! | client | speaks |
//! | --- | --- |
//! | [`ssh`] | commands and files on a host |
//! | [`http`] | HTTP over TLS or plain, over the network or a given stream |
//! | [`sql`] | PostgreSQL |
//! | [`redis`] | Redis |
//! | [`kube`] | the Kubernetes API, commands and ports of pods, why a workload is not ready |
//! | [`s3`] | S3, one bucket |
//! | [`process`] | programs on this machine, by argument vector |
//!
//! Beneath them: [`stream`] opens connections, [`tls`] makes them confidential, [`retry`] says when to try again.

mod distrust;
pub mod http;
pub mod kube;
pub mod process;
pub mod redis;
pub mod retry;
pub mod s3;
mod secret;
pub mod sql;
pub mod ssh;
pub mod stream;
pub mod tls;

pub use distrust::{Distrust, distrust};
pub use secret::Secret;

/// What an error says together with its causes, once each, outermost first.
pub fn reason(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        // Many libraries repeat the cause in their own text.
        if !text.contains(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        cause = error.source();
    }
    text
}
