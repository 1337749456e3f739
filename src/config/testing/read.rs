//! One test file.

use std::path::Path;

use crate::diag::{Diagnostic, Diagnostics};
use crate::lang::syntax::ast::Body;

use super::super::block::{provider_config, truth};
use super::super::files::relative;
use super::super::shape::{Shape, describe, place};
use super::super::tree::Tree;
use super::mock::{mock, overrides};
use super::model::{During, Folder, TestFile};
use super::run::{only, run};

const FILE: Shape = Shape {
    blocks: &[
        "mock_provider",
        "override_data",
        "override_layer",
        "override_module",
        "override_resource",
        "provider",
        "run",
        "test",
        "variables",
    ],
    ..Shape::EMPTY
};

const TEST: Shape = Shape { arguments: &["parallel"], ..Shape::EMPTY };

/// Reads a test file; `None` when it cannot be read at all.
pub(super) fn file(
    path: &Path,
    in_tests: bool,
    folder: &Folder<'_>,
    tree: &mut Tree<'_>,
    said: &mut Diagnostics,
) -> Option<TestFile> {
    let body = folder.reading.body(path, said)?;
    if let Some(span) = body.span.or_else(|| body.blocks.first().map(|block| block.header)) {
        let before = said.0.len();
        FILE.check_body(&body, span, "", said);
        said.0[before..].iter_mut().for_each(|diagnostic| diagnostic.within = None);
    }
    let mut file = TestFile {
        path: relative(path, folder.reading.working_dir),
        in_tests,
        parallel: false,
        variables: Vec::new(),
        providers: Vec::new(),
        mocks: Vec::new(),
        overrides: Vec::new(),
        runs: Vec::new(),
    };
    if let Some(test) = only(&body, "test", folder, said) {
        TEST.check(test, said);
        file.parallel = truth(&test.body, "parallel", said).unwrap_or(false);
    }
    if let Some(variables) = only(&body, "variables", folder, said) {
        file.variables.clone_from(&variables.body.attributes);
    }
    providers(&mut file, &body, folder, said);
    overrides(&body, During::Apply, folder.sources(), &mut file.overrides, said);
    for block in body.blocks_of("run") {
        let before = said.0.len();
        let run = run(block, file.parallel, folder, tree, said);
        for diagnostic in &mut said.0[before..] {
            diagnostic.within.get_or_insert_with(|| describe(block));
        }
        let Some(run) = run else { continue };
        if let Some(first) = file.runs.iter().find(|known| known.name == run.name) {
            let detail = format!(
                "There is a run named {:?} at {} already. Each run of a file needs a name of its own.",
                run.name.as_str(),
                place(folder.sources(), first.span)
            );
            said.push(Diagnostic::error("Duplicate \"run\" block names", detail).at(block.header));
            continue;
        }
        file.runs.push(run);
    }
    Some(file)
}

/// The `provider` and `mock_provider` blocks: each configuration is there once, real or mocked.
fn providers(file: &mut TestFile, body: &Body, folder: &Folder<'_>, said: &mut Diagnostics) {
    let mut seen = Vec::new();
    for block in &body.blocks {
        let (key, span) = match block.kind.text.as_str() {
            "provider" => {
                let Some(provider) = provider_config(block, said) else { continue };
                let key = (provider.local.clone(), provider.alias.clone());
                file.providers.push(provider);
                (key, block.header)
            }
            "mock_provider" => {
                let Some(mock) = mock(block, folder, said) else { continue };
                let key = (mock.local.clone(), mock.alias.clone());
                file.mocks.push(mock);
                (key, block.header)
            }
            _ => continue,
        };
        if let Some((_, first)) = seen.iter().find(|(known, _)| *known == key) {
            let detail = format!(
                "The provider {:?} is configured or mocked at {} already. Give one of the two an alias of its own.",
                key.0.as_str(),
                place(folder.sources(), *first)
            );
            said.push(Diagnostic::error("Duplicate provider block", detail).at(span));
        }
        seen.push((key, span));
    }
}
