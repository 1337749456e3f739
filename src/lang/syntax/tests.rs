//! What is read, and what is said about it.

use super::ast::*;
use super::*;
use crate::value::Value;

/// An expression with every choice of the parser visible.
pub(super) fn show(expr: &Expr) -> String {
    let list = |items: &[Expr]| items.iter().map(show).collect::<Vec<_>>().join(" ");
    match &expr.kind {
        ExprKind::Literal(value) => format!("{value:?}"),
        ExprKind::Template(parts) => format!("t\"{}\"", show_parts(parts)),
        ExprKind::Variable(name) => name.to_string(),
        ExprKind::Attribute(member) => format!("{}.{}", show(&member.object), member.name.text),
        ExprKind::Index(index) => format!("{}[{}]", show(&index.collection), show(&index.key)),
        ExprKind::Splat(splat) => {
            format!("{}{{{} {}}}", show(&splat.source), if splat.full { "[*]" } else { ".*" }, show(&splat.each))
        }
        ExprKind::SplatItem => "@".into(),
        ExprKind::Call(call) => {
            format!("{}({}{})", call.name.text, list(&call.arguments), if call.expand_last { "..." } else { "" })
        }
        ExprKind::Unary(op, inner) => format!("({op:?} {})", show(inner)),
        ExprKind::Binary(op, operands) => format!("({op:?} {} {})", show(&operands[0]), show(&operands[1])),
        ExprKind::Conditional(parts) => format!("(? {})", list(&parts[..])),
        ExprKind::Tuple(items) => format!("[{}]", list(items)),
        ExprKind::Object(items) => {
            let items: Vec<_> = items.iter().map(|item| format!("{}={}", show(&item.key), show(&item.value))).collect();
            format!("{{{}}}", items.join(" "))
        }
        ExprKind::For(inner) => {
            let For { key_name, value_name, source, key, value, group, condition } = &**inner;
            let names = key_name.iter().map(|name| format!("{},", name.text)).collect::<String>();
            let key = key.iter().map(|key| format!("{}=>", show(key))).collect::<String>();
            let condition = condition.iter().map(|condition| format!(" if {}", show(condition))).collect::<String>();
            let group = if *group { "..." } else { "" };
            format!("(for {names}{} in {}: {key}{}{group}{condition})", value_name.text, show(source), show(value))
        }
        ExprKind::Paren(inner) => format!("<{}>", show(inner)),
        ExprKind::Error => "ERROR".into(),
    }
}

fn show_parts(parts: &[Part]) -> String {
    let each = |part: &Part| match part {
        Part::Text(text) => text.to_string(),
        Part::Interpolation(expr) => format!("${{{}}}", show(expr)),
        Part::If(inner) => {
            format!(
                "%{{if {}}}{}%{{else}}{}%{{endif}}",
                show(&inner.condition),
                show_parts(&inner.yes),
                show_parts(&inner.no)
            )
        }
        Part::For(inner) => {
            let names = inner.key_name.iter().map(|name| format!("{},", name.text)).collect::<String>();
            format!(
                "%{{for {names}{} in {}}}{}%{{endfor}}",
                inner.value_name.text,
                show(&inner.source),
                show_parts(&inner.body)
            )
        }
    };
    parts.iter().map(each).collect()
}

pub(super) fn show_body(body: &Body) -> String {
    let attributes = body.attributes.iter().map(|a| format!("{}={}", a.name.text, show(&a.expr)));
    let blocks = body.blocks.iter().map(|b| {
        let labels: String = b.labels.iter().map(|label| format!(" {:?}", label.text)).collect();
        format!("{}{labels} {{{}}}", b.kind.text, show_body(&b.body))
    });
    attributes.chain(blocks).collect::<Vec<_>>().join("; ")
}

/// Summaries of what is said, each with the text it points at.
pub(super) fn show_said(said: &Diagnostics, text: &str) -> Vec<String> {
    let each = |diagnostic: &crate::diag::Diagnostic| {
        let place = diagnostic.subject.map(|span| text[span.start as usize..span.end as usize].to_owned());
        format!("{} @{}", diagnostic.summary, place.unwrap_or_default().replace('\n', "\\n"))
    };
    said.iter().map(each).collect()
}

fn read(text: &str) -> (String, Vec<String>) {
    let sources = SourceMap::default();
    let file = sources.add("main.tf", text);
    let (file, said) = parse(&sources, file);
    (show_body(&file.body), show_said(&said, text))
}

#[track_caller]
fn expr(text: &str, expect: &str) {
    let sources = SourceMap::default();
    let file = sources.add("x", text);
    let (expr, said) = parse_expr(&sources, file);
    // An attribute written twice is warned of.
    assert!(!said.has_errors(), "{text}: {said}");
    assert_eq!(show(&expr), expect, "{text}");
    assert_eq!(&text[expr.span.start as usize..expr.span.end as usize], text.trim(), "the span of {text}");
}

#[track_caller]
fn body(text: &str, expect: &str) {
    assert_eq!(read(text), (expect.to_owned(), vec![]), "{text}");
}

#[track_caller]
fn bad(text: &str, tree: &str, expect: &[&str]) {
    let (found, said) = read(text);
    assert_eq!(said, expect, "{text}");
    assert_eq!(found, tree, "{text}");
}

#[test]
fn operators_bind_as_in_hcl() {
    expr("1 + 2 * 3 == 7 && !false || true", "(Or (And (Equal (Add 1 (Multiply 2 3)) 7) (Not false)) true)");
    expr("1 - 2 - 3", "(Subtract (Subtract 1 2) 3)");
    expr("1 == 2 == 3", "(Equal (Equal 1 2) 3)");
    expr("1 < 2 != 3 >= 4", "(NotEqual (Less 1 2) (GreaterOrEqual 3 4))");
    expr("-a.b + - -1", "(Add (Negate a.b) (Negate (Negate 1)))");
    expr("!a[0].b", "(Not a[0].b)");
    expr("a ? b : c ? d : e", "(? a b (? c d e))");
    expr("a ? b ? c : d : e", "(? a (? b c d) e)");
    expr("a == 1 ? 2 : 3 == 3 ? 4 : 5", "(? (Equal a 1) 2 (? (Equal 3 3) 4 5))");
    expr("(1 +\n 2) % 3", "(Modulo <(Add 1 2)> 3)");
    expr("7 / 2 <= 3 > 2", "(Greater (LessOrEqual (Divide 7 2) 3) 2)");
}

#[test]
fn terms() {
    expr("1.5e-3", "0.0015");
    expr("00012", "12");
    expr("null", "null");
    expr("core::max (1, [2]...)", "core::max(1 [2]...)");
    expr("a::b::c(\n1,\n)", "a::b::c(1)");
    expr("f()", "f()");
    expr("[1, # one\n 2 // two\n , /* three */ 3,\n]", "[1 2 3]");
    expr("{ a : 1, \"b\" = 2, (c) = 3\n d = 4\n\n 5 = 6, e.f = 7}", "{\"a\"=1 \"b\"=2 <c>=3 \"d\"=4 5=6 e.f=7}");
    expr("{null = 1, true = 2, a = 1, a = 2}", "{\"null\"=1 \"true\"=2 \"a\"=1 \"a\"=2}");
    expr("{\n a = <<A\nx\nA\n b = 1}", "{\"a\"=\"x\\n\" \"b\"=1}");
    expr("[for x in y : x]", "(for x in y: x)");
    expr("[for i, x in y : x\n if x > 1]", "(for i,x in y: x if (Greater x 1))");
    expr("{for\n k, v in y : k => v...}", "(for k,v in y: k=>v...)");
    expr("{for k, v in y : upper(k) => [for x in v : x] if true}", "(for k,v in y: upper(k)=>(for x in v: x) if true)");
    expr("größe_1-b", "größe_1-b");
}

#[test]
fn traversals() {
    expr("a.b[\"c\"].0.d[e.f]", "a.b[\"c\"][0].d[e.f]");
    expr("a[*].b[0].c[*].d", "a{[*] @.b[0].c{[*] @.d}}");
    expr("a.*.b.0.c[0].d", "a{.* @.b[0].c}[0].d");
    expr("a.*[0]", "a{.* @}[0]");
    expr("[{a = 1}] [*] .a", "[{\"a\"=1}]{[*] @.a}");
    expr("f(x)[\n0\n]", "f(x)[0]");
    expr("(a\n.b)", "<a.b>");
}

#[test]
fn templates() {
    expr(r#""""#, r#""""#);
    expr(r#""a\"b\n\u00e9\U0001F600 $${x} %%{y} $$ $ % $$$${""#, "\"a\\\"b\\né😀 ${x} %{y} $$ $ % $$${\"");
    expr(r#""e\u0301""#, "\"é\"");
    expr(r#""${a}""#, r#"t"${a}""#);
    expr(r#""x-${"y${"z"}"}.${ {"k" = 1}["k"] }""#, r#"t"x-${t"y${"z"}"}.${{"k"=1}["k"]}""#);
    expr("\"a ${~ b ~}  c\"", r#"t"a${b}c""#);
    expr(r#""%{ if a }b%{ else }c${d}%{ endif }e""#, r#"t"%{if a}b%{else}c${d}%{endif}e""#);
    expr(r#""%{if a}%{if b}x%{endif}%{endif}""#, r#"t"%{if a}%{if b}x%{else}%{endif}%{else}%{endif}""#);
    expr(r#""%{for i, x in [1]~} ${x} %{~endfor}.""#, r#"t"%{for i,x in [1]}${x}%{endfor}.""#);
    expr("\"${\na\n}\"", "t\"${a}\"");
}

/// The results were compared with terraform 1.11.4.
#[test]
fn heredocs() {
    let heredoc = |text: &str, expect: &str| body(&format!("a = {text}"), &format!("a={expect}"));
    heredoc("<<EOT\nEOT\n", "\"\"");
    heredoc("<<EOT\n  a\n  EOT\n", "\"  a\\n\"");
    heredoc("<<EOT\n$${x} %%{y} \\n $${{ $\n%\nEOT\n", "\"${x} %{y} \\\\n ${{ $\\n%\\n\"");
    heredoc("<<-EOT\n    a\n      b\n\n    c\n    EOT\n", "\"a\\n  b\\n\\nc\\n\"");
    heredoc("<<-EOT\n    a\n      b\n      \n    c\n    EOT\n", "\"a\\n  b\\n      \\nc\\n\"");
    heredoc("<<-EOT\n\t\ta\n\t  b\n  EOT\n", "\"a\\n b\\n\"");
    heredoc("<<-EOT\r\n    a\r\n      b\r\n    EOT\r\n", "\"a\\r\\n  b\\r\\n\"");
    heredoc("<<-EOT\n    a\n  EOTX\n   EOT \n", "\"  a\\nEOTX\\n\"");
    heredoc("<<-EOT\n  ${x}\n    b\n  EOT\n", "t\"${x}\n  b\n\"");
    heredoc("<<-EOT\n${x}\n    b\n  EOT\n", "t\"${x}\n    b\n\"");
    heredoc("<<-EOT\n    a ${x}\n  b\n    ${y} z\n  EOT\n", "t\"  a ${x}\nb\n  ${y} z\n\"");
    heredoc("<<EOT\na\n\n\n${~ x ~}\n\n\nb\nEOT\n", "t\"a\n\n${x}\n\nb\n\"");
    heredoc(
        "<<-EOT\n    a\n    %{~ if x ~}\n    b\n    %{~ endif ~}\n    c\n    EOT\n",
        "t\"    a\n%{if x}    b\n%{else}%{endif}    c\n\"",
    );
    heredoc(
        "<<-EOT\n    a\n    %{ if x ~}\n    b\n    %{ endif ~}\n    c\n    EOT\n",
        "t\"a\n%{if x}    b\n%{else}%{endif}    c\n\"",
    );
    heredoc(
        "<<-EOT\n    a\n    ${<<-B\n       inner\n       B\n    }\n    b\n    EOT\n",
        "t\"a\n${\"inner\\n\"}\nb\n\"",
    );
}

#[test]
fn bodies() {
    body("", "");
    body("\u{feff}# only a comment", "");
    body("a = 1\r\nb = 2", "a=1; b=2");
}

#[test]
fn blocks() {
    body(
        "resource \"x\" y {\n  a = 1 # c\n\n  b {\n    c = 2\n  }\n}\nd {}\n",
        "resource \"x\" \"y\" {a=1; b {c=2}}; d {}",
    );
    body("a { b = [1,\n2] }", "a {b=[1 2]}");
    body("a \"x\\\"$${y}\" {}", "a \"x\\\"${y}\" {}");
    body("a {\n b = 1\n /* x\n */ c = 2 // d\n}", "a {b=1; c=2}");
}

#[test]
fn every_error_of_a_file_is_said() {
    bad(
        "a = \nb = 1 c\nd\ne = [1 2\n3]\nf = foo(\n  bar(1 2),\n  3)\ng = 1\n",
        "a=ERROR; b=1; e=ERROR; f=ERROR; g=1",
        &[
            "Invalid expression @\\n",
            "Missing newline after argument @c",
            "Argument or block definition required @d",
            "Missing item separator @2",
            "Missing argument separator @2",
        ],
    );
    bad(
        "r \"a\" \"b\" {\n  x = {\n    p 1\n  }\n  y = 2 +\n  z = 3\n}\n}\ns = 1\n",
        "s=1; r \"a\" \"b\" {x=ERROR; y=ERROR; z=3}",
        &["Missing key/value separator @1", "Invalid expression @\\n", "Argument or block definition required @}"],
    );
    bad("a = \"x\nb = 1\n", "a=ERROR; b=1", &["Unterminated template string @\""]);
    bad("a = \"one\n  two\"\nb = 1\n", "a=ERROR; b=1", &["Invalid multi-line string @one"]);
    bad("a = \"${x\"\nb = 1\n", "a=ERROR; b=1", &["Unclosed template interpolation sequence @${"]);
    bad(
        "a = \"${1 2} ${3 4}\"\nb = 1",
        "a=ERROR; b=1",
        &["Extra characters after interpolation expression @2", "Extra characters after interpolation expression @4"],
    );
    bad("a = \"\\q \\u12\"\n", "a=ERROR", &["Invalid escape sequence @\\q"]);
    bad("a = 1\na = 2\n", "a=1", &["Attribute redefined @a"]);
    bad("a {\n b = 1\n", "a {b=1}", &["Unclosed configuration block @{"]);
    bad("a {\n x = [1,\n}\nb = 1", "b=1; a {x=ERROR}", &["Invalid expression @}"]);
    bad("x = [1,2\n", "x=ERROR", &["Unterminated tuple constructor expression @["]);
    bad("x = f(1\ny = 2\nz = 3", "x=ERROR; z=3", &["Missing argument separator @y"]);
    bad("x = (1\n", "x=ERROR", &["Unbalanced parentheses @("]);
    bad("x = {\n a = 1\n", "x=ERROR", &["Unterminated object constructor expression @{"]);
    bad("x = <<E\nabc\n", "x=ERROR", &["Unterminated template string @<<E\\n"]);
    bad("/* x\ny = 1", "", &["Unterminated comment @/*"]);
}

#[test]
fn errors_of_expressions() {
    for (text, expect) in [
        ("1 ? 2", "Missing false expression in conditional @\\n"),
        ("a.", "Invalid attribute name @\\n"),
        ("a.1.2", "Invalid legacy index syntax @1.2"),
        ("a[]", "Invalid expression @]"),
        ("a[1 2]", "Missing close bracket on index @2"),
        ("b.c.*.*", "Nested splat expression not allowed @*"),
        ("a = b", "Missing newline after argument @="),
        ("1 & 2", "Unsupported operator @&"),
        ("`x`", "Invalid character @`"),
        ("'x'", "Invalid character @'"),
        ("1;", "Invalid character @;"),
        ("@", "Invalid character @@"),
        (".5", "Invalid expression @."),
        ("1.", "Invalid attribute name @\\n"),
        ("foo(a..., b)", "Missing closing parenthesis @,"),
        ("a::b", "Missing open parenthesis @\\n"),
        ("a::(1)", "Missing function name @("),
        ("{a}", "Missing key/value separator @}"),
        ("{a = 1 b = 2}", "Missing attribute separator @b"),
        ("{a\n= 1}", "Missing attribute value @\\n"),
        ("{a = 1, , b = 2}", "Invalid expression @,"),
        ("{for x in y : x}", "Invalid 'for' expression @}"),
        ("[for x in y : x => x]", "Invalid 'for' expression @=>"),
        ("[for x in y : x...]", "Invalid 'for' expression @..."),
        ("[for x in y]", "Invalid 'for' expression @]"),
        ("[for in y : x]", "Invalid 'for' expression @y"),
        ("[for]", "Invalid 'for' expression @]"),
        ("\"%{if x}\"", "Unexpected end of template @\""),
        ("\"%{for x in y}\"", "Unexpected end of template @\""),
        ("\"%{foo}\"", "Invalid template control keyword @foo"),
        ("\"a%{endif}\"", "Unexpected endif directive @%{endif}"),
        ("\"%{if a}%{else}%{else}%{endif}b\"", "Unexpected else directive @%{else}"),
        ("\"%{if a}%{endfor}\"", "Unexpected endfor directive @%{endfor}"),
        ("\"%{for x, in y}\"", "Invalid 'for' directive @y"),
        ("<<-\"E\"", "Invalid expression @<"),
    ] {
        let (tree, said) = read(&format!("a = {text}\nb = 1\n"));
        assert_eq!(said, [expect], "{text}");
        assert!(tree.ends_with("b=1"), "{text}: {tree}");
    }
}

#[test]
fn errors_of_blocks() {
    for (text, expect) in [
        ("a \"b\" = 1", "Invalid block definition @="),
        ("a \"b\"\n{\n}", "Invalid block definition @\\n"),
        ("a { x = 1\n y = 2 }", "Invalid single-argument block definition @\\n"),
        ("a { x = 1, y = 2 }", "Invalid single-argument block definition @,"),
        ("a { x { } }", "Argument definition required @{"),
        ("a { } b", "Missing newline after block definition @b"),
        ("a \"x${y}\" {\n}", "Invalid string literal @${"),
        ("\"a\" = 1", "Invalid argument name @\"a\""),
        ("1 = 2", "Argument or block definition required @1"),
        ("a := 1", "Argument or block definition required @a"),
        ("a = 1;", "Invalid character @;"),
        ("}", "Argument or block definition required @}"),
    ] {
        let (tree, said) = read(&format!("{text}\nz = 1\n"));
        assert_eq!(said.first().map(String::as_str), Some(expect), "{text}");
        assert!(tree.contains("z=1"), "{text}: {tree}");
    }
}

#[test]
fn diagnostics_name_the_outermost_block() {
    let sources = SourceMap::default();
    let file = sources.add("main.tf", "resource \"a\" \"b\" {\n  c {\n    d = [1 2]\n  }\n}\ne = [1 2]\n");
    let (_, said) = parse(&sources, file);
    assert_eq!(said.0[0].within.as_deref(), Some("resource \"a\" \"b\""));
    assert_eq!(said.0[1].within, None);
}

#[test]
fn template_files_and_traversals() {
    let sources = SourceMap::default();
    let file = sources.add("t", "a \\n\n%{ for x in l ~}\n - ${x}\n%{ endfor ~}\nb");
    let (expr, said) = parse_template(&sources, file);
    assert!(said.is_empty(), "{said}");
    assert_eq!(show(&expr), "t\"a \\n\n%{for x in l} - ${x}\n%{endfor}b\"");
    for (text, good) in [
        ("module.a[\"k\"].b", true),
        ("a.b[0]", true),
        ("a", true),
        ("a.b + 1", false),
        ("a[b]", false),
        ("f()", false),
    ] {
        let file = sources.add("t", text);
        assert_eq!(!parse_traversal(&sources, file).1.has_errors(), good, "{text}");
    }
}

/// Whatever is thrown at it, the parser ends, and its trees can be dropped.
#[test]
fn hostile_input_exhausts_nothing() {
    let quick = |text: &str| {
        let sources = SourceMap::default();
        let file = sources.add("main.tf", text);
        parse(&sources, file).1
    };
    let many = |text: &str| format!("a = {}", text.repeat(20_000));
    for text in [
        "[",
        "{a=",
        "(",
        "f(",
        "!",
        "-",
        "1+",
        "a[",
        "a.b.",
        "a[0]",
        "\"${",
        "%{if a}",
        "\"%{if a}",
        "1?",
        "1?1:",
        "b {\n",
        "{for a in ",
        "<<E\n${",
        "a.*",
        "a[*]",
        "}",
        "]",
        "\"",
        "\\",
        "${",
        "x\n",
        "@",
        "/*",
    ] {
        for end in ["", "1"] {
            let said = quick(&format!("{}{end}", many(text)));
            assert!(!said.is_empty(), "{text}");
        }
    }
    let deep = format!("a = {}1{}", "[".repeat(190), "]".repeat(190));
    assert!(quick(&deep).is_empty());
    let long = format!("a = 1{}", " + 1".repeat(900));
    assert!(quick(&long).is_empty());
}

/// Cutting a file anywhere must neither fail nor hang.
#[test]
fn every_prefix_is_read() {
    let text = "r \"a\" \"b\" {\n  x = \"p-${v.e}-%{if a}b%{endif}\"\n  y = {for k, v in {a = [1, 2]} : k => v...}\n  z = <<-E\n    t ${f(1, \"é\")}\n  E\n  w = a[*].b ? -1 : (2)\n}\n";
    assert!(read(text).1.is_empty());
    for end in (0..text.len()).filter(|end| text.is_char_boundary(*end)) {
        let (_, said) = read(&text[..end]);
        assert_eq!(said.is_empty(), end == 0 || end >= text.len() - 1, "{:?}", &text[..end]);
    }
}

#[test]
fn literals_are_values() {
    let sources = SourceMap::default();
    let file = sources.add("x", "12345678901234567890.5");
    let (expr, _) = parse_expr(&sources, file);
    assert!(matches!(&expr.kind, ExprKind::Literal(Value::Number(n)) if n.to_string() == "12345678901234567890.5"));
}
