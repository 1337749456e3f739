//! Expectations are what Terraform 1.11.4 answers for the default of a variable of the type, and for a module's argument.

use super::super::{from_json, to_json, type_from_json};
use super::*;
use crate::value::Marks;

const S: &str = "\"string\"";
const N: &str = "\"number\"";

fn check(ty: &str, value: &str, expect: Result<&str, &str>) -> Result<(), super::super::JsonError> {
    let to = type_from_json(ty.as_bytes())?;
    let got = convert(&from_json(value.as_bytes())?, &to);
    if let Ok(value) = &got {
        assert_eq!(convert(value, &value.ty()).as_ref(), Ok(value), "converting {value:?} again");
        assert_eq!(convert(value, &to).as_ref(), Ok(value), "converting {value:?} again");
    }
    let got = got.map(|value| to_json(&value).unwrap_or_default()).map_err(|error| error.to_string());
    assert_eq!(got, expect.map(str::to_owned).map_err(str::to_owned), "{value} to {ty}");
    Ok(())
}

#[test]
fn primitives() -> Result<(), super::super::JsonError> {
    for (ty, value, expect) in [
        (N, "\"abc\"", Err("a number is required")),
        (N, "\"\"", Err("a number is required")),
        (N, "\"1e3\"", Ok("1000")),
        (N, "true", Err("number required")),
        (N, "[]", Err("number required")),
        ("\"bool\"", "\"true\"", Ok("true")),
        ("\"bool\"", "\"1\"", Ok("true")),
        ("\"bool\"", "\"0\"", Ok("false")),
        ("\"bool\"", "1", Err("bool required")),
        ("\"bool\"", "\"True\"", Err("a bool is required; to convert from string, use lowercase \"true\"")),
        ("\"bool\"", "\"False\"", Err("a bool is required; to convert from string, use lowercase \"false\"")),
        ("\"bool\"", "\"yes\"", Err("a bool is required")),
        (S, "1.50", Ok("\"1.5\"")),
        (S, "false", Ok("\"false\"")),
        (S, "[]", Err("string required")),
        (S, "null", Ok("null")),
    ] {
        check(ty, value, expect)?;
    }
    Ok(())
}

#[test]
fn collections() -> Result<(), super::super::JsonError> {
    let list = |element: &str| format!("[\"list\",{element}]");
    let set = |element: &str| format!("[\"set\",{element}]");
    let map = |element: &str| format!("[\"map\",{element}]");
    let any = "\"dynamic\"";
    for (ty, value, expect) in [
        (list(S), "[1,true,null]", Ok("[\"1\",\"true\",null]")),
        (list(S), "\"a\"", Err("list of string required")),
        (list(S), "[[]]", Err("element 0: string required")),
        (list(N), "[\"a\"]", Err("[0]: a number is required")),
        (list(N), "[\"a\",[]]", Err("element 1: number required")),
        (list(any), "\"a\"", Err("list of any single type required")),
        (list(any), "[1,\"a\",true]", Ok("[\"1\",\"a\",\"true\"]")),
        (list(any), "[1,true]", Err("all list elements must have the same type")),
        (list(any), "[1,[]]", Err("all list elements must have the same type")),
        (list(any), "[null,1,\"a\"]", Ok("[null,\"1\",\"a\"]")),
        (list(any), "[null,null]", Ok("[null,null]")),
        (list(any), "[{\"a\":1},{\"a\":\"x\"}]", Ok("[{\"a\":\"1\"},{\"a\":\"x\"}]")),
        (list(any), "[{\"a\":1},{}]", Ok("[{\"a\":1},{}]")),
        (list(any), "[{\"a\":1},{\"b\":[]}]", Err("all list elements must have the same type")),
        (list(any), "[{\"a\":1},[1]]", Err("all list elements must have the same type")),
        (list(any), "[[1],[\"a\",\"b\"]]", Ok("[[\"1\"],[\"a\",\"b\"]]")),
        (list(any), "[]", Ok("[]")),
        (list(&list(any)), "[[\"a\",[]]]", Err("element 0: all list elements must have the same type")),
        (list(&list(any)), "[[],[\"a\"]]", Ok("[[],[\"a\"]]")),
        (set(any), "[1,[]]", Err("all set elements must have the same type")),
        (set(S), "[\"b\",\"a\",\"b\",null]", Ok("[\"a\",\"b\",null]")),
        (set(N), "[9,10,-1]", Ok("[-1,9,10]")),
        (set(N), "[\"x\"]", Err("[0]: a number is required")),
        (set(any), "{}", Err("set of any single type required")),
        (map(any), "{\"a\":1,\"b\":[]}", Err("all map elements must have the same type")),
        (map(any), "{\"a\":1,\"b\":\"x\"}", Ok("{\"a\":\"1\",\"b\":\"x\"}")),
        (map(S), "{\"a\":1,\"b\":[]}", Err("element \"b\": string required")),
        (map(S), "[]", Err("map of string required")),
        (map(&map(N)), "{\"a\":{\"b c\":\"x\"}}", Err("[\"a\"][\"b c\"]: a number is required")),
        (map(&list(any)), "{\"a\":[1],\"b\":[\"x\"]}", Ok("{\"a\":[\"1\"],\"b\":[\"x\"]}")),
        (map(&list(any)), "{\"a\":[1],\"b\":[[]]}", Err("cannot find a common base type for all elements")),
        (map(&list(S)), "{\"k\":\"x\"}", Err("element \"k\": list of string required")),
    ] {
        check(&ty, value, expect)?;
    }
    Ok(())
}

#[test]
fn structures() -> Result<(), super::super::JsonError> {
    let object = |attributes: &str| format!("[\"object\",{attributes}]");
    let a = object("{\"a\":\"string\"}");
    let abc = object("{\"a\":\"string\",\"b\":\"string\",\"c\":\"string\"}");
    let nested = object("{\"a\":[\"object\",{\"b\":\"number\"}]}");
    let optional = object("{\"a\":\"string\",\"b\":\"number\"},[\"a\",\"b\"]");
    let tuple = "[\"tuple\",[\"string\",\"number\"]]".to_owned();
    for (ty, value, expect) in [
        (&a, "{}", Err("attribute \"a\" is required")),
        (&object("{\"a\":\"string\",\"b\":\"string\"}"), "{}", Err("attributes \"a\" and \"b\" are required")),
        (&object("{\"a\":\"string\",\"b\":\"string\"}"), "{\"a\":[]}", Err("attribute \"b\" is required")),
        (&abc, "{}", Err("attributes \"a\", \"b\", and \"c\" are required")),
        (&a, "{\"a\":[]}", Err("attribute \"a\": string required")),
        (&a, "{\"a\":\"x\",\"c\":1}", Ok("{\"a\":\"x\"}")),
        (&a, "\"x\"", Err("object required")),
        (&a, "null", Ok("null")),
        (&nested, "{\"a\":{\"b\":[]}}", Err("attribute \"a\": attribute \"b\": number required")),
        (&nested, "{\"a\":{\"b\":\"x\"}}", Err(".a.b: a number is required")),
        (&object("{\"a\":[\"list\",\"number\"]}"), "{\"a\":[1,\"x\"]}", Err(".a[1]: a number is required")),
        (&optional, "{}", Ok("{\"a\":null,\"b\":null}")),
        (&optional, "{\"b\":\"2\"}", Ok("{\"a\":null,\"b\":2}")),
        (&tuple, "[\"a\"]", Err("tuple required")),
        (&tuple, "[\"a\",[]]", Err("tuple required")),
        (&tuple, "[\"a\",\"b\"]", Err("[1]: a number is required")),
        (&tuple, "[1,\"2\"]", Ok("[\"1\",2]")),
        (&format!("[\"list\",{a}]"), "[{\"a\":\"x\"},{}]", Err("element 1: attribute \"a\" is required")),
        (&format!("[\"map\",{a}]"), "{\"k\":{}}", Err("element \"k\": attribute \"a\" is required")),
        (
            &"[\"list\",[\"object\",{\"a\":\"dynamic\"}]]".to_owned(),
            "[{\"a\":1},{\"a\":\"x\"}]",
            Ok("[{\"a\":\"1\"},{\"a\":\"x\"}]"),
        ),
    ] {
        check(ty, value, expect)?;
    }
    Ok(())
}

#[test]
fn between_collections() {
    let strings = |items: &[&str]| Value::list(Type::String, items.iter().map(|item| Value::from(*item)).collect());
    let map = |entries: &[(&str, &str)]| {
        Value::map(Type::String, entries.iter().map(|(key, value)| ((*key).into(), Value::from(*value))).collect())
    };
    let object = |attributes: &[(&str, Type)]| Type::object(attributes.iter().map(|(name, ty)| (*name, ty.clone())));
    for (value, to, expect) in [
        (strings(&["b", "a", "b"]), Type::set(Type::String), Ok("{\"a\", \"b\"}")),
        (Value::set(Type::String, vec!["b".into(), "a".into()]), Type::list(Type::String), Ok("[\"a\", \"b\"]")),
        (strings(&["1"]), Type::list(Type::Number), Ok("[1]")),
        (strings(&["a"]), Type::tuple([Type::String]), Err("tuple required")),
        (
            strings(&[]),
            Type::list(Type::list(Type::String)),
            Err("incorrect list element type: list of string required"),
        ),
        (strings(&["a"]), Type::map(Type::String), Err("map of string required")),
        (map(&[("a", "x"), ("c", "y")]), object(&[("a", Type::String)]), Ok("{\"a\": \"x\"}")),
        (map(&[("a", "x")]), object(&[("b", Type::String)]), Err("map has no element for required attribute \"b\"")),
        (map(&[("a", "x")]), object(&[("a", Type::list(Type::String))]), Err("object required")),
        (map(&[("a", "x")]), object(&[("a", Type::Number)]), Err("[\"a\"]: a number is required")),
        (
            map(&[("a", "x")]),
            Type::map(Type::list(Type::String)),
            Err("incorrect map element type: list of string required"),
        ),
    ] {
        let got = convert(&value, &to).map(|value| format!("{value:?}")).map_err(|error| error.to_string());
        assert_eq!(got, expect.map(str::to_owned).map_err(str::to_owned), "{value:?} to {to}");
    }
}

#[test]
fn unknown_values_keep_what_still_holds() {
    let unknown = |ty: Type, refinement: Refinement| Value::Unknown(Arc::new(Unknown { ty, refinement }));
    let prefix = Refinement { prefix: Some("10".into()), not_null: true, ..Refinement::default() };
    let not_null = Refinement { not_null: true, ..Refinement::default() };
    let lengths = |min, max| Refinement { min_len: Some(min), max_len: Some(max), ..Refinement::default() };
    for (value, to, expect) in [
        (unknown(Type::String, prefix.clone()), Type::String, unknown(Type::String, prefix.clone())),
        (unknown(Type::String, prefix), Type::Number, unknown(Type::Number, not_null.clone())),
        (unknown(Type::Any, not_null.clone()), Type::list(Type::Any), unknown(Type::list(Type::Any), not_null)),
        (
            unknown(Type::list(Type::Number), lengths(2, 3)),
            Type::set(Type::String),
            unknown(Type::set(Type::String), lengths(1, 3)),
        ),
        (
            Value::unknown(Type::tuple([Type::Number, Type::String])),
            Type::list(Type::Any),
            unknown(Type::list(Type::String), lengths(2, 2)),
        ),
    ] {
        assert_eq!(convert(&value, &to), Ok(expect), "{value:?} to {to}");
    }
    let refused = convert(&Value::unknown(Type::list(Type::String)), &Type::String);
    assert_eq!(refused.map_err(|error| error.message), Err("string required".to_owned()));
}

#[test]
fn marks_stay_where_they_are() {
    let secret = Value::int(1).sensitive();
    let list = convert(&Value::tuple(vec![secret.clone(), Value::int(2)]), &Type::list(Type::String));
    assert_eq!(list, Ok(Value::list(Type::String, vec![Value::from("1").sensitive(), Value::from("2")])));
    let set = convert(&Value::tuple(vec![secret.clone(), Value::int(2)]), &Type::set(Type::Number));
    assert_eq!(set.map(|value| value.marks()), Ok(Marks::SENSITIVE));
    let whole = convert(&secret, &Type::String);
    assert_eq!(whole, Ok(Value::from("1").sensitive()));
    let failed = convert(&Value::from("hunter2").sensitive(), &Type::Number);
    assert!(failed.is_err_and(|error| !format!("{error} {error:?}").contains("hunter2")));
}

#[test]
fn unifies_as_terraform() {
    let object = |name: &str, ty: Type| Type::object([(name, ty)]);
    let (s, n, b) = (Type::String, Type::Number, Type::Bool);
    for (types, expect) in [
        (vec![], Some(Type::Any)),
        (vec![n.clone(), s.clone()], Some(s.clone())),
        (vec![n.clone(), b.clone()], None),
        (vec![n.clone(), b, s.clone()], Some(s.clone())),
        (vec![Type::Any, n.clone()], Some(n.clone())),
        (vec![object("a", n.clone()), object("a", s.clone())], Some(object("a", s.clone()))),
        (vec![object("a", n.clone()), object("b", s.clone())], Some(Type::map(s.clone()))),
        (vec![object("a", n.clone()), Type::map(s.clone())], Some(Type::map(s.clone()))),
        (vec![Type::tuple([n.clone()]), Type::tuple([s.clone()])], Some(Type::tuple([s.clone()]))),
        (vec![Type::tuple([n.clone()]), Type::tuple([])], Some(Type::list(n.clone()))),
        (vec![Type::list(n.clone()), Type::set(s.clone())], Some(Type::list(s.clone()))),
        (vec![Type::set(s.clone()), Type::tuple([n.clone()])], Some(Type::set(s.clone()))),
        (vec![Type::list(n.clone()), n], None),
    ] {
        assert_eq!(unify(&types), expect, "{types:?}");
    }
}
