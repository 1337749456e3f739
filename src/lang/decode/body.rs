//! Arguments and nested blocks to the object of a schema.

use std::sync::Arc;

use crate::diag::{Diagnostic, Outcome, Span, did_you_mean};
use crate::lang::eval::{Evaluator, Failed, Scope};
use crate::lang::syntax::ast::{self, Body, ExprKind};
use crate::schema::{Attribute, Block, NestedBlock, Nesting};
use crate::value::{Entries, Marks, Str, Value, convert};

/// The object that a body describes. Every error of the body is said, not the first alone.
pub fn decode(body: &Body, schema: &Block, scope: &dyn Scope) -> Outcome<Value> {
    let mut decoder = Decoder { evaluator: Evaluator::new(scope) };
    let place = body.missing();
    let value = decoder.object(body, schema, place).ok();
    Outcome { value, said: decoder.evaluator.said }
}

pub(super) struct Decoder<'a> {
    pub evaluator: Evaluator<'a>,
}

/// Nested blocks of one type as they are gathered.
#[derive(Default)]
pub(super) struct Gathered {
    pub items: Vec<Value>,
    /// The labels of the items, with [`Nesting::Map`].
    pub labels: Vec<Str>,
    /// Marks of what decided how many there are.
    pub marks: Marks,
    /// How many there are is not known yet.
    pub open: bool,
    /// Where the last block is.
    pub last: Option<Span>,
}

impl<'a> Decoder<'a> {
    /// The object of a body; `place` is where something is missing.
    pub fn object(&mut self, body: &'a Body, schema: &Block, place: Option<Span>) -> Result<Value, Failed> {
        let mut entries = Vec::with_capacity(schema.attributes.len() + schema.blocks.len());
        let mut failed = false;
        for (name, attribute) in &schema.attributes {
            match self.attribute(body, name, attribute, place) {
                Ok(value) => entries.push((name.clone(), value)),
                Err(Failed) => failed = true,
            }
        }
        failed |= self.unexpected_arguments(body, schema);
        for (name, nested) in &schema.blocks {
            match self.blocks(body, name, nested, place) {
                Ok(value) => entries.push((name.clone(), value)),
                Err(Failed) => failed = true,
            }
        }
        for block in &body.blocks {
            failed |= self.unexpected_block(block, schema);
        }
        if failed { Err(Failed) } else { Ok(Value::Object(entries.into_iter().collect())) }
    }

    fn attribute(
        &mut self,
        body: &'a Body,
        name: &Str,
        attribute: &Attribute,
        place: Option<Span>,
    ) -> Result<Value, Failed> {
        let Some(written) = body.attribute(name) else {
            if attribute.presence == crate::schema::Presence::Required {
                let detail = format!("The argument {:?} is required, but no definition was found.", name.as_str());
                self.say(Diagnostic::error("Missing required argument", detail).or_at(place));
                return Err(Failed);
            }
            return Ok(Value::Null(attribute.ty.clone()));
        };
        if !attribute.is_settable() {
            let detail =
                format!("Can't configure a value for {:?}: its value will be decided automatically.", name.as_str());
            self.say(Diagnostic::error("Value for unconfigurable attribute", detail).at(written.name.span));
            return Err(Failed);
        }
        if let Some(why) = attribute.deprecated {
            self.say(Diagnostic::warning("Argument is deprecated", why).at(written.name.span));
        }
        let value = self.evaluator.value(&written.expr)?;
        match convert(&value, &attribute.ty) {
            Ok(value) if value.is_null() && attribute.presence == crate::schema::Presence::Required => {
                let detail = format!("The argument {:?} is required, but its value is null.", name.as_str());
                Err(self.evaluator.error("Missing required argument", detail, written.expr.span, Some(&written.expr)))
            }
            Ok(value) => Ok(value),
            Err(error) => {
                let detail = format!("Inappropriate value for attribute {:?}: {error}.", name.as_str());
                Err(self.evaluator.error(
                    "Incorrect attribute value type",
                    detail,
                    written.expr.span,
                    Some(&written.expr),
                ))
            }
        }
    }

    fn unexpected_arguments(&mut self, body: &Body, schema: &Block) -> bool {
        let mut failed = false;
        for written in &body.attributes {
            let name = &*written.name.text;
            if schema.attribute(name).is_some() {
                continue;
            }
            if body.json.is_some() {
                failed |= self.unexpected_property(body, written, schema);
                continue;
            }
            let hint = if schema.nested(name).is_some() {
                format!(" Did you mean to define a block of type {name:?}?")
            } else {
                let settable = schema.attributes.iter().filter(|(_, attribute)| attribute.is_settable());
                did_you_mean(name, settable.map(|(name, _)| name.as_str()))
            };
            let detail = format!("An argument named {name:?} is not expected here.{hint}");
            self.say(Diagnostic::error("Unsupported argument", detail).at(written.name.span));
            failed = true;
        }
        failed
    }

    /// Says that a property of a JSON object is neither an argument nor a block.
    fn unexpected_property(&mut self, body: &Body, written: &ast::Attribute, schema: &Block) -> bool {
        let name = &*written.name.text;
        let place = written.name.span;
        if schema.nested(name).is_none() {
            let settable = schema.attributes.iter().filter(|(_, attribute)| attribute.is_settable());
            let known = settable.map(|(name, _)| name).chain(schema.blocks.iter().map(|(name, _)| name));
            let hint = did_you_mean(name, known.map(Str::as_str));
            let detail = format!("No argument or block type is named {name:?}.{hint}");
            self.say(Diagnostic::error("Extraneous JSON object property", detail).at(place));
            return true;
        }
        let none = match &written.expr.kind {
            ExprKind::Tuple(items) => items.is_empty(),
            ExprKind::Literal(value) => value.is_null(),
            _ => false,
        };
        if none || body.nested_of(name).next().is_some() {
            return false;
        }
        let detail = format!(
            "Either a JSON object or a JSON array is required, representing the contents of one or more {name:?} blocks."
        );
        self.say(Diagnostic::error("Incorrect JSON value type", detail).at(written.expr.span));
        true
    }

    fn unexpected_block(&mut self, block: &ast::Block, schema: &Block) -> bool {
        let kind = block_type(block);
        let name = &*kind.text;
        if schema.nested(name).is_some() {
            return false;
        }
        if name == "dynamic" && block.labels.is_empty() {
            let detail = "A dynamic block has one label: the type of the blocks that it stands for.";
            self.say(Diagnostic::error("Missing type for dynamic", detail).or_at(block.body.missing()));
            return true;
        }
        let hint = if schema.attribute(name).is_some() {
            format!(" Did you mean to define argument {name:?}? If so, use the equals sign to assign it a value.")
        } else {
            did_you_mean(name, schema.blocks.iter().map(|(name, _)| name.as_str()))
        };
        let detail = format!("Blocks of type {name:?} are not expected here.{hint}");
        self.say(Diagnostic::error("Unsupported block type", detail).at(kind.span));
        true
    }

    /// The value of all nested blocks of one type.
    fn blocks(
        &mut self,
        body: &'a Body,
        name: &Str,
        nested: &NestedBlock,
        place: Option<Span>,
    ) -> Result<Value, Failed> {
        let mut gathered = Gathered::default();
        let mut failed = false;
        let open = body.json.iter().flat_map(|json| &json.blocks);
        for block in body.blocks.iter().chain(open).filter(|block| block_type(block).text == *name) {
            gathered.last = Some(block.header);
            let result = if block.kind.text == *"dynamic" && !block.labels.is_empty() {
                self.dynamic(block, nested, &mut gathered)
            } else {
                self.block(block, nested, &mut gathered)
            };
            failed |= result.is_err();
        }
        failed |= self.count(name, nested, &gathered, place).is_err();
        if failed {
            return Err(Failed);
        }
        if gathered.open {
            return Ok(Value::unknown_marked(nested.ty(), gathered.marks));
        }
        let Gathered { mut items, labels, marks, .. } = gathered;
        let determined = nested.block.ty().is_determined();
        let value = match nested.nesting {
            Nesting::Single => items.pop().unwrap_or_else(|| Value::Null(nested.block.ty())),
            Nesting::Group => match items.pop() {
                Some(item) => item,
                None => self.group(&nested.block),
            },
            Nesting::List if !determined => Value::tuple(items),
            Nesting::List => Value::list(nested.block.ty(), items),
            Nesting::Set => Value::set(nested.block.ty(), items),
            Nesting::Map => {
                let entries: Entries = labels.into_iter().zip(items).collect();
                if determined { Value::map(nested.block.ty(), entries) } else { Value::Object(entries) }
            }
        };
        Ok(value.mark(marks))
    }

    /// A group that is not written: its object with nothing set.
    fn group(&mut self, schema: &Block) -> Value {
        let attributes =
            schema.attributes.iter().map(|(name, attribute)| (name.clone(), Value::Null(attribute.ty.clone())));
        let mut entries: Vec<(Str, Value)> = attributes.collect();
        for (name, nested) in &schema.blocks {
            let value = match nested.nesting {
                Nesting::Single => Value::Null(nested.block.ty()),
                Nesting::Group => self.group(&nested.block),
                Nesting::List | Nesting::Set | Nesting::Map => {
                    convert(&Value::tuple([]), &nested.ty()).unwrap_or_else(|_| Value::Null(nested.ty()))
                }
            };
            entries.push((name.clone(), value));
        }
        Value::Object(entries.into_iter().collect())
    }

    fn block(
        &mut self,
        block: &'a Arc<ast::Block>,
        nested: &NestedBlock,
        gathered: &mut Gathered,
    ) -> Result<(), Failed> {
        if nested.nesting == Nesting::Map && block.labels.is_empty() && block.body.json.is_some() {
            return self.labelled(block, nested, gathered);
        }
        let label = match (nested.nesting, block.labels.as_slice()) {
            (Nesting::Map, [label]) => Some(label.text.clone()),
            (Nesting::Map, _) => {
                let detail = format!("A block of type {:?} has exactly one label.", block.kind.text);
                self.say(Diagnostic::error("Wrong number of block labels", detail).at(block.header));
                return Err(Failed);
            }
            (_, []) => None,
            (_, [label, ..]) => {
                let detail = format!("Blocks of type {:?} have no labels here.", block.kind.text);
                self.say(Diagnostic::error("Extraneous label for block", detail).at(label.span));
                return Err(Failed);
            }
        };
        let place = block.body.missing().or(Some(block.header));
        let item = self.object(&block.body, &nested.block, place)?;
        self.keep(item, label, block.header, gathered)
    }

    /// Adds the blocks of a JSON object whose properties are their labels.
    fn labelled(
        &mut self,
        block: &'a Arc<ast::Block>,
        nested: &NestedBlock,
        gathered: &mut Gathered,
    ) -> Result<(), Failed> {
        for inner in block.body.json.iter().flat_map(|json| &json.blocks) {
            let place = inner.body.missing().or(Some(inner.header));
            let item = self.object(&inner.body, &nested.block, place)?;
            self.keep(item, Some(inner.kind.text.clone()), inner.header, gathered)?;
        }
        Ok(())
    }

    /// Adds the object of one block.
    pub fn keep(
        &mut self,
        item: Value,
        label: Option<Str>,
        place: Span,
        gathered: &mut Gathered,
    ) -> Result<(), Failed> {
        if let Some(label) = label {
            if gathered.labels.contains(&label) {
                let detail =
                    format!("There is a block with the label {:?} already; labels are distinct.", label.as_str());
                self.say(Diagnostic::error("Duplicate block label", detail).at(place));
                return Err(Failed);
            }
            gathered.labels.push(label);
        }
        gathered.items.push(item);
        Ok(())
    }

    /// Whether there are as many blocks as there may be.
    fn count(
        &mut self,
        name: &str,
        nested: &NestedBlock,
        gathered: &Gathered,
        place: Option<Span>,
    ) -> Result<(), Failed> {
        let single = matches!(nested.nesting, Nesting::Single | Nesting::Group);
        let max = if single { 1 } else { nested.max };
        let count = gathered.items.len();
        if gathered.open {
            return Ok(());
        }
        if count < nested.min {
            let detail = format!("At least {} {name:?} blocks are required.", nested.min);
            self.say(Diagnostic::error(format!("Insufficient {name} blocks"), detail).or_at(place));
            return Err(Failed);
        }
        if max > 0 && count > max {
            let detail = format!("No more than {max} {name:?} blocks are allowed.");
            self.say(Diagnostic::error(format!("Too many {name} blocks"), detail).or_at(gathered.last));
            return Err(Failed);
        }
        Ok(())
    }

    pub fn say(&mut self, diagnostic: Diagnostic) {
        self.evaluator.said.push(diagnostic);
    }
}

/// The type of the blocks that a block stands for: its own, or that in the label of a dynamic block.
fn block_type(block: &ast::Block) -> &ast::Ident {
    match block.labels.first() {
        Some(label) if block.kind.text == *"dynamic" => label,
        _ => &block.kind,
    }
}
