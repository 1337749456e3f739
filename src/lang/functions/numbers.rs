//! Functions on numbers.

use dashu_int::IBig;

use super::arguments::{items, number, whole};
use super::{Context, Function, FunctionError, Param, Returns};
use crate::value::{Number, NumberError, Type, Value, convert};

/// The most elements that `range` makes.
const LONGEST_RANGE: usize = 1024;

/// The most digits that `parseint` reads; numbers have 512 bits, some 150 digits.
const MOST_DIGITS: usize = 1 << 13;

pub(super) static FUNCTIONS: &[Function] = &[
    Function::new("abs", &[Param::number("num")], Returns::Number, |arguments, _| {
        Ok(Value::Number(number(arguments, 0).abs()))
    }),
    Function::new("ceil", &[Param::number("num")], Returns::Number, |arguments, _| {
        Ok(Value::Number(number(arguments, 0).ceil()))
    }),
    Function::new("floor", &[Param::number("num")], Returns::Number, |arguments, _| {
        Ok(Value::Number(number(arguments, 0).floor()))
    }),
    Function::new("log", &[Param::number("num"), Param::number("base")], Returns::Number, |arguments, _| {
        number(arguments, 0).log(number(arguments, 1)).map(Value::Number).ok_or_else(not_a_number)
    }),
    Function::new("max", &[], Returns::Number, |arguments, _| extreme(arguments.iter().max()))
        .variadic(Param::number("numbers")),
    Function::new("min", &[], Returns::Number, |arguments, _| extreme(arguments.iter().min()))
        .variadic(Param::number("numbers")),
    Function::new("parseint", &[Param::any("number"), Param::number("base")], Returns::Number, parse_int),
    Function::new("pow", &[Param::number("num"), Param::number("power")], Returns::Number, |arguments, _| {
        if let Some(beyond) = [0, 1].into_iter().map(|at| number(arguments, at)).find(|number| is_beyond(number)) {
            let range = format!("between {0} and {0}", f64::MAX).replacen("between ", "between -", 1);
            return Err(FunctionError::failed(format!("value must be {range}, not {beyond}")));
        }
        number(arguments, 0).pow(number(arguments, 1)).map(Value::Number).ok_or_else(not_a_number)
    }),
    Function::new("range", &[], Returns::NotNull(|_| Type::list(Type::Number)), range)
        .variadic(Param::number("params")),
    Function::new("signum", &[Param::number("num")], Returns::Number, |arguments, _| {
        Ok(Value::int(whole(arguments, 0)?.signum()))
    }),
    Function::new("sum", &[Param::any("list")], Returns::From(sum_type), sum),
];

/// Of what may be anything not even the sum is known to be a number.
fn sum_type(arguments: &[Value]) -> Type {
    match arguments.first().map(Value::ty) {
        Some(Type::Any) => Type::Any,
        _ => Type::Number,
    }
}

/// Whether a finite number is too big for the doubles that powers are computed with.
fn is_beyond(number: &Number) -> bool {
    !number.is_infinite() && number.as_f64().is_infinite()
}

fn not_a_number() -> FunctionError {
    FunctionError::failed("the result is not a number")
}

fn undefined(error: NumberError) -> FunctionError {
    FunctionError::failed(error.to_string())
}

fn extreme(found: Option<&Value>) -> Result<Value, FunctionError> {
    found.cloned().ok_or_else(|| FunctionError::failed("must pass at least one number"))
}

fn parse_int(arguments: &[Value], _: &Context<'_>) -> Result<Value, FunctionError> {
    let Some(digits) = arguments.first().and_then(Value::as_str) else {
        let ty = arguments.first().map_or(Type::Any, Value::ty);
        return Err(FunctionError::argument(0, format!("first argument must be a string, not {}", ty.friendly())));
    };
    let base = number(arguments, 1)
        .as_i64()
        .filter(|base| (2..=62).contains(base))
        .ok_or_else(|| FunctionError::argument(1, "base must be a whole number between 2 and 62 inclusive"))?;
    let wrong = || FunctionError::argument(0, format!("cannot parse {digits:?} as a base {base} integer"));
    let (negative, unsigned) = match digits.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, digits.strip_prefix('+').unwrap_or(digits)),
    };
    if unsigned.is_empty() {
        return Err(wrong());
    }
    if unsigned.len() > MOST_DIGITS {
        return Err(FunctionError::argument(0, format!("the text has more than {MOST_DIGITS} digits")));
    }
    let mut sum = IBig::ZERO;
    for byte in unsigned.bytes() {
        // Beyond 36 capitals are digits of their own, after the small letters.
        let digit = match byte {
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'z' => byte - b'a' + 10,
            b'A'..=b'Z' if base <= 36 => byte - b'A' + 10,
            b'A'..=b'Z' => byte - b'A' + 36,
            _ => return Err(wrong()),
        };
        if i64::from(digit) >= base {
            return Err(wrong());
        }
        sum = sum * base + digit;
    }
    Ok(Value::Number(Number::from(if negative { -sum } else { sum })))
}

fn range(arguments: &[Value], _: &Context<'_>) -> Result<Value, FunctionError> {
    let (start, end, step) = match arguments.len() {
        1 => (&Number::ZERO, number(arguments, 0), None),
        2 => (number(arguments, 0), number(arguments, 1), None),
        3 => (number(arguments, 0), number(arguments, 1), Some(number(arguments, 2))),
        _ => return Err(FunctionError::failed("must have one, two, or three arguments")),
    };
    let down = end < start;
    let step = step.cloned().unwrap_or_else(|| if down { Number::ONE.neg() } else { Number::ONE });
    if step.is_negative() && end > start {
        return Err(FunctionError::argument(1, "end must be less than start when step is negative"));
    }
    if !step.is_negative() && !step.is_zero() && down {
        return Err(FunctionError::argument(1, "end must be greater than start when step is positive"));
    }
    let mut at = start.clone();
    let mut numbers = Vec::new();
    while if down { at > *end } else { at < *end } {
        if numbers.len() == LONGEST_RANGE {
            let message = format!(
                "more than {LONGEST_RANGE} values were generated; either decrease the difference between start and end or use a smaller step"
            );
            return Err(FunctionError::failed(message));
        }
        let next = at.add(&step).map_err(undefined)?;
        numbers.push(Value::Number(std::mem::replace(&mut at, next)));
    }
    Ok(Value::list(Type::Number, numbers))
}

fn sum(arguments: &[Value], _: &Context<'_>) -> Result<Value, FunctionError> {
    let wrong = |message: String| Err(FunctionError::argument(0, message));
    let list = match arguments.first() {
        Some(Value::List(_) | Value::Set(_) | Value::Tuple(_)) => items(arguments, 0),
        Some(other @ (Value::Map(_) | Value::Object(_))) => {
            let kind = other.ty().friendly();
            return wrong(format!("argument must be list, set, or tuple. Received {kind}"));
        }
        _ => return wrong("cannot sum noniterable".into()),
    };
    if list.is_empty() {
        return wrong("cannot sum an empty list".into());
    }
    if !list.iter().all(Value::is_wholly_known) {
        return Ok(Value::unknown_not_null(Type::Number));
    }
    let mut sum = Number::ZERO;
    for item in list {
        match convert(item, &Type::Number) {
            Ok(Value::Number(number)) => sum = sum.add(&number).map_err(undefined)?,
            _ => return wrong("argument must be list, set, or tuple of number values".into()),
        }
    }
    Ok(Value::Number(sum))
}
