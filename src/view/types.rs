//! Types as the console prints them.

use std::fmt::Write as _;

use crate::value::Type;

/// A type over as many lines as it takes, without a line break at the end.
pub fn console_type(ty: &Type) -> String {
    let mut out = String::new();
    write_type(&mut out, ty, 0);
    out
}

fn write_type(out: &mut String, ty: &Type, indent: usize) {
    match ty {
        Type::Any => out.push_str("dynamic"),
        Type::Bool | Type::Number | Type::String => {
            let _ = write!(out, "{ty}");
        }
        Type::List(element) => collection(out, "list", element, indent),
        Type::Set(element) => collection(out, "set", element, indent),
        Type::Map(element) => collection(out, "map", element, indent),
        Type::Tuple(items) if items.is_empty() => out.push_str("tuple([])"),
        Type::Tuple(items) => {
            out.push_str("tuple([\n");
            for item in items.iter() {
                pad(out, indent + 1);
                write_type(out, item, indent + 1);
                out.push_str(",\n");
            }
            pad(out, indent);
            out.push_str("])");
        }
        Type::Object(object) => {
            let mut attributes = object.iter().peekable();
            if attributes.peek().is_none() {
                out.push_str("object({})");
                return;
            }
            out.push_str("object({\n");
            for (name, attribute) in attributes {
                pad(out, indent + 1);
                let _ = write!(out, "{name}: ");
                write_type(out, &attribute.ty, indent + 1);
                out.push_str(",\n");
            }
            pad(out, indent);
            out.push_str("})");
        }
    }
}

/// Collections of plain values and of collections stay in their line.
fn collection(out: &mut String, kind: &str, element: &Type, indent: usize) {
    let _ = write!(out, "{kind}(");
    if matches!(element, Type::Tuple(_) | Type::Object(_)) {
        out.push('\n');
        pad(out, indent + 1);
        write_type(out, element, indent + 1);
        out.push_str(",\n");
        pad(out, indent);
    } else {
        write_type(out, element, indent);
    }
    out.push(')');
}

fn pad(out: &mut String, indent: usize) {
    out.extend(std::iter::repeat_n("    ", indent));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_laid_out_as_in_the_console() {
        let check = |ty: Type, expect: &str| assert_eq!(console_type(&ty), expect);
        let object = Type::object([("a", Type::Number)]);
        check(Type::list(Type::list(Type::String)), "list(list(string))");
        check(Type::set(Type::Any), "set(dynamic)");
        check(Type::Tuple([].into()), "tuple([])");
        check(Type::object(Vec::<(&str, Type)>::new()), "object({})");
        check(Type::map(object.clone()), "map(\n    object({\n        a: number,\n    }),\n)");
        check(Type::list(Type::list(object)), "list(list(\n    object({\n        a: number,\n    }),\n))");
        check(
            Type::Tuple([Type::Bool, Type::Tuple([Type::Any].into())].into()),
            "tuple([\n    bool,\n    tuple([\n        dynamic,\n    ]),\n])",
        );
    }
}
