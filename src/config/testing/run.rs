//! `run` blocks.

use std::sync::Arc;

use crate::diag::{Diagnostic, Diagnostics};
use crate::lang::syntax::ast::{Block, Body};

use super::super::block::{literal_text, passed_providers, rule, truth, word_of};
use super::super::load::data_folder;
use super::super::shape::{Shape, check_name, not_yet, place};
use super::super::tree::Tree;
use super::mock::overrides;
use super::model::{During, Folder, TestCommand, TestMode, TestModule, TestRun};
use super::options::{expect_failures, plan_options};

const RUN: Shape = Shape {
    labels: &["name"],
    arguments: &["command", "providers", "expect_failures", "state_key", "parallel"],
    blocks: &[
        "assert",
        "module",
        "override_data",
        "override_layer",
        "override_module",
        "override_resource",
        "plan_options",
        "variables",
    ],
    later: &["backend", "skip_cleanup"],
    ..Shape::EMPTY
};

const MODULE: Shape = Shape { arguments: &["source", "version"], ..Shape::EMPTY };

/// The one block of a type; says what is wrong with a second one.
pub(super) fn only<'b>(
    body: &'b Body,
    kind: &'static str,
    folder: &Folder<'_>,
    said: &mut Diagnostics,
) -> Option<&'b Arc<Block>> {
    let mut blocks = body.blocks_of(kind);
    let first = blocks.next()?;
    for second in blocks {
        let detail = format!("There is a {kind} block at {} already.", place(folder.sources(), first.header));
        said.push(Diagnostic::error(format!("Multiple {kind:?} blocks"), detail).at(second.header));
    }
    Some(first)
}

/// Reads a `run` block. `parallel` is what its file says.
pub(super) fn run(
    block: &Block,
    parallel: bool,
    folder: &Folder<'_>,
    tree: &mut Tree<'_>,
    said: &mut Diagnostics,
) -> Option<TestRun> {
    if !RUN.check(block, said) {
        return None;
    }
    let label = &block.labels[0];
    if !check_name("run block", &label.text, label.span, said) {
        return None;
    }
    let body = &block.body;
    let mut run = TestRun {
        name: label.text.clone(),
        command: TestCommand::Apply,
        mode: TestMode::Normal,
        refresh: true,
        targets: Vec::new(),
        replace: Vec::new(),
        variables: Vec::new(),
        module: None,
        providers: body.attribute("providers").map(|attribute| passed_providers(&attribute.expr, said)),
        overrides: Vec::new(),
        asserts: body.blocks_of("assert").filter_map(|block| rule(block, said)).collect(),
        expect_failures: Vec::new(),
        state_key: literal_text(body, "state_key", said),
        parallel: truth(body, "parallel", said).unwrap_or(parallel),
        span: block.header,
    };
    if let Some(attribute) = body.attribute("command") {
        match word_of(&attribute.expr).map(|word| word.as_str()) {
            Some("plan") => run.command = TestCommand::Plan,
            Some("apply") => {}
            _ => {
                let detail = "The command of a run is either plan or apply, without quotes.";
                said.push(Diagnostic::error("Invalid \"command\" keyword", detail).at(attribute.expr.span));
            }
        }
    }
    if let Some(variables) = only(body, "variables", folder, said) {
        run.variables.clone_from(&variables.body.attributes);
    }
    if let Some(options) = only(body, "plan_options", folder, said) {
        plan_options(&mut run, options, folder.sources(), said);
    }
    if let Some(module) = only(body, "module", folder, said) {
        run.module = self::module(module, folder, tree, said);
    }
    if let Some(attribute) = body.attribute("expect_failures") {
        run.expect_failures = expect_failures(&attribute.expr, said);
    }
    overrides(body, During::Apply, folder.sources(), &mut run.overrides, said);
    Some(run)
}

fn module(block: &Block, folder: &Folder<'_>, tree: &mut Tree<'_>, said: &mut Diagnostics) -> Option<TestModule> {
    MODULE.check(block, said);
    if block.body.attribute("source").is_none() {
        let detail = "A module block of a run says where the module is: source = \"./modules/network\".";
        said.push(Diagnostic::error("Missing \"source\" attribute for module block", detail).at(block.header));
        return None;
    }
    let source = literal_text(&block.body, "source", said)?;
    let span = block.body.attribute("source").map_or(block.header, |attribute| attribute.expr.span);
    let local = ["./", "../"].iter().any(|start| source.starts_with(start)) || matches!(source.as_str(), "." | "..");
    if let Some(version) = block.body.attribute("version") {
        let diagnostic = if local {
            let detail = "A version belongs to a module of a registry; a folder has none. Take it away.";
            Diagnostic::error("Invalid registry module source address", detail)
        } else {
            not_yet("A module version (modules of a registry)")
        };
        said.push(diagnostic.at(if local { span } else { version.span }));
        return None;
    }
    if !local {
        let detail = format!(
            "The source {source:?} names a module outside of this configuration. This version follows local paths only, which \
             begin with \"./\" or \"../\"."
        );
        said.push(Diagnostic::error("Not supported yet", detail).at(span));
        return None;
    }
    let dir = super::super::files::normal(&folder.dir.join(&source));
    let before = said.0.len();
    let data = data_folder(folder.load, &dir, None);
    match tree.root(&dir, &data, folder.given, said) {
        Some(root) => Some(TestModule { source, root: root.module, span: block.header }),
        None => {
            if said.0.len() == before {
                let detail = format!(
                    "The folder {source:?} cannot be read, or has no configuration files. The source of a run's module is \
                     seen from the working directory."
                );
                said.push(Diagnostic::error("Unreadable module directory", detail).at(block.header));
            }
            None
        }
    }
}
