//! Configuration: files of a project or of a single folder, read into [`Config`]. Bodies stay undecoded.
//!
//! In: a working directory, flags, environment variables. Out: layers with their module trees, variables' assignments,
//! phases, gates, shared providers, and where each layer's state lies. Not here: evaluation of anything but the project
//! file's own arguments and tfvars, dependency order (`graph`), schemas.

mod assign;
mod backend;
mod block;
mod constant;
mod files;
mod folder;
mod global;
mod initialised;
mod load;
mod lock_file;
mod model;
mod modules;
mod overrides;
mod plain;
mod project;
mod remote;
mod scope;
mod shape;
mod testing;
#[cfg(test)]
mod tests;
mod tree;
mod undeclared;
mod version;
mod withheld;
mod workspace;

pub use assign::Assignments;
pub use files::{Capture, Captured, Entry, Files, normal, relative};
pub use global::{Above, GlobalLayer, INSTANCE, LayerScope, Place, Undeclared};
pub use initialised::{Backend, BackendUse, Backends, Memory, Placement, backends};
pub use load::{Given, LoadOptions, PROJECT_FILE, data_dir, environment_file, environments, has_configuration, load};
pub use lock_file::{LOCK_FILE, LockFile};
pub use model::{
    ActionBlock, ActionRef, ActionTrigger, AssignedExpr, Assignment, Check, CheckRule, Config, DependsOn, Gate,
    IgnoreChanges, Import, ImportTarget, Include, Layer, Lifecycle, Local, Module, ModuleCall, Moved, OnFailure,
    Origin, Output, Phase, ProjectFile, ProviderConfig, ProviderRef, Provision, Provisioner, Removed, RequiredProvider,
    Resource, S3Settings, StateSettings, Trigger, TriggerEvent, Variable, When, Workspaces,
};
pub use modules::{Installed, Installing, Manifest, Wanted, manifest};
pub use scope::Env;
pub use shape::place;
pub use testing::{
    During, Expected, MockBlock, MockKind, OverrideBlock, Stub, Suite, TestCommand, TestFile, TestLoad, TestMode,
    TestModule, TestRun, TestSetting, assemble, check_expected, check_tests, load_tests,
};
pub use withheld::{Again, Withheld};
pub use workspace::{DEFAULT_WORKSPACE, chosen_workspace, is_workspace_name, workspace_file, wrong_workspace_name};
