//! Operators with one and two operands.

use crate::lang::syntax::ast::{BinaryOp, Expr, ExprKind, UnaryOp};
use crate::value::{Marks, Type, Value, convert};

use super::evaluator::{Evaluated, Evaluator, Failed};
use super::operator;

/// An operand after conversion.
enum Operand {
    Known(Value),
    Unknown,
}

impl<'a> Evaluator<'a> {
    /// `-x`, `!x` and chains of them.
    pub(super) fn unary(&mut self, expr: &'a Expr) -> Evaluated {
        let mut chain = Vec::new();
        let mut inner = expr;
        while let ExprKind::Unary(op, operand) = &inner.kind {
            chain.push((*op, inner, &**operand));
            inner = operand;
        }
        let mut value = self.value(inner)?;
        for (op, expr, operand) in chain.into_iter().rev() {
            let (bare, marks) = value.unmark();
            let wanted = if op == UnaryOp::Negate { Type::Number } else { Type::Bool };
            let result = match self.operand(bare, &wanted, operand, "unary operand", expr)? {
                Operand::Unknown => Value::unknown_not_null(wanted),
                Operand::Known(Value::Number(number)) => Value::Number(number.neg()),
                Operand::Known(value) => Value::Bool(!value.as_bool().unwrap_or_default()),
            };
            value = result.mark(marks);
        }
        Ok(value)
    }

    /// `a op b`, for a whole chain of left operands.
    pub(super) fn binary(&mut self, expr: &'a Expr) -> Evaluated {
        if let ExprKind::Binary(op, operands) = &expr.kind
            && let [left, right] = &**operands
            && !matches!(left.kind, ExprKind::Binary(..))
        {
            let value = self.value(left);
            return self.apply(*op, value, left, right, expr);
        }
        let mut chain = Vec::new();
        let mut inner = expr;
        while let ExprKind::Binary(op, operands) = &inner.kind {
            let [left, right] = &**operands;
            chain.push((*op, inner, left, right));
            inner = left;
        }
        let mut value = self.value(inner);
        for (op, expr, left_expr, right_expr) in chain.into_iter().rev() {
            value = self.apply(op, value, left_expr, right_expr, expr);
        }
        value
    }

    fn apply(
        &mut self,
        op: BinaryOp,
        left: Evaluated,
        left_expr: &'a Expr,
        right_expr: &'a Expr,
        expr: &'a Expr,
    ) -> Evaluated {
        match op {
            BinaryOp::And | BinaryOp::Or => self.logical(op, left, left_expr, right_expr, expr),
            _ => {
                let right = self.value(right_expr);
                // Both sides have been heard before either stops the evaluation.
                self.combine(op, left?, right?, left_expr, right_expr, expr)
            }
        }
    }

    fn combine(
        &mut self,
        op: BinaryOp,
        left: Value,
        right: Value,
        left_expr: &'a Expr,
        right_expr: &'a Expr,
        expr: &'a Expr,
    ) -> Evaluated {
        if matches!(op, BinaryOp::Equal | BinaryOp::NotEqual) {
            self.charge(&left, left_expr.span)?;
            self.charge(&right, right_expr.span)?;
            let (left, left_marks) = left.unmark_deep();
            let (right, right_marks) = right.unmark_deep();
            let result = match operator::equal(&left, &right) {
                Some(equal) => Value::Bool(equal == (op == BinaryOp::Equal)),
                None => Value::unknown_not_null(Type::Bool),
            };
            return Ok(result.mark(left_marks | right_marks));
        }
        let (left, left_marks) = left.unmark();
        let (right, right_marks) = right.unmark();
        let marks = left_marks | right_marks;
        let left = self.operand(left, &Type::Number, left_expr, "left operand", expr);
        let right = self.operand(right, &Type::Number, right_expr, "right operand", expr);
        let (Operand::Known(Value::Number(left)), Operand::Known(Value::Number(right))) = (left?, right?) else {
            return Ok(Value::unknown_not_null(operator::result_type(op)).mark(marks));
        };
        match operator::numbers(op, &left, &right) {
            Ok(value) => Ok(value.mark(marks)),
            Err(reason) => {
                Err(self.error("Operation failed", format!("Error during operation: {reason}."), expr.span, Some(expr)))
            }
        }
    }

    /// `a && b` and `a || b`: an operand that decides alone makes errors of the right one irrelevant.
    fn logical(
        &mut self,
        op: BinaryOp,
        left: Evaluated,
        left_expr: &'a Expr,
        right_expr: &'a Expr,
        expr: &'a Expr,
    ) -> Evaluated {
        let decisive = op == BinaryOp::Or;
        let left = match left {
            Ok(left) => {
                let (bare, marks) = left.unmark();
                self.operand(bare, &Type::Bool, left_expr, "left operand", expr)
                    .map(|operand| (known_truth(&operand), marks))
            }
            Err(Failed) => Err(Failed),
        };
        if let Ok((Some(truth), marks)) = left
            && truth == decisive
        {
            return Ok(Value::Bool(truth).mark(marks));
        }
        let right = self.value(right_expr)?;
        let (bare, right_marks) = right.unmark();
        let right = self.operand(bare, &Type::Bool, right_expr, "right operand", expr)?;
        let (left, left_marks): (Option<bool>, Marks) = left?;
        let result = match (left, known_truth(&right)) {
            (_, Some(right)) if right == decisive => Value::Bool(decisive),
            (Some(_), Some(right)) => Value::Bool(right),
            _ => Value::unknown_not_null(Type::Bool),
        };
        Ok(result.mark(left_marks | right_marks))
    }

    /// An operand converted to what its operator works on.
    fn operand(
        &mut self,
        value: Value,
        wanted: &Type,
        operand: &'a Expr,
        which: &str,
        expr: &'a Expr,
    ) -> Result<Operand, Failed> {
        let value = match (&value, wanted) {
            (Value::Number(_), Type::Number) | (Value::Bool(_), Type::Bool) => return Ok(Operand::Known(value)),
            _ => convert(&value, wanted),
        };
        match value {
            Ok(value) if value.is_null() => {
                let detail = "Error during operation: argument must not be null.";
                Err(self.error("Operation failed", detail, expr.span, Some(expr)))
            }
            Ok(value) if value.is_known() => Ok(Operand::Known(value)),
            Ok(_) => Ok(Operand::Unknown),
            Err(error) => {
                let detail = format!("Unsuitable value for {which}: {error}.");
                Err(self.error_in(expr.span, "Invalid operand", detail, operand.span, Some(operand)))
            }
        }
    }
}

fn known_truth(operand: &Operand) -> Option<bool> {
    match operand {
        Operand::Known(value) => value.as_bool(),
        Operand::Unknown => None,
    }
}
