//! References without evaluation: what an expression names.

use crate::addr::Name;
use crate::diag::Span;
use crate::lang::syntax::ast::{Expr, ExprKind, Ident, Part};
use crate::value::Value;

use super::call::values;
use super::root::reference;
use super::{Found, Reference};

/// Everything that an expression of a module names outside of itself, in written order, repetitions included. What is no
/// valid reference is left out; evaluation says what is wrong with it.
pub fn references(expr: &Expr) -> Vec<Found> {
    let mut finder = Finder::new(&|_| false);
    finder.visit(expr);
    finder.found
}

/// The first name in an expression that comes from outside of it, without what follows its dots.
pub fn first_name(expr: &Expr) -> Option<Span> {
    let mut first = None;
    let mut add = |root: &Expr, _: &[&Expr]| {
        first.get_or_insert(root.span);
    };
    Walk { bound: Vec::new(), calls: false, traversal: &mut add }.expr(expr);
    first
}

/// Whether a function is called anywhere in an expression.
pub fn has_call(expr: &Expr) -> bool {
    let mut walk = Walk { bound: Vec::new(), calls: false, traversal: &mut |_, _| {} };
    walk.expr(expr);
    walk.calls
}

/// Gathers references of several expressions, with rules and bound names of its own.
pub struct Finder<'b> {
    /// What was found so far.
    pub found: Vec<Found>,
    bound: Vec<Name>,
    is_bare: &'b dyn Fn(&str) -> bool,
}

impl<'b> Finder<'b> {
    /// Names for which `is_bare` holds stand for themselves, see [`super::Scope::is_bare`].
    pub fn new(is_bare: &'b dyn Fn(&str) -> bool) -> Self {
        Finder { found: Vec::new(), bound: Vec::new(), is_bare }
    }

    /// Runs `f` with a name that is no reference inside.
    pub fn binding(&mut self, name: &Name, f: impl FnOnce(&mut Self)) {
        self.bound.push(name.clone());
        f(self);
        self.bound.pop();
    }

    /// Adds what an expression names.
    pub fn visit(&mut self, expr: &Expr) {
        let (found, is_bare) = (&mut self.found, self.is_bare);
        let mut add = |root: &Expr, steps: &[&Expr]| {
            let ExprKind::Variable(name) = &root.kind else { return };
            let Ok((reference, taken, span)) = reference(name, root.span, steps, is_bare) else { return };
            let (reference, span) = match reference {
                Reference::Module { name, .. } => {
                    // An output that follows at once is meant with its module.
                    let next = steps.get(taken).filter(|step| matches!(step.kind, ExprKind::Attribute(_)));
                    let span = next.map_or(span, |step| span.to(step.span));
                    (Reference::Module { name, output: output_name(&steps[taken..]) }, span)
                }
                other => (other, span),
            };
            found.push(Found { reference, span });
        };
        let bound = std::mem::take(&mut self.bound);
        let mut walk = Walk { bound, calls: false, traversal: &mut add };
        walk.expr(expr);
        self.bound = walk.bound;
    }
}

/// The one output that is used of a module call: `.x`, `[key].x` or `[*].x`.
fn output_name(steps: &[&Expr]) -> Option<Name> {
    let attribute = |step: &Expr| match &step.kind {
        ExprKind::Attribute(member) => Some(member.name.text.clone()),
        _ => None,
    };
    match &steps.first()?.kind {
        ExprKind::Attribute(member) => Some(member.name.text.clone()),
        ExprKind::Index(_) => attribute(steps.get(1)?),
        ExprKind::Splat(splat) => {
            let mut step = &splat.each;
            let mut first = None;
            while let Some(source) = step.source() {
                first = Some(step);
                step = source;
            }
            attribute(first?)
        }
        _ => None,
    }
}

/// The traversals in an expression that begin with a name from outside of it, each cut before its first computed step.
pub(super) fn traversals<'e>(expr: &'e Expr) -> Vec<&'e Expr> {
    let mut found: Vec<(&'e Expr, Vec<&'e Expr>)> = Vec::new();
    let mut add = |root: &'e Expr, steps: &[&'e Expr]| found.push((root, steps.to_vec()));
    Walk { bound: Vec::new(), calls: false, traversal: &mut add }.expr(expr);
    let constant = |step: &&Expr| match &step.kind {
        ExprKind::Attribute(_) => true,
        ExprKind::Index(index) => matches!(index.key.kind, ExprKind::Literal(_)),
        _ => false,
    };
    found.into_iter().map(|(root, steps)| steps.into_iter().take_while(constant).last().unwrap_or(root)).collect()
}

/// Visits every traversal that begins with a name from outside.
pub(super) struct Walk<'e, 'f> {
    pub(super) bound: Vec<Name>,
    /// Whether a function is called.
    pub(super) calls: bool,
    /// Called with the root and the steps behind it.
    pub(super) traversal: &'f mut dyn FnMut(&'e Expr, &[&'e Expr]),
}

impl<'e> Walk<'e, '_> {
    pub(super) fn expr(&mut self, expr: &'e Expr) {
        match &expr.kind {
            ExprKind::Literal(_) | ExprKind::SplatItem | ExprKind::Error => {}
            ExprKind::Template(parts) => self.parts(parts),
            ExprKind::Variable(_) | ExprKind::Attribute(_) | ExprKind::Index(_) | ExprKind::Splat(_) => {
                self.chain(expr)
            }
            ExprKind::Call(call) => {
                self.calls = true;
                values(call).iter().for_each(|argument| self.expr(argument));
            }
            ExprKind::Unary(..) => {
                let mut inner = expr;
                while let ExprKind::Unary(_, operand) = &inner.kind {
                    inner = operand;
                }
                self.expr(inner);
            }
            ExprKind::Binary(..) => {
                let (mut inner, mut right) = (expr, Vec::new());
                while let ExprKind::Binary(_, operands) = &inner.kind {
                    right.push(&operands[1]);
                    inner = &operands[0];
                }
                self.expr(inner);
                right.into_iter().rev().for_each(|operand| self.expr(operand));
            }
            ExprKind::Conditional(parts) => parts.iter().for_each(|part| self.expr(part)),
            ExprKind::Tuple(items) => items.iter().for_each(|item| self.expr(item)),
            ExprKind::Object(items) => {
                for item in items {
                    self.expr(&item.key);
                    self.expr(&item.value);
                }
            }
            ExprKind::For(inner) => {
                self.expr(&inner.source);
                self.bind(inner.key_name.as_ref(), &inner.value_name, |walk| {
                    let parts = inner.condition.iter().chain(&inner.key);
                    parts.chain([&inner.value]).for_each(|part| walk.expr(part));
                });
            }
            ExprKind::Paren(inner) => self.expr(inner),
        }
    }

    fn chain(&mut self, expr: &'e Expr) {
        let (mut root, mut steps) = (expr, Vec::new());
        while let Some(source) = root.source() {
            steps.push(root);
            root = source;
        }
        steps.reverse();
        match &root.kind {
            ExprKind::Variable(name) if !self.bound.contains(name) => (self.traversal)(root, &steps),
            ExprKind::Variable(_) => {}
            _ => self.expr(root),
        }
        for step in steps {
            match &step.kind {
                ExprKind::Index(index) => self.expr(&index.key),
                ExprKind::Splat(splat) => self.expr(&splat.each),
                _ => {}
            }
        }
    }

    fn parts(&mut self, parts: &'e [Part]) {
        for part in parts {
            match part {
                Part::Text(_) => {}
                Part::Interpolation(expr) => self.expr(expr),
                Part::If(inner) => {
                    self.expr(&inner.condition);
                    self.parts(&inner.yes);
                    self.parts(&inner.no);
                }
                Part::For(inner) => {
                    self.expr(&inner.source);
                    self.bind(inner.key_name.as_ref(), &inner.value_name, |walk| walk.parts(&inner.body));
                }
            }
        }
    }

    fn bind(&mut self, key: Option<&Ident>, value: &Ident, f: impl FnOnce(&mut Self)) {
        let depth = self.bound.len();
        self.bound.extend(key.map(|key| key.text.clone()));
        self.bound.push(value.text.clone());
        f(self);
        self.bound.truncate(depth);
    }
}

/// A traversal as it is written: `module.a["k"].b`. Computed indexes are shown as `[...]`.
pub(super) fn names(expr: &Expr) -> String {
    let (mut root, mut steps) = (expr, Vec::new());
    while let Some(source) = root.source() {
        steps.push(root);
        root = source;
    }
    let mut text = match &root.kind {
        ExprKind::Variable(name) => name.to_string(),
        _ => String::new(),
    };
    for step in steps.into_iter().rev() {
        match &step.kind {
            ExprKind::Attribute(member) => text.extend([".", &member.name.text]),
            ExprKind::Index(index) => match &index.key.kind {
                ExprKind::Literal(Value::String(key)) => text.push_str(&format!("[{key:?}]")),
                ExprKind::Literal(Value::Number(key)) => text.push_str(&format!("[{key}]")),
                _ => text.push_str("[...]"),
            },
            _ => text.push_str("[*]"),
        }
    }
    text
}
