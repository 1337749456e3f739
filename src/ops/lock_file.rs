//! Writing down which version of each provider the configuration gets: `.terraform.lock.hcl`.

use std::collections::BTreeMap;
use std::path::Path;

use crate::addr::{Constraints, ProviderSource, Version};
use crate::config::{LOCK_FILE, LockFile, Module};
use crate::diag::{Diagnostic, Diagnostics, SourceMap};

use super::session::Session;

/// What became of the lock file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Locking {
    /// It has everything.
    Same,
    /// It is new.
    Created,
    /// Providers were added.
    Changed,
}

/// The lock file of a folder; an empty one where there is none.
///
/// # Errors
/// When it cannot be read.
pub fn read_lock_file(dir: &Path, sources: &SourceMap) -> Result<LockFile, Diagnostics> {
    let path = dir.join(LOCK_FILE);
    match std::fs::read_to_string(&path) {
        Ok(text) => LockFile::read(&text, sources).into_result().map(|(lock, _)| lock),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(LockFile::default()),
        Err(error) => {
            let detail = format!("{} cannot be read: {error}.", path.display());
            Err(Diagnostic::error("Failed to read dependency lock file", detail).into())
        }
    }
}

/// Adds the providers that the lock file of a folder lacks. `chosen` has the version that each provider stands for.
///
/// # Errors
/// When the file is in the way, or something would be added to one that is only to be read.
pub fn lock_providers(
    session: &Session,
    dir: &Path,
    chosen: &BTreeMap<ProviderSource, &'static str>,
    readonly: bool,
) -> Result<Locking, Diagnostics> {
    let mut lock = read_lock_file(dir, &session.config.sources)?;
    let before = lock.text().to_owned();
    let mut missing = chosen.iter().filter(|(source, _)| !lock.has(source)).peekable();
    if missing.peek().is_none() {
        return Ok(Locking::Same);
    }
    if readonly {
        let detail = "Changes to the required provider dependencies were detected, but the lock file is read-only. To use and \
                      record these requirements, run \"infra init\" without the \"-lockfile=readonly\" flag.";
        return Err(Diagnostic::error("Provider dependency changes detected", detail).into());
    }
    let missing: Vec<(&ProviderSource, &&str)> = missing.collect();
    for (source, version) in missing {
        let wanted = constraints(session, source);
        if let Some(version) = pick(version, &wanted) {
            lock.add(source, &version, &wanted.join(", "));
        }
    }
    if lock.text() == before {
        return Ok(Locking::Same);
    }
    let path = dir.join(LOCK_FILE);
    std::fs::write(&path, lock.text()).map_err(|error| {
        let detail = format!("{} cannot be written: {error}.", path.display());
        Diagnostics::from(Diagnostic::error("Failed to save dependency lock file", detail))
    })?;
    Ok(if before.is_empty() { Locking::Created } else { Locking::Changed })
}

/// What all modules ask of a provider's version, in Terraform's order and form.
fn constraints(session: &Session, source: &ProviderSource) -> Vec<String> {
    let mut found = Vec::new();
    let mut left: Vec<&Module> = session.config.layers.iter().map(|layer| &*layer.root).collect();
    while let Some(module) = left.pop() {
        let required = module.required_providers.values().filter(|required| required.source.is_same(source));
        found.extend(required.filter_map(|required| required.version.as_deref()).flat_map(|text| text.split(',')));
        left.extend(module.calls.values().map(|call| &*call.module));
    }
    let mut parts: Vec<(Version, String)> = found.into_iter().filter_map(part).collect();
    parts.sort();
    parts.dedup();
    parts.into_iter().map(|(_, text)| text).collect()
}

/// One constraint: `>= 0.9` is written `>= 0.9.0`, `~> 0.9` means something else with three numbers.
fn part(text: &str) -> Option<(Version, String)> {
    let text = text.trim();
    let rest = text.trim_start_matches(['=', '>', '<', '!', '~']);
    let operator = text[..text.len() - rest.len()].trim_start_matches('=');
    let rest = rest.trim();
    let version = Version::parse(rest)?;
    let mut written = version.to_string();
    if text[..text.len() - rest.len()].trim() != "~>" {
        let numbers = written.split(['-', '+']).next().map_or(0, |numbers| numbers.split('.').count());
        if numbers == written.split('.').count() {
            written.extend(std::iter::repeat_n(".0", 3_usize.saturating_sub(numbers)));
        }
    }
    let text = if operator.is_empty() { written } else { format!("{operator} {written}") };
    Some((version, text))
}

/// The version that is written down: the one that the provider stands for, or, where the configuration asks for another one,
/// the least of those that it names and admits.
fn pick(version: &str, wanted: &[String]) -> Option<Version> {
    let own = Version::parse(version);
    let Some(constraints) = Constraints::parse(&wanted.join(", ")).filter(|_| !wanted.is_empty()) else { return own };
    let mut named: Vec<Version> = wanted.iter().filter_map(|text| part(text)).map(|(version, _)| version).collect();
    named.sort();
    own.into_iter().chain(named).find(|version| constraints.admit(version))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constraints_are_written_as_terraform_writes_them() {
        let check = |text: &str, expect: &str| {
            let mut parts: Vec<(Version, String)> = text.split(',').filter_map(part).collect();
            parts.sort();
            let texts: Vec<String> = parts.into_iter().map(|(_, text)| text).collect();
            assert_eq!(texts.join(", "), expect);
        };
        check("~> 0.13, >= 0.9, != 0.10.1", ">= 0.9.0, != 0.10.1, ~> 0.13");
        check("= 1.2", "1.2.0");
        check("3", "3.0.0");
        check(">=2.0", ">= 2.0.0");
    }

    #[test]
    fn the_version_is_one_that_the_configuration_admits() {
        let check = |wanted: &[&str], expect: Option<&str>| {
            let wanted: Vec<String> = wanted.iter().map(|text| (*text).to_owned()).collect();
            assert_eq!(pick("3.7.2", &wanted).map(|version| version.to_string()).as_deref(), expect, "{wanted:?}");
        };
        check(&[], Some("3.7.2"));
        check(&[">= 3.0.0", "< 4.0.0"], Some("3.7.2"));
        check(&["3.5.1"], Some("3.5.1"));
        check(&["~> 3.5.0"], Some("3.5.0"));
        check(&["> 4.0.0"], None);
    }
}
