//! Dynamic blocks: one block for every element of a collection.

use crate::addr::Name;
use crate::diag::{Diagnostic, Span};
use crate::lang::eval::Failed;
use crate::lang::syntax::ast::{Block, Body, Expr, ExprKind};
use crate::schema::{NestedBlock, Nesting};
use crate::value::{Str, Type, Value, convert};

use super::body::{Decoder, Gathered};

const FOR_EACH: &str = "Invalid dynamic for_each value";

impl<'a> Decoder<'a> {
    /// Adds the objects of a `dynamic` block.
    pub(super) fn dynamic(
        &mut self,
        block: &'a Block,
        nested: &NestedBlock,
        gathered: &mut Gathered,
    ) -> Result<(), Failed> {
        self.only_known_arguments(block)?;
        let Some(for_each) = block.body.attribute("for_each") else {
            return Err(self.fail(
                "Missing required argument",
                "The argument \"for_each\" is required, but no definition was found.",
                block.body.missing().unwrap_or(block.header),
            ));
        };
        let mut contents = block.body.blocks_of("content");
        let (Some(content), None) = (contents.next(), contents.next()) else {
            return Err(self.fail("Invalid dynamic block", "A dynamic block needs one nested block of type \"content\", which holds what each of its blocks is made of.", block.header));
        };
        let iterator = match block.body.attribute("iterator") {
            None => block.labels.first().map_or_else(|| block.kind.text.clone(), |label| label.text.clone()),
            Some(attribute) => match &attribute.expr.kind {
                ExprKind::Variable(name) => name.clone(),
                _ => {
                    return Err(self.fail(
                        "Invalid expression",
                        "The iterator is the name of a variable, without quotes.",
                        attribute.expr.span,
                    ));
                }
            },
        };
        let labels = block.body.attribute("labels").map(|attribute| &*attribute.expr);
        let (source, marks) = self.evaluator.value(&for_each.expr)?.unmark();
        gathered.marks = gathered.marks | marks;
        let elements = self.elements(&source, &for_each.expr)?;
        // Of an unknown number of blocks one is decoded, for its errors.
        let unknown = [(Value::unknown(Type::Any), Value::unknown(Type::Any))];
        let open = elements.is_none();
        gathered.open |= open;
        let depth = self.evaluator.names.len();
        let mut failed = Ok(());
        for (key, value) in elements.as_deref().unwrap_or(&unknown) {
            let each = Value::object([("key", key.clone()), ("value", value.clone())]);
            self.evaluator.names.push((iterator.clone(), each));
            let place = content.body.missing().unwrap_or(content.header);
            let result = self.one(&content.body, place, nested, labels, block, gathered);
            self.evaluator.names.truncate(depth);
            if result.is_err() {
                // The next elements would mostly fail alike.
                failed = result;
                break;
            }
        }
        if open {
            gathered.items.pop();
            gathered.labels.pop();
        }
        failed
    }

    fn one(
        &mut self,
        content: &'a Body,
        place: Span,
        nested: &NestedBlock,
        labels: Option<&'a Expr>,
        block: &Block,
        gathered: &mut Gathered,
    ) -> Result<(), Failed> {
        let label = match (nested.nesting, labels) {
            (Nesting::Map, Some(labels)) => Some(self.label(labels, gathered)?),
            (Nesting::Map, None) => {
                return Err(self.fail(
                    "Missing required argument",
                    "The blocks need a label each: set \"labels\" to a list of one text.",
                    block.header,
                ));
            }
            (_, None) => None,
            (_, Some(labels)) => {
                return Err(self.fail(
                    "Extraneous label for block",
                    "Blocks of this type have no labels.",
                    labels.span,
                ));
            }
        };
        let item = self.object(content, &nested.block, Some(place))?;
        self.keep(item, label, place, gathered)
    }

    fn label(&mut self, expr: &'a Expr, gathered: &mut Gathered) -> Result<Str, Failed> {
        let (labels, marks) = self.evaluator.value(expr)?.unmark_deep();
        gathered.marks = gathered.marks | marks;
        let converted = convert(&labels, &Type::list(Type::String)).ok();
        if !labels.is_wholly_known() {
            gathered.open = true;
            return Ok(Str::from(""));
        }
        match converted.as_ref().and_then(Value::as_items) {
            Some([label]) if label.as_str().is_some() => Ok(Str::from(label.as_str().unwrap_or_default())),
            _ => Err(self.evaluator.error(
                "Invalid dynamic block labels",
                "A list of exactly one text is needed.",
                expr.span,
                Some(expr),
            )),
        }
    }

    /// Keys and values of what is iterated; `None` while that is unknown.
    fn elements(&mut self, source: &Value, expr: &'a Expr) -> Result<Option<Vec<(Value, Value)>>, Failed> {
        Ok(Some(match source {
            Value::Null(_) => {
                return Err(self.evaluator.error(
                    FOR_EACH,
                    "Cannot use a null value in for_each.",
                    expr.span,
                    Some(expr),
                ));
            }
            Value::Unknown(unknown) if !unknown.ty.is_primitive() => return Ok(None),
            Value::Set(sequence) => sequence.items.iter().map(|item| (item.clone(), item.clone())).collect(),
            Value::List(_) | Value::Tuple(_) => {
                let items = source.as_items().unwrap_or_default().iter();
                (0..).map(Value::int).zip(items.cloned()).collect()
            }
            Value::Map(_) | Value::Object(_) => {
                let entries = source.as_entries().into_iter().flatten();
                entries.map(|(key, item)| (Value::String(key.clone()), item.clone())).collect()
            }
            other => {
                let detail = format!(
                    "Cannot use a {} value in for_each. An iterable collection is required.",
                    other.ty().friendly()
                );
                return Err(self.evaluator.error(FOR_EACH, detail, expr.span, Some(expr)));
            }
        }))
    }

    fn only_known_arguments(&mut self, block: &Block) -> Result<(), Failed> {
        let mut result = Ok(());
        let known = ["for_each", "iterator", "labels"];
        for attribute in block.body.attributes.iter().filter(|attribute| !known.contains(&attribute.name.text.as_str()))
        {
            let hint = crate::diag::did_you_mean(&attribute.name.text, known);
            let detail = format!(
                "An argument named {:?} is not expected in a dynamic block; arguments of the blocks it makes belong into its content block.{hint}",
                attribute.name.text
            );
            result = Err(self.fail("Unsupported argument", detail, attribute.name.span));
        }
        for inner in block.body.blocks.iter().filter(|inner| inner.kind.text != *"content") {
            let detail = format!(
                "A dynamic block holds one content block and no block of type {:?}.",
                Name::as_str(&inner.kind.text)
            );
            result = Err(self.fail("Unsupported block type", detail, inner.header));
        }
        result
    }

    fn fail(&mut self, summary: &str, detail: impl Into<String>, span: Span) -> Failed {
        self.say(Diagnostic::error(summary, detail).at(span));
        Failed
    }
}
