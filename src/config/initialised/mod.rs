//! The backend that a folder was initialised with, and whether the configuration still agrees with it.
//!
//! In: the file that `init` leaves in the data folder, the `backend` block, and `-backend-config`. Out: where state lies, or why
//! `init` has to run first. The file is Terraform's: `.terraform/terraform.tfstate`, JSON of version 3 with the type of the
//! backend, every argument, and a hash of the block. A block with that hash stands for the arguments in the file, so that what
//! was given to `init` by `-backend-config` alone is not asked for again. Not here: moving states (`ops`).

mod schema;

use std::path::{Path, PathBuf};

use serde_json::{Map, Value as Json, json};

use crate::diag::{Diagnostic, Diagnostics, Outcome};
use crate::lang::functions::ReadError;

use super::backend;
use super::block::BackendBlock;
use super::files::Files;
use super::load::{LoadOptions, data_folder};
use super::model::{StateSettings, Workspaces};
use super::tree::Tree;
use super::workspace::chosen_workspace;

/// The version of the file.
const VERSION: u64 = 3;
/// The Terraform whose format it is.
const WRITTEN_BY: &str = "1.11.4";

/// Which backend of a folder without a project counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BackendUse {
    /// That of the block, under `-backend-config`.
    #[default]
    Written,
    /// The one that `init` has remembered; the block has to agree with it.
    Initialised,
}

/// Where the states of all workspaces lie.
pub type Placement = (StateSettings, Workspaces);

/// A backend by its values.
#[derive(Clone, PartialEq)]
pub struct Backend {
    /// Its type.
    pub kind: String,
    /// Every argument, null where it is not given.
    config: Map<String, Json>,
    /// Of the block.
    hash: u64,
}

/// What `init` remembers of a folder.
#[derive(Clone, Default)]
pub struct Memory {
    document: Map<String, Json>,
    /// The backend; `None` where state lies beside the configuration.
    pub backend: Option<Backend>,
}

impl Memory {
    /// Where it is kept in a data folder.
    pub fn path(data: &Path) -> PathBuf {
        data.join("terraform.tfstate")
    }

    /// Reads it; a folder that was never initialised remembers nothing.
    ///
    /// # Errors
    /// When the file cannot be read, or holds something else.
    pub fn read(files: &dyn Files, data: &Path) -> Result<Memory, Box<Diagnostic>> {
        let path = Memory::path(data);
        let wrong = |why: String| {
            let detail = format!(
                "{} remembers which backend this folder was initialised with, and cannot be used: {why}. Run \"infra init \
                 -reconfigure\" to write it anew; states are not touched by that.",
                path.display()
            );
            Box::new(Diagnostic::error("Initialized backend cannot be read", detail))
        };
        let bytes = match files.read(&path) {
            Ok(bytes) => bytes,
            Err(ReadError::Missing) => return Ok(Memory::default()),
            Err(error) => return Err(wrong(error.to_string())),
        };
        let document: Map<String, Json> = serde_json::from_slice(&bytes).map_err(|error| wrong(error.to_string()))?;
        if document.get("version").and_then(Json::as_u64) != Some(VERSION) {
            return Err(wrong(format!("its format is not version {VERSION}")));
        }
        let backend = match document.get("backend") {
            None | Some(Json::Null) => None,
            Some(backend) => Some(Backend::parse(backend).ok_or_else(|| wrong("its backend has no type".to_owned()))?),
        };
        Ok(Memory { document, backend })
    }

    /// The same with another backend.
    #[must_use]
    pub fn with(&self, backend: Option<Backend>) -> Memory {
        let mut document = self.document.clone();
        document.insert("version".into(), VERSION.into());
        document.entry("terraform_version").or_insert_with(|| WRITTEN_BY.into());
        match &backend {
            Some(backend) => document.insert("backend".into(), backend.json()),
            None => document.shift_remove("backend"),
        };
        Memory { document, backend }
    }

    /// Its text.
    pub fn text(&self) -> String {
        let text = serde_json::to_string_pretty(&self.document).unwrap_or_default();
        // As Go's encoder escapes it, so that both programs write the same bytes.
        text.replace('&', "\\u0026").replace('<', "\\u003c").replace('>', "\\u003e")
    }
}

impl Backend {
    fn parse(json: &Json) -> Option<Backend> {
        Some(Backend {
            kind: json.get("type")?.as_str()?.to_owned(),
            config: json.get("config").and_then(Json::as_object).cloned().unwrap_or_default(),
            hash: json.get("hash").and_then(Json::as_u64).unwrap_or_default(),
        })
    }

    fn json(&self) -> Json {
        json!({ "type": self.kind, "config": self.config, "hash": self.hash })
    }

    /// Whether another one means the same place, reached in the same way.
    pub fn is_same(&self, other: &Backend) -> bool {
        self.kind == other.kind && self.given() == other.given()
    }

    /// Whether the backend of a block is the one that is remembered: its block is the same, or its values are. With
    /// `-backend-config` only the values count.
    pub fn agrees_with(&self, remembered: &Backend, overridden: bool) -> bool {
        self.is_same(remembered) || (!overridden && self.kind == remembered.kind && self.hash == remembered.hash)
    }

    /// The arguments that are not null: schemas of other versions have others beside them.
    fn given(&self) -> Vec<(&str, &Json)> {
        let given = self.config.iter().filter(|(_, value)| !value.is_null());
        let mut given: Vec<(&str, &Json)> = given.map(|(name, value)| (name.as_str(), value)).collect();
        given.sort_by_key(|(name, _)| *name);
        given
    }

    /// Where it keeps states.
    pub fn place(&self, options: &LoadOptions) -> Outcome<Placement> {
        known(&self.kind)
            .map_or_else(Outcome::fail, |()| schema::of_document(&self.kind, &self.config).place(options, &self.kind))
    }

    /// Whether it is what there is without a block.
    fn is_default(&self) -> bool {
        self.kind == "local" && self.given().is_empty()
    }
}

/// Whether this version has a backend of that type.
fn known(kind: &str) -> Result<(), Diagnostic> {
    if matches!(kind, "local" | "s3") {
        return Ok(());
    }
    let detail = format!(
        "This folder was initialised with the backend {kind:?}, which is not part of this version: there are \"local\" and \"s3\"."
    );
    Err(Diagnostic::error("Not supported yet", detail))
}

/// Everything that `init` has to know of the backends of a folder without a project.
pub struct Backends {
    /// The folder of the configuration.
    pub dir: PathBuf,
    /// Where the folder remembers.
    pub data: PathBuf,
    /// What it remembers, or why that cannot be read.
    pub memory: Result<Memory, Box<Diagnostic>>,
    /// The backend of the block, under `-backend-config`.
    pub written: Option<Backend>,
    /// The chosen workspace.
    pub workspace: String,
    /// Whether `-backend-config` was given.
    pub overridden: bool,
}

/// Looks at the backends of a folder without a project: `None` in a project.
pub fn backends(options: &LoadOptions) -> Outcome<Option<Backends>> {
    let mut said = Diagnostics::none();
    let options = &LoadOptions { working_dir: super::files::normal(&options.working_dir), ..options.clone() };
    let dir = options.working_dir.clone();
    match super::load::is_project(options).take(&mut said) {
        Some(false) => {}
        Some(true) => return Outcome::with(None, said),
        None => return Outcome::fail(said),
    }
    let data = data_folder(options, &dir, None);
    let block = Tree::new(options).backend(&dir, &mut said);
    if said.has_errors() {
        return Outcome::fail(said);
    }
    let mut written = None;
    if let Some(block) = &block {
        // What is wrong with the block is wrong before anything else is looked at.
        let Some(backend) = of_block(options, block).take(&mut said) else { return Outcome::fail(said) };
        written = Some(backend);
    }
    let memory = Memory::read(&*options.files, &data);
    let (workspace, overridden) = (chosen_workspace(options), !options.backend_config.is_empty());
    Outcome::with(Some(Backends { dir, data, memory, written, workspace, overridden }), said)
}

/// The backend of a block. Its hash is that of the block alone, without `-backend-config`.
fn of_block(options: &LoadOptions, block: &BackendBlock) -> Outcome<Backend> {
    let mut said = Diagnostics::none();
    let kind = block.kind.as_str();
    let plain = LoadOptions { backend_config: Vec::new(), ..options.clone() };
    let (Some(alone), Some(arguments)) =
        (backend::arguments(&plain, block).take(&mut said), backend::arguments(options, block).take(&mut said))
    else {
        return Outcome::fail(said);
    };
    said.append(arguments.check_names(kind));
    if said.has_errors() {
        return Outcome::fail(said);
    }
    let hash = schema::hash(kind, &schema::complete(kind, &alone));
    let config = schema::to_document(&schema::complete(kind, &arguments));
    Outcome::with(Backend { kind: kind.to_owned(), config, hash }, said)
}

/// Where state lies for every command but `init`: as the folder was initialised, if the block still agrees.
pub(super) fn settings(options: &LoadOptions, data: &Path, block: Option<&BackendBlock>) -> Outcome<Placement> {
    if options.backend == BackendUse::Written || !options.needs_state {
        return backend::settings(options, block);
    }
    let memory = match Memory::read(&*options.files, data) {
        Ok(memory) => memory,
        Err(wrong) => return Outcome::fail(*wrong),
    };
    let mut said = Diagnostics::none();
    let mut written = None;
    if let Some(block) = block {
        match of_block(options, block).take(&mut said) {
            Some(backend) => written = Some(backend),
            None => return Outcome::fail(said),
        }
    }
    match (&written, &memory.backend) {
        (None, None) => backend::settings(options, None),
        (Some(written), None) if written.is_default() => backend::settings(options, block),
        (written, remembered) => match disagreement(written.as_ref(), remembered.as_ref()) {
            Some(diagnostic) => Outcome::fail(diagnostic),
            None => remembered
                .as_ref()
                .map_or_else(|| backend::settings(options, block), |remembered| remembered.place(options)),
        },
    }
}

/// Why the configuration and what was initialised are not the same; `None` where they are.
fn disagreement(written: Option<&Backend>, remembered: Option<&Backend>) -> Option<Diagnostic> {
    let (joint, reason) = match (written, remembered) {
        (None, None) => return None,
        (Some(written), None) => (", ", format!("Initial configuration of the requested backend {:?}", written.kind)),
        (None, Some(remembered)) => (", ", format!("Unsetting the previously set backend {:?}", remembered.kind)),
        (Some(written), Some(remembered)) if written.kind != remembered.kind => {
            (": ", format!("Backend type changed from {:?} to {:?}", remembered.kind, written.kind))
        }
        (Some(written), Some(remembered)) if written.agrees_with(remembered, false) => return None,
        (Some(_), Some(_)) => (": ", "Backend configuration block has changed".to_owned()),
    };
    let detail = format!(
        "Reason: {reason}\n\nThe \"backend\" is the interface that infra uses to store state, perform operations, etc. If this \
         message is showing up, it means that the configuration you're using is using a custom configuration for the \
         backend.\n\nChanges to backend configurations require reinitialization. This allows infra to set up the new \
         configuration, copy existing state, etc. Please run \"infra init\" with either the \"-reconfigure\" or \
         \"-migrate-state\" flags to use the current configuration.\n\nIf the change reason above is incorrect, please verify \
         your configuration hasn't changed and try again. At this point, no changes to your existing configuration or state \
         have been made."
    );
    let summary = format!("Backend initialization required{joint}please run \"infra init\"");
    Some(Diagnostic::error(summary, detail))
}
