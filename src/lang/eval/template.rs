//! Templates: texts with interpolations and directives, and the files that hold them.

use std::sync::Arc;

use crate::diag::{Diagnostic, SourceMap, Span};
use crate::lang::functions::{Context, TemplateError, Templates};
use crate::lang::syntax::ast::{Expr, Part, TemplateFor, TemplateIf};
use crate::lang::syntax::{normalised, parse_template};
use crate::value::{Marks, Refinement, Str, Type, Unknown, Value, convert};

use super::evaluator::{Evaluated, Evaluator, Failed};
use super::{Finder, Found, Reference, Scope};

/// A text on the way.
#[derive(Default)]
struct Text {
    /// What is known of it, up to the first unknown part.
    known: String,
    /// Whether an unknown part has come.
    open: bool,
    marks: Marks,
    failed: bool,
}

impl Text {
    fn push(&mut self, text: &str) {
        if !self.open {
            self.known.push_str(text);
        }
    }
}

impl<'a> Evaluator<'a> {
    pub(super) fn template(&mut self, parts: &'a [Part], span: Span) -> Evaluated {
        // A single interpolation is no text but the value itself.
        if let [Part::Interpolation(expr)] = parts {
            return self.value(expr);
        }
        let mut text = Text::default();
        self.parts(parts, span, &mut text);
        if text.failed {
            return Err(Failed);
        }
        let known = normalised(text.known.into());
        self.left = self.left.saturating_sub(known.len() as u64 / 4);
        let value = if text.open {
            let prefix = (!known.is_empty()).then(|| Str::from(&*known));
            let refinement = Refinement { not_null: true, prefix, ..Refinement::default() };
            Value::Unknown(Arc::new(Unknown { ty: Type::String, refinement }))
        } else {
            Value::String(Str::from(&*known))
        };
        Ok(value.mark(text.marks))
    }

    fn parts(&mut self, parts: &'a [Part], span: Span, text: &mut Text) {
        for part in parts {
            let result = match part {
                Part::Text(literal) => {
                    text.push(literal);
                    Ok(())
                }
                Part::Interpolation(expr) => self.interpolation(expr, span, text),
                Part::If(inner) => self.if_directive(inner, span, text),
                Part::For(inner) => self.for_directive(inner, span, text),
            };
            text.failed |= result.is_err();
        }
    }

    fn interpolation(&mut self, expr: &'a Expr, frame: Span, text: &mut Text) -> Result<(), Failed> {
        let (value, marks) = self.value(expr)?.unmark();
        text.marks = text.marks | marks;
        match &value {
            Value::String(piece) => {
                self.charge_text(piece.len(), expr.span)?;
                text.push(piece);
            }
            Value::Number(number) => text.push(&number.to_string()),
            Value::Bool(piece) => text.push(if *piece { "true" } else { "false" }),
            Value::Null(_) => {
                let detail = "The expression result is null. Cannot include a null value in a string template.";
                return Err(self.error_in(
                    frame,
                    "Invalid template interpolation value",
                    detail,
                    expr.span,
                    Some(expr),
                ));
            }
            other => match convert(other, &Type::String) {
                Ok(Value::Unknown(unknown)) => {
                    text.push(unknown.refinement.prefix.as_deref().unwrap_or(""));
                    text.open = true;
                }
                Ok(_) => {}
                Err(error) => {
                    let detail = format!("Cannot include the given value in a string template: {error}.");
                    return Err(self.error_in(
                        frame,
                        "Invalid template interpolation value",
                        detail,
                        expr.span,
                        Some(expr),
                    ));
                }
            },
        }
        Ok(())
    }

    fn if_directive(&mut self, inner: &'a TemplateIf, span: Span, text: &mut Text) -> Result<(), Failed> {
        let (condition, marks) = self.value(&inner.condition)?.unmark();
        text.marks = text.marks | marks;
        match self.truth(condition, &inner.condition, inner.span)? {
            Some(true) => self.parts(&inner.yes, span, text),
            Some(false) => self.parts(&inner.no, span, text),
            None => {
                // Either may come: both must be good.
                text.open = true;
                self.parts(&inner.yes, span, text);
                self.parts(&inner.no, span, text);
            }
        }
        Ok(())
    }

    fn for_directive(&mut self, inner: &'a TemplateFor, span: Span, text: &mut Text) -> Result<(), Failed> {
        let (source, marks) = self.value(&inner.source)?.unmark();
        text.marks = text.marks | marks;
        self.charge(&source, inner.source.span)?;
        let Some(source) = self.iterable(source, &inner.source, inner.span)? else {
            text.open = true;
            return Ok(());
        };
        let depth = self.names.len();
        if let Some(name) = &inner.key_name {
            self.names.push((name.text.clone(), Value::NULL));
        }
        self.names.push((inner.value_name.text.clone(), Value::NULL));
        let outcome = self.each(&source, inner.key_name.is_some(), depth, &mut |this| {
            this.parts(&inner.body, span, text);
            if text.failed { Err(Failed) } else { Ok(()) }
        });
        self.names.truncate(depth);
        outcome
    }
}

/// Renders template files with this evaluator.
pub static TEMPLATES: Renderer = Renderer;

/// What [`TEMPLATES`] is.
#[derive(Clone, Copy, Debug)]
pub struct Renderer;

impl Templates for Renderer {
    fn render(&self, name: &str, text: &str, variables: &Value, context: &Context<'_>) -> Result<Value, TemplateError> {
        let sources = SourceMap::default();
        let file = sources.add(name, text);
        let (expr, said) = parse_template(&sources, file);
        missing(&expr, variables, &sources, name)?;
        let scope = TemplateScope { variables, context: Context { templates: None, ..*context } };
        let outcome = if said.has_errors() {
            Err(said)
        } else {
            super::evaluate(&expr, &scope).into_result().map(|(value, _)| value)
        };
        outcome.map_err(|said| {
            let first = said.iter().find(|diagnostic| diagnostic.is_error());
            TemplateError::Failed(first.map_or_else(String::new, |diagnostic| {
                let at = diagnostic.subject.map_or_else(|| name.to_owned(), |span| place(span, &sources, name));
                format!("{at}: {}; {}", diagnostic.summary, diagnostic.detail.trim_end_matches('.'))
            }))
        })
    }
}

/// Whether the template names a variable that it was not given, be it where it would not be evaluated.
fn missing(expr: &Expr, variables: &Value, sources: &SourceMap, name: &str) -> Result<(), TemplateError> {
    let Some(given) = variables.as_entries() else { return Ok(()) };
    let mut finder = Finder::new(&|_| true);
    finder.visit(expr);
    for Found { reference, span } in finder.found {
        if let Reference::Bare(variable) = reference
            && !given.contains_key(&variable)
        {
            return Err(TemplateError::Missing { name: variable.to_string(), at: place(span, sources, name) });
        }
    }
    Ok(())
}

/// `file:line,column-column`.
fn place(span: Span, sources: &SourceMap, name: &str) -> String {
    let Some(source) = sources.get(span.file) else { return name.to_owned() };
    let (start, end) = (source.position(span.start), source.position(span.end));
    if start.line == end.line {
        format!("{name}:{},{}-{}", start.line, start.column, end.column)
    } else {
        format!("{name}:{},{}-{},{}", start.line, start.column, end.line, end.column)
    }
}

/// Names in a template file are the variables it was given.
struct TemplateScope<'a> {
    variables: &'a Value,
    context: Context<'a>,
}

impl Scope for TemplateScope<'_> {
    fn resolve(&self, reference: &Reference, span: Span) -> Result<Value, Box<Diagnostic>> {
        let Reference::Bare(name) = reference else {
            return Err(Box::new(
                Diagnostic::error("Invalid reference", "Only variables of the template can be used here.").at(span),
            ));
        };
        match self.variables.get(name) {
            Some(value) => Ok(value.clone().mark(self.variables.marks())),
            // What is missing was found before; only an unknown whole is left.
            None => Ok(Value::unknown_marked(Type::Any, self.variables.marks())),
        }
    }

    fn functions(&self) -> &Context<'_> {
        &self.context
    }

    fn is_bare(&self, _name: &str) -> bool {
        true
    }
}
