//! Test files as plain data.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::addr::{InstanceKey, LayerName, Mode, Name, Pattern};
use crate::diag::{SourceMap, Span};
use crate::lang::eval::Reference;
use crate::lang::syntax::ast::Attribute;
use crate::value::Value;

use super::super::Assignments;
use super::super::LoadOptions;
use super::super::folder::Reading;
use super::super::model::{CheckRule, Module, ProviderConfig, ProviderRef};

/// A folder of which the tests are read.
pub(super) struct Folder<'a> {
    /// How files are read.
    pub reading: Reading<'a>,
    /// How modules are found.
    pub load: &'a LoadOptions,
    /// The folder: sources of modules and of mocks are seen from it.
    pub dir: &'a Path,
    /// What is assigned to variables from outside of the tests.
    pub given: &'a Assignments,
}

impl<'a> Folder<'a> {
    /// The texts.
    pub fn sources(&self) -> &'a SourceMap {
        self.reading.sources
    }
}

/// Everything that is to be tested of a folder.
pub struct Suite {
    /// The folder.
    pub dir: PathBuf,
    /// Where modules are installed for it.
    pub data: PathBuf,
    /// The layer whose folder it is; the plain one without a project.
    pub layer: LayerName,
    /// The folder's own module.
    pub root: Arc<Module>,
    /// The test files: those beside the configuration and those of the folder of tests, by path.
    pub files: Vec<TestFile>,
    /// What files of variables, flags and the environment assign; see [`TestFile::in_tests`].
    pub given: Assignments,
    /// The same, with the files of variables of the folder of tests on top.
    pub given_in_tests: Assignments,
}

/// One test file.
pub struct TestFile {
    /// Where it is, as messages name it.
    pub path: PathBuf,
    /// Whether it lies in the folder of tests, whose files of variables count for it.
    pub in_tests: bool,
    /// `test { parallel }`: what its runs are without a word of their own.
    pub parallel: bool,
    /// The `variables` block.
    pub variables: Vec<Attribute>,
    /// `provider` blocks.
    pub providers: Vec<ProviderConfig>,
    /// `mock_provider` blocks.
    pub mocks: Vec<MockBlock>,
    /// `override_*` blocks for all runs.
    pub overrides: Vec<OverrideBlock>,
    /// `run` blocks, in written order.
    pub runs: Vec<TestRun>,
}

/// What a run does.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum TestCommand {
    /// Plans and applies.
    #[default]
    Apply,
    /// Only plans.
    Plan,
}

/// What kind of plan a run makes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum TestMode {
    /// Towards the configuration.
    #[default]
    Normal,
    /// Only towards what is there.
    RefreshOnly,
}

/// A `run` block.
pub struct TestRun {
    /// Its name.
    pub name: Name,
    /// `command`.
    pub command: TestCommand,
    /// `plan_options { mode }`.
    pub mode: TestMode,
    /// `plan_options { refresh }`.
    pub refresh: bool,
    /// `plan_options { target }`.
    pub targets: Vec<Pattern>,
    /// `plan_options { replace }`.
    pub replace: Vec<Pattern>,
    /// `variables`.
    pub variables: Vec<Attribute>,
    /// `module`: what is tested instead of the folder's own module.
    pub module: Option<TestModule>,
    /// `providers = { inside = of_the_file }`.
    pub providers: Option<Vec<(ProviderRef, ProviderRef)>>,
    /// `override_*` blocks.
    pub overrides: Vec<OverrideBlock>,
    /// `assert` blocks.
    pub asserts: Vec<CheckRule>,
    /// `expect_failures`.
    pub expect_failures: Vec<Expected>,
    /// `state_key`.
    pub state_key: Option<String>,
    /// `parallel`, else what the file says.
    pub parallel: bool,
    /// The block's header.
    pub span: Span,
}

/// A `module` block of a run.
pub struct TestModule {
    /// `source`, as written.
    pub source: String,
    /// What is there.
    pub root: Arc<Module>,
    /// The block's header.
    pub span: Span,
}

/// Something that is expected to fail: a variable, output, resource, data source or check.
#[derive(Clone, Debug)]
pub struct Expected {
    /// What. An output reads as a resource of type `output`, a check as one of type `check`.
    pub target: Reference,
    /// The instance, where one is named.
    pub key: Option<InstanceKey>,
    /// Where.
    pub span: Span,
}

/// When values are made up that a provider would compute.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum During {
    /// When applying; a plan does not know them.
    #[default]
    Apply,
    /// When planning already.
    Plan,
}

/// A `mock_provider` block.
#[derive(Clone, Debug)]
pub struct MockBlock {
    /// The local name of the provider.
    pub local: Name,
    /// `alias`.
    pub alias: Option<Name>,
    /// `mock_resource` and `mock_data` blocks, those of its `source` first.
    pub kinds: Vec<MockKind>,
    /// `override_*` blocks.
    pub overrides: Vec<OverrideBlock>,
    /// `override_during`.
    pub during: During,
    /// The block's header.
    pub span: Span,
}

/// A `mock_resource` or `mock_data` block.
#[derive(Clone, Debug)]
pub struct MockKind {
    /// Whether resources or data sources are meant.
    pub mode: Mode,
    /// The type.
    pub kind: Name,
    /// `defaults`; null without.
    pub values: Value,
    /// Where these are.
    pub values_span: Span,
    /// `override_during`.
    pub during: During,
    /// The block's header.
    pub span: Span,
}

/// An `override_resource`, `override_data` or `override_module` block.
#[derive(Clone, Debug)]
pub struct OverrideBlock {
    /// The resource, data source or module; without keys every instance is meant.
    pub target: Pattern,
    /// `values` or `outputs`; null without.
    pub values: Value,
    /// Where the target is written.
    pub target_span: Span,
    /// Where the values are written.
    pub values_span: Span,
    /// `override_during`.
    pub during: During,
}
