//! Blocks of a module's files, read into the model.
//!
//! In: the bodies of the files of one folder. Out: a [`Module`] whose calls are not resolved yet, and what is wrong with
//! the blocks. Not here: files and folders (`tree`), values of expressions.

mod action;
mod call;
mod check;
mod import;
mod lifecycle;
mod provision;
mod refactor;
mod reference;
mod resource;
mod terraform;
mod values;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::addr::{Mode, Name};
use crate::diag::{Diagnostic, Diagnostics, SourceMap, Span, did_you_mean};
use crate::lang::syntax::ast::{Block, Body};

use super::model::Module;
use super::shape::{Shape, check_name, describe, place};

pub use call::{Call, passed_providers};
pub use lifecycle::rule;
pub use reference::{pattern_of, quoted_reference, quoted_target, step_of, text_of, word_of};
pub use resource::{duplicate_provider, find as find_provider, provider_config};
pub use terraform::BackendBlock;
pub use values::{constant_value, literal_text, truth};

/// A folder's blocks before its module calls are followed.
#[derive(Default)]
pub struct Unlinked {
    /// Everything but the calls.
    pub module: Module,
    /// The calls in written order, by name.
    pub calls: BTreeMap<Name, Call>,
    /// `terraform { backend }` blocks, of which one is allowed.
    pub backend: Option<BackendBlock>,
}

/// Block types that may stand at the top of a file.
const KNOWN: &[&str] = &[
    "terraform",
    "provider",
    "variable",
    "locals",
    "output",
    "module",
    "resource",
    "data",
    "ephemeral",
    "moved",
    "removed",
    "import",
    "check",
    "action",
];

/// Reads the blocks of all files of a folder. Overrides are merged in already.
pub fn read(bodies: &[Body], sources: &SourceMap, said: &mut Diagnostics) -> Unlinked {
    let mut reader = Reader { unlinked: Unlinked::default(), sources, said, required_at: None };
    for body in bodies {
        for attribute in &body.attributes {
            let detail = format!(
                "An argument named {:?} is not expected here. Arguments stand inside of blocks.",
                attribute.name.text.as_str()
            );
            reader.said.push(Diagnostic::error("Unsupported argument", detail).at(attribute.name.span));
        }
        for block in &body.blocks {
            reader.block(block);
        }
    }
    reader.unlinked
}

/// The `backend` block alone. What is wrong elsewhere is not looked at.
pub fn backend(bodies: &[Body], sources: &SourceMap) -> Option<BackendBlock> {
    let said = &mut Diagnostics::none();
    let mut reader = Reader { unlinked: Unlinked::default(), sources, said, required_at: None };
    for block in bodies.iter().flat_map(|body| body.blocks_of("terraform")) {
        reader.terraform(block);
    }
    reader.unlinked.backend
}

/// Makes an empty block for every `import` block that has no resource block and could be given one.
pub fn stubs(mut unlinked: Unlinked, sources: &SourceMap, said: &mut Diagnostics) -> Unlinked {
    let wanted = unlinked
        .module
        .imports
        .iter()
        .filter(|import| import.for_each.is_none() && import.to.modules.is_empty() && import.to.key.is_none());
    let mut wanted: Vec<_> = wanted.map(|import| (import.to.resource.clone(), import.provider.clone())).collect();
    wanted.retain(|(addr, _)| !unlinked.module.resources.contains_key(addr));
    for (addr, provider) in wanted {
        let file = sources.add("(generated)", format!("resource \"{}\" \"{}\" {{}}", addr.kind, addr.name));
        let (parsed, _) = crate::lang::syntax::parse(sources, file);
        let mut reader = Reader { unlinked, sources, said, required_at: None };
        for block in &parsed.body.blocks {
            reader.block(block);
        }
        unlinked = reader.unlinked;
        if let Some(resource) = unlinked.module.resources.get_mut(&addr).and_then(Arc::get_mut) {
            resource.generated = true;
            resource.provider = provider.unwrap_or_else(|| resource.provider.clone());
        }
    }
    unlinked
}

struct Reader<'a> {
    unlinked: Unlinked,
    sources: &'a SourceMap,
    said: &'a mut Diagnostics,
    required_at: Option<Span>,
}

impl Reader<'_> {
    fn block(&mut self, block: &Arc<Block>) {
        let before = self.said.0.len();
        match block.kind.text.as_str() {
            "terraform" => self.terraform(block),
            "provider" => self.provider(block),
            "variable" => self.variable(block),
            "locals" => self.locals(block),
            "output" => self.output(block),
            "module" => self.module(block),
            "resource" => self.resource(block, Mode::Managed, None),
            "data" => self.resource(block, Mode::Data, None),
            "ephemeral" => self.resource(block, Mode::Ephemeral, None),
            "moved" => self.moved(block),
            "removed" => self.removed(block),
            "import" => self.import(block),
            "check" => self.check(block),
            "action" => self.action(block),
            kind => {
                let hint = did_you_mean(kind, KNOWN.iter().copied());
                let detail = format!("Blocks of type {kind:?} are not expected here.{hint}");
                self.said.push(Diagnostic::error("Unsupported block type", detail).at(block.kind.span));
            }
        }
        if self.said.0.len() == before {
            return;
        }
        let within = describe(block);
        for diagnostic in &mut self.said.0[before..] {
            diagnostic.within.get_or_insert_with(|| within.clone());
        }
    }

    /// The block's one label as a name; says what is wrong with it.
    fn name(&mut self, shape: &Shape, block: &Block) -> Option<Name> {
        if !shape.check(block, self.said) {
            return None;
        }
        let label = &block.labels[0];
        let what = match block.kind.text.as_str() {
            "module" => "module instance",
            other => other,
        };
        check_name(what, &label.text, label.span, self.said).then(|| label.text.clone())
    }

    /// Says that a name is taken; `spans` are the first block and this one.
    fn duplicate(&mut self, summary: &str, what: &str, name: &str, done: &str, spans: (Span, Span), rule: &str) {
        let at = place(self.sources, spans.0);
        let detail = format!("{what} named {name:?} was already {done} at {at}. {rule}");
        self.said.push(Diagnostic::error(summary, detail).at(spans.1));
    }
}
