//! Conversion of types and of marks: `tostring`, `tolist`, …, `sensitive`, `nonsensitive`, `ephemeralasnull`.

use super::{Function, FunctionError, Param, Returns};
use crate::value::{Marks, Type, Value, convert};

const ANY: &[Param] = &[Param::any("v").null().unknown().marked()];
const VALUE: &[Param] = &[Param::any("value").null().unknown().marked()];

pub(super) static FUNCTIONS: &[Function] = &[
    Function::new("ephemeralasnull", VALUE, Returns::Any, |arguments, _| {
        Ok(arguments.first().map(without_ephemeral).unwrap_or_default())
    }),
    Function::new("issensitive", VALUE, Returns::Bool, |arguments, _| {
        Ok(match arguments.first() {
            Some(value) if value.marks().contains(Marks::SENSITIVE) => Value::Bool(true),
            // An unknown value may turn out to be sensitive.
            Some(value) if !value.is_known() => Value::unknown_not_null(Type::Bool),
            _ => Value::Bool(false),
        })
    }),
    Function::new("nonsensitive", VALUE, Returns::Any, |arguments, _| {
        let (value, marks) = arguments.first().cloned().unwrap_or_default().unmark();
        Ok(value.mark(marks.without(Marks::SENSITIVE)))
    }),
    Function::new("sensitive", VALUE, Returns::Any, |arguments, _| {
        Ok(arguments.first().cloned().unwrap_or_default().sensitive())
    }),
    Function::new("tobool", ANY, Returns::From(|_| Type::Bool), |arguments, _| to(arguments, &Type::Bool)),
    Function::new("tolist", ANY, Returns::Any, |arguments, _| to(arguments, &Type::list(Type::Any))),
    Function::new("tomap", ANY, Returns::Any, |arguments, _| to(arguments, &Type::map(Type::Any))),
    Function::new("tonumber", ANY, Returns::From(|_| Type::Number), |arguments, _| to(arguments, &Type::Number)),
    Function::new("toset", ANY, Returns::Any, |arguments, _| to(arguments, &Type::set(Type::Any))),
    Function::new("tostring", ANY, Returns::From(|_| Type::String), |arguments, _| to(arguments, &Type::String)),
];

fn to(arguments: &[Value], ty: &Type) -> Result<Value, FunctionError> {
    let value = arguments.first().cloned().unwrap_or_default();
    convert(&value, ty).map_err(|_| {
        let shown = match (value.bare(), ty) {
            // The text of a sensitive value is none of anyone's business.
            (Value::String(_), Type::Bool | Type::Number) if !value.marks().is_none() => "string".to_owned(),
            (Value::String(text), Type::Bool | Type::Number) => format!("{:?}", text.as_str()),
            _ => value.ty().friendly(),
        };
        let hint = match (value.bare(), ty) {
            (Value::String(_), Type::Bool) => "; only the strings \"true\" or \"false\" are allowed",
            (Value::String(_), Type::Number) => "; given string must be a decimal representation of a number",
            _ => "",
        };
        FunctionError::argument(0, format!("cannot convert {shown} to {}{hint}", ty.friendly_constraint()))
    })
}

/// The value with everything ephemeral in it replaced by null.
fn without_ephemeral(value: &Value) -> Value {
    value.replace_marked(Marks::EPHEMERAL, &|part, marks| Value::Null(part.ty()).mark(marks.without(Marks::EPHEMERAL)))
}

#[cfg(test)]
mod tests {
    use super::super::{Context, DirFiles, lookup};
    use super::*;

    fn call(name: &str, argument: Value) -> Option<Result<Value, FunctionError>> {
        let context = Context {
            base: std::path::Path::new("/"),
            files: &DirFiles,
            plan_time: None,
            now: None,
            env: None,
            templates: None,
        };
        Some(lookup(name)?.call(&[argument], &context))
    }

    #[test]
    fn marks_come_and_go() {
        let secret = Value::from("x").sensitive();
        let ephemeral = Value::from("x").mark(Marks::EPHEMERAL);
        for (name, argument, expect) in [
            ("sensitive", Value::from("x"), secret.clone()),
            ("sensitive", secret.clone(), secret.clone()),
            ("nonsensitive", secret.clone(), Value::from("x")),
            ("nonsensitive", Value::from("x"), Value::from("x")),
            ("nonsensitive", secret.clone().mark(Marks::EPHEMERAL), ephemeral.clone()),
            ("issensitive", secret.clone(), Value::Bool(true)),
            ("issensitive", Value::unknown(Type::String), Value::unknown_not_null(Type::Bool)),
            ("ephemeralasnull", ephemeral.clone(), Value::Null(Type::String)),
            (
                "ephemeralasnull",
                Value::tuple(vec![ephemeral.clone(), Value::int(1)]),
                Value::tuple(vec![Value::Null(Type::String), Value::int(1)]),
            ),
            ("tostring", Value::int(1).sensitive(), Value::from("1").sensitive()),
            ("upper", secret, Value::from("X").sensitive()),
            ("upper", Value::unknown(Type::Any).sensitive(), Value::unknown_not_null(Type::String).sensitive()),
        ] {
            assert_eq!(call(name, argument.clone()), Some(Ok(expect)), "{name}({argument:?})");
        }
        let refused = call("tonumber", Value::from("hunter2").sensitive());
        assert!(refused.is_some_and(|result| result.is_err_and(|error| !format!("{error:?}").contains("hunter2"))));
    }
}
