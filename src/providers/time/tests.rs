#![expect(clippy::unwrap_used, reason = "tests")]

use super::*;
use crate::schema::proposed;
use crate::value::{Number, Path};

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

/// Recorded from the Terraform provider: id, what is told of the base, what follows from it.
#[test]
fn a_time_stays_as_it_is_written() {
    for (base, own, id, offset, rotation) in [
        (
            "2026-03-01T00:00:00+02:00",
            [1_772_316_000, 2026, 3, 1, 0],
            "2026-03-01T00:00:00+02:00",
            ("2026-04-01T00:00:00+02:00", 1_774_994_400),
            "9926-03-01T00:00:00+02:00",
        ),
        (
            "2026-03-01T00:00:00+00:00",
            [1_772_323_200, 2026, 3, 1, 0],
            "2026-03-01T00:00:00Z",
            ("2026-04-01T00:00:00Z", 1_775_001_600),
            "9926-03-01T00:00:00Z",
        ),
        (
            "2026-03-01T12:34:56.000Z",
            [1_772_368_496, 2026, 3, 1, 12],
            "2026-03-01T12:34:56Z",
            ("2026-04-01T12:34:56Z", 1_775_046_896),
            "9926-03-01T12:34:56Z",
        ),
        (
            "2026-03-01T12:34:56.120+05:30",
            [1_772_348_696, 2026, 3, 1, 12],
            "2026-03-01T12:34:56+05:30",
            ("2026-04-01T12:34:56+05:30", 1_775_027_096),
            "9926-03-01T12:34:56+05:30",
        ),
        (
            "2026-12-31T23:30:00-01:00",
            [1_798_763_400, 2026, 12, 31, 23],
            "2026-12-31T23:30:00-01:00",
            ("2027-01-31T23:30:00-01:00", 1_801_441_800),
            "9926-12-31T23:30:00-01:00",
        ),
    ] {
        let given = |name| (name, Value::from(base));
        let fixed = made("time_static", &[given("rfc3339")]);
        assert_eq!((text(&fixed, "id"), text(&fixed, "rfc3339")), (base, base));
        let parts = ["unix", "year", "month", "day", "hour"].map(|name| fixed.get(name).cloned().unwrap());
        assert_eq!(parts, own.map(Value::int), "{base}");
        let arguments = [given("base_rfc3339"), ("offset_months", Value::int(1))];
        let moved = made("time_offset", &arguments);
        assert_eq!(
            (text(&moved, "id"), text(&moved, "base_rfc3339"), text(&moved, "rfc3339")),
            (id, base, offset.0),
            "{base}"
        );
        assert_eq!(moved.get("unix"), Some(&Value::int(offset.1)), "{base}");
        assert_eq!(planned("time_offset", &moved, &arguments).value, moved, "{base}");
        // A changed offset starts from the same text.
        let changed = planned("time_offset", &moved, &[given("base_rfc3339"), ("offset_months", Value::int(2))]);
        assert_eq!((text(&changed.value, "id"), text(&changed.value, "base_rfc3339")), (id, base));
        let arguments = [given("rfc3339"), ("rotation_years", Value::int(7900))];
        let rotating = made("time_rotating", &arguments);
        let texts = ["id", "rfc3339", "rotation_rfc3339"].map(|name| text(&rotating, name));
        assert_eq!(texts, [id, base, rotation]);
        assert_eq!(planned("time_rotating", &rotating, &arguments).value, rotating, "{base}");
    }
}

#[test]
fn ends_of_months_run_over_at_any_offset() {
    for (base, units, expect) in [
        ("2024-02-29T23:59:59+02:00", vec![("offset_years", 1)], "2025-03-01T23:59:59+02:00"),
        ("2024-02-29T23:59:59+02:00", vec![("offset_years", -1)], "2023-03-01T23:59:59+02:00"),
        ("2024-02-29T23:59:59+02:00", vec![("offset_seconds", 1)], "2024-03-01T00:00:00+02:00"),
        ("2024-02-29T23:59:59+02:00", vec![("offset_hours", 13)], "2024-03-01T12:59:59+02:00"),
        ("2026-03-29T01:30:00+01:00", vec![("offset_months", -1)], "2026-03-01T01:30:00+01:00"),
        ("2026-03-29T01:30:00+01:00", vec![("offset_hours", 1)], "2026-03-29T02:30:00+01:00"),
        ("2026-01-31T10:20:30Z", vec![("offset_months", 1), ("offset_days", 1)], "2026-03-01T10:20:30Z"),
        (
            "2026-01-31T10:20:30Z",
            vec![("offset_days", -1), ("offset_months", 1), ("offset_hours", 25)],
            "2026-03-03T11:20:30Z",
        ),
    ] {
        let mut arguments: Vec<_> = units.iter().map(|(name, count)| (*name, Value::int(*count))).collect();
        arguments.push(("base_rfc3339", base.into()));
        assert_eq!(text(&made("time_offset", &arguments), "rfc3339"), expect, "{base} {units:?}");
    }
    let arguments = [("base_rfc3339", "9999-12-31T23:59:59Z".into()), ("offset_months", Value::int(1))];
    let planned = planned("time_offset", &Value::NULL, &arguments);
    assert!(at(NOW).create("time_offset", &planned.value).has_errors());
}

#[test]
fn a_rotation_keeps_the_form_that_state_has() {
    let arguments = |base: &str, end: &str| [("rfc3339", Value::from(base)), ("rotation_rfc3339", end.into())];
    let object = made("time_rotating", &arguments("2030-01-01T00:00:00Z", "2040-01-01T00:00:00Z"));
    for same in ["2040-01-01T00:00:00+00:00", "2040-01-01T00:00:00-00:00", "2040-01-01T00:00:00.0Z"] {
        let again = planned("time_rotating", &object, &arguments("2030-01-01T00:00:00+00:00", same));
        assert_eq!((again.value, again.replace), (object.clone(), vec![]), "{same}");
    }
    // The same moment on another clock is another hour.
    let elsewhere = planned("time_rotating", &object, &arguments("2030-01-01T00:00:00Z", "2040-01-01T01:00:00+01:00"));
    assert_eq!(text(&elsewhere.value, "rotation_rfc3339"), "2040-01-01T01:00:00+01:00");
    assert_eq!(elsewhere.value.get("hour"), Some(&Value::int(1)));
    let object = made("time_rotating", &arguments("2030-01-01T00:00:00Z", "2040-01-01T00:00:00+00:00"));
    let back = planned("time_rotating", &object, &arguments("2030-01-01T00:00:00Z", "2040-01-01T00:00:00Z"));
    assert_eq!(text(&back.value, "rotation_rfc3339"), "2040-01-01T00:00:00Z");
    // Elsewhere another form is a change.
    let offset = made("time_offset", &[("base_rfc3339", NOW.into()), ("offset_days", Value::int(1))]);
    let other = [("base_rfc3339", "2026-01-31T10:20:30+00:00".into()), ("offset_days", Value::int(1))];
    let update = planned("time_offset", &offset, &other);
    assert!(update.replace.is_empty() && !update.value.get("id").unwrap().is_known());
    let fixed = made("time_static", &[("rfc3339", "2030-03-01T00:00:00+00:00".into())]);
    let update = planned("time_static", &fixed, &[("rfc3339", "2030-03-01T00:00:00Z".into())]);
    assert_eq!(update.replace, [Path::attribute("rfc3339")]);
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
    check("time_offset", &[("offset_days", Value::int(0))], "");
    check("time_offset", &[("offset_days", Value::Number(Number::parse("1.5").unwrap()))], "Configuration Read Error");
    check("time_rotating", &[], "Missing Attribute Configuration");
    check("time_rotating", &[("rotation_days", Value::int(0))], "Invalid Attribute Value");
    check("time_rotating", &[("rotation_days", Value::int(-1))], "Invalid Attribute Value");
    check("time_rotating", &[("rotation_rfc3339", "2026-01-01T00:00:00Z".into())], "");
    for wrong in ["30", "", "1x", "1h30m", "-1s", "1us"] {
        check("time_sleep", &[("create_duration", wrong.into())], "Invalid Attribute Value Match");
    }
    check("time_sleep", &[("destroy_duration", "1.5s".into())], "");
    check("time_sleep", &[], "Invalid Attribute Combination, Invalid Attribute Combination");
    let said = at(NOW).validate("time_rotating", false, &config("time_rotating", &[]));
    let detail = "At least one of these attributes must be configured: [rotation_minutes,rotation_hours,rotation_days,rotation_months,rotation_years,rotation_rfc3339]";
    assert_eq!(said.iter().next().map(|one| one.detail.as_str()), Some(detail));
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
    for (kind, id, summary) in [
        ("time_static", "x", "Import time static error"),
        ("time_offset", NOW, "Unexpected Format of ID"),
        ("time_offset", "2030-01-01T00:00:00Z,,,,,,", "Unexpected Format of ID"),
        ("time_offset", "2030-01-01T00:00:00Z,x,,,,,", "Import time offset error"),
        ("time_rotating", NOW, "Unexpected Format of ID"),
        ("time_rotating", "2030-01-01T00:00:00Z,,,,,", "Unexpected Format of ID"),
        ("time_rotating", "x,,,1,,", "Import time rotating error"),
        ("time_sleep", "1s", "Unexpected Format of ID"),
        ("time_sleep", ",", "Unexpected Format of ID"),
        ("time_sleep", "x,y", "Import time sleep error"),
    ] {
        let summaries: Vec<_> = at(NOW).import(kind, id).said.iter().map(|one| one.summary.clone()).collect();
        assert_eq!(summaries, [summary], "{kind} {id}");
    }
}

/// An id's time is told in whole seconds at its own offset.
#[test]
fn imported_times() {
    for (kind, id, expect) in [
        ("time_static", "2030-01-01T00:00:00.5+02:00", ["2030-01-01T00:00:00+02:00", "2030-01-01T00:00:00+02:00"]),
        ("time_offset", "2030-01-01T00:00:00.5+00:00,1,,7,,,", ["2030-01-01T00:00:00Z", "2031-01-08T00:00:00Z"]),
        (
            "time_rotating",
            "2030-01-01T00:00:00+02:00,,,1,,",
            ["2030-01-01T00:00:00+02:00", "2030-01-01T00:00:00+02:00"],
        ),
    ] {
        let object = at(NOW).import(kind, id).value.unwrap();
        assert_eq!(["id", "rfc3339"].map(|name| text(&object, name)), expect, "{kind} {id}");
    }
    let two = at(NOW).import("time_rotating", "2030-01-01T00:00:00+02:00,2031-01-01T00:00:00+00:00").value.unwrap();
    assert_eq!(text(&two, "rotation_rfc3339"), "2031-01-01T00:00:00Z");
}
