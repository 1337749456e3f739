//! JSON reads as what it stands for.

use super::super::tests::{show, show_body, show_said};
use super::super::{parse, parse_json, parse_json_assignments};
use crate::diag::SourceMap;

fn read(text: &str) -> (String, Vec<String>) {
    let sources = SourceMap::default();
    let file = sources.add("main.tf.json", text);
    let (file, said) = parse_json(&sources, file);
    (show_body(&file.body), show_said(&said, text))
}

/// The tree of both texts is the same.
#[track_caller]
fn same(json: &str, native: &str) {
    let sources = SourceMap::default();
    let file = sources.add("main.tf", native);
    let (file, said) = parse(&sources, file);
    assert!(said.is_empty(), "{native}: {said}");
    assert_eq!(read(json), (show_body(&file.body), vec![]), "{json}");
}

#[track_caller]
fn bad(json: &str, expect: &str) {
    assert_eq!(read(json).1, [expect], "{json}");
}

#[test]
fn blocks_are_objects_and_labels_their_properties() {
    same(
        r#"{"resource": {"a": {"b": {"x": 1, "y": [true, null]}, "c": {}}, "d": {"e": {"x": "t"}}}}"#,
        "resource \"a\" \"b\" {\n x = 1\n y = [true, null]\n}\nresource \"a\" \"c\" {}\nresource \"d\" \"e\" {\n x = \"t\"\n}\n",
    );
    same(
        r#"{"//": "why", "locals": [{"a": 1, "//": 2}, {"b": {"//": 3}}], "provider": {"p": [{"alias": "q"}, {}]}}"#,
        "locals {\n a = 1\n}\nlocals {\n b = {\"//\" = 3}\n}\nprovider \"p\" {\n alias = \"q\"\n}\nprovider \"p\" {}\n",
    );
    same(
        r#"[{"output": {"a": {"value": 1, "precondition": {"condition": true}}}}, {"terraform": {"backend": {"s3": {}}}}]"#,
        "output \"a\" {\n value = 1\n precondition {\n condition = true\n }\n}\nterraform {\n backend \"s3\" {}\n}\n",
    );
    same(
        r#"{"data": {"a": {"b": {"lifecycle": {"postcondition": [{"condition": "${self.x}"}]}, "provider": "p.q"}}}}"#,
        "data \"a\" \"b\" {\n lifecycle {\n postcondition {\n condition = \"${self.x}\"\n }\n }\n provider = \"p.q\"\n}\n",
    );
}

#[test]
fn strings_are_templates_where_the_language_says_nothing_else() {
    same(
        r#"{"locals": {"a": "x ${f(\"é\\n\")} $${y}", "b": "${var.a}", "c": {"${var.k}": "%{if a}b%{endif}"}, "d": 1.5e3}}"#,
        "locals {\n a = \"x ${f(\"é\\n\")} $${y}\"\n b = \"${var.a}\"\n c = {\"${var.k}\" = \"%{if a}b%{endif}\"}\n d = 1.5e3\n}\n",
    );
}

#[test]
fn references_and_types_are_strings() {
    same(
        r#"{"variable": {"a": {"type": "list(string)", "default": "${x}"}}, "resource": {"a": {"b": {"depends_on": ["a.c"]}}}}"#,
        "variable \"a\" {\n type = list(string)\n default = \"$${x}\"\n}\nresource \"a\" \"b\" {\n depends_on = [a.c]\n}\n",
    );
    same(
        r#"{"moved": {"from": "a.b", "to": "a.c[\"k\"]"}, "resource": {"a": {"b": {"lifecycle": {"ignore_changes": ["x"]}}}}}"#,
        "moved {\n from = a.b\n to = a.c[\"k\"]\n}\nresource \"a\" \"b\" {\n lifecycle {\n ignore_changes = [x]\n }\n}\n",
    );
}

#[test]
fn what_a_schema_decides_is_kept_both_ways() {
    let sources = SourceMap::default();
    let text = r#"{"resource": {"a": {"b": {"x": {"y": {"z": "${1}"}}, "l": [{"m": 1}, {"m": 2}], "t": ["n"],
        "dynamic": {"x": {"for_each": [1], "iterator": "i", "content": {"y": "${i.value}"}}}}}}}"#;
    let file = sources.add("main.tf.json", text);
    let (file, said) = parse_json(&sources, file);
    assert!(said.is_empty(), "{said}");
    let body = &file.body.blocks[0].body;
    let kinds: Vec<_> = body.blocks.iter().map(|block| (&*block.kind.text, block.labels.len())).collect();
    assert_eq!(kinds, [("dynamic", 1)]);
    let names: Vec<_> = body.attributes.iter().map(|attribute| &*attribute.name.text).collect();
    assert_eq!(names, ["x", "l", "t"]);
    let open: Vec<_> = body.json.iter().flat_map(|json| &json.blocks).map(|block| &*block.kind.text).collect();
    assert_eq!(open, ["x", "l", "l"]);
    assert_eq!(show(&body.blocks[0].body.attributes[1].expr), "i");
}

#[test]
fn assignments_are_what_they_say() {
    let sources = SourceMap::default();
    let file = sources.add("a.tfvars.json", r#"{"a": "${b}", "c": {"variable": [1]}, "//": 1}"#);
    let (file, said) = parse_json_assignments(&sources, file);
    assert!(said.is_empty());
    assert_eq!(show_body(&file.body), "a=\"${b}\"; c={\"variable\"=[1]}");
}

#[test]
fn errors_say_where() {
    for (json, expect) in [
        ("[1]", "Incorrect JSON value type @1"),
        ("{\"locals\": 1} x", "Extraneous data after value @x"),
        ("", "Missing value @"),
        ("{\"a\" 1}", "Missing property value colon @1"),
        ("{\"locals\": {\"a\": [1 2]}}", "Missing attribute seperator comma @2"),
        ("{\"locals\": {\"a\": tru}}", "Invalid JSON keyword @tru"),
        ("{\"locals\": {\"a\": 01}}", "Invalid JSON number @01"),
        ("{\"locals\": {\"a\": \"\\q\"}}", "Invalid JSON string @\"\\q\""),
        ("{\"locals\": {\"a\": 1", "Unclosed object @{"),
        ("{\"local\": {}}", "Extraneous JSON object property @\"local\""),
        ("{\"locals\": {\"a\": 1, \"a\": 2}}", "Duplicate attribute definition @\"a\""),
        ("{\"locals\": \"x\"}", "Incorrect JSON value type @\"x\""),
        ("{\"resource\": {\"a\": []}}", "Missing block label @["),
        ("{\"locals\": {\"a\": \"x\\n\\u00e9 ${1 +}\"}}", "Invalid expression @}"),
        ("{\"variable\": {\"a\": {\"type\": \"list(\"}}}", "Invalid expression @\"list(\""),
    ] {
        if json == "{\"locals\": 1} x" {
            assert_eq!(read(json).1[0], expect);
        } else {
            bad(json, expect);
        }
    }
}

#[test]
fn hostile_input_exhausts_nothing() {
    for text in ["[", "{\"a\":", "{\"resource\":{\"a\":{\"b\":{\"c\":[", "\"", "\\", "{", "[{},"] {
        assert!(!read(&text.repeat(20_000)).1.is_empty(), "{text}");
    }
    let deep = format!("{{\"resource\":{{\"a\":{{\"b\":{}1{}}}}}}}", "{\"c\":".repeat(180), "}".repeat(180));
    assert_eq!(read(&deep).1, Vec::<String>::new());
}
