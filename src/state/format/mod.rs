//! Terraform's state format, version 4: bytes to [`State`](super::State) and back.
//!
//! In: the bytes of a state file (or one instance of it, as the journal keeps them). Out: the state, or why it cannot be read.
//! What is written is read by `terraform` and `tofu`, what they write is read here; fields that mean nothing to this program
//! survive. Not here: where the bytes come from (`store`).
//!
//! The format as found in files written by Terraform 1.11: top level `version`, `terraform_version`, `serial`, `lineage`,
//! `outputs`, `resources`, `check_results`; a resource has `module`, `mode`, `type`, `name`, `provider`, `instances`; an
//! instance has `index_key`, `status`, `deposed`, `schema_version`, `attributes`, `sensitive_attributes`, `identity`,
//! `identity_schema_version`, `private` (base64), `dependencies`, `create_before_destroy`.

mod compact;
mod names;
mod portions;
mod read;
#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests;
mod write;

pub use names::{parse_config_resource, parse_provider};
pub use read::read;
pub use write::write;

pub(super) use compact::compact;
pub(super) use names::{Known, Place};
pub(super) use read::{InstanceIn, OutputIn, read_key};
pub(super) use write::{fields_of_instance, fields_of_object, fields_of_place, output_fields, text};

/// The version of the format.
pub const VERSION: u64 = 4;

/// Why bytes are no state that can be used.
#[derive(Debug, thiserror::Error)]
pub enum FormatError {
    /// Not JSON, or not of the right shape.
    #[error("it is not a state file: {0}")]
    Malformed(#[source] serde_json::Error),
    /// JSON nested more deeply than any real object.
    #[error("JSON in it is nested more than {} levels deep", compact::MAX_DEPTH)]
    TooDeep,
    /// A JSON object without a `version`.
    #[error("it has no \"version\"")]
    NoVersion,
    /// A version from the future.
    #[error(
        "it has format version {version}, written by version {program} of another program; this one knows version 4"
    )]
    Newer {
        /// The version it has.
        version: u64,
        /// What wrote it.
        program: String,
    },
    /// A version from before Terraform 0.12.
    #[error("it has format version {0}; Terraform 0.12 or later turns it into version 4")]
    Older(u64),
    /// Encrypted by OpenTofu.
    #[error("it is encrypted by OpenTofu")]
    Encrypted,
    /// A resource stands in it twice.
    #[error("{0} stands in it twice")]
    Twice(String),
    /// An instance has attributes in the form of Terraform 0.11 only.
    #[error("{0} was last written by Terraform 0.11; refresh it with Terraform 0.12 or later first")]
    Flat(String),
    /// Something in it is not what it must be.
    #[error("{place}: {what}")]
    Invalid {
        /// Where: the address of the resource, or the name of the output.
        place: String,
        /// What is wrong.
        what: String,
    },
}
