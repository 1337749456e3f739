//! Bodies against schemas, type constraints against values.

use std::path::Path;

use super::*;
use crate::diag::{Diagnostic, Diagnostics, SourceMap, Span};
use crate::lang::eval::{Reference, Scope, TEMPLATES, evaluate};
use crate::lang::functions::{Context, DirFiles};
use crate::lang::syntax::{ast::Body, parse, parse_expr};
use crate::schema::{Attribute, Block, NestedBlock, Nesting};
use crate::value::{Type, Value, convert, to_json};

struct TestScope(Context<'static>);

impl TestScope {
    fn new() -> Self {
        TestScope(Context {
            base: Path::new("."),
            files: &DirFiles,
            plan_time: None,
            now: None,
            env: None,
            templates: Some(&TEMPLATES),
        })
    }
}

impl Scope for TestScope {
    fn resolve(&self, reference: &Reference, span: Span) -> Result<Value, Box<Diagnostic>> {
        match reference {
            Reference::Var(name) if *name == *"unknown" => Ok(Value::unknown(Type::Any)),
            Reference::Var(name) if *name == *"list" => Ok(Value::tuple([Value::from("p"), Value::from("q")])),
            Reference::Var(name) if *name == *"secret" => Ok(Value::tuple([Value::from("s")]).sensitive()),
            other => Err(Box::new(Diagnostic::error("Nothing", other.to_string()).at(span))),
        }
    }

    fn functions(&self) -> &Context<'_> {
        &self.0
    }
}

fn body(text: &str) -> Body {
    let sources = SourceMap::default();
    let (file, said) = parse(&sources, sources.add("x.tf", text));
    assert!(said.is_empty(), "{text}: {said}");
    file.body
}

fn schema() -> Block {
    let port = Block::new([("number", Attribute::required(Type::Number)), ("name", Attribute::optional(Type::String))])
        .with_blocks([(
            "rule",
            NestedBlock::new(Nesting::List, Block::new([("v", Attribute::optional(Type::String))])),
        )]);
    let simple = || Block::new([("v", Attribute::optional(Type::String))]);
    Block::new([
        ("id", Attribute::computed(Type::String)),
        ("name", Attribute::required(Type::String)),
        ("size", Attribute::optional(Type::Number)),
        ("tags", Attribute::optional(Type::map(Type::String))),
        ("old", Attribute::optional(Type::String).deprecated("Use name.")),
        ("free", Attribute::optional(Type::Any)),
    ])
    .with_blocks([
        ("port", NestedBlock::new(Nesting::List, port)),
        ("one", NestedBlock::one(simple(), false)),
        ("single", NestedBlock::new(Nesting::Single, simple())),
        ("group", NestedBlock::new(Nesting::Group, simple())),
        ("set", NestedBlock::new(Nesting::Set, simple())),
        ("map", NestedBlock::new(Nesting::Map, simple())),
        ("open", NestedBlock::new(Nesting::List, Block::new([("any", Attribute::optional(Type::Any))]))),
    ])
}

/// The attributes and blocks that differ from those of a body with nothing but a name.
#[track_caller]
fn check(text: &str, expect: &[(&str, &str)]) {
    let scope = TestScope::new();
    let schema = schema();
    let body = body(&format!("name = \"n\"\n{text}\n"));
    let outcome = decode(&body, &schema, &scope);
    assert!(!outcome.has_errors(), "{text}: {}", outcome.said);
    let value = outcome.value.unwrap_or_default();
    assert_eq!(value.as_entries().map(crate::value::Entries::len), Some(13), "{text}");
    for (name, expect) in expect {
        assert_eq!(value.get(name).map(|value| format!("{value:?}")).as_deref(), Some(*expect), "{text}: {name}");
    }
    let ty = value.ty();
    assert_eq!(convert(&value, &schema.ty()).map(|value| value.ty()), Ok(ty), "{text}");
}

fn shown(said: &Diagnostics, text: &str) -> Vec<String> {
    let each = |diagnostic: &Diagnostic| {
        let place = diagnostic.subject.map_or("-", |span| &text[span.start as usize..span.end as usize]);
        format!("{}: {} @{place}", diagnostic.summary, diagnostic.detail)
    };
    said.iter().map(each).collect()
}

#[track_caller]
fn bad(text: &str, expect: &[&str]) {
    let scope = TestScope::new();
    let text = format!("b {{\nname = \"n\"\n{text}\n}}\n");
    let file = body(&text);
    let outcome = decode(&file.blocks[0].body, &schema(), &scope);
    assert_eq!(shown(&outcome.said, &text), expect, "{text}");
}

#[test]
fn attributes() {
    check(
        "",
        &[
            ("id", "null"),
            ("name", "\"n\""),
            ("size", "null"),
            ("one", "[]"),
            ("single", "null"),
            ("map", "{}"),
            ("open", "[]"),
        ],
    );
    check("", &[("group", "{\"v\": null}")]);
    check(
        "size = \"5\"\ntags = { a = 1 }\nfree = [1, \"a\"]",
        &[("size", "5"), ("tags", "{\"a\": \"1\"}"), ("free", "[1, \"a\"]")],
    );
    check("size = var.unknown\ntags = null", &[("size", "(unknown number)"), ("tags", "null")]);
    check("tags = { a = sensitive(1) }", &[("tags", "{\"a\": (sensitive)}")]);
}

#[test]
fn blocks_by_nesting() {
    check(
        "port {\n number = 1\n}\nport {\n number = \"2\"\n name = \"x\"\n rule {}\n}",
        &[(
            "port",
            "[{\"name\": null, \"number\": 1, \"rule\": []}, {\"name\": \"x\", \"number\": 2, \"rule\": [{\"v\": null}]}]",
        )],
    );
    check(
        "one { v = 1 }\nsingle { v = 2 }\ngroup { v = 3 }",
        &[("one", "[{\"v\": \"1\"}]"), ("single", "{\"v\": \"2\"}"), ("group", "{\"v\": \"3\"}")],
    );
    check("set { v = 2 }\nset { v = 1 }\nset { v = 2 }", &[("set", "{{\"v\": \"1\"}, {\"v\": \"2\"}}")]);
    check("map \"b\" { v = 2 }\nmap a { v = 1 }", &[("map", "{\"a\": {\"v\": \"1\"}, \"b\": {\"v\": \"2\"}}")]);
    check("open { any = 1 }\nopen { any = [1] }", &[("open", "[{\"any\": 1}, {\"any\": [1]}]")]);
}

#[test]
fn dynamic_blocks() {
    let dynamic = |for_each: &str, content: &str| {
        format!("dynamic \"set\" {{\n for_each = {for_each}\n content {{\n {content}\n }}\n}}")
    };
    check(
        &dynamic("[\"a\", \"b\"]", "v = \"${set.key}${set.value}\""),
        &[("set", "{{\"v\": \"0a\"}, {\"v\": \"1b\"}}")],
    );
    check(&dynamic("{ x = 1 }", "v = \"${set.key}${set.value}\""), &[("set", "{{\"v\": \"x1\"}}")]);
    check(&dynamic("toset([\"a\"])", "v = \"${set.key}${set.value}\""), &[("set", "{{\"v\": \"aa\"}}")]);
    check(&dynamic("[]", "v = 1"), &[("set", "{}")]);
    check(&dynamic("var.unknown", "v = set.value.x"), &[("set", "(unknown set(object({ v = string })))")]);
    check(&dynamic("var.secret", "v = set.value"), &[("set", "(sensitive)")]);
    check(
        "dynamic \"port\" {\n for_each = [1, 2]\n iterator = p\n content {\n number = p.value\n dynamic \"rule\" {\n for_each = var.list\n content { v = \"${p.key}${rule.value}\" }\n }\n }\n}",
        &[(
            "port",
            "[{\"name\": null, \"number\": 1, \"rule\": [{\"v\": \"0p\"}, {\"v\": \"0q\"}]}, {\"name\": null, \"number\": 2, \"rule\": [{\"v\": \"1p\"}, {\"v\": \"1q\"}]}]",
        )],
    );
    check(
        "dynamic \"map\" {\n for_each = [\"a\"]\n labels = [map.value]\n content {}\n}",
        &[("map", "{\"a\": {\"v\": null}}")],
    );
    check(
        "set { v = 0 }\ndynamic \"set\" {\n for_each = [1]\n content { v = set.value }\n}",
        &[("set", "{{\"v\": \"0\"}, {\"v\": \"1\"}}")],
    );
}

#[test]
fn errors() {
    let scope = TestScope::new();
    let text = "b {\n size = 1\n}\n";
    let file = body(text);
    let said = decode(&file.blocks[0].body, &schema(), &scope).said;
    assert_eq!(
        shown(&said, text),
        ["Missing required argument: The argument \"name\" is required, but no definition was found. @{"]
    );
    bad(
        "sise = 1\nport = 2\nid = 3",
        &[
            "Value for unconfigurable attribute: Can't configure a value for \"id\": its value will be decided automatically. @id",
            "Unsupported argument: An argument named \"sise\" is not expected here. Did you mean \"size\"? @sise",
            "Unsupported argument: An argument named \"port\" is not expected here. Did you mean to define a block of type \"port\"? @port",
        ],
    );
    bad(
        "size = \"x\"\ntags = [1]",
        &[
            "Incorrect attribute value type: Inappropriate value for attribute \"size\": a number is required. @\"x\"",
            "Incorrect attribute value type: Inappropriate value for attribute \"tags\": map of string required. @[1]",
        ],
    );
    bad(
        "prt {}\nsize {}\none x {}",
        &[
            "Extraneous label for block: Blocks of type \"one\" have no labels here. @x",
            "Unsupported block type: Blocks of type \"prt\" are not expected here. Did you mean \"port\"? @prt",
            "Unsupported block type: Blocks of type \"size\" are not expected here. Did you mean to define argument \"size\"? If so, use the equals sign to assign it a value. @size",
        ],
    );
    bad(
        "one {}\none {}\nport {}",
        &[
            "Too many one blocks: No more than 1 \"one\" blocks are allowed. @one",
            "Missing required argument: The argument \"number\" is required, but no definition was found. @{",
        ],
    );
    bad(
        "map \"a\" {}\nmap \"a\" {}\nmap {}",
        &[
            "Duplicate block label: There is a block with the label \"a\" already; labels are distinct. @map \"a\"",
            "Wrong number of block labels: A block of type \"map\" has exactly one label. @map",
        ],
    );
    bad("old = 1", &["Argument is deprecated: Use name. @old"]);
    bad(
        "dynamic \"set\" {\n for_each = null\n content {}\n}",
        &["Invalid dynamic for_each value: Cannot use a null value in for_each. @null"],
    );
    bad(
        "dynamic \"set\" {\n for_each = 5\n content {}\n}",
        &[
            "Invalid dynamic for_each value: Cannot use a number value in for_each. An iterable collection is required. @5",
        ],
    );
    bad(
        "dynamic \"nope\" {\n for_each = []\n content {}\n}",
        &["Unsupported block type: Blocks of type \"nope\" are not expected here. @\"nope\""],
    );
    bad(
        "dynamic \"set\" {\n v = 1\n}",
        &[
            "Unsupported argument: An argument named \"v\" is not expected in a dynamic block; arguments of the blocks it makes belong into its content block. @v",
        ],
    );
    bad(
        "dynamic \"set\" {\n for_each = var.unknown\n content { w = 1 }\n}",
        &["Unsupported argument: An argument named \"w\" is not expected here. @w"],
    );
    bad(
        "dynamic \"port\" {\n for_each = [1, 2]\n content { number = \"x\" }\n}",
        &["Incorrect attribute value type: Inappropriate value for attribute \"number\": a number is required. @\"x\""],
    );
}

#[test]
fn too_few_blocks() {
    let scope = TestScope::new();
    let schema = Block::default().with_blocks([("spec", NestedBlock::one(Block::default(), true))]);
    let file = body("b {\n}\n");
    let said = decode(&file.blocks[0].body, &schema, &scope).said;
    assert_eq!(said.to_string(), "Error: Insufficient spec blocks: At least 1 \"spec\" blocks are required.");
}

#[test]
fn references_of_bodies() {
    let text = "a = var.x\nb {\n c = local.y\n}\ndynamic \"d\" {\n for_each = var.z\n labels = [d.key, e.f]\n content {\n g = d.value\n h = [for d in d.value : d.i]\n dynamic \"j\" {\n for_each = d.value\n iterator = k\n content { l = \"${k.value}${j.value}\" }\n }\n }\n}\n";
    let found: Vec<String> = references_in(&body(text)).iter().map(|found| found.reference.to_string()).collect();
    assert_eq!(found, ["var.x", "local.y", "var.z", "e.f", "j.value"]);
}

/// The types, and values converted to them; compared with terraform 1.11.4.
#[test]
fn type_constraints() {
    let scope = TestScope::new();
    let read = |text: &str| {
        let sources = SourceMap::default();
        parse_expr(&sources, sources.add("t", text)).0
    };
    for (ty, value, expect) in [
        ("object({a=optional(string,\"x\"), b=optional(number)})", "{}", r#"{"a":"x","b":null}"#),
        (
            "object({a=optional(string,\"x\"), b=optional(object({c=optional(bool,true)}),{})})",
            "{a=null}",
            r#"{"a":"x","b":{"c":true}}"#,
        ),
        ("object({b=optional(object({c=optional(bool,true)}))})", "{}", r#"{"b":null}"#),
        (
            "list(object({a=optional(number,5), n=string}))",
            "[{n=\"a\"},{n=\"b\",a=1}]",
            r#"[{"a":5,"n":"a"},{"a":1,"n":"b"}]"#,
        ),
        ("map(object({a=optional(number,5)}))", "{x={},y={a=2}}", r#"{"x":{"a":5},"y":{"a":2}}"#),
        ("set(object({a=optional(number,5)}))", "[{},{a=5},{a=\"7\"}]", r#"[{"a":5},{"a":7}]"#),
        ("tuple([object({a=optional(number,5)}), string])", "[{}, 1]", r#"[{"a":5},"1"]"#),
        ("map(any)", "{a=1,b=\"x\"}", r#"{"a":"1","b":"x"}"#),
        ("list(any)", "[1,\"x\"]", r#"["1","x"]"#),
        ("list", "[1,\"x\"]", r#"["1","x"]"#),
        ("any", "[1,\"x\"]", r#"[1,"x"]"#),
        ("object({a=optional(list(object({b=optional(string,\"q\")})),[{}])})", "{}", r#"{"a":[{"b":"q"}]}"#),
        ("object({a=optional(string,\"x\")})", "{a=\"y\",zzz=1}", r#"{"a":"y"}"#),
        ("object({a=optional(string,\"x\")})", "null", "null"),
        ("object({a=optional(string,\"x\")})", "tomap({a=null})", r#"{"a":"x"}"#),
        ("object({a=any})", "{a=[1]}", r#"{"a":[1]}"#),
        ("object({a=optional(any)})", "{}", r#"{"a":null}"#),
        ("object({a=optional(any,{})})", "{}", r#"{"a":{}}"#),
        ("object({a=optional(number,\"5\")})", "{}", r#"{"a":5}"#),
        ("object({a=object({b=optional(string,\"x\")})})", "{a={}}", r#"{"a":{"b":"x"}}"#),
        (
            "map(object({a=optional(map(object({b=optional(string,\"d\")})),{})}))",
            "{x={a={k={}}},y={}}",
            r#"{"x":{"a":{"k":{"b":"d"}}},"y":{"a":{}}}"#,
        ),
    ] {
        let outcome = type_constraint(&read(ty));
        assert!(outcome.said.is_empty(), "{ty}: {}", outcome.said);
        let Some((constraint, defaults)) = outcome.value else { panic!("{ty}") };
        let given = evaluate(&read(value), &scope).value.unwrap_or_default();
        let found = convert(&defaults.apply(&given), &constraint).map(|value| to_json(&value).unwrap_or_default());
        assert_eq!(found.as_deref(), Ok(expect), "{ty} of {value}");
    }
    for (ty, expect) in [
        ("\"string\"", "Invalid quoted type constraints: A type is written without quotes: string."),
        (
            "strin",
            "Invalid type specification: The keyword \"strin\" is not a valid type specification. Did you mean \"string\"?",
        ),
        (
            "lst(string)",
            "Invalid type specification: The keyword \"lst\" is not a valid type constructor. Did you mean \"list\"?",
        ),
        (
            "list(string, number)",
            "Invalid type specification: The list type constructor takes one argument, the type of its elements.",
        ),
        (
            "optional(string)",
            "Invalid type specification: optional(…) is possible only for the attributes of an object type.",
        ),
        (
            "list(optional(string))",
            "Invalid type specification: optional(…) is possible only for the attributes of an object type.",
        ),
        ("string(1)", "Invalid type specification: The type string takes no arguments."),
        ("object({(a)=string})", "Invalid type specification: The name of an attribute is required here."),
        ("object({a=optional(string, var.x)})", "Variables not allowed: Only constant values can be used here."),
        (
            "object({a=optional(number,\"x\")})",
            "Invalid default value for optional attribute: This default value is not compatible with the attribute's type constraint: a number is required.",
        ),
        (
            "1 + 1",
            "Invalid type specification: A type is a keyword such as string, or a constructor such as list(string).",
        ),
    ] {
        let outcome = type_constraint(&read(ty));
        assert_eq!(outcome.said.to_string(), format!("Error: {expect}"), "{ty}");
        assert_eq!(outcome.value, None);
    }
}

#[test]
fn defaults_keep_marks() {
    let sources = SourceMap::default();
    let ty = parse_expr(&sources, sources.add("t", "list(object({ a = optional(string, \"x\") }))")).0;
    let Some((_, defaults)) = type_constraint(&ty).value else { panic!("a type") };
    let given = Value::tuple([Value::object::<&str>([]).sensitive()]).sensitive();
    let expect = Value::tuple([Value::object([("a", Value::from("x"))]).sensitive()]).sensitive();
    assert_eq!(defaults.apply(&given), expect);
}
