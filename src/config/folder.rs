//! One folder's files: which of them are configuration, parsed, overrides merged in.

use std::path::Path;
use std::sync::Arc;

use crate::diag::{Diagnostic, Diagnostics, SourceMap};
use crate::lang::syntax::ast::{Attribute, Block, Body};
use crate::lang::syntax::parse;

use super::files::{Entry, Files, relative};
use super::shape::{describe, not_yet};

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
        let file = self.sources.add(shown, text.strip_prefix('\u{feff}').unwrap_or(&text));
        let (parsed, errors) = parse(self.sources, file);
        said.append(errors);
        Some(parsed.body)
    }

    /// The bodies of a folder's files, overrides merged in; `None` when there are none.
    pub fn folder(&self, dir: &Path, entries: &[Entry], said: &mut Diagnostics) -> Option<Vec<Body>> {
        let mut names: Vec<&str> =
            entries.iter().filter(|entry| is_configuration(entry)).map(|e| e.name.as_str()).collect();
        // Of `a.tf` and `a.tofu`, the second is meant for readers like this one.
        let tofu: Vec<&str> = names.iter().filter_map(|name| name.strip_suffix(".tofu")).collect();
        names.retain(|name| name.strip_suffix(".tf").is_none_or(|stem| !tofu.contains(&stem)));
        if names.is_empty() {
            return None;
        }
        let mut bodies = Vec::new();
        let mut overrides = Vec::new();
        for name in names {
            let path = dir.join(name);
            if name.ends_with(".json") {
                let shown = relative(&path, self.working_dir);
                said.push(not_yet(&format!("JSON syntax ({})", shown.display())));
                continue;
            }
            let stem = name.trim_end_matches(".tofu").trim_end_matches(".tf");
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

/// Merges a block of an override file into the block of the same name.
fn override_block(bodies: &mut Vec<Body>, block: &Arc<Block>, said: &mut Diagnostics) {
    let kind = block.kind.text.as_str();
    let labels: Vec<&str> = block.labels.iter().map(|label| label.text.as_str()).collect();
    if kind == "locals" {
        for attribute in &block.body.attributes {
            let mut all = bodies.iter_mut().flat_map(|body| &mut body.blocks).filter(|base| base.kind.text == "locals");
            match all.find(|base| base.body.attribute(&attribute.name.text).is_some()) {
                Some(base) => set(&mut Arc::make_mut(base).body.attributes, attribute),
                None => said
                    .push(missing_base(&format!("local value {:?}", attribute.name.text.as_str())).at(attribute.span)),
            }
        }
        return;
    }
    let alias = |block: &Block| block.body.attribute("alias").map(|alias| format!("{:?}", alias.expr.kind));
    let same = |base: &&mut Arc<Block>| {
        base.kind.text == *kind
            && base.labels.iter().map(|label| label.text.as_str()).eq(labels.iter().copied())
            && (kind != "provider" || alias(base) == alias(block))
    };
    match bodies.iter_mut().flat_map(|body| &mut body.blocks).find(same) {
        Some(base) => merge(Arc::make_mut(base), block),
        // These may appear in override files alone.
        None if kind == "terraform" || kind == "provider" => {
            bodies.push(Body { blocks: vec![block.clone()], ..Body::default() });
        }
        None => said.push(missing_base(&describe(block)).at(block.header)),
    }
}

fn missing_base(what: &str) -> Diagnostic {
    let detail = format!(
        "There is no {what} in the primary configuration files. An override file can only override what is defined there."
    );
    Diagnostic::error("Missing base declaration to override", detail)
}

fn set(attributes: &mut Vec<Attribute>, attribute: &Attribute) {
    match attributes.iter_mut().find(|known| known.name.text == attribute.name.text) {
        Some(known) => *known = attribute.clone(),
        None => attributes.push(attribute.clone()),
    }
}

/// Arguments replace arguments; nested blocks of a type replace all of that type, save those that are merged themselves.
fn merge(base: &mut Block, by: &Block) {
    for attribute in &by.body.attributes {
        // `count` and `for_each` exclude each other: one written later takes the other's place.
        let other = match attribute.name.text.as_str() {
            "count" => Some("for_each"),
            "for_each" => Some("count"),
            _ => None,
        };
        base.body.attributes.retain(|known| other.is_none_or(|other| known.name.text != *other));
        set(&mut base.body.attributes, attribute);
    }
    let merged = |kind: &str| matches!(kind, "lifecycle" | "required_providers");
    let replaced: Vec<&str> =
        by.body.blocks.iter().map(|block| block.kind.text.as_str()).filter(|k| !merged(k)).collect();
    base.body.blocks.retain(|block| !replaced.contains(&block.kind.text.as_str()));
    for block in &by.body.blocks {
        let known = base.body.blocks.iter_mut().find(|known| known.kind.text == block.kind.text);
        match known {
            Some(known) if merged(&block.kind.text) => merge(Arc::make_mut(known), block),
            _ => base.body.blocks.push(block.clone()),
        }
    }
}
