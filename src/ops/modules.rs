//! Installing modules: loads the configuration, fetches what it lacks, and loads again until nothing is missing.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures::StreamExt as _;

use crate::addr::{ModuleSource, Package};
use crate::config::{Given, Installed, Installing, LoadOptions, Manifest, Wanted, manifest, normal, relative};
use crate::diag::{Diagnostic, Diagnostics};
use crate::install::{Draft, FetchError, Mirror, fetch};

/// Packages that are fetched at the same time.
const AT_ONCE: usize = 6;

/// What is to be heard while modules are installed.
pub enum Installation<'a> {
    /// A package is being fetched for a call.
    Fetching {
        /// From where.
        source: String,
        /// Which version, of a registry's module.
        version: Option<String>,
        /// The names of the calls that lead to it.
        key: &'a str,
    },
    /// A module is in its place.
    There {
        /// The names of the calls that lead to it.
        key: &'a str,
        /// Its folder, as seen from the working directory.
        dir: PathBuf,
    },
}

/// Fetches the modules that are missing, or all of them for an `upgrade`, and writes the manifests; those of the global
/// layers below an environment too. `mirror` stands for registries unless the project names a folder for that.
pub async fn install(
    load: &LoadOptions,
    upgrade: bool,
    mirror: Option<PathBuf>,
    hear: &(dyn Fn(Installation<'_>) + Sync),
) -> Diagnostics {
    let (mut said, below) = of_run(load, upgrade, mirror.clone(), hear).await;
    if below && !said.has_errors() {
        // A file of variables may belong to the environment.
        let given = load.given.iter().filter(|given| matches!(given, Given::Var { .. })).cloned().collect();
        let load = LoadOptions { global: true, environment: None, given, ..load.clone() };
        let (more, _) = of_run(&load, upgrade, mirror, hear).await;
        said.0.extend(more.0.into_iter().filter(Diagnostic::is_error));
    }
    said
}

/// The same for the layers of one run; whether there are global layers below it.
async fn of_run(
    load: &LoadOptions,
    upgrade: bool,
    mirror: Option<PathBuf>,
    hear: &(dyn Fn(Installation<'_>) + Sync),
) -> (Diagnostics, bool) {
    let installing = Arc::new(Installing::new(upgrade));
    let load =
        LoadOptions { installing: Some(installing.clone()), needs_state: false, may_be_empty: true, ..load.clone() };
    let mut failed = Diagnostics::none();
    let loaded = loop {
        let outcome = crate::config::load(&load);
        let missing = installing.missing();
        if missing.is_empty() {
            break outcome;
        }
        let mirror = installing.mirror().or_else(|| mirror.clone()).map(Mirror);
        let mut work = Work { mirror, installing: &installing, hear, said: Diagnostics::none() };
        work.serve(missing).await;
        failed.append(work.said);
    };
    let mut said = loaded.said;
    said.append(failed);
    let mut below = false;
    match loaded.value.filter(|_| !said.has_errors()) {
        Some(config) => {
            below = !config.global.is_empty();
            for layer in &config.layers {
                let mut new = known(&layer.data);
                new.0.extend(manifest(&layer.dir, &layer.root).0);
                let fetched = |entry: &Installed| !entry.source.is_empty() && !entry.source.starts_with('.');
                // Where all modules lie beside the configuration there is nothing to keep.
                if new.0.values().any(fetched) || Manifest::path(&layer.data).exists() {
                    said.append(finish(&load.working_dir, &layer.dir, &layer.data, &new, upgrade, hear));
                }
            }
        }
        // What is in its place already is not fetched again by the next try.
        None => {
            for (root, data) in installing.roots() {
                let mut kept = known(&data);
                kept.0.extend(installing.installed(&root).into_iter().map(|entry| (entry.key.clone(), entry)));
                said.append(finish(&load.working_dir, &root, &data, &kept, upgrade, hear));
            }
        }
    }
    (said, below)
}

fn known(data: &Path) -> Manifest {
    std::fs::read(Manifest::path(data)).ok().and_then(|bytes| Manifest::parse(&bytes)).unwrap_or_default()
}

/// Writes a manifest and tells what is new in it.
fn finish(
    working_dir: &Path,
    root: &Path,
    data: &Path,
    new: &Manifest,
    upgrade: bool,
    hear: &(dyn Fn(Installation<'_>) + Sync),
) -> Option<Diagnostic> {
    let (path, old) = (Manifest::path(data), known(data));
    for (key, entry) in
        new.0.iter().filter(|(key, entry)| !key.is_empty() && (upgrade || old.0.get(*key) != Some(*entry)))
    {
        hear(Installation::There { key, dir: relative(&normal(&root.join(&entry.dir)), working_dir) });
    }
    let write = || {
        let folder = path.parent().unwrap_or(data);
        std::fs::create_dir_all(folder)?;
        // Beside and renamed: a reader sees the old one or the new one.
        let mut draft = tempfile::NamedTempFile::new_in(folder)?;
        std::io::Write::write_all(&mut draft, new.text().as_bytes())?;
        draft.persist(&path).map_err(|error| error.error)
    };
    let written = write();
    let detail = |error| format!("The manifest of modules {} cannot be written: {error}.", path.display());
    written.err().map(|error| Diagnostic::error("Failed to update module manifest", detail(error)))
}

/// One round of fetching.
struct Work<'a> {
    mirror: Option<Mirror>,
    installing: &'a Installing,
    hear: &'a (dyn Fn(Installation<'_>) + Sync),
    said: Diagnostics,
}

impl Work<'_> {
    async fn serve(&mut self, missing: Vec<Wanted>) {
        // One package that several calls ask for is fetched once and copied for the others.
        let mut packages: BTreeMap<(PathBuf, Package), Vec<Wanted>> = BTreeMap::new();
        for wanted in missing {
            match &wanted.source {
                ModuleSource::Remote { package, .. } => {
                    packages.entry((wanted.data.clone(), package.clone())).or_default().push(wanted);
                }
                ModuleSource::Registry(_) | ModuleSource::Local(_) => {
                    let put = self.mirrored(&wanted);
                    self.settle(&wanted, put);
                }
            }
        }
        let fetches = packages.into_iter().map(|((data, package), calls)| {
            let hear = self.hear;
            async move {
                for call in &calls {
                    hear(Installation::Fetching { source: package.shown(), version: None, key: &call.key });
                }
                let places: Vec<PathBuf> = calls.iter().map(place).collect();
                let fetched = fetch_into(&data, &package, &places).await;
                (calls, fetched)
            }
        });
        let fetches: Vec<_> = fetches.collect();
        let mut done = futures::stream::iter(fetches).buffered(AT_ONCE);
        let mut results = Vec::new();
        while let Some(result) = done.next().await {
            results.push(result);
        }
        drop(done);
        for (calls, fetched) in results {
            let inner = fetched.map_err(|error| error.to_string());
            for call in &calls {
                let put = match &inner {
                    Ok(inner) => self.folder(call, inner, None),
                    Err(why) => Err(self.not_fetched(call, why)),
                };
                self.settle(call, put);
            }
        }
    }

    fn settle(&mut self, wanted: &Wanted, put: Result<Installed, Diagnostic>) {
        match put {
            Ok(installed) => self.installing.put(wanted, installed),
            Err(diagnostic) => {
                self.installing.fail(wanted);
                self.said.push(diagnostic.at(wanted.span));
            }
        }
    }

    fn not_fetched(&self, wanted: &Wanted, why: &str) -> Diagnostic {
        let from = match &wanted.source {
            ModuleSource::Remote { package, .. } => package.shown(),
            other => other.to_string(),
        };
        let detail = format!(
            "Module {:?} could not be fetched from \"{from}\": {}.",
            wanted.key,
            why.trim_end_matches(['.', '\n'])
        );
        Diagnostic::error("Failed to download module", detail)
    }

    /// The entry of a module whose package is in its place.
    fn folder(&self, wanted: &Wanted, inner: &str, version: Option<String>) -> Result<Installed, Diagnostic> {
        let (package, folder) = (place(wanted), wanted.source.folder());
        let dir = package.join(inner).join(folder);
        if !dir.is_dir() {
            return Err(self.not_fetched(wanted, &format!("there is no folder {folder:?} in it")));
        }
        let dir = relative(&normal(&dir), &wanted.root).to_string_lossy().into_owned();
        Ok(Installed { key: wanted.key.clone(), source: wanted.source.to_string(), version, dir })
    }

    /// A registry's module, out of the mirror.
    fn mirrored(&self, wanted: &Wanted) -> Result<Installed, Diagnostic> {
        let ModuleSource::Registry(module) = &wanted.source else {
            return Err(self.not_fetched(wanted, "it is a folder beside the calling module"));
        };
        let Some(mirror) = &self.mirror else {
            let detail = format!(
                "Modules of a registry are taken from a mirror, a folder with HOST/NAMESPACE/NAME/PROVIDER/VERSION in it, and \
                 none is named. Put the module into {module}/VERSION of such a folder, and name it by INFRA_MODULE_MIRROR, or \
                 by module_mirror in the project block."
            );
            return Err(Diagnostic::error("Error accessing remote module registry", detail));
        };
        let Some(found) = mirror.find(module, &wanted.version) else {
            let all: Vec<String> = mirror.versions(module).iter().map(|found| found.version.to_string()).collect();
            let there = mirror.0.join(module.to_string());
            if all.is_empty() {
                let detail = format!(
                    "The mirror has no version of {module}: there is neither a folder nor an archive in {}.",
                    there.display()
                );
                return Err(Diagnostic::error("Module not found", detail));
            }
            let detail = format!(
                "No version of {module} in the mirror is \"{}\". There are: {}.",
                wanted.version,
                all.join(", ")
            );
            return Err(Diagnostic::error("Unresolvable module version constraint", detail));
        };
        let version = found.version.to_string();
        let source = module.to_string();
        (self.hear)(Installation::Fetching { source, version: Some(version.clone()), key: &wanted.key });
        let put = || {
            let draft = Draft::new(&wanted.data)?;
            found.put(&draft.package)?;
            draft.put(&[place(wanted)])
        };
        put().map_err(|error| self.not_fetched(wanted, &error.to_string()))?;
        self.folder(wanted, "", Some(version))
    }
}

/// Where the package of a call lies.
fn place(wanted: &Wanted) -> PathBuf {
    wanted.data.join("modules").join(&wanted.key)
}

/// Fetches a package and puts it into each of these places. Gives the folder in it that the way there led to.
async fn fetch_into(data: &Path, package: &Package, places: &[PathBuf]) -> Result<String, FetchError> {
    let draft = Draft::new(data)?;
    let inner = fetch(package, &draft.package).await?;
    draft.put(places)?;
    Ok(inner)
}
