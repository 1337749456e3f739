#![expect(clippy::unwrap_used, reason = "tests")]

use super::*;
use crate::schema::proposed;
use crate::value::Path;

fn random() -> Random {
    Random { schema: schemas::all() }
}

/// A configuration of a kind: these arguments, null for the rest.
fn config(kind: &str, arguments: &[(&str, Value)]) -> Value {
    let schema = schemas::all();
    let Type::Object(attributes) = schema.resources[kind].ty() else { panic!("a schema is an object") };
    let nothing = attributes.iter().map(|(name, attribute)| (name.clone(), Value::Null(attribute.ty.clone())));
    let given = arguments.iter().map(|(name, value)| ((*name).into(), value.clone()));
    Value::Object(nothing.chain(given).collect())
}

fn planned(kind: &str, prior: &Value, config: &Value) -> Planned {
    let random = random();
    let proposed = proposed(&random.schema.resources[kind].block, prior, config);
    let request =
        PlanRequest { kind: kind.into(), prior: prior.clone(), proposed, config: config.clone(), private: Vec::new() };
    random.plan(&request).value.unwrap()
}

fn made(kind: &str, arguments: &[(&str, Value)]) -> Value {
    let planned = planned(kind, &Value::NULL, &config(kind, arguments));
    assert!(!planned.value.is_wholly_known(), "{kind} is known before it is made");
    let object = random().create(kind, &planned.value).value.unwrap();
    assert!(object.is_wholly_known(), "{kind} is not known after it was made: {object:?}");
    object
}

fn text<'a>(object: &'a Value, name: &str) -> &'a str {
    object.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn keeper(value: &str) -> Value {
    Value::map(Type::String, Entries::from_iter([("k".into(), value.into())]))
}

/// Kinds with the least they need.
fn kinds() -> Vec<(&'static str, Vec<(&'static str, Value)>)> {
    vec![
        ("random_string", vec![("length", Value::int(12))]),
        ("random_password", vec![("length", Value::int(12))]),
        ("random_id", vec![("byte_length", Value::int(8))]),
        ("random_bytes", vec![("length", Value::int(8))]),
        ("random_integer", vec![("min", Value::int(1)), ("max", Value::int(9))]),
        ("random_pet", vec![]),
        ("random_uuid", vec![]),
        ("random_shuffle", vec![("input", Value::list(Type::String, vec!["a".into(), "b".into()]))]),
    ]
}

#[test]
fn what_was_made_stays_until_a_keeper_changes() {
    for (kind, mut arguments) in kinds() {
        arguments.push(("keepers", keeper("1")));
        let object = made(kind, &arguments);
        let again = planned(kind, &object, &config(kind, &arguments));
        assert_eq!(again.value, object, "{kind}");
        assert_eq!(again.replace, [], "{kind}");
        arguments.pop();
        arguments.push(("keepers", keeper("2")));
        assert_eq!(planned(kind, &object, &config(kind, &arguments)).replace, [Path::attribute("keepers")], "{kind}");
    }
}

fn keepers(entries: &[(&str, Option<&str>)]) -> Value {
    let value = |text: &Option<&str>| text.map_or(Value::Null(Type::String), Value::from);
    let entries = entries.iter().map(|(name, text)| ((*name).into(), value(text)));
    Value::map(Type::String, Entries::from_iter(entries))
}

#[test]
fn null_keepers_are_no_reason_for_a_new_object() {
    let none = || Value::Null(Type::map(Type::String));
    for (before, after, replaced) in [
        (keepers(&[("k", Some("v"))]), keepers(&[("k", Some("v")), ("n", None)]), false),
        (keepers(&[("k", Some("v")), ("n", None)]), keepers(&[("k", Some("v"))]), false),
        (none(), keepers(&[("n", None)]), false),
        (keepers(&[("n", None)]), none(), false),
        (none(), keepers(&[]), false),
        (keepers(&[]), none(), false),
        (keepers(&[("n", None)]), keepers(&[("m", None)]), false),
        (none(), keepers(&[("k", Some("v"))]), true),
        (none(), keepers(&[("k", Some("v")), ("n", None)]), true),
        (keepers(&[("k", Some("v"))]), none(), true),
        (keepers(&[("k", Some("v"))]), keepers(&[]), true),
        (keepers(&[("k", Some("v"))]), keepers(&[("k", None)]), true),
        (keepers(&[("n", None)]), keepers(&[("n", Some("v"))]), true),
        (keepers(&[("k", Some("v"))]), keepers(&[("k", Some("w")), ("n", None)]), true),
        (none(), Value::map(Type::String, Entries::from_iter([("k".into(), Value::unknown(Type::String))])), true),
        (none(), Value::unknown(Type::map(Type::String)), true),
    ] {
        for (kind, arguments) in kinds() {
            let with = |keepers: &Value| [arguments.clone(), vec![("keepers", keepers.clone())]].concat();
            let object = made(kind, &with(&before));
            let planned = planned(kind, &object, &config(kind, &with(&after)));
            let reasons = if replaced { vec![Path::attribute("keepers")] } else { vec![] };
            assert_eq!(planned.replace, reasons, "{kind}: {before:?} to {after:?}");
            // What is planned is what is written, so that the change is shown, and once only.
            assert_eq!(planned.value.get("keepers"), Some(&after), "{kind}");
        }
    }
}

#[test]
fn an_empty_text_and_none_are_the_same_characters() {
    let of = |text: Value| [("length", Value::int(4)), ("override_special", text)];
    let none = || Value::Null(Type::String);
    for (before, after, replaced) in [
        ("".into(), none(), false),
        (none(), "".into(), false),
        (none(), "+".into(), true),
        ("+".into(), "".into(), true),
    ] {
        let object = made("random_string", &of(before));
        let planned = planned("random_string", &object, &config("random_string", &of(after)));
        assert_eq!(!planned.replace.is_empty(), replaced, "{:?}", planned.replace);
    }
}

#[test]
fn texts_hold_what_was_asked_for() {
    let arguments = [
        ("length", Value::int(40)),
        ("upper", Value::Bool(false)),
        ("min_numeric", Value::int(5)),
        ("min_special", Value::int(3)),
        ("override_special", "+".into()),
    ];
    let object = made("random_string", &arguments);
    let result = text(&object, "result");
    assert_eq!(result.chars().count(), 40);
    assert!(result.chars().filter(char::is_ascii_digit).count() >= 5, "{result}");
    assert!(result.chars().filter(|c| *c == '+').count() >= 3, "{result}");
    assert!(result.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '+'), "{result}");
    assert_eq!(text(&object, "id"), result);
    assert_eq!(object.get("number"), Some(&Value::Bool(true)));
}

#[test]
fn a_password_has_its_hash_and_no_id() {
    let object = made("random_password", &[("length", Value::int(90))]);
    assert_eq!(text(&object, "id"), "none");
    let password = &text(&object, "result").as_bytes()[..72];
    assert!(bcrypt::verify(password, text(&object, "bcrypt_hash")).unwrap());
}

#[test]
fn a_default_counts_where_the_argument_was_removed() {
    let object = made("random_string", &[("length", Value::int(4)), ("special", Value::Bool(false))]);
    let without = planned("random_string", &object, &config("random_string", &[("length", Value::int(4))]));
    assert_eq!(without.replace, [Path::attribute("special")]);
}

#[test]
fn impossible_arguments_are_refused() {
    let check = |kind: &str, arguments: &[(&str, Value)], expect: &str| {
        let said = random().validate(kind, false, &config(kind, arguments));
        assert_eq!(said.iter().map(|d| d.detail.as_str()).collect::<Vec<_>>().join("\n"), expect);
    };
    let int = Value::int;
    check("random_id", &[("byte_length", int(0))], "Attribute byte_length value must be at least 1, got: 0");
    check("random_string", &[("length", int(0))], "Attribute length value must be at least 1, got: 0");
    check(
        "random_password",
        &[("length", int(2)), ("min_lower", int(2)), ("min_upper", int(1))],
        "Attribute length value must be at least sum of min_upper + min_lower + min_numeric + min_special, got: 2",
    );
    check(
        "random_integer",
        &[("min", int(2)), ("max", int(1))],
        "The minimum (min) value needs to be smaller than or equal to maximum (max) value: 2 > 1.",
    );
    check(
        "random_string",
        &[("length", int(2)), ("number", Value::Bool(true)), ("numeric", Value::Bool(false))],
        "Attributes number and numeric are the same switch under two names, got: true and false. Leave out number, which is deprecated.",
    );
    check("random_string", &[("length", int(2)), ("number", Value::Bool(false)), ("numeric", Value::Bool(false))], "");
    check("random_integer", &[("min", Value::unknown(Type::Number)), ("max", int(1))], "");
}

#[test]
fn ids_have_their_forms() {
    let set = values::id("p-", &[0, 255, 16]);
    let of = |name| set.iter().find(|(key, _)| *key == name).and_then(|(_, value)| value.as_str()).unwrap();
    assert_eq!(of("id"), "AP8Q");
    assert_eq!(of("b64_url"), "p-AP8Q");
    assert_eq!(of("hex"), "p-00ff10");
    assert_eq!(of("dec"), "p-65296");
}

#[test]
fn numbers_lie_in_their_range_and_follow_their_seed() {
    for _ in 0..20 {
        let object = made("random_integer", &[("min", Value::int(-1)), ("max", Value::int(1))]);
        assert!((-1..=1).contains(&text(&object, "id").parse::<i64>().unwrap()));
    }
    let seeded = [("min", Value::int(0)), ("max", Value::int(1_000_000)), ("seed", "s".into())];
    assert_eq!(made("random_integer", &seeded), made("random_integer", &seeded));
}

#[test]
fn a_shuffle_repeats_its_input_when_more_is_asked_for() {
    let input = Value::list(Type::String, ["a", "b", "c"].map(Value::from).to_vec());
    let object = made("random_shuffle", &[("input", input.clone()), ("result_count", Value::int(7))]);
    let result = object.get("result").and_then(Value::as_items).unwrap();
    assert_eq!(result.len(), 7);
    let mut first = result[..3].to_vec();
    first.sort();
    assert_eq!(first, input.as_items().unwrap());
}

#[test]
fn a_pet_has_as_many_words_as_asked_for() {
    let object = made("random_pet", &[("length", Value::int(3)), ("separator", "_".into()), ("prefix", "x".into())]);
    let words: Vec<&str> = text(&object, "id").split('_').collect();
    assert_eq!((words.len(), words[0]), (4, "x"));
}

#[test]
fn what_is_imported_plans_nothing() {
    let int = Value::int;
    for (kind, id, arguments) in [
        ("random_string", "abcDE", vec![("length", int(5))]),
        ("random_password", "s3cret", vec![("length", int(6))]),
        ("random_id", "p-,AP8Q", vec![("byte_length", int(3)), ("prefix", "p-".into())]),
        ("random_bytes", "AP8Q", vec![("length", int(3))]),
        ("random_integer", "5,1,9", vec![("min", int(1)), ("max", int(9))]),
        ("random_uuid", "aabbccdd-eeff-4011-8233-445566778899", vec![]),
    ] {
        let object = random().import(kind, id).value.unwrap();
        let again = planned(kind, &object, &config(kind, &arguments));
        assert_eq!((again.value, again.replace), (object, vec![]), "{kind}");
    }
    for (kind, id) in [("random_uuid", "x"), ("random_integer", "1,2"), ("random_pet", "a-b"), ("random_bytes", "?")] {
        assert!(random().import(kind, id).has_errors(), "{kind}");
    }
}

/// What each version of the schemas has stored, and what becomes of it.
#[test]
fn older_objects_are_read() {
    let provider = provider(&Settings::new());
    let upgraded = |kind: &str, version: u64, state: &str| provider.upgrade(kind, version, state).value.unwrap();
    let state = r#"{"id":"none","length":3,"number":false,"result":"abc","lower":true,"upper":true,"special":true,
        "min_lower":0,"min_numeric":0,"min_special":0,"min_upper":0,"keepers":null,"override_special":null}"#;
    let hash = |object: &Value| text(object, "bcrypt_hash").to_owned();
    for version in [0, 1] {
        let object = upgraded("random_password", version, state);
        assert_eq!(object.get("numeric"), Some(&Value::Bool(false)));
        assert!(bcrypt::verify("abc", &hash(&object)).unwrap());
        let written = config("random_password", &[("length", Value::int(3)), ("number", Value::Bool(false))]);
        let again = planned("random_password", &object, &written);
        assert_eq!((again.value, again.replace), (object, vec![]));
    }
    // A hash that fits stays, one of another text is made anew.
    let right = bcrypt::hash("abc", 4).unwrap();
    for (stored, stays) in [(right.as_str(), true), (&bcrypt::hash("abd", 4).unwrap(), false), ("?", false)] {
        let state = format!(
            r#"{{"id":"none","length":3,"result":"abc","number":true,"numeric":true,"bcrypt_hash":"{stored}"}}"#
        );
        let object = upgraded("random_password", 2, &state);
        assert_eq!(hash(&object) == stored, stays);
        assert!(bcrypt::verify("abc", &hash(&object)).unwrap());
    }
    // Of an imported object the result alone was stored.
    for kind in ["random_password", "random_string"] {
        let object = upgraded(kind, 1, r#"{"id":"none","result":"äbc","number":null,"length":null}"#);
        let again = planned(kind, &object, &config(kind, &[("length", Value::int(3))]));
        assert_eq!((again.value, again.replace), (object, vec![]), "{kind}");
    }
}
