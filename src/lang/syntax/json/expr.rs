//! Nodes to expressions: strings are templates, or what the place they stand in makes of them.

use std::collections::HashMap;

use super::super::ast::{Expr, ExprKind, ObjectItem, Part};
use super::super::lexer::Lexer;
use super::super::parser::Parser;
use super::super::text::normalised;
use super::node::{Kind, Node, Text, unescaped};
use crate::diag::{Diagnostic, Diagnostics, FileId, SourceMap, Span};
use crate::value::{Number, Str, Value};

/// What strings are read as.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Strings {
    /// Templates.
    Templates,
    /// Just what they say.
    Literals,
    /// Expressions: references, types, key words.
    Expressions,
}

/// The expression of a node.
pub(super) fn expression(node: &Node<'_>, strings: Strings, said: &mut Diagnostics) -> Expr {
    let kind = match &node.kind {
        Kind::Null => ExprKind::Literal(Value::NULL),
        Kind::Bool(value) => ExprKind::Literal(Value::Bool(*value)),
        Kind::Number(digits) => match Number::parse(digits) {
            Ok(number) => ExprKind::Literal(Value::Number(number)),
            Err(_) => {
                let error = Diagnostic::error("Invalid JSON number", "This number cannot be read.");
                said.push(error.at(node.span));
                ExprKind::Error
            }
        },
        Kind::String(text) => return string(text, strings, said),
        Kind::Array(items) => ExprKind::Tuple(items.iter().map(|item| expression(item, strings, said)).collect()),
        Kind::Object(properties) => {
            let keys = if strings == Strings::Expressions { Strings::Literals } else { strings };
            let item = |property: &super::node::Property<'_>| ObjectItem {
                key: string(&property.name, keys, said),
                value: expression(&property.value, strings, said),
            };
            let items: Vec<ObjectItem> = properties.iter().map(item).collect();
            let mut first = HashMap::new();
            for property in properties {
                let name = &*property.name.value;
                if first.insert(name, property.name.span).is_some() {
                    // In the native syntax the last one counts.
                    let detail = format!("The object has a property named {name:?} already. Leave one of them out.");
                    let error = Diagnostic::error("Duplicate object attribute", detail);
                    said.push(error.at(property.name.span));
                }
            }
            ExprKind::Object(items.into())
        }
    };
    Expr { kind, span: node.span }
}

fn string(text: &Text<'_>, strings: Strings, said: &mut Diagnostics) -> Expr {
    let templated = text.value.contains("${") || text.value.contains("%{");
    match strings {
        Strings::Expressions => inner(text, false, said),
        Strings::Templates if templated => inner(text, true, said),
        Strings::Templates | Strings::Literals => {
            let value = Str::from(&*normalised((&*text.value).into()));
            Expr { kind: ExprKind::Literal(Value::String(value)), span: text.span }
        }
    }
}

/// Reads what a string says as a template or an expression, with places in the file it stands in.
fn inner(text: &Text<'_>, template: bool, said: &mut Diagnostics) -> Expr {
    let sources = SourceMap::default();
    let alone = sources.add("", &*text.value);
    let Some(source) = sources.get(alone) else { return Expr { kind: ExprKind::Error, span: text.span } };
    let lexer = if template { Lexer::template(&source.text) } else { Lexer::code(&source.text) };
    let mut parser = Parser::new(&source, text.span.file, lexer);
    let mut expr = if template { parser.whole_template() } else { parser.whole_expression() };
    let table = unescaped(text.raw).map(|(_, places)| places).unwrap_or_default();
    let places = Places { file: text.span.file, start: text.span.start + 1, table };
    places.expr(&mut expr);
    if template {
        expr.span = text.span;
    } else {
        return bare(expr, text, parser.said, said);
    }
    for mut diagnostic in parser.said {
        diagnostic.subject = diagnostic.subject.map(|span| places.of(span));
        said.push(diagnostic);
    }
    expr
}

/// A string that is an expression as a whole: what is wrong in it is wrong with all of it, and a word is the string.
fn bare(mut expr: Expr, text: &Text<'_>, found: Diagnostics, said: &mut Diagnostics) -> Expr {
    if found.has_errors() {
        let detail = "The text is read as an expression here, such as a reference or a type, and is none.";
        said.push(crate::diag::Diagnostic::error("Invalid expression", detail).at(text.span));
    }
    if matches!(expr.kind, ExprKind::Variable(_)) {
        expr.span = text.span;
    }
    expr
}

/// From places in what a string says to places in its file.
struct Places {
    file: FileId,
    /// Where the string begins, behind its quote.
    start: u32,
    table: Vec<u32>,
}

impl Places {
    fn of(&self, span: Span) -> Span {
        let of = |offset: u32| {
            let last = self.table.last().copied().unwrap_or(0);
            self.start + self.table.get(offset as usize).copied().unwrap_or(last)
        };
        Span { file: self.file, start: of(span.start), end: of(span.end) }
    }

    fn expr(&self, expr: &mut Expr) {
        expr.span = self.of(expr.span);
        match &mut expr.kind {
            ExprKind::Literal(_) | ExprKind::Variable(_) | ExprKind::SplatItem | ExprKind::Error => {}
            ExprKind::Template(parts) => self.parts(parts),
            ExprKind::Attribute(member) => {
                member.name.span = self.of(member.name.span);
                self.expr(&mut member.object);
            }
            ExprKind::Index(index) => {
                self.expr(&mut index.collection);
                self.expr(&mut index.key);
            }
            ExprKind::Splat(splat) => {
                self.expr(&mut splat.source);
                self.expr(&mut splat.each);
            }
            ExprKind::Call(call) => {
                call.name.span = self.of(call.name.span);
                call.arguments.iter_mut().for_each(|argument| self.expr(argument));
            }
            ExprKind::Unary(_, inner) | ExprKind::Paren(inner) => self.expr(inner),
            ExprKind::Binary(_, operands) => operands.iter_mut().for_each(|operand| self.expr(operand)),
            ExprKind::Conditional(parts) => parts.iter_mut().for_each(|part| self.expr(part)),
            ExprKind::Tuple(items) => items.iter_mut().for_each(|item| self.expr(item)),
            ExprKind::Object(items) => {
                for item in items {
                    self.expr(&mut item.key);
                    self.expr(&mut item.value);
                }
            }
            ExprKind::For(each) => {
                for name in each.key_name.iter_mut().chain([&mut each.value_name]) {
                    name.span = self.of(name.span);
                }
                self.expr(&mut each.source);
                self.expr(&mut each.value);
                each.key.iter_mut().chain(&mut each.condition).for_each(|expr| self.expr(expr));
            }
        }
    }

    fn parts(&self, parts: &mut [Part]) {
        for part in parts {
            match part {
                Part::Text(_) => {}
                Part::Interpolation(expr) => self.expr(expr),
                Part::If(directive) => {
                    directive.span = self.of(directive.span);
                    self.expr(&mut directive.condition);
                    self.parts(&mut directive.yes);
                    self.parts(&mut directive.no);
                }
                Part::For(directive) => {
                    directive.span = self.of(directive.span);
                    for name in directive.key_name.iter_mut().chain([&mut directive.value_name]) {
                        name.span = self.of(name.span);
                    }
                    self.expr(&mut directive.source);
                    self.parts(&mut directive.body);
                }
            }
        }
    }
}
