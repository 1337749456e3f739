//! One folder's files: which of them are configuration, parsed, overrides merged in.

use std::path::{Path, PathBuf};

use crate::diag::{Diagnostic, Diagnostics, FileId, SourceMap};
use crate::lang::syntax::ast::Body;
use crate::lang::syntax::{parse, parse_json, parse_json_assignments, parse_json_mocks, parse_json_tests};
use crate::threads;

use super::files::{Entry, Files, relative};
use super::overrides::override_block;

/// Reads files into bodies.
pub struct Reading<'a> {
    /// Where from.
    pub files: &'a dyn Files,
    /// Where the texts go.
    pub sources: &'a SourceMap,
    /// The folder that paths in messages are told from.
    pub working_dir: &'a Path,
    /// Whether advice on what is written is asked for.
    pub advises: bool,
}

/// Whether a name is that of a configuration file, JSON included.
pub fn is_configuration(entry: &Entry) -> bool {
    let name = entry.name.as_str();
    let hidden = name.starts_with('.') || name.ends_with('~') || (name.starts_with('#') && name.ends_with('#'));
    let known = [".tf", ".tofu", ".tf.json", ".tofu.json"].iter().any(|end| name.ends_with(end));
    !entry.is_dir && !hidden && known
}

/// Less text than this is not worth a thread.
const LEAST: usize = 1 << 17;

/// A file that is among the sources.
struct Added {
    file: FileId,
    name: String,
    size: usize,
}

impl Reading<'_> {
    /// The body of one file; errors of reading and of syntax are said.
    pub fn body(&self, path: &Path, said: &mut Diagnostics) -> Option<Body> {
        match self.added(path) {
            Ok(added) => {
                let (body, errors) = parsed(self.sources, &added);
                self.say(errors, said);
                Some(body)
            }
            Err(error) => {
                said.push(error);
                None
            }
        }
    }

    fn say(&self, mut errors: Diagnostics, said: &mut Diagnostics) {
        errors.0.retain(|error| self.advises || !error.advice);
        said.append(errors);
    }

    /// Reads one file into the map of sources.
    fn added(&self, path: &Path) -> Result<Added, Diagnostic> {
        let shown = relative(path, self.working_dir);
        let bytes = self.files.read(path).map_err(|error| {
            Diagnostic::error("Failed to read file", format!("{} cannot be read: {error}.", shown.display()))
        })?;
        let text = String::from_utf8(bytes).map_err(|_| {
            Diagnostic::error("Invalid character encoding", format!("{} is not UTF-8 text.", shown.display()))
        })?;
        let name = shown.to_string_lossy().into_owned();
        let size = text.len();
        let file = self.sources.add_file(shown, &text);
        Ok(Added { file, name, size })
    }

    /// The bodies of several files, parsed by several threads where there is much to parse. What is to be said comes in the
    /// order of the files.
    fn bodies(&self, paths: &[PathBuf], said: &mut Diagnostics) -> Vec<Option<Body>> {
        let files: Vec<Result<Added, Diagnostic>> = paths.iter().map(|path| self.added(path)).collect();
        let size = files.iter().flatten().map(|added| added.size).sum();
        let sources = self.sources;
        let parse = |added: &Result<Added, Diagnostic>| match added {
            Ok(added) => {
                let (body, errors) = parsed(sources, added);
                (Some(body), errors)
            }
            Err(error) => (None, error.clone().into()),
        };
        let each = threads::one_after_another(threads::pieces(size, LEAST), &files, parse);
        each.into_iter()
            .map(|(body, errors)| {
                self.say(errors, said);
                body
            })
            .collect()
    }

    /// The bodies of a folder's files, overrides merged in; `None` when there are none.
    pub fn folder(&self, dir: &Path, entries: &[Entry], said: &mut Diagnostics) -> Option<Vec<Body>> {
        let mut names: Vec<&str> =
            entries.iter().filter(|entry| is_configuration(entry)).map(|e| e.name.as_str()).collect();
        // Of `a.tf` and `a.tofu`, the second is meant for readers like this one.
        let stem = |name: &'_ str, end: &str, json: &str| -> Option<String> {
            let native = name.strip_suffix(end);
            native.map(str::to_owned).or_else(|| Some(format!("{}.json", name.strip_suffix(json)?)))
        };
        let tofu: Vec<String> = names.iter().filter_map(|name| stem(name, ".tofu", ".tofu.json")).collect();
        names.retain(|name| stem(name, ".tf", ".tf.json").is_none_or(|stem| !tofu.contains(&stem)));
        if names.is_empty() {
            return None;
        }
        let paths: Vec<PathBuf> = names.iter().map(|name| dir.join(name)).collect();
        let mut bodies = Vec::new();
        let mut overrides = Vec::new();
        for (name, body) in names.into_iter().zip(self.bodies(&paths, said)) {
            let stem = name.trim_end_matches(".json").trim_end_matches(".tofu").trim_end_matches(".tf");
            let into = if stem == "override" || stem.ends_with("_override") { &mut overrides } else { &mut bodies };
            into.extend(body);
        }
        for body in overrides {
            for block in body.blocks {
                override_block(&mut bodies, &block, said);
            }
        }
        Some(bodies)
    }
}

fn parsed(sources: &SourceMap, added: &Added) -> (Body, Diagnostics) {
    let file = added.file;
    let (parsed, errors) = match added.name.strip_suffix(".json") {
        Some(native) if native.ends_with(".tf") || native.ends_with(".tofu") => parse_json(sources, file),
        Some(native) if native.ends_with(".tftest") || native.ends_with(".tofutest") => parse_json_tests(sources, file),
        Some(native) if native.ends_with(".tfmock") => parse_json_mocks(sources, file),
        Some(_) => parse_json_assignments(sources, file),
        None => parse(sources, file),
    };
    (parsed.body, errors)
}
