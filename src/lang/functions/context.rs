//! What functions may see of the world.

use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::FunctionError;
use crate::value::Value;

/// What functions may see of the world while one configuration is evaluated.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The folder that relative paths start from: the root module's. `path.module` is relative to it.
    pub base: &'a Path,
    /// The files.
    pub files: &'a dyn Files,
    /// When the plan was made: `plantimestamp()`. `None` makes it unknown, as while validating.
    pub plan_time: Option<Timestamp>,
    /// The clock while applying: `timestamp()`. `None` while planning: then `timestamp`, `uuid` and `bcrypt`, whose
    /// results change from call to call, are unknown.
    pub now: Option<Timestamp>,
    /// The environment variables that `env("X")` sees. `None` where there is no such function: in modules.
    pub env: Option<&'a (dyn Fn(&str) -> Result<String, NoVariable> + Send + Sync)>,
    /// What renders templates: `templatefile` and `templatestring`. `None` inside a template that is being rendered, which
    /// must not render others.
    pub templates: Option<&'a dyn Templates>,
}

/// Why an environment variable has no value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NoVariable {
    /// It is not set.
    Unset,
    /// The project file does not list it.
    Unlisted,
}

/// Renders templates for `templatefile` and `templatestring`. Parsing and evaluation live in `eval`, above this room; it
/// implements this trait and puts it into the [`Context`].
pub trait Templates: Send + Sync {
    /// Renders `text`, called `name` in messages, with the attributes of `variables` as the only names in scope. The result
    /// is a string unless the template is a single interpolation. `context` is to be used for functions called in it, with
    /// `templates` taken out.
    ///
    /// # Errors
    /// What is wrong with the template.
    fn render(&self, name: &str, text: &str, variables: &Value, context: &Context<'_>) -> Result<Value, TemplateError>;
}

/// Why a template could not be rendered.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum TemplateError {
    /// It refers to a variable that it was not given.
    #[error("vars map does not contain key {name:?}, referenced at {at}")]
    Missing {
        /// The variable.
        name: String,
        /// The place: `t.tftpl:2,13-15`.
        at: String,
    },
    /// Anything else: place, summary and detail in one text, such as `t.tftpl:2,13-15: Unsupported attribute; …`.
    #[error("{0}")]
    Failed(String),
}

/// Access to files. Paths are absolute.
pub trait Files: Send + Sync {
    /// The content of a file.
    ///
    /// # Errors
    /// When it is missing, or cannot be read.
    fn read(&self, path: &Path) -> Result<Vec<u8>, ReadError>;

    /// Whether there is a regular file. `None` for something else, such as a folder.
    fn is_file(&self, path: &Path) -> Option<bool>;

    /// What is in a folder, in any order; nothing when there is no such folder.
    fn members(&self, folder: &Path) -> Vec<Entry>;

    /// The home folder, for `pathexpand`.
    fn home(&self) -> Option<PathBuf>;
}

/// A member of a folder; links count as what they lead to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// Whether it is a folder.
    pub folder: bool,
    /// Whether it is a regular file.
    pub file: bool,
}

/// Why a file could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// There is none.
    #[error("no such file")]
    Missing,
    /// It is a folder.
    #[error("is a directory, not a file")]
    Folder,
    /// Anything else.
    #[error(transparent)]
    Other(#[from] std::io::Error),
}

/// The files of this machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct DirFiles;

impl Files for DirFiles {
    fn read(&self, path: &Path) -> Result<Vec<u8>, ReadError> {
        if path.is_dir() {
            return Err(ReadError::Folder);
        }
        std::fs::read(path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => ReadError::Missing,
            _ => ReadError::Other(error),
        })
    }

    fn is_file(&self, path: &Path) -> Option<bool> {
        match std::fs::metadata(path) {
            Ok(found) if found.is_file() => Some(true),
            Ok(_) => None,
            Err(_) => Some(false),
        }
    }

    fn members(&self, folder: &Path) -> Vec<Entry> {
        let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
        let found = entries.flatten().filter_map(|entry| {
            let kind = match entry.file_type() {
                Ok(kind) if !kind.is_symlink() => kind,
                // Links count as what they lead to.
                _ => std::fs::metadata(entry.path()).ok()?.file_type(),
            };
            let name = entry.file_name().into_string().ok()?;
            Some(Entry { name, folder: kind.is_dir(), file: kind.is_file() })
        });
        found.collect()
    }

    fn home(&self) -> Option<PathBuf> {
        std::env::home_dir()
    }
}

impl Context<'_> {
    /// A path as it stands in configuration, made absolute. `~` is the home folder.
    pub(super) fn resolve(&self, path: &str) -> Result<PathBuf, FunctionError> {
        Ok(self.base.join(self.expand_home(path)?.as_ref()))
    }

    /// The path with a leading `~` replaced by the home folder.
    pub(super) fn expand_home<'p>(&self, path: &'p str) -> Result<std::borrow::Cow<'p, str>, FunctionError> {
        let Some(rest) = path.strip_prefix('~') else { return Ok(path.into()) };
        if !rest.is_empty() && !rest.starts_with('/') {
            return Err(FunctionError::failed("cannot expand user-specific home dir"));
        }
        match self.files.home() {
            Some(home) => Ok((home.to_string_lossy().into_owned() + rest).into()),
            None => Err(FunctionError::failed("cannot find the home directory")),
        }
    }
}
