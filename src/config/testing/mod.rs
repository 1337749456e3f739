//! Test files: what `infra test` runs, mocks and expects.
//!
//! In: a folder, its folder of tests, `-filter`. Out: a [`Suite`] of files with their runs, and the [`Config`] of each run: the
//! module that it tests, with the test's own provider blocks and values in place of the module's. Not here: running them (`ops`),
//! mocked values (`provider`).
//!
//! [`Config`]: super::Config

mod assemble;
mod find;
mod mock;
mod model;
mod options;
mod read;
mod run;

pub use assemble::{Stub, TestSetting, assemble};
pub use find::{TestLoad, check_expected, check_tests, load_tests};
pub use model::{
    During, Expected, MockBlock, MockKind, OverrideBlock, Suite, TestCommand, TestFile, TestMode, TestModule, TestRun,
};
