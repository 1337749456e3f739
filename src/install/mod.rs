//! Fetching what configuration needs from elsewhere: packages of modules.
//!
//! In: a source address, a place to put it. Out: a folder with the package's files. Not here: which modules are missing and
//! the manifest of those that are there (`config`), the loop that fetches until nothing is missing (`ops`).
//!
//! Everything that is fetched is taken for hostile: arguments never reach a shell, archives cannot write outside of their
//! folder, links cannot lead out of it, and sizes are bounded.

mod archive;
mod copy;
mod draft;
mod error;
mod fetch;
mod git;
mod mirror;
mod query;
mod web;

pub use copy::copy_visible;
pub use draft::Draft;
pub use error::FetchError;
pub use fetch::fetch;
pub use mirror::{Found, Mirror};
