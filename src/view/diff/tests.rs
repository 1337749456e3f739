//! Maps with nulls in them, as Terraform draws them.

use super::super::style::Style;
use super::*;
use crate::value::{Entries, Path, Type};

fn map(entries: &[(&str, Option<&str>)]) -> Value {
    let value = |text: &Option<&str>| text.map_or(Value::Null(Type::String), Value::from);
    Value::map(Type::String, Entries::from_iter(entries.iter().map(|(name, text)| (Str::from(*name), value(text)))))
}

fn drawn(before: Option<&Value>, after: Option<&Value>, everything: bool) -> String {
    let replace = [Path::attribute("triggers")];
    let compare = Compare { replace: if everything { &[] } else { &replace }, quiet: false };
    let diff = value(before, after, &Type::map(Type::String), &mut Path::attribute("triggers"), &compare);
    let mut drawing = Drawing::new(Style::PLAIN);
    drawing.everything = everything;
    drawing.named("triggers", 8, &diff, 0, true);
    drawing.out.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

/// Recorded with a provider whose attribute is a map of texts.
#[test]
fn null_is_a_value_in_a_map() {
    let (null, both, other) = (map(&[("a", None)]), map(&[("a", None), ("b", Some("x"))]), map(&[("b", Some("x"))]));
    let (empty, text) = (map(&[]), map(&[("a", Some("x")), ("b", Some("x"))]));
    let cases: [(Option<&Value>, Option<&Value>, &str); 8] = [
        (
            None,
            Some(&both),
            "  + triggers = { # forces replacement\n      + \"a\" = null\n      + \"b\" = \"x\"\n    }",
        ),
        (
            Some(&other),
            Some(&both),
            "  ~ triggers = { # forces replacement\n      + \"a\" = null\n        # (1 unchanged element hidden)\n    }",
        ),
        (
            Some(&both),
            Some(&other),
            "  ~ triggers = { # forces replacement\n      - \"a\" = null\n        # (1 unchanged element hidden)\n    }",
        ),
        (
            Some(&both),
            Some(&text),
            "  ~ triggers = { # forces replacement\n      ~ \"a\" = null -> \"x\"\n        # (1 unchanged element hidden)\n    }",
        ),
        (
            Some(&text),
            Some(&both),
            "  ~ triggers = { # forces replacement\n      ~ \"a\" = \"x\" -> null\n        # (1 unchanged element hidden)\n    }",
        ),
        (Some(&null), None, "  - triggers = { # forces replacement\n      - \"a\" = null\n    } -> null"),
        (Some(&null), Some(&empty), "  ~ triggers = { # forces replacement\n      - \"a\" = null\n    }"),
        (Some(&empty), Some(&null), "  ~ triggers = { # forces replacement\n      + \"a\" = null\n    }"),
    ];
    for (before, after, expect) in cases {
        assert_eq!(drawn(before, after, false), expect);
    }
    let shown = "    triggers = {\n        \"a\" = null\n        \"b\" = \"x\"\n    }";
    assert_eq!(drawn(Some(&both), Some(&both), true), shown);
}
