//! `variable`, `locals` and `output` blocks.

use std::collections::btree_map::Entry;
use std::sync::Arc;

use crate::diag::{Diagnostic, Diagnostics};
use crate::lang::decode::{Defaults, constant, type_constraint};
use crate::lang::eval::{Reference, first_name, has_call, references};
use crate::lang::syntax::ast::{Attribute, Block, Body, Expr};
use crate::value::{Type, Value, convert};

use super::super::model::{Local, Output, Variable};
use super::super::shape::{Shape, check_name};
use super::Reader;
use super::lifecycle::rule;
use super::reference::depends_on;

const VARIABLE: Shape = Shape {
    labels: &["name"],
    arguments: &["type", "default", "description", "sensitive", "ephemeral", "nullable", "deprecated"],
    blocks: &["validation"],
    ..Shape::EMPTY
};

const OUTPUT: Shape = Shape {
    labels: &["name"],
    arguments: &["value", "description", "sensitive", "ephemeral", "depends_on", "deprecated"],
    required: &["value"],
    blocks: &["precondition"],
    ..Shape::EMPTY
};

/// Names of meta-arguments of module blocks, which a variable cannot have.
const RESERVED: &[&str] = &["source", "version", "providers", "count", "for_each", "lifecycle", "depends_on", "locals"];

/// A `true` or `false` that is written out.
pub fn truth(body: &Body, name: &str, said: &mut Diagnostics) -> Option<bool> {
    let attribute = body.attribute(name)?;
    written_out(body, attribute, &Type::Bool, "a bool is required", said)?.as_bool()
}

/// A text that is written out.
pub fn literal_text(body: &Body, name: &str, said: &mut Diagnostics) -> Option<String> {
    let attribute = body.attribute(name)?;
    written_out(body, attribute, &Type::String, "a string is required", said)?.as_str().map(str::to_owned)
}

/// The value of an argument that names nothing, as a value of a type.
fn written_out(body: &Body, attribute: &Attribute, ty: &Type, why: &str, said: &mut Diagnostics) -> Option<Value> {
    let expr = &attribute.expr;
    let value = constant_value(expr, said)?;
    let value = convert(&value, ty).ok().filter(|value| !value.is_null());
    if value.is_none() {
        let place = if body.json.is_some() { expr.span } else { expr.beginning() };
        said.push(Diagnostic::error("Unsuitable value type", format!("Unsuitable value: {why}.")).at(place));
    }
    value
}

/// The value of an expression that names nothing and calls nothing.
pub fn constant_value(expr: &Expr, said: &mut Diagnostics) -> Option<Value> {
    if let Some(place) = first_name(expr) {
        said.push(Diagnostic::error("Variables not allowed", "Variables may not be used here.").at(place));
        return None;
    }
    if has_call(expr) {
        let detail = "Functions may not be called here: the value is written out.";
        said.push(Diagnostic::error("Function calls not allowed", detail).at(expr.span));
        return None;
    }
    constant(expr).take(said)
}

/// `deprecated`: a text that says what to do instead.
fn deprecated(block: &Block, said: &mut Diagnostics) -> Option<String> {
    let text = literal_text(&block.body, "deprecated", said)?;
    if text.is_empty() {
        let (what, at) = match block.body.attribute("deprecated") {
            Some(attribute) if block.kind.text == "output" => ("attribute", attribute.expr.span),
            Some(_) | None => ("value", block.header),
        };
        let detail = format!(
            "The \"deprecated\" argument is empty. It tells whoever uses this {} what to use instead.",
            block.kind.text.as_str()
        );
        said.push(Diagnostic::error(format!("Invalid `deprecated` {what}"), detail).at(at));
        return None;
    }
    Some(text)
}

impl Reader<'_> {
    pub(super) fn variable(&mut self, block: &Arc<Block>) {
        let Some(name) = self.name(&VARIABLE, block) else { return };
        if RESERVED.contains(&name.as_str()) {
            let detail = format!(
                "The variable name {:?} is reserved due to its special meaning inside module blocks.",
                name.as_str()
            );
            self.said.push(Diagnostic::error("Invalid variable name", detail).at(block.labels[0].span));
            return;
        }
        let body = &block.body;
        let (ty, defaults) = match body.attribute("type") {
            Some(attribute) => match type_constraint(&attribute.expr).take(self.said) {
                Some(found) => found,
                None => (Type::Any, Defaults::default()),
            },
            None => (Type::Any, Defaults::default()),
        };
        let variable = Variable {
            name: name.clone(),
            text_is_string: body.attribute("type").is_none() || ty.is_primitive(),
            ty,
            defaults,
            default: body.attribute("default").map(|attribute| attribute.expr.clone()),
            description: literal_text(body, "description", self.said),
            sensitive: truth(body, "sensitive", self.said).unwrap_or(false),
            ephemeral: truth(body, "ephemeral", self.said).unwrap_or(false),
            deprecated: deprecated(block, self.said),
            nullable: truth(body, "nullable", self.said).unwrap_or(true),
            validations: body.blocks_of("validation").filter_map(|block| rule(block, self.said)).collect(),
            span: block.header,
        };
        check_default(&variable, self.said);
        for rule in &variable.validations {
            let own =
                |found: &crate::lang::eval::Found| matches!(&found.reference, Reference::Var(named) if *named == name);
            if !references(&rule.condition).iter().any(own) {
                let detail = format!(
                    "The condition for variable {0:?} must refer to var.{0} in order to test incoming values.",
                    name.as_str()
                );
                let error = Diagnostic::error("Invalid variable validation condition", detail);
                self.said.push(error.at(rule.condition.span));
            }
        }
        match self.unlinked.module.variables.entry(name.clone()) {
            Entry::Vacant(vacant) => {
                vacant.insert(variable);
            }
            Entry::Occupied(first) => {
                let first = first.get().span;
                let rule = "Variable names must be unique within a module.";
                self.duplicate(
                    "Duplicate variable declaration",
                    "A variable",
                    &name,
                    "declared",
                    (first, block.header),
                    rule,
                );
            }
        }
    }

    pub(super) fn locals(&mut self, block: &Arc<Block>) {
        let labels = Shape::EMPTY;
        labels.check_labels(block, self.said);
        for nested in &block.body.blocks {
            let summary = format!("Unexpected {:?} block", nested.kind.text.as_str());
            let detail = "Blocks are not allowed here: a locals block holds values, such as name = ….";
            self.said.push(Diagnostic::error(summary, detail).at(nested.header));
        }
        for attribute in &block.body.attributes {
            let name = attribute.name.text.clone();
            if !check_name("local value", &name, attribute.name.span, self.said) {
                continue;
            }
            let local = Local { name: name.clone(), expr: attribute.expr.clone(), span: attribute.span };
            match self.unlinked.module.locals.entry(name.clone()) {
                Entry::Vacant(vacant) => {
                    vacant.insert(local);
                }
                Entry::Occupied(first) => {
                    let spans = (first.get().span, attribute.name.span);
                    let rule = "Local value names must be unique within a module.";
                    self.duplicate("Duplicate local value definition", "A local value", &name, "defined", spans, rule);
                }
            }
        }
    }

    pub(super) fn output(&mut self, block: &Arc<Block>) {
        if let Some(nested) = block.body.blocks_of("postcondition").next() {
            let detail = "An output has preconditions only: it is checked before anybody sees it.";
            self.said.push(Diagnostic::error("Postconditions are not allowed", detail).at(nested.header));
            return;
        }
        let Some(name) = self.name(&OUTPUT, block) else { return };
        let body = &block.body;
        let Some(value) = body.attribute("value") else { return };
        let output = Output {
            name: name.clone(),
            value: value.expr.clone(),
            description: literal_text(body, "description", self.said),
            sensitive: truth(body, "sensitive", self.said).unwrap_or(false),
            ephemeral: truth(body, "ephemeral", self.said).unwrap_or(false),
            deprecated: deprecated(block, self.said),
            depends_on: match body.attribute("depends_on") {
                Some(attribute) => depends_on(&attribute.expr, self.said),
                None => Vec::new(),
            },
            preconditions: body.blocks_of("precondition").filter_map(|block| rule(block, self.said)).collect(),
            span: block.header,
        };
        match self.unlinked.module.outputs.entry(name.clone()) {
            Entry::Vacant(vacant) => {
                vacant.insert(output);
            }
            Entry::Occupied(first) => {
                let spans = (first.get().span, block.header);
                let rule = "Output names must be unique within a module.";
                self.duplicate("Duplicate output definition", "An output", &name, "defined", spans, rule);
            }
        }
    }
}

/// A default is written out: it names nothing, and has the variable's type.
fn check_default(variable: &Variable, said: &mut Diagnostics) {
    let Some(default) = &variable.default else { return };
    let Some(value) = constant_value(default, said) else { return };
    let summary = "Invalid default value for variable";
    match convert(&variable.defaults.apply(&value), &variable.ty) {
        Ok(value) if value.is_null() && !variable.nullable => {
            let detail = "A variable that is not nullable cannot have null as its default.";
            said.push(Diagnostic::error(summary, detail).at(default.span));
        }
        Ok(_) => {}
        Err(error) => {
            let detail = format!("This default value is not compatible with the variable's type constraint: {error}.");
            said.push(Diagnostic::error(summary, detail).at(default.span));
        }
    }
}
