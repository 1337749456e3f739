//! One folder's files: which of them are configuration, parsed, overrides merged in.

use std::path::Path;

use crate::diag::{Diagnostic, Diagnostics, SourceMap};
use crate::lang::syntax::ast::Body;
use crate::lang::syntax::{parse, parse_json, parse_json_assignments, parse_json_mocks, parse_json_tests};

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
}

/// Whether a name is that of a configuration file, JSON included.
pub fn is_configuration(entry: &Entry) -> bool {
    let name = entry.name.as_str();
    let hidden = name.starts_with('.') || name.ends_with('~') || (name.starts_with('#') && name.ends_with('#'));
    let known = [".tf", ".tofu", ".tf.json", ".tofu.json"].iter().any(|end| name.ends_with(end));
    !entry.is_dir && !hidden && known
}

impl Reading<'_> {
    /// The body of one file; errors of reading and of syntax are said.
    pub fn body(&self, path: &Path, said: &mut Diagnostics) -> Option<Body> {
        let shown = relative(path, self.working_dir);
        let text = match self.files.read(path) {
            Ok(bytes) => match String::from_utf8(bytes) {
                Ok(text) => text,
                Err(_) => {
                    let detail = format!("{} is not UTF-8 text.", shown.display());
                    said.push(Diagnostic::error("Invalid character encoding", detail));
                    return None;
                }
            },
            Err(error) => {
                said.push(Diagnostic::error(
                    "Failed to read file",
                    format!("{} cannot be read: {error}.", shown.display()),
                ));
                return None;
            }
        };
        let name = shown.to_string_lossy().into_owned();
        let file = self.sources.add_file(shown, &text);
        let (parsed, errors) = match name.strip_suffix(".json") {
            Some(native) if native.ends_with(".tf") || native.ends_with(".tofu") => parse_json(self.sources, file),
            Some(native) if native.ends_with(".tftest") || native.ends_with(".tofutest") => {
                parse_json_tests(self.sources, file)
            }
            Some(native) if native.ends_with(".tfmock") => parse_json_mocks(self.sources, file),
            Some(_) => parse_json_assignments(self.sources, file),
            None => parse(self.sources, file),
        };
        said.append(errors);
        Some(parsed.body)
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
        let mut bodies = Vec::new();
        let mut overrides = Vec::new();
        for name in names {
            let path = dir.join(name);
            let stem = name.trim_end_matches(".json").trim_end_matches(".tofu").trim_end_matches(".tf");
            let into = if stem == "override" || stem.ends_with("_override") { &mut overrides } else { &mut bodies };
            into.extend(self.body(&path, said));
        }
        for body in overrides {
            for block in body.blocks {
                override_block(&mut bodies, &block, said);
            }
        }
        Some(bodies)
    }
}
