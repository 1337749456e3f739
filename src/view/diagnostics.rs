//! Diagnostics as text, with the source they are about, and as Terraform's JSON.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt::Write as _;

use serde_json::{Value as Json, json};
use unicode_segmentation::UnicodeSegmentation as _;

use crate::diag::{Diagnostic, Diagnostics, Severity, Source, SourceMap, Span};

use super::schemas::{call_json, call_text};
use super::snippet::{Snippet, context};
use super::style::{Ink, Style, wrap};

/// One diagnostic as a block of text that ends with a line break. In colour it stands beside a bar, as under Terraform.
pub fn diagnostic(diagnostic: &Diagnostic, sources: &SourceMap, style: Style) -> String {
    let (word, ink) = match diagnostic.severity {
        Severity::Error => ("Error", Ink::Red),
        Severity::Warning => ("Warning", Ink::Yellow),
    };
    let mut out = String::new();
    let word = style.paint(ink, &style.bold(&format!("{word}:")));
    let _ = writeln!(out, "{word} {}", style.bold(&diagnostic.summary));
    let source = diagnostic.subject.and_then(|span| Some((span, sources.get(span.file)?)));
    if let Some(address) = &diagnostic.address {
        let _ = write!(out, "\n  with {address}{}\n", if source.is_some() { "," } else { "" });
    }
    if let Some((span, source)) = &source {
        if diagnostic.address.is_none() {
            out.push('\n');
        }
        place(&mut out, *span, diagnostic, source, style, ink);
    } else if let Some(within) = &diagnostic.within {
        if diagnostic.address.is_none() {
            out.push('\n');
        }
        let _ = writeln!(out, "  in {within}");
    }
    values(&mut out, diagnostic, style);
    if !diagnostic.detail.is_empty() {
        let width = style.width.map(|width| width.saturating_sub(if style.framed { 2 } else { 0 }));
        let _ = writeln!(out, "\n{}", wrap(diagnostic.detail.trim_end(), width));
    }
    if style.framed { boxed(&out, style, ink) } else { out }
}

/// The call it happened in, and what its values were.
fn values(out: &mut String, diagnostic: &Diagnostic, style: Style) {
    let call = diagnostic.calling.as_deref().and_then(call_text);
    if call.is_none() && diagnostic.values.is_empty() {
        return;
    }
    let _ = writeln!(out, "    ├────────────────");
    if let Some((name, params)) = call {
        let _ = writeln!(out, "    │ while calling {}({params})", style.bold(&name));
    }
    for (expression, rendered) in &diagnostic.values {
        let _ = writeln!(out, "    │ {} {rendered}", style.bold(expression));
    }
}

/// Of longer lines a part is shown: files that no person wrote may be a single line.
const LONGEST_LINE: usize = 1000;
/// Of what has more lines, only the first is shown.
const MOST_LINES: usize = 30;

/// Where it is, the lines themselves, and carets under the part that is meant.
fn place(out: &mut String, span: Span, diagnostic: &Diagnostic, source: &Source, style: Style, ink: Ink) {
    let start = source.position(span.start);
    let within = context(source, span).map_or_else(String::new, |within| format!(", in {within}"));
    let _ = writeln!(out, "  on {} line {}{within}:", source.path.display(), start.line);
    let lines = Snippet::of(source, span, diagnostic.frame).lines;
    let lines = if lines.clone().count() > MOST_LINES { start.line..=start.line } else { lines };
    for number in lines {
        let at = if number == start.line { start.column - 1 } else { 0 };
        let (line, cut) = window(source.line(number), at);
        let _ = writeln!(out, "{number:>4}: {line}");
        if number == start.line && style.product.marks_source() {
            carets(out, span, source, (line, at - cut), style, ink);
        }
    }
}

/// The carets under a line from a character of it on.
fn carets(out: &mut String, span: Span, source: &Source, (line, from): (&str, usize), style: Style, ink: Ink) {
    let (start, end) = (source.position(span.start), source.position(span.end));
    let mut shown = line.graphemes(true);
    // Tabs are kept, so that the carets stand where the text does.
    let lead: String = shown.by_ref().take(from).map(|c| if c == "\t" { "\t" } else { " " }).collect();
    let rest = shown.as_str().trim_end().graphemes(true).count();
    let marked = if end.line == start.line { end.column.saturating_sub(start.column) } else { rest };
    let carets = "^".repeat(marked.min(rest.max(1)).max(1));
    let _ = writeln!(out, "      {lead}{}", style.paint(ink, &carets));
}

/// The part of a line that is shown around a column: all of it, unless it is far longer than a screen. And how many of its
/// characters are left out in front.
fn window(line: &str, column: usize) -> (&str, usize) {
    if line.len() <= LONGEST_LINE {
        return (line, 0);
    }
    let first = column.saturating_sub(LONGEST_LINE / 2);
    let offset =
        |characters: usize| line.grapheme_indices(true).nth(characters).map_or(line.len(), |(offset, _)| offset);
    (&line[offset(first)..offset(first + LONGEST_LINE)], first)
}

fn boxed(text: &str, style: Style, ink: Ink) -> String {
    let bar = style.paint(ink, "│");
    let mut out = format!("{}\n", style.paint(ink, "╷"));
    for line in text.trim_end().lines() {
        let _ = writeln!(out, "{bar} {line}");
    }
    let _ = writeln!(out, "{}", style.paint(ink, "╵"));
    out
}

/// Several diagnostics, a blank line before each; those that come from the same trouble are told once. With `compact`, warnings without
/// errors are only listed.
pub fn diagnostics(said: &Diagnostics, sources: &SourceMap, style: Style, compact: bool) -> String {
    let mut out = String::new();
    if compact && !said.is_empty() && !said.has_errors() {
        let _ = writeln!(out, "\n{}\n", style.paint(Ink::Yellow, &style.bold("Warnings:")));
        for one in said.iter() {
            let _ = writeln!(out, "- {}", one.summary);
            if let Some((span, source)) = one.subject.and_then(|span| Some((span, sources.get(span.file)?))) {
                let _ = writeln!(out, "  on {} line {}", source.path.display(), source.position(span.start).line);
            }
        }
        out.push_str("\nRun the command without -compact-warnings to see them in full.\n");
        return out;
    }
    for (one, others) in consolidated(said) {
        // Terraform's frames stand close together.
        if !(style.framed && style.product.is_compatible()) {
            out.push('\n');
        }
        match others {
            0 => out.push_str(&diagnostic(one, sources, style)),
            _ => out.push_str(&diagnostic(&with_others(one, others), sources, style)),
        }
    }
    out
}

/// The first diagnostic of each trouble, and how many others come from it; those without one stand for themselves.
fn consolidated(said: &Diagnostics) -> Vec<(&Diagnostic, usize)> {
    let mut told: Vec<(&Diagnostic, usize)> = Vec::new();
    let mut places: HashMap<(Severity, &str), usize> = HashMap::new();
    for one in said.iter() {
        match one.trouble.as_deref().map(|trouble| places.entry((one.severity, trouble))) {
            Some(Entry::Occupied(place)) => told[*place.get()].1 += 1,
            Some(Entry::Vacant(place)) => {
                place.insert(told.len());
                told.push((one, 0));
            }
            None => told.push((one, 0)),
        }
    }
    told
}

/// In the words in which Terraform counts similar warnings.
fn with_others(one: &Diagnostic, others: usize) -> Diagnostic {
    let (kind, plural) = (if one.is_error() { "error" } else { "warning" }, if others == 1 { "" } else { "s" });
    let detail = format!("{}\n\n(and {others} more similar {kind}{plural} elsewhere)", one.detail.trim_end());
    Diagnostic { detail, ..one.clone() }
}

/// A diagnostic in Terraform's JSON form.
pub fn diagnostic_json(diagnostic: &Diagnostic, sources: &SourceMap) -> Json {
    let mut json = json!({
        "severity": match diagnostic.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        },
        "summary": diagnostic.summary,
        "detail": diagnostic.detail,
    });
    if let Some(address) = &diagnostic.address {
        json["address"] = json!(address);
    }
    let Some((span, source)) = diagnostic.subject.and_then(|span| Some((span, sources.get(span.file)?))) else {
        return json;
    };
    let (start, mut end) = (source.position(span.start), source.position(span.end));
    if span.end <= span.start {
        // A place between two characters is shown as the one behind it.
        (end.column, end.byte) = (start.column + 1, start.byte + 1);
    }
    let position = |at: crate::diag::Position| json!({"line": at.line, "column": at.column, "byte": at.byte});
    json["range"] = json!({
        "filename": source.path.display().to_string(),
        "start": position(start),
        "end": position(end),
    });
    let snippet = Snippet::of(&source, span, diagnostic.frame);
    let values: Vec<Json> = diagnostic
        .values
        .iter()
        .map(|(expression, rendered)| json!({"traversal": expression, "statement": rendered}))
        .collect();
    json["snippet"] = json!({
        "context": context(&source, span),
        "code": snippet.code,
        "start_line": snippet.lines.start(),
        "highlight_start_offset": snippet.start,
        "highlight_end_offset": snippet.end,
        "values": values,
    });
    if let Some(name) = &diagnostic.calling {
        json["snippet"]["function_call"] = call_json(name);
    }
    json
}

/// What `validate -json` prints.
pub fn validation_json(said: &Diagnostics, sources: &SourceMap) -> Json {
    let errors = said.iter().filter(|one| one.is_error()).count();
    let diagnostics: Vec<Json> = said.iter().map(|one| diagnostic_json(one, sources)).collect();
    json!({
        "format_version": "1.0",
        "valid": errors == 0,
        "error_count": errors,
        "warning_count": diagnostics.len() - errors,
        "diagnostics": diagnostics,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redis() -> (SourceMap, Diagnostic) {
        let sources = SourceMap::default();
        let text = "module \"redis\" {\n  storage = var.redis_storge\n\tx = 1\n}\n";
        let file = sources.add("layers/3.data/redis.tf", text);
        let at = |part: &str| {
            let start = text.find(part).map_or(0, |at| at as u32);
            Span { file, start, end: start + part.len() as u32 }
        };
        let said = Diagnostic::error("Reference to undeclared input variable", "Did you mean \"redis_storage\"?")
            .at(at("var.redis_storge"))
            .within("module \"redis\"");
        (sources, said)
    }

    #[test]
    fn one_trouble_is_told_once() {
        let down = |address: &str, host: &str| Diagnostic::error("Down", "No answer.").about(address).of_trouble(host);
        let other = Diagnostic::error("Other", "");
        let said =
            Diagnostics(vec![down("a.a", "one"), other, down("a.b", "one"), down("a.c", "two"), down("a.d", "one")]);
        insta::assert_snapshot!(diagnostics(&said, &SourceMap::default(), Style::PLAIN, false), @r"

        Error: Down

          with a.a

        No answer.

        (and 2 more similar errors elsewhere)

        Error: Other

        Error: Down

          with a.c

        No answer.
        ");
    }

    #[test]
    fn shows_the_source_and_what_is_meant() {
        let (sources, said) = redis();
        insta::assert_snapshot!(diagnostic(&said, &sources, Style::PLAIN), @r#"
        Error: Reference to undeclared input variable

          on layers/3.data/redis.tf line 2, in module "redis":
           2:   storage = var.redis_storge
                          ^^^^^^^^^^^^^^^^

        Did you mean "redis_storage"?
        "#);
        let valued = said.about("module.redis.x.y").value("var.a", "is \"b\"");
        insta::assert_snapshot!(diagnostic(&valued, &sources, Style::PLAIN), @r#"
        Error: Reference to undeclared input variable

          with module.redis.x.y,
          on layers/3.data/redis.tf line 2, in module "redis":
           2:   storage = var.redis_storge
                          ^^^^^^^^^^^^^^^^
            ├────────────────
            │ var.a is "b"

        Did you mean "redis_storage"?
        "#);
    }

    #[test]
    fn stands_beside_a_bar_in_colour() {
        let said = Diagnostic::warning("Careful", "one two three four five");
        let text = diagnostic(
            &said,
            &SourceMap::default(),
            Style { colour: true, framed: true, width: Some(16), ..Style::PLAIN },
        );
        insta::assert_snapshot!(text.replace('\x1b', "^"), @"
        ^[33m╷^[0m
        ^[33m│^[0m ^[33m^[1mWarning:^[0m^[0m ^[1mCareful^[0m
        ^[33m│^[0m 
        ^[33m│^[0m one two three
        ^[33m│^[0m four five
        ^[33m╵^[0m
        ");
    }

    #[test]
    fn says_the_same_in_json() {
        let (sources, said) = redis();
        let json = validation_json(&said.into(), &sources);
        assert_eq!(json["valid"], false);
        assert_eq!(json["error_count"], 1);
        let one = &json["diagnostics"][0];
        assert_eq!(one["range"]["start"], json!({"line": 2, "column": 13, "byte": 29}));
        assert_eq!(one["snippet"]["code"], "  storage = var.redis_storge");
        assert_eq!(one["snippet"]["highlight_start_offset"], 12);
        assert_eq!(one["snippet"]["highlight_end_offset"], 28);
        assert_eq!(one["snippet"]["context"], "module \"redis\"");
    }

    #[test]
    fn lists_warnings_when_asked_to_be_brief() {
        let said: Diagnostics =
            [Diagnostic::warning("One", "x"), Diagnostic::warning("Two", "y")].into_iter().collect();
        insta::assert_snapshot!(diagnostics(&said, &SourceMap::default(), Style::PLAIN, true), @"

        Warnings:

        - One
        - Two

        Run the command without -compact-warnings to see them in full.
        ");
    }
}
