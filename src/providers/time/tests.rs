#![expect(clippy::unwrap_used, reason = "tests")]

use super::*;
use crate::schema::proposed;
use crate::value::Path;

const NOW: &str = "2026-01-31T10:20:30Z";

fn at(now: &str) -> Time {
    let now: Timestamp = now.parse().unwrap();
    Time { schema: schemas::all(), now: Arc::new(move || now) }
}

fn config(kind: &str, arguments: &[(&str, Value)]) -> Value {
    let schema = schemas::all();
    let Type::Object(attributes) = schema.resources[kind].ty() else { panic!("a schema is an object") };
    let nothing = attributes.iter().map(|(name, attribute)| (name.clone(), Value::Null(attribute.ty.clone())));
    let given = arguments.iter().map(|(name, value)| ((*name).into(), value.clone()));
    Value::Object(nothing.chain(given).collect())
}

fn planned(kind: &str, prior: &Value, arguments: &[(&str, Value)]) -> Planned {
    let (time, config) = (at(NOW), config(kind, arguments));
    let proposed = proposed(&time.schema.resources[kind].block, prior, &config);
    time.plan(&PlanRequest { kind: kind.into(), prior: prior.clone(), proposed, config, private: vec![] })
        .value
        .unwrap()
}

fn made(kind: &str, arguments: &[(&str, Value)]) -> Value {
    let object = at(NOW).create(kind, &planned(kind, &Value::NULL, arguments).value).value.unwrap();
    assert!(object.is_wholly_known(), "{object:?}");
    object
}

fn text<'a>(object: &'a Value, name: &str) -> &'a str {
    object.get(name).and_then(Value::as_str).unwrap_or_default()
}

#[test]
fn a_static_time_is_now_or_as_given_and_stays() {
    let object = made("time_static", &[]);
    assert_eq!((text(&object, "id"), text(&object, "rfc3339")), (NOW, NOW));
    assert_eq!(object.get("month"), Some(&Value::int(1)));
    assert_eq!(object.get("unix"), Some(&Value::int(1_769_854_830)));
    assert_eq!(planned("time_static", &object, &[]).value, object);
    let given = made("time_static", &[("rfc3339", "2020-02-13T06:36:13Z".into())]);
    assert_eq!(given.get("year"), Some(&Value::int(2020)));
}

#[test]
fn offsets_are_taken_from_the_base_and_change_in_place() {
    let check = |offset: &str, count: i64, expect: &str| {
        let object = made("time_offset", &[(offset, Value::int(count))]);
        assert_eq!((text(&object, "base_rfc3339"), text(&object, "rfc3339")), (NOW, expect));
    };
    check("offset_days", 7, "2026-02-07T10:20:30Z");
    check("offset_hours", -11, "2026-01-30T23:20:30Z");
    check("offset_years", 1, "2027-01-31T10:20:30Z");
    // The 31st of February is the 3rd of March.
    check("offset_months", 1, "2026-03-03T10:20:30Z");
    let object = made("time_offset", &[("offset_days", Value::int(1))]);
    let update = planned("time_offset", &object, &[("offset_days", Value::int(2))]);
    assert_eq!(update.replace, []);
    assert_eq!(text(&update.value, "rfc3339"), "2026-02-02T10:20:30Z");
    let updated = at(NOW).update("time_offset", &object, &update.value).value.unwrap();
    assert_eq!((text(&updated, "id"), text(&updated, "rfc3339")), (NOW, "2026-02-02T10:20:30Z"));
    // From another moment it is another one, and only making it tells which.
    let elsewhere = [("offset_days", Value::int(1)), ("base_rfc3339", "2027-01-01T00:00:00Z".into())];
    let update = planned("time_offset", &object, &elsewhere);
    assert_eq!(update.replace, []);
    assert!(!update.value.get("rfc3339").unwrap().is_known() && !update.value.get("id").unwrap().is_known());
}

#[test]
fn units_of_an_offset_follow_each_other_and_of_a_rotation_the_last_counts() {
    let units = [("days", 1), ("months", 1), ("years", 1)];
    let with = |prefix: &str| units.map(|(unit, count)| (format!("{prefix}{unit}"), Value::int(count)));
    let made = |kind: &str, base: &str, prefix: &str| {
        let units = with(prefix);
        let units = units.iter().map(|(name, value)| (name.as_str(), value.clone()));
        made(kind, &units.chain([(base, "2023-01-30T23:59:59Z".into())]).collect::<Vec<_>>())
    };
    let offset = made("time_offset", "base_rfc3339", "offset_");
    assert_eq!(text(&offset, "rfc3339"), "2024-03-03T23:59:59Z");
    let rotating = made("time_rotating", "rfc3339", "rotation_");
    assert_eq!(text(&rotating, "rotation_rfc3339"), "2024-01-30T23:59:59Z");
    assert_eq!(rotating.get("year"), Some(&Value::int(2024)));
}

#[test]
fn a_rotation_ends_when_its_time_has_come() {
    let object = made("time_rotating", &[("rotation_days", Value::int(1))]);
    assert_eq!(text(&object, "rotation_rfc3339"), "2026-02-01T10:20:30Z");
    assert!(at("2026-02-01T10:20:30Z").read("time_rotating", object.clone()).is_some());
    assert!(at("2026-02-01T10:20:31Z").read("time_rotating", object).is_none());
}

#[test]
fn changed_triggers_need_a_new_object() {
    let triggers = Value::map(Type::String, Entries::from_iter([("a".into(), "b".into())]));
    for (kind, argument) in [("time_static", None), ("time_sleep", Some(("create_duration", "1s".into())))] {
        let arguments: Vec<_> = argument.into_iter().collect();
        let object = made(kind, &arguments);
        let with = [arguments, vec![("triggers", triggers.clone())]].concat();
        assert_eq!(planned(kind, &object, &with).replace, [Path::attribute("triggers")]);
    }
}

#[test]
fn a_sleep_lasts_as_long_as_its_duration() {
    let object = made("time_sleep", &[("create_duration", "1m30s".into()), ("destroy_duration", "300ms".into())]);
    let lasts = |action| at(NOW).lasts("time_sleep", action, &object);
    assert_eq!(lasts(Action::Create), Duration::from_secs(90));
    assert_eq!(lasts(Action::Delete), Duration::from_millis(300));
    assert_eq!(lasts(Action::Update), Duration::ZERO);
}

#[test]
fn wrong_arguments_are_refused() {
    let check = |kind: &str, arguments: &[(&str, Value)], expect: &str| {
        let said = at(NOW).validate(kind, false, &config(kind, arguments));
        let summaries: Vec<_> = said.iter().map(|diagnostic| diagnostic.summary.as_str()).collect();
        assert_eq!(summaries.join(", "), expect);
    };
    check("time_static", &[("rfc3339", "yesterday".into())], "Invalid RFC3339 String Value");
    check("time_offset", &[], "Missing Attribute Configuration");
    check("time_rotating", &[("rotation_rfc3339", "2026-01-01T00:00:00Z".into())], "");
    check("time_sleep", &[("create_duration", "30".into())], "Invalid Attribute Value Match");
    check("time_sleep", &[("create_duration", "".into())], "Invalid Attribute Value Match");
}

#[test]
fn what_is_imported_plans_nothing() {
    for (kind, id, arguments) in [
        ("time_static", NOW, vec![]),
        ("time_offset", "2026-01-31T10:20:30Z,,,7,,,", vec![("offset_days", Value::int(7))]),
        ("time_rotating", "2026-01-31T10:20:30Z,,,1,,", vec![("rotation_days", Value::int(1))]),
        ("time_sleep", "1s,", vec![("create_duration", "1s".into())]),
    ] {
        let object = at(NOW).import(kind, id).value.unwrap();
        let again = planned(kind, &object, &arguments);
        assert_eq!((again.value, again.replace), (object, vec![]), "{kind}");
    }
    assert!(at(NOW).import("time_offset", NOW).has_errors());
}
