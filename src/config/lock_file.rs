//! Terraform's dependency lock file: which version of each provider was chosen.
//!
//! What is there stays as it is, byte by byte: blocks of other programs, their hashes, comments. Only blocks of providers that
//! are not there yet are added. Providers that are part of this program have no packages and therefore no hashes; `terraform`
//! and `tofu` read such a block and add the hashes of the package that they install.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::addr::{ProviderSource, Version};
use crate::diag::{Diagnostics, Outcome, SourceMap};
use crate::lang::syntax::parse;

use super::block::text_of;

/// Its name, in the folder of the root module.
pub const LOCK_FILE: &str = ".terraform.lock.hcl";

const HEADER: &str =
    "# This file is maintained automatically by \"terraform init\".\n# Manual edits may be lost in future updates.\n";

/// A lock file.
#[derive(Clone, Debug, Default)]
pub struct LockFile {
    text: String,
    /// The chosen versions by source address.
    pub versions: BTreeMap<String, String>,
}

impl LockFile {
    /// Reads the text of a lock file.
    pub fn read(text: &str, sources: &SourceMap) -> Outcome<LockFile> {
        let (parsed, errors) = parse(sources, sources.add(LOCK_FILE, text));
        let mut said = Diagnostics::none();
        said.append(errors);
        if said.has_errors() {
            return Outcome::fail(said);
        }
        let versions = parsed.body.blocks_of("provider").filter_map(|block| {
            let source = block.labels.first()?.text.to_string();
            let version = text_of(&block.body.attribute("version")?.expr)?;
            Some((source, version.as_str().to_owned()))
        });
        Outcome::with(LockFile { text: text.to_owned(), versions: versions.collect() }, said)
    }

    /// Its text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it has a version of a provider.
    pub fn has(&self, source: &ProviderSource) -> bool {
        self.versions.keys().filter_map(|known| ProviderSource::parse(known)).any(|known| known.is_same(source))
    }

    /// Adds a provider that is not there yet.
    pub fn add(&mut self, source: &ProviderSource, version: &Version, constraints: &str) {
        if self.text.is_empty() {
            self.text.push_str(HEADER);
        } else if !self.text.ends_with('\n') {
            self.text.push('\n');
        }
        let _ = write!(self.text, "\nprovider \"{source}\" {{\n");
        if constraints.is_empty() {
            let _ = writeln!(self.text, "  version = \"{version}\"");
        } else {
            let _ = writeln!(self.text, "  version     = \"{version}\"\n  constraints = {constraints:?}");
        }
        self.text.push_str("}\n");
        self.versions.insert(source.to_string(), version.to_string());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_stays_and_what_is_new_is_added() {
        let sources = SourceMap::default();
        let there = "# mine\nprovider \"registry.terraform.io/hashicorp/time\" {\n  version = \"0.13.1\"\n  hashes = [\n    \"h1:x\",\n  ]\n}\n";
        let mut said = Diagnostics::none();
        let mut lock = LockFile::read(there, &sources).take(&mut said).unwrap_or_default();
        let (time, random) = (ProviderSource::implied("time"), ProviderSource::implied("random"));
        assert!(lock.has(&time) && !lock.has(&random) && said.is_empty());
        if let Some(version) = Version::parse("3.7.2") {
            lock.add(&random, &version, "~> 3.0");
        }
        let added = "\nprovider \"registry.terraform.io/hashicorp/random\" {\n  version     = \"3.7.2\"\n  constraints = \"~> 3.0\"\n}\n";
        assert_eq!(lock.text(), format!("{there}{added}"));
        let again = LockFile::read(lock.text(), &sources).take(&mut said).unwrap_or_default();
        assert_eq!(again.versions, lock.versions);
        assert!(LockFile::read("provider \"x\" {", &sources).has_errors());
    }
}
