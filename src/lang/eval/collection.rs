//! Tuples, objects, for expressions and splats.

use crate::diag::Span;
use crate::lang::syntax::ast::{Expr, ExprKind, For, ObjectItem};
use crate::value::{Marks, Str, Type, Value, convert};

use super::evaluator::{Evaluated, Evaluator, Failed};

/// The results of a for expression on the way.
struct Results {
    items: Vec<Value>,
    entries: Vec<(Str, Value)>,
    marks: Marks,
    /// Which or how many results there are depends on something unknown.
    open: bool,
}

impl<'a> Evaluator<'a> {
    pub(super) fn tuple(&mut self, items: &'a [Expr]) -> Evaluated {
        let (mut values, mut failed) = (Vec::with_capacity(items.len()), false);
        for item in items {
            match self.value(item) {
                Ok(value) => values.push(value),
                Err(Failed) => failed = true,
            }
        }
        if failed { Err(Failed) } else { Ok(Value::tuple(values)) }
    }

    pub(super) fn object(&mut self, items: &'a [ObjectItem]) -> Evaluated {
        let mut entries = Vec::with_capacity(items.len());
        let (mut failed, mut open, mut marks) = (false, false, Marks::NONE);
        for item in items {
            let key = match &item.key.kind {
                ExprKind::Literal(Value::String(name)) => Ok(Some(name.clone())),
                _ => self.object_key(item, &mut marks),
            };
            match (key, self.value(&item.value)) {
                (Ok(Some(key)), Ok(value)) => entries.push((key, value)),
                (Ok(None), Ok(_)) => open = true,
                _ => failed = true,
            }
        }
        if failed {
            return Err(Failed);
        }
        let value = if open { Value::unknown(Type::Any) } else { Value::Object(entries.into_iter().collect()) };
        Ok(value.mark(marks))
    }

    /// The text of an object key that is an expression; `None` while it is unknown.
    fn object_key(&mut self, item: &'a ObjectItem, marks: &mut Marks) -> Result<Option<Str>, Failed> {
        let expr = &item.key;
        if expr.is_traversal() {
            let detail = "A reference as a key stands in parentheses; a name with dots in quotes.";
            return Err(self.error("Ambiguous attribute key", detail, expr.span, None));
        }
        let (key, own) = self.value(expr)?.unmark();
        *marks = *marks | own;
        if key.is_null() {
            let detail = "Can't use a null value as a key.";
            return Err(self.error_in(expr.span, "Null value as key", detail, item.value.span, Some(expr)));
        }
        match convert(&key, &Type::String) {
            Ok(Value::String(text)) => Ok(Some(text)),
            Ok(_) => Ok(None),
            Err(error) => {
                let detail = format!("Can't use this value as a key: {error}.");
                Err(self.error("Incorrect key type", detail, expr.span, Some(expr)))
            }
        }
    }

    pub(super) fn for_expression(&mut self, inner: &'a For, span: Span) -> Evaluated {
        let (source, marks) = self.value(&inner.source)?.unmark();
        self.charge(&source, inner.source.span)?;
        if matches!(&source, Value::Unknown(unknown) if unknown.ty == Type::Any) {
            return Ok(Value::unknown_marked(Type::Any, marks));
        }
        let source = self.iterable(source, &inner.source, span)?;
        let mut results = Results { items: Vec::new(), entries: Vec::new(), marks, open: false };
        let depth = self.names.len();
        if let Some(name) = &inner.key_name {
            self.names.push((name.text.clone(), Value::NULL));
        }
        self.names.push((inner.value_name.text.clone(), Value::NULL));
        if let Err(failed) = self.try_condition(inner, depth, span) {
            self.names.truncate(depth);
            return Err(failed);
        }
        let Some(source) = source else {
            self.names.truncate(depth);
            return Ok(Value::unknown_marked(Type::Any, marks));
        };
        let outcome =
            self.each(&source, inner.key_name.is_some(), depth, &mut |this| this.for_step(inner, span, &mut results));
        self.names.truncate(depth);
        outcome?;
        let value = if results.open {
            Value::unknown(Type::Any)
        } else if inner.key.is_none() {
            Value::tuple(results.items)
        } else {
            self.for_object(inner, span, results.entries)?
        };
        Ok(value.mark(results.marks))
    }

    /// Calls `f` for every element of a known collection, with the loop's names set.
    pub(super) fn each(
        &mut self,
        source: &Value,
        with_key: bool,
        depth: usize,
        f: &mut dyn FnMut(&mut Self) -> Result<(), Failed>,
    ) -> Result<(), Failed> {
        let mut step = |this: &mut Self, key: &dyn Fn() -> Value, value: &Value| {
            if with_key {
                this.names[depth].1 = key();
            }
            this.names[depth + usize::from(with_key)].1 = value.clone();
            f(this)
        };
        match source {
            Value::List(_) | Value::Tuple(_) => {
                for (index, item) in source.as_items().unwrap_or_default().iter().enumerate() {
                    step(self, &|| Value::int(i64::try_from(index).unwrap_or(i64::MAX)), item)?;
                }
            }
            Value::Set(sequence) => {
                for item in &sequence.items {
                    step(self, &|| item.clone(), item)?;
                }
            }
            _ => {
                for (key, item) in source.as_entries().into_iter().flatten() {
                    step(self, &|| Value::String(key.clone()), item)?;
                }
            }
        }
        Ok(())
    }

    /// Checks that a value can be iterated; `None` while it is unknown.
    pub(super) fn iterable(&mut self, source: Value, expr: &'a Expr, frame: Span) -> Result<Option<Value>, Failed> {
        let ty = match &source {
            Value::List(_) | Value::Set(_) | Value::Tuple(_) | Value::Map(_) | Value::Object(_) => {
                return Ok(Some(source));
            }
            Value::Null(_) => {
                let detail = "A null value cannot be used as the collection in a 'for' expression.";
                return Err(self.error_in(frame, "Iteration over null value", detail, expr.span, Some(expr)));
            }
            Value::Unknown(unknown) if !unknown.ty.is_primitive() => return Ok(None),
            other => other.ty(),
        };
        let detail =
            format!("A value of type {} cannot be used as the collection in a 'for' expression.", ty.friendly());
        Err(self.error_in(frame, "Iteration over non-iterable value", detail, expr.span, Some(expr)))
    }

    fn for_step(&mut self, inner: &'a For, frame: Span, results: &mut Results) -> Result<(), Failed> {
        if let Some(condition) = &inner.condition {
            match self.for_condition(condition, frame, results)? {
                Some(true) => {}
                Some(false) => return Ok(()),
                None => {
                    results.open = true;
                    return Ok(());
                }
            }
        }
        let Some(key_expr) = &inner.key else {
            let value = self.value(&inner.value)?;
            results.items.push(value);
            return Ok(());
        };
        let (key, marks) = self.value(key_expr)?.unmark();
        results.marks = results.marks | marks;
        let value = self.value(&inner.value)?;
        if key.is_null() {
            let detail = "Key expression in 'for' expression must not produce a null value.";
            return Err(self.error_in(frame, "Invalid object key", detail, key_expr.span, Some(key_expr)));
        }
        if !key.is_known() {
            results.open = true;
            return Ok(());
        }
        match convert(&key, &Type::String) {
            Ok(Value::String(key)) => results.entries.push((key, value)),
            Ok(_) => results.open = true,
            Err(error) => {
                let detail = format!("The key expression produced an invalid result: {error}.");
                return Err(self.error_in(frame, "Invalid object key", detail, key_expr.span, Some(key_expr)));
            }
        }
        Ok(())
    }

    /// Evaluates the condition once with nothing known of the names, so that one which never holds is refused with an empty
    /// collection as well.
    fn try_condition(&mut self, inner: &'a For, depth: usize, frame: Span) -> Result<(), Failed> {
        let Some(condition) = &inner.condition else { return Ok(()) };
        for (_, value) in &mut self.names[depth..] {
            *value = Value::unknown(Type::Any);
        }
        let mut results = Results { items: Vec::new(), entries: Vec::new(), marks: Marks::NONE, open: false };
        self.for_condition(condition, frame, &mut results).map(|_| ())
    }

    fn for_condition(&mut self, expr: &'a Expr, frame: Span, results: &mut Results) -> Result<Option<bool>, Failed> {
        let (condition, marks) = self.value(expr)?.unmark();
        results.marks = results.marks | marks;
        if let Value::Bool(value) = condition {
            return Ok(Some(value));
        }
        if condition.is_null() {
            let detail = "The value of the 'if' clause must not be null.";
            return Err(self.error_in(frame, "Condition is null", detail, expr.span, Some(expr)));
        }
        convert(&condition, &Type::Bool).map(|value| value.as_bool()).map_err(|error| {
            let detail = format!("The 'if' clause value is invalid: {error}.");
            self.error_in(frame, "Invalid 'for' condition", detail, expr.span, Some(expr))
        })
    }

    fn for_object(&mut self, inner: &'a For, frame: Span, mut entries: Vec<(Str, Value)>) -> Evaluated {
        // Stable: values of one key stay in the order of the collection.
        entries.sort_by(|a, b| a.0.cmp(&b.0));
        if inner.group {
            let groups = entries.chunk_by(|a, b| a.0 == b.0).map(|group| {
                let items: Vec<Value> = group.iter().map(|(_, value)| value.clone()).collect();
                (group[0].0.clone(), Value::tuple(items))
            });
            return Ok(Value::Object(groups.collect()));
        }
        if let Some(pair) = entries.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            let expr = inner.key.as_ref().unwrap_or(&inner.value);
            let detail = format!(
                "Two different items produced the key {:?} in this 'for' expression. If duplicates are expected, use the ellipsis (...) after the value expression to enable grouping by key.",
                pair[0].0
            );
            return Err(self.error_in(frame, "Duplicate object key", detail, expr.span, None));
        }
        Ok(Value::Object(entries.into_iter().collect()))
    }

    /// `value[*].each` or `value.*.each`.
    pub(super) fn splat(&mut self, value: Value, source: &'a Expr, each: &'a Expr) -> Evaluated {
        let (value, marks) = value.unmark();
        self.charge(&value, source.span)?;
        let result = match &value {
            Value::Null(Type::List(_) | Type::Set(_) | Type::Tuple(_)) => {
                let detail = "Splat expressions (with the * symbol) cannot be applied to null sequences.";
                return Err(self.error("Splat of null value", detail, source.span, Some(source)));
            }
            // A single value is a sequence of one, null a sequence of none.
            Value::Null(_) => Value::tuple([]),
            Value::Unknown(unknown) => match &unknown.ty {
                Type::Any => Value::unknown(Type::Any),
                Type::List(element) | Type::Set(element) => {
                    let ty = self.item(Value::unknown(Type::clone(element)), each)?.ty();
                    Value::unknown_not_null(Type::list(ty))
                }
                Type::Tuple(types) => {
                    let items: Result<Vec<Value>, Failed> =
                        types.iter().map(|ty| self.item(Value::unknown(ty.clone()), each)).collect();
                    Value::tuple(items?)
                }
                _ if unknown.refinement.not_null => Value::tuple([self.item(value.clone(), each)?]),
                // Null would make it empty.
                _ => Value::unknown(Type::Any),
            },
            Value::List(sequence) if matches!(each.kind, ExprKind::SplatItem) => Value::List(sequence.clone()),
            Value::List(sequence) | Value::Set(sequence) => {
                let items: Result<Vec<Value>, Failed> =
                    sequence.items.iter().map(|item| self.item(item.clone(), each)).collect();
                self.splat_list(items?, &sequence.element, each)?
            }
            Value::Tuple(items) => {
                let items: Result<Vec<Value>, Failed> =
                    items.iter().map(|item| self.item(item.clone(), each)).collect();
                Value::tuple(items?)
            }
            _ => Value::tuple([self.item(value.clone(), each)?]),
        };
        Ok(result.mark(marks))
    }

    fn item(&mut self, item: Value, each: &'a Expr) -> Evaluated {
        self.items.push(item);
        let result = self.value(each);
        self.items.pop();
        result
    }

    /// Results from a list or set are a list, as long as they are of one type.
    fn splat_list(&mut self, items: Vec<Value>, element: &Type, each: &'a Expr) -> Evaluated {
        let Some(first) = items.first() else {
            let ty = self.item(Value::unknown(element.clone()), each)?.ty();
            return Ok(Value::list(ty, items));
        };
        let ty = first.ty();
        let alike = items.iter().all(|item| match (&ty, item.bare()) {
            (Type::Bool, Value::Bool(_)) | (Type::Number, Value::Number(_)) | (Type::String, Value::String(_)) => true,
            (ty, item) => item.ty() == *ty,
        });
        Ok(if alike { Value::list(ty, items) } else { Value::tuple(items) })
    }
}
