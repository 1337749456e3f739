//! A mirror of module registries: a folder with `HOST/NAMESPACE/NAME/PROVIDER/VERSION`, each a folder or an archive.

use std::path::{Path, PathBuf};

use crate::addr::{Constraints, RegistryModule, Version};

use super::archive::{Format, unpack};
use super::copy::{check_links, copy};
use super::error::FetchError;

/// A folder that stands for registries.
#[derive(Clone, Debug)]
pub struct Mirror(pub PathBuf);

/// The version of a module that a mirror has.
pub struct Found {
    /// Which.
    pub version: Version,
    path: PathBuf,
    format: Option<Format>,
}

impl Mirror {
    /// All versions of a module, newest first; none when it is not there.
    pub fn versions(&self, module: &RegistryModule) -> Vec<Found> {
        // The port of a host cannot be part of a folder's name everywhere, so that either form is looked for.
        let folders = [module.host.clone(), module.host.replace(':', "_")];
        let folders = folders
            .iter()
            .map(|host| self.0.join(host).join(&module.namespace).join(&module.name).join(&module.provider));
        let mut found: Vec<Found> = folders.flat_map(|folder| versions_in(&folder)).collect();
        found.sort_by(|a, b| b.version.cmp(&a.version));
        found.dedup_by(|a, b| a.version == b.version);
        found
    }

    /// The newest version that will do.
    pub fn find(&self, module: &RegistryModule, wanted: &Constraints) -> Option<Found> {
        self.versions(module).into_iter().find(|found| wanted.admit(&found.version))
    }
}

fn versions_in(folder: &Path) -> Vec<Found> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let found = entries.filter_map(|entry| {
        let name = entry.file_name().into_string().ok()?;
        let path = entry.path();
        if path.is_dir() {
            return Some(Found { version: Version::parse(&name)?, path, format: None });
        }
        let (end, format) = [(".zip", Format::Zip), (".tar.gz", Format::TarGz), (".tgz", Format::TarGz)]
            .into_iter()
            .find(|(end, _)| name.ends_with(end))?;
        Some(Found { version: Version::parse(name.strip_suffix(end)?)?, path, format: Some(format) })
    });
    found.collect()
}

impl Found {
    /// Puts the module's files into the folder `to`, which is made.
    ///
    /// # Errors
    /// When they cannot be read, or must not be used.
    pub fn put(&self, to: &Path) -> Result<(), FetchError> {
        match self.format {
            Some(format) => {
                let bytes = std::fs::read(&self.path).map_err(FetchError::disk(&self.path))?;
                unpack(&bytes, format, to)?;
            }
            None => copy(&self.path, to)?,
        }
        check_links(to)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn the_newest_version_that_will_do_is_taken() {
        let dir = tempfile::tempdir().unwrap();
        let module = dir.path().join("registry.terraform.io/hashicorp/consul/aws");
        for version in ["0.9.0", "1.2.0", "1.10.1", "2.0.0-beta"] {
            std::fs::create_dir_all(module.join(version)).unwrap();
        }
        std::fs::write(module.join("1.3.0.zip"), "").unwrap();
        std::fs::write(module.join("README.md"), "").unwrap();
        let address = RegistryModule {
            host: "registry.terraform.io".into(),
            namespace: "hashicorp".into(),
            name: "consul".into(),
            provider: "aws".into(),
            folder: String::new(),
        };
        let mirror = Mirror(dir.path().to_owned());
        let check = |wanted: &str, expect: Option<&str>| {
            let wanted = if wanted.is_empty() { Constraints::default() } else { Constraints::parse(wanted).unwrap() };
            let found = mirror.find(&address, &wanted).map(|found| found.version.to_string());
            assert_eq!(found.as_deref(), expect);
        };
        check("", Some("1.10.1"));
        check("< 1.10", Some("1.3.0"));
        check("2.0.0-beta", Some("2.0.0-beta"));
        check("~> 3.0", None);
    }
}
