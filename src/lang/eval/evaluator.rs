//! The evaluator: dispatch, traversals, conditionals.

use std::sync::Arc;

use crate::addr::Name;
use crate::diag::{Diagnostic, Diagnostics, Outcome, Span};
use crate::lang::syntax::ast::{Expr, ExprKind, Part, UnaryOp};
use crate::value::{Entries, Marks, Refinement, Type, Unknown, Value, convert, unify};

use super::budget::{self, TooMuch};
use super::root::reference;
use super::traverse::{self, Wrong};
use super::{Reference, Repeats, Scope};

/// The value of an expression. Errors of independent parts are all said.
pub fn evaluate(expr: &Expr, scope: &dyn Scope) -> Outcome<Value> {
    let mut evaluator = Evaluator::new(scope);
    let value = evaluator.value(expr);
    // What others refer to is within bounds, so that references to references cannot grow beyond all.
    let value = value.and_then(|value| evaluator.bounded(&value, expr.span).map(|()| value)).ok();
    budget::end(evaluator.left);
    Outcome { value, said: evaluator.said }
}

/// Evaluation failed; a diagnostic has been said.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Failed;
pub(super) type Evaluated = Result<Value, Failed>;

/// An evaluation on the way.
pub(crate) struct Evaluator<'a> {
    pub scope: &'a dyn Scope,
    pub said: Diagnostics,
    /// Names of for expressions around, innermost last.
    pub names: Vec<(Name, Value)>,
    /// Elements of splats around, innermost last.
    pub items: Vec<Value>,
    /// Above zero inside `try` and `can`, where nobody reads which values were involved.
    pub quiet: u32,
    /// Steps of the traversals being evaluated; each takes its own off again.
    steps: Vec<&'a Expr>,
    /// How much may still be done.
    pub left: u64,
}

impl<'a> Evaluator<'a> {
    pub fn new(scope: &'a dyn Scope) -> Self {
        Evaluator {
            scope,
            said: Diagnostics::none(),
            names: Vec::new(),
            items: Vec::new(),
            quiet: 0,
            steps: Vec::new(),
            left: budget::begin(),
        }
    }

    /// The value of an expression.
    pub fn value(&mut self, expr: &'a Expr) -> Evaluated {
        self.left = self.left.saturating_sub(1);
        if self.left == 0 {
            return Err(self.exhausted(expr.span));
        }
        match &expr.kind {
            ExprKind::Literal(value) => Ok(value.clone()),
            ExprKind::Template(parts) => self.template(parts, expr.span),
            ExprKind::Variable(_)
            | ExprKind::Attribute(_)
            | ExprKind::Index(_)
            | ExprKind::Splat(_)
            | ExprKind::SplatItem => self.traversal(expr),
            ExprKind::Call(call) => self.call(call, expr.span),
            ExprKind::Unary(..) => self.unary(expr),
            ExprKind::Binary(..) => self.binary(expr),
            ExprKind::Conditional(parts) => self.conditional(parts),
            ExprKind::Tuple(items) => self.tuple(items),
            ExprKind::Object(items) => self.object(items),
            ExprKind::For(inner) => self.for_expression(inner, expr.span),
            ExprKind::Paren(inner) => self.value(inner),
            // The parser has said why.
            ExprKind::Error => Ok(Value::unknown(Type::Any)),
        }
    }

    /// A root with the attributes, indexes and splats behind it.
    fn traversal(&mut self, expr: &'a Expr) -> Evaluated {
        let bottom = self.steps.len();
        let mut root = expr;
        while let Some(source) = root.source() {
            self.steps.push(root);
            root = source;
        }
        self.steps[bottom..].reverse();
        let result = self.walk(root, bottom);
        self.steps.truncate(bottom);
        result
    }

    fn walk(&mut self, root: &'a Expr, bottom: usize) -> Evaluated {
        let (mut value, mut at, block) = self.root(root, bottom)?;
        let (taken, mut failed) = (at, false);
        if let (Some(block), Some(&step)) = (&block, self.steps.get(bottom + at)) {
            self.check_key(block, step)?;
        }
        while let Some(&step) = self.steps.get(bottom + at) {
            // What an object of its type cannot have is wrong whatever the object is.
            let by_type = matches!(&block, Some(Reference::Resource(_)))
                && (!value.is_known() || self.steps[bottom + taken..bottom + at].iter().all(|step| step.is_index()));
            let expr = (!by_type).then_some(step);
            let outcome = match &step.kind {
                ExprKind::Attribute(member) => {
                    let name = &member.name;
                    let result = traverse::attribute(&value, &name.text);
                    result.map_err(|wrong| self.wrong(wrong, step_span(step), expr))
                }
                ExprKind::Index(index) => match self.value(&index.key) {
                    Ok(key) => traverse::index(&value, &key).map_err(|wrong| self.wrong(wrong, step_span(step), expr)),
                    Err(Failed) => {
                        failed = true;
                        Ok(Value::unknown(Type::Any))
                    }
                },
                ExprKind::Splat(splat) => self.splat(value, &splat.source, &splat.each),
                _ => Ok(value),
            };
            value = outcome?;
            at += 1;
        }
        if failed { Err(Failed) } else { Ok(value) }
    }

    /// The value of what a traversal starts with, how many steps that took, and the block it names.
    fn root(&mut self, root: &'a Expr, bottom: usize) -> Result<(Value, usize, Option<Reference>), Failed> {
        let name = match &root.kind {
            ExprKind::Variable(name) => name,
            ExprKind::SplatItem => return Ok((self.items.last().cloned().unwrap_or_default(), 0, None)),
            _ => return Ok((self.value(root)?, 0, None)),
        };
        if let Some((_, value)) = self.names.iter().rev().find(|(known, _)| known == name) {
            return Ok((value.clone(), 0, None));
        }
        let scope = self.scope;
        let found = reference(name, root.span, &self.steps[bottom..], &|name| scope.is_bare(name));
        let resolved = found.and_then(|(reference, taken, span)| {
            let value = scope.resolve(&reference, span)?;
            let block = matches!(reference, Reference::Resource(_) | Reference::Module { .. }).then_some(reference);
            Ok((value, taken, block))
        });
        resolved.map_err(|diagnostic| {
            self.said.push(*diagnostic);
            Failed
        })
    }

    /// Whether the first step behind a block fits: a key where it has copies, none where it has not.
    fn check_key(&mut self, block: &Reference, step: &'a Expr) -> Result<(), Failed> {
        let wrong = match (self.scope.repeats(block), &step.kind) {
            (Some(Repeats::Count), ExprKind::Attribute(member)) => Some(("count", "count.index", &member.name.text)),
            (Some(Repeats::Each), ExprKind::Attribute(member)) if matches!(block, Reference::Resource(_)) => {
                Some(("for_each", "each.key", &member.name.text))
            }
            (Some(Repeats::Not), ExprKind::Index(_)) if matches!(block, Reference::Resource(_)) => {
                let detail = format!(
                    "{block} has neither \"count\" nor \"for_each\", so that there is one instance without a key. Remove the \
                     brackets."
                );
                return Err(self.error("Unexpected resource instance key", detail, step.span, None));
            }
            _ => None,
        };
        let Some((argument, key, name)) = wrong else { return Ok(()) };
        let summary = match block {
            Reference::Resource(_) => "Missing resource instance key",
            _ => "Unsupported attribute",
        };
        let all = if argument == "count" { format!("{block}[*].{name}") } else { format!("values({block})[*].{name}") };
        let detail = format!(
            "{block} has {argument:?}, so that its attributes are those of its copies. Name one, as in \
             {block}[{key}].{name}, or take all of them with {all}."
        );
        // What is meant is the block, of which nothing more can be told.
        let (span, expr) = match block {
            Reference::Resource(_) => (step.source().map_or(step.span, |source| source.span), None),
            _ => (step.span, Some(step)),
        };
        Err(self.error(summary, detail, span, expr))
    }

    /// Counts the parts of a value, as somebody is about to go through all of it.
    pub fn charge(&mut self, value: &Value, span: Span) -> Result<(), Failed> {
        if matches!(value, Value::Bool(_) | Value::Number(_) | Value::Null(_) | Value::Unknown(_)) {
            return Ok(());
        }
        budget::count(value, &mut self.left, 16).map_err(|much| self.too_much(much, span))
    }

    /// Counts the bytes of a text that was made.
    pub fn charge_text(&mut self, bytes: usize, span: Span) -> Result<(), Failed> {
        self.left = self.left.saturating_sub(bytes as u64 / 4);
        if self.left == 0 { Err(self.exhausted(span)) } else { Ok(()) }
    }

    /// Checks the size of a value without counting it as work.
    fn bounded(&mut self, value: &Value, span: Span) -> Result<(), Failed> {
        budget::count(value, &mut budget::MOST_WORK.clone(), 16).map_err(|much| self.too_much(much, span))
    }

    #[cold]
    fn too_much(&mut self, much: TooMuch, span: Span) -> Failed {
        match much {
            TooMuch::Large => {
                self.left = 0;
                self.exhausted(span)
            }
            TooMuch::Deep => {
                let detail = format!(
                    "The value is nested more than {} levels deep. Values that hold each other this often are taken for a \
                     mistake.",
                    budget::MOST_DEPTH
                );
                self.error("Value nested too deeply", detail, span, None)
            }
        }
    }

    #[cold]
    pub fn exhausted(&mut self, span: Span) -> Failed {
        let detail = "Evaluating it takes more steps, or makes larger values, than one expression may. Look for loops within \
                      loops and for values that are repeated within each other, and split the work over several locals.";
        self.error("Expression too large", detail, span, None)
    }

    /// Says an error about `expr`, with the values of what it names.
    #[cold]
    pub fn error(&mut self, summary: &str, detail: impl Into<String>, span: Span, expr: Option<&'a Expr>) -> Failed {
        let mut diagnostic = Diagnostic::error(summary, detail).at(span);
        if let Some(expr) = expr.filter(|_| self.quiet == 0) {
            diagnostic.values = self.involved(expr);
        }
        self.said.push(diagnostic);
        Failed
    }

    /// The same, shown with all of `frame`.
    #[cold]
    pub fn error_in(
        &mut self,
        frame: Span,
        summary: &str,
        detail: impl Into<String>,
        span: Span,
        expr: Option<&'a Expr>,
    ) -> Failed {
        let failed = self.error(summary, detail, span, expr);
        if let Some(last) = self.said.0.last_mut() {
            last.frame = Some(frame);
        }
        failed
    }

    #[cold]
    pub fn wrong(&mut self, wrong: Wrong, span: Span, expr: Option<&'a Expr>) -> Failed {
        self.error(wrong.summary, wrong.detail, span, expr)
    }

    /// `condition ? yes : no`. Both results are evaluated, since the type comes from both; only what is said about the
    /// chosen one counts.
    fn conditional(&mut self, parts: &'a [Expr; 3]) -> Evaluated {
        let [condition_expr, yes_expr, no_expr] = parts;
        let condition = self.value(condition_expr);
        let before = self.said.0.len();
        let yes = self.value(yes_expr);
        let between = self.said.0.len();
        let no = self.value(no_expr);
        for (result, expr) in [(&yes, yes_expr), (&no, no_expr)] {
            // Their types are compared, and the chosen one is converted.
            if let Ok(value) = result {
                self.charge(value, expr.span)?;
            }
        }
        // What is wrong with a result counts only once it is chosen; its type is open until then.
        let mut of_yes = self.said.0.split_off(before);
        let of_no = of_yes.split_off(between - before);
        let (yes, no) = (self.branch(yes, yes_expr), self.branch(no, no_expr));
        self.choose(parts, condition, [(yes, of_yes), (no, of_no)])
    }

    fn branch(&mut self, result: Evaluated, expr: &'a Expr) -> Branch {
        match result {
            Ok(value) => Branch { value, failed: false },
            Err(Failed) => Branch { value: Value::unknown(self.type_without_value(expr)), failed: true },
        }
    }

    /// The type that an expression has although it cannot be evaluated, as far as its outermost part tells.
    fn type_without_value(&mut self, expr: &'a Expr) -> Type {
        match &expr.kind {
            ExprKind::Paren(inner) => self.type_without_value(inner),
            ExprKind::Unary(UnaryOp::Negate, _) => Type::Number,
            ExprKind::Unary(UnaryOp::Not, _) => Type::Bool,
            ExprKind::Binary(op, _) if op.is_arithmetic() => Type::Number,
            ExprKind::Binary(..) => Type::Bool,
            ExprKind::Template(parts) if !matches!(&parts[..], [Part::Interpolation(_)]) => Type::String,
            ExprKind::Tuple(items) => Type::tuple(items.iter().map(|item| self.type_of_part(item)).collect::<Vec<_>>()),
            _ => Type::Any,
        }
    }

    fn type_of_part(&mut self, expr: &'a Expr) -> Type {
        match self.silently(expr) {
            Some(value) => value.ty(),
            None => self.type_without_value(expr),
        }
    }

    /// The result of a conditional whose parts are evaluated, each result with what was said about it. That the results do not
    /// go together is said before anything about the condition.
    fn choose(
        &mut self,
        parts: &'a [Expr; 3],
        condition: Evaluated,
        results: [(Branch, Vec<Diagnostic>); 2],
    ) -> Evaluated {
        let [condition_expr, yes_expr, no_expr] = parts;
        let [(Branch { value: yes, failed: yes_failed }, of_yes), (Branch { value: no, failed: no_failed }, of_no)] =
            results;
        // With a result that may be anything the other one stays as it is.
        let anything = |value: &Value| matches!(value.bare(), Value::Unknown(unknown) if unknown.ty == Type::Any);
        let open = anything(&yes) || anything(&no);
        let Some(ty) = (if open { Some(None) } else { common_type(&yes, &no) }) else {
            let detail = format!(
                "Both results of a conditional must be of types that go together. {}",
                mismatch(&yes.ty(), &no.ty())
            );
            let span = yes_expr.span.to(no_expr.span);
            let frame = condition_expr.span.to(no_expr.span);
            let mut failed =
                self.error_in(frame, "Inconsistent conditional result types", detail, span, Some(yes_expr));
            if self.quiet == 0
                && let Some(last) = self.said.0.len().checked_sub(1)
            {
                let more = self.involved(no_expr);
                let values = &mut self.said.0[last].values;
                more.into_iter().for_each(|value| {
                    if !values.contains(&value) {
                        values.push(value)
                    }
                });
                values.sort();
                failed = Failed;
            }
            return Err(failed);
        };
        let (condition, marks) = condition?.unmark();
        // Which result was chosen says something about the other one as well.
        let marks = marks | yes.marks() | no.marks();
        let frame = condition_expr.span.to(no_expr.span);
        let Some(chosen) = self.truth(condition, condition_expr, frame)? else {
            let ty = if open { Some(Type::Any) } else { ty };
            return Ok(either(&yes, &no, &ty, marks));
        };
        let (chosen, expr, word, failed, said) =
            if chosen { (yes, yes_expr, "true", yes_failed, of_yes) } else { (no, no_expr, "false", no_failed, of_no) };
        self.said.0.extend(said);
        if failed {
            return Err(Failed);
        }
        let Some(ty) = ty else { return Ok(chosen.mark(marks)) };
        match convert(&chosen, &ty) {
            Ok(value) => Ok(value.mark(marks)),
            Err(error) => {
                let detail = format!("The {word} result value has the wrong type: {error}.");
                Err(self.error_in(frame, "Inconsistent conditional result types", detail, expr.span, Some(expr)))
            }
        }
    }

    /// A condition as a truth value; `None` while it is unknown.
    pub fn truth(&mut self, condition: Value, expr: &'a Expr, frame: Span) -> Result<Option<bool>, Failed> {
        if let Value::Bool(value) = condition {
            return Ok(Some(value));
        }
        if !condition.is_known() {
            return Ok(None);
        }
        if condition.is_null() {
            let detail = "The condition value is null. Conditions must either be true or false.";
            return Err(self.error_in(frame, "Null condition", detail, expr.span, Some(expr)));
        }
        match convert(&condition, &Type::Bool) {
            Ok(value) => Ok(value.as_bool()),
            Err(_) => {
                let detail = "The condition expression must be of type bool.";
                Err(self.error_in(frame, "Incorrect condition type", detail, expr.span, Some(expr)))
            }
        }
    }
}

/// A result of a conditional; unknown where it cannot be evaluated.
struct Branch {
    value: Value,
    failed: bool,
}

/// The part of a step that is not its source: `.name`, `[key]`.
fn step_span(step: &Expr) -> Span {
    match (&step.kind, step.source()) {
        (ExprKind::Attribute(_) | ExprKind::Index(_), Some(source)) => Span { start: source.span.end, ..step.span },
        _ => step.span,
    }
}

/// The type both results of a conditional are converted to; inner `None` when they are of one type already.
#[expect(clippy::option_option, reason = "no common type and no conversion are two answers")]
fn common_type(yes: &Value, no: &Value) -> Option<Option<Type>> {
    let simple = |value: &Value| match value.bare() {
        Value::Bool(_) => Some(Type::Bool),
        Value::Number(_) => Some(Type::Number),
        Value::String(_) => Some(Type::String),
        _ => None,
    };
    if let (Some(a), Some(b)) = (simple(yes), simple(no))
        && a == b
    {
        return Some(None);
    }
    let (yes, no) = (yes.ty(), no.ty());
    if yes == no {
        return Some(None);
    }
    unify(&[yes, no]).map(Some)
}

/// What is known of a value that is one of two.
fn either(yes: &Value, no: &Value, ty: &Option<Type>, marks: Marks) -> Value {
    let (yes, yes_marks) = yes.clone().unmark_deep();
    let (no, no_marks) = no.clone().unmark_deep();
    let marks = marks | yes_marks | no_marks;
    let ty = ty.clone().unwrap_or_else(|| yes.ty());
    if yes.is_null() && no.is_null() {
        return Value::Null(ty).mark(marks);
    }
    // Any could still turn out to be anything.
    if ty == Type::Any {
        return Value::unknown_marked(ty, marks);
    }
    let not_null = |value: &Value| match value {
        Value::Null(_) => false,
        Value::Unknown(unknown) => unknown.refinement.not_null,
        _ => true,
    };
    let mut refinement = Refinement { not_null: not_null(&yes) && not_null(&no), ..Refinement::default() };
    if refinement.not_null {
        refine(&mut refinement, &yes, &no, &ty);
    }
    // Between a number and itself there is one number.
    if let Some(number) = refinement.min.clone().filter(|min| refinement.max.as_ref() == Some(min)) {
        return Value::Number(number).mark(marks);
    }
    match (&ty, refinement.max_len.filter(|max| refinement.min_len == Some(*max))) {
        // A collection whose length is known is one of unknown elements.
        (Type::List(element), Some(length)) => {
            let items = vec![Value::unknown(Type::clone(element)); length];
            Value::list(Type::clone(element), items).mark(marks)
        }
        (Type::Set(element), Some(length @ (0 | 1))) => {
            Value::set(Type::clone(element), vec![Value::unknown(Type::clone(element)); length]).mark(marks)
        }
        (Type::Map(element), Some(0)) => Value::map(Type::clone(element), Entries::new()).mark(marks),
        _ => Value::Unknown(Arc::new(Unknown { ty, refinement })).mark(marks),
    }
}

/// The limits that both of two values keep to.
fn refine(refinement: &mut Refinement, yes: &Value, no: &Value, ty: &Type) {
    match ty {
        Type::Number => {
            let limits = |value: &Value| match value {
                Value::Number(number) => (Some(number.clone()), Some(number.clone())),
                Value::Unknown(unknown) => (unknown.refinement.min.clone(), unknown.refinement.max.clone()),
                _ => (None, None),
            };
            let ((a, b), (c, d)) = (limits(yes), limits(no));
            refinement.min = a.zip(c).map(|(a, c)| a.min(c));
            refinement.max = b.zip(d).map(|(b, d)| b.max(d));
        }
        Type::List(_) | Type::Set(_) | Type::Map(_) => {
            let lengths = |value: &Value| match value {
                Value::List(sequence) => (Some(sequence.items.len()), Some(sequence.items.len())),
                // Elements that are not known yet may turn out to be one.
                Value::Set(sequence) => {
                    let count = sequence.items.len();
                    (Some(if value.is_wholly_known() { count } else { count.min(1) }), Some(count))
                }
                Value::Map(mapping) => (Some(mapping.entries.len()), Some(mapping.entries.len())),
                Value::Unknown(unknown) => (unknown.refinement.min_len, unknown.refinement.max_len),
                _ => (None, None),
            };
            let ((a, b), (c, d)) = (lengths(yes), lengths(no));
            refinement.min_len = a.zip(c).map(|(a, c)| a.min(c));
            refinement.max_len = b.zip(d).map(|(b, d)| b.max(d));
        }
        Type::Any | Type::Bool | Type::String | Type::Tuple(_) | Type::Object(_) => {}
    }
}

/// How the types of two results differ, at the first place where they cannot go together.
fn mismatch(yes: &Type, no: &Type) -> String {
    let plain = || format!("The 'true' value is {}, but the 'false' value is {}.", yes.friendly(), no.friendly());
    match (yes, no) {
        (Type::Tuple(a), Type::Tuple(b)) if a.len() == b.len() => {
            let apart = a.iter().zip(b.iter()).position(|(a, b)| unify(&[a.clone(), b.clone()]).is_none());
            apart.map_or_else(plain, |at| format!("Type mismatch for tuple element {at}: {}", mismatch(&a[at], &b[at])))
        }
        (Type::Object(a), Type::Object(b)) => {
            let apart = a.iter().find_map(|(name, a)| {
                let b = b.get(name)?;
                unify(&[a.ty.clone(), b.ty.clone()]).is_none().then_some((name, &a.ty, &b.ty))
            });
            apart.map_or_else(plain, |(name, a, b)| {
                format!("Type mismatch for object attribute {name:?}: {}", mismatch(a, b))
            })
        }
        (Type::List(a), Type::List(b)) | (Type::Map(a), Type::Map(b)) | (Type::Set(a), Type::Set(b)) => {
            format!("The element types differ: {}", mismatch(a, b))
        }
        _ => plain(),
    }
}
