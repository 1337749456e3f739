//! Expressions and what terraform 1.11.4 makes of them. Where this evaluator knows more (short-circuit of `&&` and `||`, which
//! terraform has from 1.12 on, and prefixes of unknown texts) the line says so.

use std::collections::BTreeMap;
use std::path::Path;

use super::*;
use crate::addr::{Mode, ResourceAddr};
use crate::diag::{Diagnostic, Diagnostics, SourceMap, Span};
use crate::lang::functions::{Context, DirFiles, Templates};
use crate::lang::syntax::{ast, parse, parse_expr};
use crate::value::{Marks, Type, Value};

struct TestScope {
    locals: BTreeMap<String, Value>,
    context: Context<'static>,
}

impl Scope for TestScope {
    fn resolve(&self, reference: &Reference, span: Span) -> Result<Value, Box<Diagnostic>> {
        match reference {
            Reference::Local(name) => Ok(self.locals.get(name.as_str()).cloned().unwrap_or_default()),
            Reference::PathModule => Ok("./m".into()),
            Reference::EachKey => Ok("k".into()),
            Reference::CountIndex => Ok(Value::int(3)),
            Reference::Resource(ResourceAddr { mode: Mode::Managed, kind, name }) if *name == *"many" => {
                let one = Value::object([("id", Value::from(&**kind))]);
                Ok(Value::tuple([one.clone(), one]))
            }
            Reference::Terraform(name) if *name == *"workspace" => Ok("default".into()),
            other => Err(Box::new(Diagnostic::error("Nothing", format!("There is no {other}.")).at(span))),
        }
    }

    fn functions(&self) -> &Context<'_> {
        &self.context
    }

    fn repeats(&self, reference: &Reference) -> Option<Repeats> {
        match reference {
            Reference::Resource(addr) if addr.name == *"many" => Some(Repeats::Count),
            _ => None,
        }
    }

    fn is_bare(&self, name: &str) -> bool {
        name == "environment"
    }
}

const LOCALS: &str = r#"
  s = "abc"
  t = "a $${x}%%{ for y in z } $${y}%%{ endfor }"
  n = 5
  l = ["a", "b"]
  m = tomap({ a = "x" })
  o = { foo = 1, bar = { baz = 2 } }
  sec = sensitive("pw")
  secn = sensitive(5)
  secl = sensitive(["a", "b"])
  nul = null
  st = toset(["a"])
  tl = tolist(["a", "b"])
  tlo = tolist([{ a = 1 }, { a = 2 }])
  so = toset([{ a = 1 }])
  mo = tomap({ x = { a = 1 } })
  ul = split(",", local.us)
  uset = toset(local.ul)
  un = tonumber(local.us)
  ub = local.us == "a"
  um = zipmap(local.ul, local.ul)
  uo = local.ub ? { a = 1 } : { a = 2 }
"#;

fn scope() -> TestScope {
    let context = Context {
        base: Path::new("."),
        files: &DirFiles,
        plan_time: None,
        now: None,
        env: None,
        templates: Some(&TEMPLATES),
    };
    let mut scope = TestScope { locals: BTreeMap::new(), context };
    scope.locals.insert("us".into(), Value::unknown(Type::String));
    scope.locals.insert("ud".into(), Value::unknown(Type::Any));
    let sources = SourceMap::default();
    let (file, said) = parse(&sources, sources.add("locals", LOCALS));
    assert!(said.is_empty(), "{said}");
    for attribute in &file.body.attributes {
        let outcome = evaluate(&attribute.expr, &scope);
        assert!(!outcome.has_errors(), "{}: {}", attribute.name.text, outcome.said);
        scope.locals.insert(attribute.name.text.to_string(), outcome.value.unwrap_or_default());
    }
    scope
}

/// A value with its types, unknowns, refinements and marks.
fn show(value: &Value) -> String {
    let items = |items: &[Value]| items.iter().map(show).collect::<Vec<_>>().join(" ");
    let entries = |value: &Value| {
        let entries = value.as_entries().into_iter().flatten();
        entries.map(|(key, value)| format!("{key}={}", show(value))).collect::<Vec<_>>().join(" ")
    };
    match value {
        Value::Null(Type::Any) => "null".into(),
        Value::Null(ty) => format!("null:{ty}"),
        Value::Unknown(unknown) => {
            let prefix = unknown.refinement.prefix.as_ref().map_or_else(String::new, |prefix| format!("{prefix:?}"));
            format!("?{}{}{prefix}", unknown.ty, if unknown.refinement.not_null { "!" } else { "" })
        }
        Value::Bool(_) | Value::Number(_) | Value::String(_) => format!("{value:?}"),
        Value::List(list) => format!("list({})[{}]", list.element, items(&list.items)),
        Value::Set(list) => format!("set({})[{}]", list.element, items(&list.items)),
        Value::Map(map) => format!("map({}){{{}}}", map.element, entries(value)),
        Value::Tuple(tuple) => format!("[{}]", items(tuple)),
        Value::Object(_) => format!("{{{}}}", entries(value)),
        Value::Marked(marked) if marked.marks == Marks::SENSITIVE => format!("secret({})", show(&marked.value)),
        Value::Marked(marked) => format!("ephemeral({})", show(&marked.value)),
    }
}

fn read(text: &str) -> (ast::Expr, SourceMap) {
    let sources = SourceMap::default();
    let (expr, said) = parse_expr(&sources, sources.add("x", text));
    assert!(!said.has_errors(), "{text}: {said}");
    (expr, sources)
}

/// Evaluates each line before `=>` and compares with what follows it.
#[track_caller]
fn values(cases: &str) {
    let scope = scope();
    let mut wrong = String::new();
    for case in cases.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let Some((text, expect)) = case.rsplit_once(" => ") else { panic!("{case}") };
        let outcome = evaluate(&read(text).0, &scope);
        let found = outcome.value.as_ref().map_or_else(|| outcome.said.to_string(), show);
        if found != expect || !outcome.said.is_empty() {
            wrong += &format!("{text} => {found} and not {expect} {}\n", outcome.said);
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

fn shown(said: &Diagnostics, text: &str) -> String {
    let each = |diagnostic: &Diagnostic| {
        let place = diagnostic.subject.map_or("-", |span| &text[span.start as usize..span.end as usize]);
        let values: Vec<_> = diagnostic.values.iter().map(|(name, value)| format!("{name} {value}")).collect();
        let values = if values.is_empty() { String::new() } else { format!(" [{}]", values.join("; ")) };
        format!("{}: {} @{place}{values}", diagnostic.summary, diagnostic.detail)
    };
    said.iter().map(each).collect::<Vec<_>>().join(" + ")
}

/// Evaluates each line before `=>`; what follows must be said, with the place behind `@` and the values in brackets.
#[track_caller]
fn errors(cases: &str) {
    let scope = scope();
    let mut wrong = String::new();
    for case in cases.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let Some((text, expect)) = case.rsplit_once(" => ") else { panic!("{case}") };
        let outcome = evaluate(&read(text).0, &scope);
        let found = shown(&outcome.said, text);
        if found != expect || outcome.value.is_some() {
            wrong += &format!("{text} => {found}\n");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn operators() {
    values(
        r#"
        1 + 2 * 3 - 4 / 8 => 6.5
        -5 % 3 => -2
        5.5 % 2 => 1.5
        1 % 0 => 1
        "1" + "2" => 3
        0.1 * 3 == 0.3 => true
        0.1 + 0.2 => 0.3
        - -1 => 1
        !!true => true
        !"false" => true
        1 < 2 == true => true
        "10" > 9 => true
        3 >= 3 && 2 <= 1 => false
        1 == "1" => false
        true == "true" => false
        null == null => true
        tostring(null) == tonumber(null) => true
        null != "a" => true
        local.tl == ["a","b"] => false
        toset(["a"]) == local.st => true
        {a=1} == {a=1} => true
        {a=1} == tomap({a=1}) => false
        [1] == [1.0] => true
        [] == [] => true
        tolist([]) == [] => false
        "é" == "é" => true
        "#,
    );
    errors(
        r#"
        1 + "a" => Invalid operand: Unsuitable value for right operand: a number is required. @"a"
        1 + [1] => Invalid operand: Unsuitable value for right operand: number required. @[1]
        -"a" => Invalid operand: Unsuitable value for unary operand: a number is required. @"a"
        !5 => Invalid operand: Unsuitable value for unary operand: bool required. @5
        1 + null => Operation failed: Error during operation: argument must not be null. @1 + null
        -null => Operation failed: Error during operation: argument must not be null. @-null
        null && true => Operation failed: Error during operation: argument must not be null. @null && true
        "x" || true => Invalid operand: Unsuitable value for left operand: a bool is required. @"x"
        "a" < "b" => Invalid operand: Unsuitable value for left operand: a number is required. @"a" + Invalid operand: Unsuitable value for right operand: a number is required. @"b"
        0 / 0 => Operation failed: Error during operation: can't divide zero by zero or infinity by infinity. @0 / 0
        local.n + local.s => Invalid operand: Unsuitable value for right operand: a number is required. @local.s [local.s is "abc"]
        "#,
    );
}

#[test]
fn short_circuit() {
    values(
        r#"
        false && local.tl[5] == "a" => false
        true || local.tl[5] == "a" => true
        local.ub && false => false
        local.ub || true => true
        false && local.ub => false
        local.ub && true => ?bool!
        local.ub || false => ?bool!
        "#,
    );
}

#[test]
fn unknown_values() {
    values(
        r#"
        local.us => ?string
        local.ub => ?bool!
        !local.ub => ?bool!
        -local.un => ?number!
        local.us + 1 => ?number!
        local.un < 3 => ?bool!
        local.us == null => ?bool!
        local.ub == null => false
        local.ud == 5 => ?bool!
        local.ul == [] => false
        [local.us] == ["a"] => ?bool!
        [local.us, "b"] == ["a", "c"] => false
        [local.us] == ["a", "b"] => false
        "a${local.us}" == "b" => false
        "a-${local.us}-b" => ?string!"a-"
        "${local.us}x" => ?string!
        "a${"b${local.us}"}" => ?string!"ab"
        "${local.ud}" => ?any
        "a${local.ud}" => ?string!"a"
        "x%{if local.ub}a%{endif}" => ?string!"x"
        "%{for x in local.ul}a%{endfor}" => ?string!
        local.ul[0] => ?string
        local.um["a"] => ?string
        local.um.a => ?string
        local.uo.a => ?number
        local.ud.a.b[0] => ?any
        local.tl[local.un] => ?string
        [1,"a"][local.un] => ?any
        {a=1}[local.us] => ?any
        [for x in local.ul : x] => ?any
        [for x in local.tl : x if local.ub] => ?any
        {for x in local.tl : x => x if local.ub} => ?any
        {for x in local.tl : local.us => x} => ?any
        {(local.us) = 1} => ?any
        [for x in [local.us] : x] => [?string]
        local.ub ? 1 : "a" => ?string!
        local.ub ? [1] : [1,2] => ?list(number)!
        local.ub ? null : 1 => ?number
        local.ub ? null : null => null
        local.ul[*] => ?list(string)!
        local.ud[*] => ?any
        local.uo[*].a => [?number]
        local.us[*] => ?any
        max([1, local.un]...) => ?number!
        max(local.ul...) => ?any
        upper(local.us) => ?string!
        "#,
    );
}

#[test]
fn marks() {
    values(
        r#"
        local.sec == "pw" => secret(true)
        [local.sec] == ["pw"] => secret(true)
        [local.sec] => [secret("pw")]
        "a${local.sec}" => secret("apw")
        "${local.sec}" => secret("pw")
        "a%{if local.sec == "pw"}b%{endif}" => secret("ab")
        {for k, v in {a=local.sec} : k => v} => {a=secret("pw")}
        {for v in [local.sec] : v => 1} => secret({pw=1})
        local.secl[0] => secret("a")
        {a=1}[sensitive("a")] => secret(1)
        [for x in local.secl : x] => secret(["a" "b"])
        [for x in [1,2] : x if local.sec == "x"] => secret([])
        local.sec == "pw" ? 1 : 2 => secret(1)
        local.secl[*] => secret(["a" "b"])
        {(local.sec) = 1} => secret({pw=1})
        local.secn + 1 => secret(6)
        -local.secn => secret(-5)
        local.secn > 1 && true => secret(true)
        upper(local.sec) => secret("PW")
        max(sensitive([1, 2])...) => secret(2)
        sensitive(null)[*] => secret([])
        local.ub ? local.sec : "a" => secret(?string!)
        sensitive(local.ub) ? 1 : 2 => secret(?number!)
        nonsensitive(local.sec) => "pw"
        "#,
    );
}

#[test]
fn conditionals() {
    values(
        r#"
        true ? 1 : "a" => "1"
        true ? [1] : [1,2] => list(number)[1]
        true ? {a=1} : {b=2} => map(number){a=1}
        true ? {a=1} : {a="x"} => {a="1"}
        true ? [1,2] : ["a", 1] => ["1" 2]
        true ? local.tl : [] => list(string)["a" "b"]
        true ? [] : local.tl => list(string)[]
        true ? {} : {a=1} => map(number){}
        true ? null : {a=1} => null:object({ a = number })
        true ? {a=null} : {a=1} => {a=null:number}
        true ? 1 : null => 1
        true ? 1 : local.o.nope => 1
        false ? local.o.nope : 1 => 1
        "true" ? 1 : 2 => 1
        1 == 1 ? 2 : 3 == 3 ? 4 : 5 => 2
        "#,
    );
    errors(
        r#"
        null ? 1 : 2 => Null condition: The condition value is null. Conditions must either be true or false. @null
        "x" ? 1 : 2 => Incorrect condition type: The condition expression must be of type bool. @"x"
        [] ? 1 : 2 => Incorrect condition type: The condition expression must be of type bool. @[]
        true ? [1] : {} => Inconsistent conditional result types: Both results of a conditional must be of types that go together. The 'true' value is tuple, but the 'false' value is object. @[1] : {}
        true ? [1,[]] : ["a",{}] => Inconsistent conditional result types: Both results of a conditional must be of types that go together. Type mismatch for tuple element 1: The 'true' value is tuple, but the 'false' value is object. @[1,[]] : ["a",{}]
        true ? local.tl : local.m => Inconsistent conditional result types: Both results of a conditional must be of types that go together. The 'true' value is list of string, but the 'false' value is map of string. @local.tl : local.m [local.m is map of string with 1 element; local.tl is list of string with 2 elements]
        true ? local.o.nope : 1 => Unsupported attribute: This object does not have an attribute named "nope". @.nope [local.o is object with 2 attributes]
        local.secn ? 1 : 2 => Incorrect condition type: The condition expression must be of type bool. @local.secn
        "#,
    );
}

#[test]
fn traversals() {
    values(
        r#"
        local.o.bar.baz => 2
        local.o["bar"]["baz"] => 2
        {a={b=[5]}}.a.b.0 => 5
        [1,2,3]["1"] => 2
        {"true"=1}[true] => 1
        {"1.5"=1}[1.5] => 1
        local.tl["0"] => "a"
        local.m.a => "x"
        terraform_data.many[1].id => "terraform_data"
        path.module => "./m"
        each.key => "k"
        count.index + 1 => 4
        terraform.workspace => "default"
        "#,
    );
    errors(
        r#"
        local.o.fooo => Unsupported attribute: This object does not have an attribute named "fooo". Did you mean "foo"? @.fooo [local.o is object with 2 attributes]
        local.o["fooo"] => Invalid index: The given key does not identify an element in this collection value. @["fooo"] [local.o is object with 2 attributes]
        local.o[0] => Invalid index: The given key does not identify an element in this collection value. An object has attributes, which are looked up by name and not by number. @[0] [local.o is object with 2 attributes]
        local.o.bar.bax => Unsupported attribute: This object does not have an attribute named "bax". Did you mean "baz"? @.bax [local.o.bar is object with 1 attribute "baz"]
        local.l[2] => Invalid index: The given key does not identify an element in this collection value: the given index is greater than or equal to the length of the collection. @[2] [local.l is tuple with 2 elements]
        local.l[-1] => Invalid index: The given key does not identify an element in this collection value: a negative number is not a valid index for a sequence. @[-1] [local.l is tuple with 2 elements]
        local.l["x"] => Invalid index: The given key does not identify an element in this collection value: a number is required. @["x"] [local.l is tuple with 2 elements]
        local.l[0.5] => Invalid index: The given key does not identify an element in this collection value: indexing a sequence requires a whole number, but the given index has a fractional part. @[0.5] [local.l is tuple with 2 elements]
        local.l[true] => Invalid index: The given key does not identify an element in this collection value: number required. @[true] [local.l is tuple with 2 elements]
        local.l.foo => Unsupported attribute: This value does not have any attributes. @.foo [local.l is tuple with 2 elements]
        local.tl[null] => Invalid index: Can't use a null value as an indexing key. @[null] [local.tl is list of string with 2 elements]
        local.m["b"] => Invalid index: The given key does not identify an element in this collection value. @["b"] [local.m is map of string with 1 element]
        local.m.b => Missing map element: This map does not have an element with the key "b". @.b [local.m is map of string with 1 element]
        local.m[["a"]] => Invalid index: The given key does not identify an element in this collection value: string required. @[["a"]] [local.m is map of string with 1 element]
        local.st[0] => Invalid index: Elements of a set are identified by their value alone; there is no index or key to select one with. A for expression visits all of them. @[0] [local.st is set of string with 1 element]
        local.s[0] => Invalid index: This value does not have any indices. @[0] [local.s is "abc"]
        local.s.foo => Unsupported attribute: Can't access attributes on a primitive-typed value (string). @.foo [local.s is "abc"]
        local.nul.foo => Attempt to get attribute from null value: This value is null, so it does not have any attributes. @.foo [local.nul is null]
        local.nul[0] => Attempt to index null value: This value is null, so it does not have any indices. @[0] [local.nul is null]
        local.sec.foo => Unsupported attribute: Can't access attributes on a primitive-typed value (string). @.foo
        local.o[local.sec] => Invalid index: The given key does not identify an element in this collection value. @[local.sec] [local.o is object with 2 attributes]
        sensitive({hidden=1}).hiden => Unsupported attribute: This object does not have an attribute named "hiden". @.hiden
        local.tlo.a => Unsupported attribute: Its elements have an attribute "a", the list itself has none. Name one element, as in [0].a, or take that of all with [*].a. @.a [local.tlo is list of object with 2 elements]
        terraform_data.many.id => Missing resource instance key: terraform_data.many has "count", so that its attributes are those of its copies. Name one, as in terraform_data.many[count.index].id, or take all of them with terraform_data.many[*].id. @terraform_data.many
        local.uo.b => Unsupported attribute: This object does not have an attribute named "b". @.b [local.uo is a object]
        local.us.b => Unsupported attribute: Can't access attributes on a primitive-typed value (string). @.b [local.us is a string]
        "#,
    );
}

#[test]
fn names_that_make_no_reference() {
    errors(
        r#"
        var => Invalid reference: The "var" object cannot be accessed directly. Instead, access one of its attributes. @var
        local["s"] => Invalid reference: The "local" object has attributes only: a dot and a name must follow. @local["s"]
        path.foo => Invalid "path" attribute: The "path" object does not have an attribute named "foo". There is path.module, path.root, path.cwd. @path.foo
        each.keys => Invalid "each" attribute: The "each" object does not have an attribute named "keys". Did you mean "key"? There is each.key, each.value. @each.keys
        data.foo => Invalid reference: The "data" object must be followed by two names: the type of the data source and its own name. @data.foo
        foo[0] => Invalid reference: A reference to a resource type must be followed by the name of a resource. @foo[0]
        lazy.foo => Reserved symbol name: The name "lazy" is reserved by the language. A resource type of that name is written as "resource.lazy". @lazy
        layer.a => Invalid reference: After "layer" must come two names: that of the layer and that of its output. @layer.a
        foo => Nothing: There is no foo. @foo
        environment.name => Nothing: There is no environment. @environment
        resource.a.b.c => Nothing: There is no a.b. @resource.a.b
        data.a.b.c => Nothing: There is no data.a.b. @data.a.b
        module.x["k"].y => Nothing: There is no module.x. @module.x
        layer.a.b.c => Nothing: There is no layer.a.b. @layer.a.b
        "#,
    );
}

#[test]
fn collections() {
    values(
        r#"
        [1, "a", null] => [1 "a" null]
        {a : 1, "b" = 2, (true ? "c" : "d") = 3, 5 = 6, true = 7, null = 8} => {5=6 a=1 b=2 c=3 null=8 true=7}
        {a=1, a=2} => {a=2}
        {"a${1}" = 1} => {a1=1}
        [for x in [1, 2] : x * 2 if x > 1] => [4]
        [for i, x in ["a"] : "${i}${x}"] => ["0a"]
        [for k, v in {a=1} : "${k}${v}"] => ["a1"]
        [for k, v in toset(["a"]) : "${k}${v}"] => ["aa"]
        {for k, v in local.m : v => k} => {x="a"}
        {for k, v in ["x","y","x"] : v => k...} => {x=[0 2] y=[1]}
        {for x in [[1]] : x[0] => 1} => {1=1}
        [for x in [[1], [2]] : [for y in x : y + x[0]]] => [[2] [4]]
        [for local in [{n=1}] : local.n] => [1]
        local.tl[*] => list(string)["a" "b"]
        local.tlo[*].a => list(number)[1 2]
        local.tlo.*.a => list(number)[1 2]
        local.so[*].a => list(number)[1]
        [{a=1}][*].a => [1]
        local.mo[*] => [map(object({ a = number })){x={a=1}}]
        null[*] => []
        null[*].foo => []
        "a"[*] => ["a"]
        {a=1}[*].a => [1]
        [[1],[2]].*.0 => [1 2]
        [{a=[1]},{a=[2]}].*.a[0] => [1]
        [{a=[1]},{a=[2]}][*].a[0] => [1 2]
        [{a=[{b=1}]},{a=[{b=2},{b=3}]}][*].a[*].b => [[1] [2 3]]
        tolist([])[*] => list(any)[]
        "#,
    );
    errors(
        r#"
        [for x in 5 : x] => Iteration over non-iterable value: A value of type number cannot be used as the collection in a 'for' expression. @5
        [for x in local.nul : x] => Iteration over null value: A null value cannot be used as the collection in a 'for' expression. @local.nul [local.nul is null]
        {for x in [1,1] : x => x} => Duplicate object key: Two different items produced the key "1" in this 'for' expression. If duplicates are expected, use the ellipsis (...) after the value expression to enable grouping by key. @x
        {for x in [1,null] : x => x} => Invalid object key: Key expression in 'for' expression must not produce a null value. @x [x is null]
        {for x in [[1]] : x => x} => Invalid object key: The key expression produced an invalid result: string required. @x [x is tuple with 1 element]
        [for x in [1,2] : x if "x"] => Invalid 'for' condition: The 'if' clause value is invalid: a bool is required. @"x"
        [for x in [1,2] : x if null] => Condition is null: The value of the 'if' clause must not be null. @null
        {(null) = 1} => Null value as key: Can't use a null value as a key. @1
        {([1]) = 1} => Incorrect key type: Can't use this value as a key: string required. @([1])
        tolist(null)[*] => Splat of null value: Splat expressions (with the * symbol) cannot be applied to null sequences. @tolist(null)
        [{a=1},{b=1}][*].a => Unsupported attribute: This object does not have an attribute named "a". @.a
        [local.o.x, local.o.y] => Unsupported attribute: This object does not have an attribute named "x". @.x [local.o is object with 2 attributes] + Unsupported attribute: This object does not have an attribute named "y". @.y [local.o is object with 2 attributes]
        "#,
    );
}

#[test]
fn templates() {
    values(
        r#"
        "${1}" => 1
        "${[1]}" => [1]
        "${null}" => null
        "${1}${2}" => "12"
        "%{if true}${1}%{endif}" => "1"
        "a%{ if true }b%{ else }c%{ endif }" => "ab"
        "%{for i, x in ["p", "q"]}${i}=${x},%{endfor}" => "0=p,1=q,"
        "${1/3}" => 0.33333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333335
        "${true}-${0.5}" => "true-0.5"
        templatestring(local.t, {x = 1, z = [2, 3]}) => "a 1 2 3"
        "#,
    );
    errors(
        r#"
        "a${[1]}" => Invalid template interpolation value: Cannot include the given value in a string template: string required. @[1]
        "a${null}" => Invalid template interpolation value: The expression result is null. Cannot include a null value in a string template. @null
        "a${local.o}b" => Invalid template interpolation value: Cannot include the given value in a string template: string required. @local.o [local.o is object with 2 attributes]
        "%{if null}x%{endif}" => Null condition: The condition value is null. Conditions must either be true or false. @null
        "%{for x in 5}x%{endfor}" => Iteration over non-iterable value: A value of type number cannot be used as the collection in a 'for' expression. @5
        "a${local.o.x}${local.o.y}" => Unsupported attribute: This object does not have an attribute named "x". @.x [local.o is object with 2 attributes] + Unsupported attribute: This object does not have an attribute named "y". @.y [local.o is object with 2 attributes]
        "#,
    );
}

#[test]
fn calls() {
    values(
        r#"
        max([1, 3, 2]...) => 3
        core::max(1, 2) => 2
        try(local.tl[3], "d") => "d"
        try(local.sec.foo, 1) => 1
        try([][0], local.sec) => secret("pw")
        try(1, "a") => 1
        try(nope(1), 2) => 2
        try(local.us, 1) => ?any
        try(local.ud.foo, 1) => ?any
        try(local.o.nope, local.ud.foo, 1) => ?any
        can(local.us) => ?bool!
        can(local.ud.foo) => ?bool!
        can(local.sec) => true
        can(local.o.x) => false
        can(nope()) => false
        convert("5", number) => 5
        convert([], list(string)) => list(string)[]
        core::convert({}, object({ a = optional(string, "d"), b = optional(number) })) => {a="d" b=null:number}
        convert(local.us, number) => ?number
        convert(local.sec, string) => secret("pw")
        convert(null, string) => null:string
        can(convert("x", number)) => false
        "#,
    );
    errors(
        r#"
        nope(1) => Call to unknown function: There is no function named "nope". @nope
        upperr("a") => Call to unknown function: There is no function named "upperr". Did you mean "upper"? @upperr
        upper() => Not enough function arguments: Function "upper" expects 1 argument(s). Missing value for "str". @)
        upper("a","b") => Too many function arguments: Function "upper" expects only 1 argument(s). @b
        upper(local.nul) => Invalid function argument: Invalid value for "str" parameter: argument must not be null. @local.nul [local.nul is null]
        upper([1]) => Invalid function argument: Invalid value for "str" parameter: string required. @[
        max() => Error in function call: Call to function "max" failed: must pass at least one number. @max(
        max(null...) => Invalid expanding argument value: The expanding argument (indicated by ...) must not be null. @null
        max(5...) => Invalid expanding argument value: The expanding argument (indicated by ...) must be of a tuple, list, or set type. @5
        try() => Error in function call: Call to function "try" failed: at least one argument is required. @try()
        convert("x", number) => Invalid function argument: Invalid value for "value" parameter: a number is required. @"x"
        convert(["a"], list(number)) => Invalid function argument: Invalid value for "value" parameter: [0]: a number is required. @["a"]
        convert(1, strin) => Invalid type specification: The keyword "strin" is not a valid type specification. Did you mean "string"? @strin
        convert(1) => Not enough function arguments: Function "convert" expects 2 argument(s). Missing value for "type". @convert(1)
        convert(1, any, 2) => Too many function arguments: Function "convert" expects only 2 argument(s). @2
        can() => Not enough function arguments: Function "can" expects 1 argument(s). Missing value for "expression". @can()
        foo::bar(1) => Unknown provider function: There is no function namespace "foo". Functions of providers begin with "provider::", built-in ones with "core::" or nothing. @foo::bar
        "#,
    );
    let scope = scope();
    let text = "try(local.o.x, local.l[5])";
    let said = evaluate(&read(text).0, &scope).said;
    let detail = "Call to function \"try\" failed: no expression succeeded:\n- Unsupported attribute\n  This object does not have an attribute named \"x\".\n- Invalid index\n  The given key does not identify an element in this collection value: the given index is greater than or equal to the length of the collection.\n\nAt least one expression must produce a successful result.";
    assert_eq!(said.0[0].detail, detail);
    assert_eq!(said.0[0].values.len(), 2);
}

#[test]
fn template_files_see_their_variables_only() {
    let scope = scope();
    let check = |text: &str, variables: &str, expect: Result<&str, &str>| {
        let variables = evaluate(&read(variables).0, &scope).value.unwrap_or_default();
        let found = TEMPLATES.render("t.tpl", text, &variables, &scope.context);
        let found = found.map(|value| show(&value)).map_err(|error| error.to_string());
        assert_eq!(found, expect.map(str::to_owned).map_err(str::to_owned), "{text}");
    };
    check("a ${x}%{ for y in z ~} ${y}%{ endfor }", "{x = 1, z = [2, 3]}", Ok("\"a 123\""));
    check("${x.y}", "{x = {y = true}}", Ok("true"));
    check("${upper(x)}", "{x = local.sec}", Ok("secret(\"PW\")"));
    check("a\n ${names}", "{name = 1}", Err("vars map does not contain key \"names\", referenced at t.tpl:2,4-9"));
    check(
        "%{for names in x}${names.y}%{endfor}",
        "{x = [1]}",
        Err("t.tpl:1,25-27: Unsupported attribute; Can't access attributes on a primitive-typed value (number)"),
    );
    check(
        "${1 2}",
        "{}",
        Err(
            "t.tpl:1,5-6: Extra characters after interpolation expression; An expression was read, but more follows it before the closing brace. If this is text for another language, such as a shell script, write \"$${\" instead of \"${\"",
        ),
    );
}

#[test]
fn references_are_found_without_evaluation() {
    let check = |text: &str, expect: &[&str]| {
        let (expr, _) = read(text);
        let found: Vec<String> = references(&expr)
            .iter()
            .map(|found| format!("{} @{}", found.reference, &text[found.span.start as usize..found.span.end as usize]))
            .collect();
        assert_eq!(found, expect, "{text}");
    };
    check("var.a + local.b.c[var.d]", &["var.a @var.a", "local.b @local.b", "var.d @var.d"]);
    check("[for var in local.x : var.y + x.z]", &["local.x @local.x", "x.z @x.z"]);
    check("{for k, v in data.a.b : k => v.c if each.key != k}", &["data.a.b @data.a.b", "each.key @each.key"]);
    check("\"${module.m.x}%{for i in self.l}${i}%{endfor}\"", &["module.m.x @module.m.x", "self @self"]);
    check("module.m[\"k\"].x.y", &["module.m.x @module.m"]);
    check("module.m[*].x", &["module.m.x @module.m"]);
    check("module.m", &["module.m @module.m"]);
    check("a.b[*].c[local.d]", &["a.b @a.b", "local.d @local.d"]);
    check(
        "f(layer.l.o, count.index, path.cwd, terraform.workspace)",
        &[
            "layer.l.o @layer.l.o",
            "count.index @count.index",
            "path.cwd @path.cwd",
            "terraform.workspace @terraform.workspace",
        ],
    );
    check("convert(var.a, list(string))", &["var.a @var.a"]);
    check("foo", &["foo @foo"]);
    check("var", &[]);
    check("-(!a.b ? [c.d] : {(e.f) = g.h})", &["a.b @a.b", "c.d @c.d", "e.f @e.f", "g.h @g.h"]);
}

#[test]
fn deep_expressions_do_not_exhaust_the_stack() {
    let scope = scope();
    let deep = format!("{}1{}", "[".repeat(190), "]".repeat(190));
    assert!(evaluate(&read(&deep).0, &scope).value.is_some());
    for (text, expect) in [
        (format!("1{}", " + 1".repeat(900)), Value::int(901)),
        (format!("{}1", "-".repeat(900)), Value::int(1)),
        (format!("local.ud{}", ".a".repeat(900)), Value::unknown(Type::Any)),
        (format!("local.ud{}", "[0]".repeat(900)), Value::unknown(Type::Any)),
        (format!("{}1{}", "(".repeat(190), ")".repeat(190)), Value::int(1)),
        (format!("{}1{}", "abs(".repeat(190), ")".repeat(190)), Value::int(1)),
        (format!("{}1{}", "true ? ".repeat(190), " : 0".repeat(190)), Value::int(1)),
        (format!("{}1{}", "\"${".repeat(95), "}\"".repeat(95)), Value::int(1)),
        (format!("{}[1]{}", "[for x in ".repeat(100), " : x]".repeat(100)), Value::tuple([Value::int(1)])),
    ] {
        let (expr, _) = read(&text);
        let outcome = evaluate(&expr, &scope);
        assert_eq!(outcome.value, Some(expect), "{text}: {}", outcome.said);
        assert!(references(&expr).len() < 2);
    }
}

#[test]
fn descriptions() {
    let check = |value: Value, expect: &str| assert_eq!(describe(&value, Blame::Nothing).as_deref(), Some(expect));
    check(Value::tuple([]), "is empty tuple");
    check(Value::Null(Type::String), "is null");
    check(Value::object::<&str>([]), "is object with no attributes");
    check(Value::from("x".repeat(200)), &format!("is a text of 200 characters that begins with {:?}", "x".repeat(60)));
    check(Value::unknown(Type::list(Type::String)), "is a list of string");
    assert_eq!(describe(&Value::unknown(Type::Any), Blame::Nothing), None);
    assert_eq!(describe(&Value::from("pw").sensitive(), Blame::Unknown), None);
    let blamed =
        |value: Value, blame: Blame, expect: &str| assert_eq!(describe(&value, blame).as_deref(), Some(expect));
    blamed(Value::from("pw").sensitive(), Blame::Sensitive, "has a sensitive value");
    blamed(Value::unknown(Type::Any), Blame::Unknown, "will be known only after apply");
    blamed(Value::unknown(Type::String), Blame::Unknown, "is a string, known only after apply");
}
