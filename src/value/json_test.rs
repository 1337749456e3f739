use super::super::{MAX_DEPTH, MAX_TEXT_DEPTH, Marks, type_from_json, type_to_json};
use super::*;

#[test]
fn reads_and_writes_free_json() -> Result<(), JsonError> {
    for (text, expect) in [
        ("null", "null"),
        (" [ 1 , 2.50 , 1e3, -0.1 ] ", "[1,2.5,1000,-0.1]"),
        (r#"{"b":1,"a":{"x":[]},"b":2}"#, r#"{"a":{"x":[]},"b":2}"#),
        (r#""\u00e9\n\t\"\\\/\b\f\u0001""#, r#""é\n\t\"\\/\b\f\u0001""#),
        (r#""<a&b>\u2028\u2029""#, r#""\u003ca\u0026b\u003e\u2028\u2029""#),
        (r#""\ud83d\ude00 \ud83d x""#, "\"😀 \u{fffd} x\""),
        ("\"e\u{301}\"", "\"é\""),
        ("123456789012345678901234567890.125", "123456789012345678901234567890.125"),
        ("true", "true"),
    ] {
        let value = from_json(text.as_bytes())?;
        assert_eq!(to_json(&value)?, expect, "{text}");
        assert_eq!(type_of_json(text.as_bytes())?, value.ty(), "{text}");
    }
    Ok(())
}

#[test]
fn refuses_what_is_not_json() {
    for (text, expect) in [
        ("", "invalid JSON at line 1, column 1: unexpected end of JSON input"),
        ("{\n  \"a\": }", "invalid JSON at line 2, column 8: invalid character '}'"),
        ("[1,]", "invalid JSON at line 1, column 4: invalid character ']'"),
        ("{\"a\":1,}", "invalid JSON at line 1, column 8: invalid character '}'"),
        ("[1 2]", "invalid JSON at line 1, column 4: invalid character '2'"),
        ("01", "invalid JSON at line 1, column 2: extra characters after the JSON value"),
        ("1.", "invalid JSON at line 1, column 3: unexpected end of JSON input"),
        ("\"a", "invalid JSON at line 1, column 3: unexpected end of JSON input"),
        ("\"\\x\"", "invalid JSON at line 1, column 3: invalid escape in a string"),
        ("\"\\u12\"", "invalid JSON at line 1, column 4: invalid \\u escape in a string"),
        ("\"a\nb\"", "invalid JSON at line 1, column 3: control character in a string"),
        ("nul", "invalid JSON at line 1, column 1: invalid character 'n'"),
        ("1e999999999", "invalid JSON at line 1, column 12: a number is out of range"),
    ] {
        let got = from_json(text.as_bytes()).map_err(|error| error.to_string());
        assert_eq!(got, Err(expect.to_owned()), "{text:.20}");
    }
}

#[test]
fn nesting_is_bounded() {
    let all = || {
        let deep = "[".repeat(100_000);
        let columns = [
            (from_json(deep.as_bytes()).map(drop), MAX_DEPTH + 2),
            (type_of_json(deep.as_bytes()).map(drop), MAX_DEPTH + 2),
            (from_json_typed(deep.as_bytes(), &Type::Any).map(drop), 0),
            (type_from_json("[\"list\",".repeat(100_000).as_bytes()).map(drop), MAX_TEXT_DEPTH * 8 + 2),
        ];
        for (read, column) in columns {
            let error = read.map_err(|error| error.to_string());
            let deep = format!("invalid JSON at line 1, column {column}: exceeded max depth");
            let expect =
                if column == 0 { "a JSON object with \"value\" and \"type\" is required".to_owned() } else { deep };
            assert_eq!(error, Err(expect));
        }
    };
    // As deep as that of the program's threads.
    let thread = std::thread::Builder::new().stack_size(64 << 20).spawn(all);
    assert!(thread.is_ok_and(|thread| thread.join().is_ok()));
}

#[test]
fn typed_json_reads_back() -> Result<(), JsonError> {
    for (ty, text) in [
        (r#""string""#, r#""a""#),
        (r#""number""#, "1.5"),
        (r#""bool""#, "true"),
        (r#"["list","string"]"#, r#"["b","a"]"#),
        (r#"["set","number"]"#, "[1,2]"),
        (r#"["map",["list","bool"]]"#, r#"{"a":[true],"b":null}"#),
        (r#"["tuple",["string","dynamic"]]"#, r#"["a",{"value":[1],"type":["tuple",["number"]]}]"#),
        (r#"["object",{"a":"string","b":"dynamic"}]"#, r#"{"a":null,"b":{"value":null,"type":"string"}}"#),
        (r#""dynamic""#, r#"{"value":{"a":1},"type":["object",{"a":"number"}]}"#),
        (r#""dynamic""#, "null"),
    ] {
        let parsed = type_from_json(ty.as_bytes())?;
        assert_eq!(type_to_json(&parsed), ty);
        let value = from_json_typed(text.as_bytes(), &parsed)?;
        assert_eq!(to_json_typed(&value, &parsed)?, text, "{ty}");
    }
    let optional = r#"["object",{"a":"string","b":"number"},["b"]]"#;
    assert_eq!(type_to_json(&type_from_json(optional.as_bytes())?), optional);
    Ok(())
}

#[test]
fn typed_json_is_lenient_and_strict_where_terraform_is() -> Result<(), JsonError> {
    for (ty, text, expect) in [
        (r#""string""#, "1.50", Ok(r#""1.5""#)),
        (r#""string""#, "true", Ok(r#""true""#)),
        (r#""number""#, r#""12""#, Ok("12")),
        (r#""bool""#, r#""true""#, Ok("true")),
        (r#"["object",{"a":"string","b":"number"}]"#, r#"{"b":1}"#, Ok(r#"{"a":null,"b":1}"#)),
        (r#"["set","string"]"#, r#"["b","a","b"]"#, Ok(r#"["a","b"]"#)),
        (r#""dynamic""#, r#"{"type":"number","value":"5"}"#, Ok(r#"{"value":5,"type":"number"}"#)),
        (r#""number""#, r#""x""#, Err("a number is required")),
        (r#"["list","number"]"#, r#"[1,"x"]"#, Err("[1]: a number is required")),
        (r#"["map","string"]"#, r#"{"k":[]}"#, Err("[\"k\"]: a string is required")),
        (r#"["object",{"a":"string"}]"#, r#"{"c":1}"#, Err("unsupported attribute \"c\"")),
        (r#"["tuple",["string"]]"#, "[]", Err("a JSON array with 1 elements is required")),
        (r#"["tuple",["string"]]"#, r#"["a","b"]"#, Err("a JSON array with 1 elements is required")),
        (r#""dynamic""#, "1", Err("a JSON object with \"value\" and \"type\" is required")),
    ] {
        let ty = type_from_json(ty.as_bytes())?;
        let got = from_json_typed(text.as_bytes(), &ty).and_then(|value| to_json_typed(&value, &ty));
        assert_eq!(got.map_err(|error| error.to_string()), expect.map(str::to_owned).map_err(str::to_owned), "{text}");
    }
    for text in ["\"thing\"", "[]", "[\"list\"]", "[\"map\",1]", "1", "[\"object\",[]]", "[\"list\",\"string\",1]"] {
        assert!(type_from_json(text.as_bytes()).is_err(), "{text}");
    }
    Ok(())
}

#[test]
fn attributes_that_a_type_lacks_are_left_out_of_stored_values() -> Result<(), JsonError> {
    let ty = type_from_json(br#"["object",{"a":"string","b":["list",["object",{"c":"number"}]],"d":"dynamic"}]"#)?;
    let text = r#"{"a":"x","later":{"e":[1]},"b":[{"c":1,"f":null},{"g":"h"}],"d":null}"#;
    let (value, dropped) = from_json_stored(text.as_bytes(), &ty)?;
    assert_eq!(to_json_typed(&value, &ty)?, r#"{"a":"x","b":[{"c":1},{"c":null}],"d":null}"#);
    assert_eq!(dropped, ["later", "f", "g"].map(Str::from));
    // A type that stands beside its value is of the same version.
    let text = r#"{"d":{"value":{"a":1},"type":["object",{"b":"number"}]}}"#;
    assert!(from_json_stored(text.as_bytes(), &ty).is_err());
    assert!(from_json_stored(br#"{"later":[}"#, &ty).is_err());
    assert!(from_json_typed(br#"{"later":1}"#, &ty).is_err());
    Ok(())
}

#[test]
fn unknown_and_marked_values_are_not_written() {
    for (value, expect) in [
        (Value::unknown(Type::Any), "an unknown value cannot be written as JSON"),
        (Value::unknown(Type::String), "an unknown value cannot be written as JSON"),
        (Value::tuple(vec![Value::from("secret").sensitive()]), "[0]: a sensitive value cannot be written as JSON"),
        (
            Value::object([("a", Value::from("x").mark(Marks::EPHEMERAL))]),
            "a: an ephemeral value cannot be written as JSON",
        ),
        (Value::from_iter_number("inf"), "an infinite value cannot be written as JSON"),
    ] {
        assert_eq!(to_json(&value).map_err(|error| error.to_string()), Err(expect.to_owned()));
        assert_eq!(to_json_typed(&value, &Type::Any).map_err(|error| error.to_string()), Err(expect.to_owned()));
    }
}

impl Value {
    fn from_iter_number(text: &str) -> Value {
        Value::Number(Number::parse(text).unwrap_or_default())
    }
}
