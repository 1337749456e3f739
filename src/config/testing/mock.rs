//! `mock_provider` and `override_*` blocks, and files of mocks.

use std::sync::Arc;

use crate::addr::{Mode, Pattern};
use crate::diag::{Diagnostic, Diagnostics, SourceMap};
use crate::lang::eval::has_call;
use crate::lang::syntax::ast::{Attribute, Block, Body, ExprKind};
use crate::value::Value;

use super::super::block::{constant_value, pattern_of, quoted_reference, text_of, word_of};
use super::super::shape::{Shape, check_name, place};
use super::model::{During, Folder, MockBlock, MockKind, OverrideBlock};

const OVERRIDES: &[&str] = &["override_resource", "override_data", "override_module", "override_layer"];

const MOCK: Shape = Shape {
    labels: &["name"],
    arguments: &["alias", "source", "override_during"],
    blocks: &["mock_resource", "mock_data", "override_resource", "override_data"],
    ..Shape::EMPTY
};

const KIND: Shape = Shape { labels: &["type"], arguments: &["defaults", "override_during"], ..Shape::EMPTY };

const FILE: Shape =
    Shape { blocks: &["mock_resource", "mock_data", "override_resource", "override_data"], ..Shape::EMPTY };

const OVERRIDE: Shape = Shape { arguments: &["target", "values", "override_during"], ..Shape::EMPTY };

const OVERRIDE_MODULE: Shape = Shape { arguments: &["target", "outputs", "override_during"], ..Shape::EMPTY };

/// A `mock_provider` block, with the files of its `source`.
pub(super) fn mock(block: &Block, folder: &Folder<'_>, said: &mut Diagnostics) -> Option<MockBlock> {
    if !MOCK.check(block, said) {
        return None;
    }
    let label = &block.labels[0];
    if !check_name("provider", &label.text, label.span, said) {
        return None;
    }
    let during = during(&block.body, During::Apply, said);
    let mut mock = MockBlock {
        local: label.text.clone(),
        alias: None,
        kinds: Vec::new(),
        overrides: Vec::new(),
        during,
        span: block.header,
    };
    if let Some(attribute) = block.body.attribute("alias") {
        match text_of(&attribute.expr) {
            Some(text) if crate::lang::syntax::is_name(text) => mock.alias = Some(text.clone()),
            _ => {
                let detail = "An alias must be a valid name. Names must start with a letter, and may contain only letters, \
                              digits, underscores, and dashes.";
                said.push(Diagnostic::error("Invalid provider configuration alias", detail).at(attribute.expr.span));
            }
        }
    }
    content(&mut mock, &block.body, folder.sources(), said);
    if let Some(attribute) = block.body.attribute("source") {
        let from = source(attribute, &mock, block, folder, said);
        let (kinds, overrides) = (&mock.kinds, &mock.overrides);
        // What the block itself says counts before what the files of its source say.
        let mut all: Vec<MockKind> = from.kinds;
        all.retain(|kind| !kinds.iter().any(|own| own.mode == kind.mode && own.kind == kind.kind));
        all.append(&mut mock.kinds);
        let mut more: Vec<OverrideBlock> = from.overrides;
        more.retain(|one| !overrides.iter().any(|own| own.target == one.target));
        more.append(&mut mock.overrides);
        (mock.kinds, mock.overrides) = (all, more);
    }
    Some(mock)
}

/// The files of mocks of a folder.
fn source(
    attribute: &Attribute,
    like: &MockBlock,
    block: &Block,
    folder: &Folder<'_>,
    said: &mut Diagnostics,
) -> MockBlock {
    let mut found = MockBlock { kinds: Vec::new(), overrides: Vec::new(), ..like.clone() };
    let Some(path) = text_of(&attribute.expr) else {
        let detail = "The source of mocks is the path of a folder, written out.";
        said.push(Diagnostic::error("Invalid mock source", detail).at(attribute.expr.span));
        return found;
    };
    let dir = super::super::files::normal(&folder.dir.join(path.as_str()));
    let entries = match folder.reading.files.list(&dir) {
        Ok(entries) => entries,
        Err(error) => {
            let detail = format!(
                "The folder {:?} cannot be read: {error}. Correct \"source\", which is seen from the working directory.",
                path.as_str()
            );
            said.push(Diagnostic::error("Failed to read mock data directory", detail).at(block.header));
            return found;
        }
    };
    for entry in entries.iter().filter(|entry| !entry.is_dir) {
        let known = [".tfmock.hcl", ".tfmock.json"].iter().any(|end| entry.name.ends_with(end));
        if !known {
            continue;
        }
        let Some(body) = folder.reading.body(&dir.join(&entry.name), said) else { continue };
        FILE.check_body(&body, block.header, "", said);
        content(&mut found, &body, folder.sources(), said);
    }
    found
}

/// Takes the blocks of a body in.
fn content(mock: &mut MockBlock, body: &Body, sources: &SourceMap, said: &mut Diagnostics) {
    for nested in &body.blocks {
        let word = nested.kind.text.as_str();
        let mode = match word {
            "mock_resource" => Mode::Managed,
            "mock_data" => Mode::Data,
            _ => continue,
        };
        if !KIND.check(nested, said) {
            continue;
        }
        let kind = nested.labels[0].text.clone();
        if let Some(first) = mock.kinds.iter().find(|known| known.mode == mode && known.kind == kind) {
            let detail = format!(
                "Values for {:?} are mocked at {} already. Write them into one block.",
                kind.as_str(),
                place(sources, first.span)
            );
            said.push(Diagnostic::error(format!("Duplicate {word} block"), detail).at(nested.header));
            continue;
        }
        let (values, values_span) = values(&nested.body, "defaults", nested, said);
        let during = during(&nested.body, mock.during, said);
        mock.kinds.push(MockKind { mode, kind, values, values_span, during, span: nested.header });
    }
    let during = mock.during;
    overrides(body, during, sources, &mut mock.overrides, said);
}

/// The `override_*` blocks of a body.
pub(super) fn overrides(
    body: &Body,
    inherited: During,
    sources: &SourceMap,
    into: &mut Vec<OverrideBlock>,
    said: &mut Diagnostics,
) {
    for block in body.blocks.iter().filter(|block| OVERRIDES.contains(&block.kind.text.as_str())) {
        let Some(found) = one(block, inherited, sources, said) else { continue };
        if let Some(first) = into.iter().find(|known| known.target == found.target) {
            let detail = format!(
                "{} is overridden at {} already. Write one block for it.",
                found.target,
                place(sources, first.target_span)
            );
            said.push(Diagnostic::error(format!("Duplicate {} block", block.kind.text), detail).at(block.header));
            continue;
        }
        into.push(found);
    }
}

fn one(block: &Arc<Block>, inherited: During, sources: &SourceMap, said: &mut Diagnostics) -> Option<OverrideBlock> {
    let word = block.kind.text.as_str();
    let (shape, argument) = if matches!(word, "override_module" | "override_layer") {
        (&OVERRIDE_MODULE, "outputs")
    } else {
        (&OVERRIDE, "values")
    };
    shape.check(block, said);
    let (values, values_span) = values(&block.body, argument, block, said);
    let during = during(&block.body, inherited, said);
    let Some(target) = block.body.attribute("target") else {
        let detail = format!("An {word} block says what it is about: target = ….");
        said.push(Diagnostic::error("Missing target attribute", detail).at(block.header));
        return None;
    };
    let pattern = match text_of(&target.expr) {
        Some(text) => {
            said.push(quoted_reference(&target.expr));
            crate::addr::parse_pattern(text)
                .map_err(|error| Diagnostic::error("Invalid address", error.to_string()).at(target.expr.span))
        }
        None => pattern_of(&target.expr, sources),
    };
    let pattern = match pattern {
        Ok(pattern) => pattern,
        Err(diagnostic) => {
            said.push(diagnostic);
            return None;
        }
    };
    let fits = match word {
        "override_layer" => pattern.layer.is_some() && pattern.module.is_root() && pattern.resource.is_none(),
        "override_module" => pattern.layer.is_none() && pattern.resource.is_none(),
        "override_data" => mode_of(&pattern) == Some(Mode::Data),
        _ => mode_of(&pattern) == Some(Mode::Managed),
    };
    if !fits {
        let what = match word {
            "override_layer" => "a layer, such as layer.bootstrap",
            "override_module" => "a module, such as module.network",
            "override_data" => "a data source, such as data.aws_ami.ubuntu",
            _ => "a resource, such as aws_instance.web",
        };
        let detail = format!("The target of an {word} block is {what}.");
        said.push(Diagnostic::error("Invalid override target", detail).at(target.span));
        return None;
    }
    if word == "override_module" && !pattern.is_whole() {
        let detail = format!(
            "{pattern} is one instance of a module. This version can only replace all of them at once: leave the key out, or \
             override resources of the instance."
        );
        said.push(Diagnostic::error("Not supported yet", detail).at(target.expr.span));
        return None;
    }
    Some(OverrideBlock { target: pattern, values, target_span: target.span, values_span, during })
}

fn mode_of(pattern: &Pattern) -> Option<Mode> {
    pattern.resource.as_ref().map(|resource| resource.mode)
}

/// An object that is written out.
fn values(body: &Body, name: &str, block: &Block, said: &mut Diagnostics) -> (Value, crate::diag::Span) {
    let Some(attribute) = body.attribute(name) else { return (Value::NULL, block.header) };
    let span = attribute.span;
    if let ExprKind::Object(items) = &attribute.expr.kind
        && let Some(item) = items.iter().find(|item| has_call(&item.value))
    {
        let detail = "Functions may not be called here: the values are written out.";
        said.push(Diagnostic::error("Function calls not allowed", detail).at(item.value.span));
        return (Value::NULL, span);
    }
    let value = constant_value(&attribute.expr, said).unwrap_or_default();
    // What the values of a kind do not fit is found when one is made; an override is about one object.
    if name != "defaults" && !value.is_null() && value.as_entries().is_none() {
        let detail = format!("{name} is an object: the values by the names of the attributes they are for.");
        said.push(Diagnostic::error(format!("Invalid {name} attribute"), detail).at(span));
        return (Value::NULL, span);
    }
    (value, span)
}

fn during(body: &Body, inherited: During, said: &mut Diagnostics) -> During {
    let Some(attribute) = body.attribute("override_during") else { return inherited };
    match word_of(&attribute.expr).map(|word| word.as_str()) {
        Some("plan") => During::Plan,
        Some("apply") => During::Apply,
        _ => {
            let detail = "override_during is either plan or apply, without quotes.";
            said.push(Diagnostic::error("Invalid override_during value", detail).at(attribute.span));
            inherited
        }
    }
}
