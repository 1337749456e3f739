//! Installed modules: the manifest of a root module, which says in which folder each call's module lies.
//!
//! The manifest is Terraform's `modules/modules.json` in the data folder (`.terraform`, or TF_DATA_DIR). Fetching is not here:
//! a load either takes what the manifest has, or gathers what is missing for whoever fetches it and loads again.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use crate::addr::{Constraints, ModuleSource, Version};
use crate::diag::{Diagnostic, Diagnostics, Span};

use super::files::{Files, normal, relative};
use super::model::Module;

/// One module of a manifest.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Installed {
    /// The names of the calls that lead to it, with dots between them; empty for the root module.
    #[serde(rename = "Key")]
    pub key: String,
    /// The source address, written out.
    #[serde(rename = "Source")]
    pub source: String,
    /// The version, of a registry's module.
    #[serde(rename = "Version", default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The folder, as seen from the root module's.
    #[serde(rename = "Dir")]
    pub dir: String,
}

/// The manifest of one root module.
#[derive(Clone, Default, Debug)]
pub struct Manifest(pub BTreeMap<String, Installed>);

#[derive(Serialize, Deserialize)]
struct Written {
    #[serde(rename = "Modules", default)]
    modules: Vec<Installed>,
}

impl Manifest {
    /// Where it is kept in a data folder.
    pub fn path(data: &Path) -> PathBuf {
        data.join("modules/modules.json")
    }

    /// Reads the text of a manifest. `None` when it is none.
    pub fn parse(bytes: &[u8]) -> Option<Manifest> {
        let written: Written = serde_json::from_slice(bytes).ok()?;
        Some(Manifest(written.modules.into_iter().map(|entry| (entry.key.clone(), entry)).collect()))
    }

    /// Its text.
    pub fn text(&self) -> String {
        let written = Written { modules: self.0.values().cloned().collect() };
        // Ampersands and angle brackets are escaped as Go's encoder does it, so that both programs write the same bytes.
        let text = serde_json::to_string(&written).unwrap_or_default();
        text.replace('&', "\\u0026").replace('<', "\\u003c").replace('>', "\\u003e")
    }
}

/// A call whose module is not there yet.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// The folder of the root module.
    pub root: PathBuf,
    /// Its data folder.
    pub data: PathBuf,
    /// The names of the calls that lead to it.
    pub key: String,
    /// Where it comes from.
    pub source: ModuleSource,
    /// Which versions will do.
    pub version: Constraints,
    /// Where the source is written.
    pub span: Span,
}

/// What is being installed: manifests in the making, and what they lack.
#[derive(Default)]
pub struct Installing {
    /// Whether modules that are there are fetched again.
    upgrade: bool,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    /// What was put into place in this run, by root module and key.
    installed: BTreeMap<(PathBuf, String), Installed>,
    /// Calls that cannot be served: asked for once, not again.
    failed: BTreeSet<(PathBuf, String)>,
    missing: Vec<Wanted>,
    /// The root modules that were looked at, with their data folders.
    roots: BTreeMap<PathBuf, PathBuf>,
    mirror: Option<PathBuf>,
}

impl Installing {
    /// Nothing installed yet; `upgrade` fetches even what a manifest has.
    pub fn new(upgrade: bool) -> Self {
        Installing { upgrade, ..Installing::default() }
    }

    /// Takes the calls that the last load found no module for.
    pub fn missing(&self) -> Vec<Wanted> {
        std::mem::take(&mut self.inner().missing)
    }

    /// Puts a module into place.
    pub fn put(&self, wanted: &Wanted, installed: Installed) {
        self.inner().installed.insert((wanted.root.clone(), wanted.key.clone()), installed);
    }

    /// Gives a call up.
    pub fn fail(&self, wanted: &Wanted) {
        self.inner().failed.insert((wanted.root.clone(), wanted.key.clone()));
    }

    /// The root modules that were looked at and lack something, or did, with their data folders.
    pub fn roots(&self) -> BTreeMap<PathBuf, PathBuf> {
        self.inner().roots.clone()
    }

    /// What was put into place for a root module.
    pub fn installed(&self, root: &Path) -> Vec<Installed> {
        let inner = self.inner();
        inner.installed.iter().filter(|((of, _), _)| of == root).map(|(_, installed)| installed.clone()).collect()
    }

    /// The folder that the project names as a mirror of registries.
    pub fn mirror(&self) -> Option<PathBuf> {
        self.inner().mirror.clone()
    }

    /// Notes the folder that the project names as a mirror of registries.
    pub fn set_mirror(&self, mirror: PathBuf) {
        self.inner().mirror = Some(mirror);
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Finds installed modules for one root module.
pub struct Finder<'a> {
    root: PathBuf,
    data: PathBuf,
    manifest: Manifest,
    installing: Option<&'a Installing>,
    files: &'a dyn Files,
}

/// Where a call's module lies.
pub struct Place {
    /// Its folder.
    pub dir: PathBuf,
    /// The folder that was fetched, out of which local sources may not lead.
    pub package: PathBuf,
    /// The version, of a registry's module.
    pub version: Option<String>,
}

impl<'a> Finder<'a> {
    /// For the root module in `root`, whose data folder is `data`.
    pub fn new(root: &Path, data: &Path, files: &'a dyn Files, installing: Option<&'a Arc<Installing>>) -> Self {
        let manifest = files.read(&Manifest::path(data)).ok().and_then(|bytes| Manifest::parse(&bytes));
        Finder {
            root: root.to_owned(),
            data: data.to_owned(),
            manifest: manifest.unwrap_or_default(),
            installing: installing.map(|installing| &**installing),
            files,
        }
    }

    /// Where the module of a call lies; the spans are those of the call and of its source. `None` when it is not there: that is said, or noted for whoever installs.
    pub fn find(
        &self,
        key: &str,
        source: &ModuleSource,
        version: &Constraints,
        (call, span): (Span, Span),
        said: &mut Diagnostics,
    ) -> Option<Place> {
        let fresh = self.installing.map(Installing::inner);
        let id = (self.root.clone(), key.to_owned());
        let put = fresh.as_ref().and_then(|inner| inner.installed.get(&id));
        let again = put.is_none() && self.installing.is_some_and(|installing| installing.upgrade);
        let known = put.or_else(|| self.manifest.0.get(key).filter(|_| !again));
        let problem = match known {
            Some(installed) => match self.judge(installed, source, version) {
                Ok(place) => return Some(place),
                Err(problem) => problem,
            },
            None => Problem::Absent,
        };
        match fresh {
            Some(mut inner) => {
                inner.roots.insert(self.root.clone(), self.data.clone());
                if !inner.failed.contains(&id) {
                    inner.missing.push(Wanted {
                        root: self.root.clone(),
                        data: self.data.clone(),
                        key: key.to_owned(),
                        source: source.clone(),
                        version: version.clone(),
                        span: call,
                    });
                }
            }
            None => {
                let at = if matches!(problem, Problem::Absent) { call } else { span };
                said.push(problem.diagnostic().at(at));
            }
        }
        None
    }

    /// Whether what is installed is what is asked for.
    fn judge(&self, installed: &Installed, source: &ModuleSource, wanted: &Constraints) -> Result<Place, Problem> {
        // A manifest may have been written when a short form was still kept as it is.
        let same = installed.source == source.to_string()
            || ModuleSource::parse(&installed.source, false).is_ok_and(|known| known == *source);
        if !same {
            return Err(Problem::OtherSource);
        }
        let version = installed.version.as_deref().and_then(Version::parse);
        if matches!(source, ModuleSource::Registry(_)) && !version.is_some_and(|version| wanted.admit(&version)) {
            return Err(Problem::OtherVersion);
        }
        let dir = normal(&self.root.join(&installed.dir));
        if self.files.list(&dir).is_err() {
            return Err(Problem::Absent);
        }
        let package = self.data.join("modules").join(&installed.key);
        let package = if dir.starts_with(&package) { package } else { dir.clone() };
        Ok(Place { dir, package, version: installed.version.clone() })
    }
}

enum Problem {
    Absent,
    OtherSource,
    OtherVersion,
}

impl Problem {
    fn diagnostic(&self) -> Diagnostic {
        let next = "Run infra init to install all modules that this configuration needs.";
        match self {
            Problem::Absent => {
                Diagnostic::error("Module not installed", format!("This module is not there yet. {next}"))
            }
            Problem::OtherSource => Diagnostic::error(
                "Module source has changed",
                format!("The source address was changed since this module was installed. {next}"),
            ),
            Problem::OtherVersion => Diagnostic::error(
                "Module version requirements have changed",
                format!("The installed version is not one of those that are asked for any more. {next}"),
            ),
        }
    }
}

/// The manifest of a loaded root module: every call below it, the local ones too.
pub fn manifest(root: &Path, module: &Module) -> Manifest {
    fn add(root: &Path, module: &Module, prefix: &str, into: &mut Manifest) {
        for call in module.calls.values() {
            let key = format!("{prefix}{}", call.name);
            let dir = relative(&call.module.dir, root).to_string_lossy().into_owned();
            let (source, version) = (call.address.to_string(), call.version.clone());
            add(root, &call.module, &format!("{key}."), into);
            into.0.insert(key.clone(), Installed { key, source, version, dir });
        }
    }
    let mut all = Manifest::default();
    let own = Installed { key: String::new(), source: String::new(), version: None, dir: ".".to_owned() };
    all.0.insert(String::new(), own);
    add(root, module, "", &mut all);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn manifests_are_terraforms() {
        let text = r#"{"Modules":[{"Key":"","Source":"","Dir":"."},{"Key":"a","Source":"registry.terraform.io/a/b/c","Version":"1.0.0","Dir":".terraform/modules/a"},{"Key":"c.d","Source":"git::file:///r//s?ref=v2\u0026depth=1","Dir":".terraform/modules/c.d/s"}]}"#;
        let manifest = Manifest::parse(text.as_bytes());
        assert_eq!(manifest.as_ref().map(|manifest| manifest.0.len()), Some(3));
        assert_eq!(manifest.map(|manifest| manifest.text()).as_deref(), Some(text));
        assert!(Manifest::parse(b"7").is_none() && Manifest::parse(b"{").is_none());
    }
}
