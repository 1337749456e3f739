//! The JUnit report that continuous integration reads.

use std::fmt::Write as _;

use crate::diag::{Diagnostic, Diagnostics, SourceMap};
use crate::event::{FileResult, RunResult, TestResults, TestStatus};

use super::super::diagnostics::diagnostics;
use super::super::style::Style;

/// The report, as text of an XML file.
pub fn junit(results: &TestResults, sources: &SourceMap) -> String {
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?><testsuites>");
    for file in &results.files {
        suite(&mut out, file, sources);
    }
    let end = if results.files.is_empty() { "" } else { "\n" };
    let _ = write!(out, "{end}</testsuites>");
    out
}

fn suite(out: &mut String, file: &FileResult, sources: &SourceMap) {
    let count = |status: TestStatus| file.runs.iter().filter(|run| run.status == status).count();
    let _ = write!(
        out,
        "\n  <testsuite name=\"{}\" tests=\"{}\" skipped=\"{}\" failures=\"{}\" errors=\"{}\">",
        escaped(&file.path),
        file.runs.len(),
        count(TestStatus::Skip),
        count(TestStatus::Fail),
        count(TestStatus::Error)
    );
    let mut broken = None;
    for run in &file.runs {
        case(out, file, run, broken, sources);
        broken = broken.or_else(|| (run.status == TestStatus::Error).then_some(&run.name));
    }
    let end = if file.runs.is_empty() { "" } else { "\n  " };
    let _ = write!(out, "{end}</testsuite>");
}

fn case(out: &mut String, file: &FileResult, run: &RunResult, broken: Option<&crate::addr::Name>, sources: &SourceMap) {
    let _ = write!(out, "\n    <testcase name=\"{}\" classname=\"{}\"", escaped(&run.name), escaped(&file.path));
    if let Some((began, elapsed)) = run.began {
        let began = began.strftime("%Y-%m-%dT%H:%M:%SZ");
        let _ = write!(out, " time=\"{}\" timestamp=\"{began}\"", elapsed.as_secs_f64());
    }
    out.push('>');
    let (errors, warnings): (Vec<Diagnostic>, Vec<Diagnostic>) =
        run.said.iter().cloned().partition(Diagnostic::is_error);
    let text = |all: Vec<Diagnostic>| diagnostics(&Diagnostics(all), sources, Style::PLAIN, false);
    let mut inside = String::new();
    match run.status {
        TestStatus::Skip => {
            let (message, why) = match broken {
                Some(name) => (
                    "Testcase skipped due to a previous testcase error",
                    format!(
                        "Previous testcase {:?} ended in error, which caused the remaining tests in the file to be skipped",
                        name.as_str()
                    ),
                ),
                None => ("Testcase skipped due to an interrupt", "The user asked to stop before it".to_owned()),
            };
            let _ = write!(inside, "\n      <skipped message=\"{message}\">{}</skipped>", literal(&why));
        }
        TestStatus::Fail => {
            let message = escaped(&failure(run, &errors));
            let _ = write!(inside, "\n      <failure message=\"{message}\">{}</failure>", literal(&text(errors)));
        }
        TestStatus::Error => {
            let text = literal(&text(errors));
            let _ = write!(inside, "\n      <error message=\"Encountered an error\">{text}</error>");
        }
        TestStatus::Pass | TestStatus::Pending => {}
    }
    if !warnings.is_empty() {
        let _ = write!(inside, "\n      <system-err>{}</system-err>", literal(&text(warnings)));
    }
    let end = if inside.is_empty() { "" } else { "\n    " };
    let _ = write!(out, "{inside}{end}</testcase>");
}

/// `1 of 2 assertions failed: not three`
fn failure(run: &RunResult, errors: &[Diagnostic]) -> String {
    let failed = errors.len();
    let first = errors.first().map(|error| error.detail.as_str()).unwrap_or_default();
    let including = if failed > 1 { ", including" } else { "" };
    format!("{failed} of {} assertions failed{including}: {first}", run.conditions)
}

/// A text in an attribute.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&#34;"),
            '\n' => out.push_str("&#xA;"),
            '\t' => out.push_str("&#x9;"),
            '\r' => out.push_str("&#xD;"),
            // XML has no way to write the other control characters.
            control if (control as u32) < 0x20 => out.push('\u{fffd}'),
            other => out.push(other),
        }
    }
    out
}

/// A text as it is. One that holds the end of such a text is cut in two there.
fn literal(text: &str) -> String {
    let clean: String = text
        .chars()
        .map(|c| if (c as u32) < 0x20 && !matches!(c, '\n' | '\t' | '\r') { '\u{fffd}' } else { c })
        .collect();
    format!("<![CDATA[{}]]>", clean.replace("]]>", "]]]]><![CDATA[>"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_can_break_the_report() {
        assert_eq!(escaped("a<b>&\"\u{1}"), "a&lt;b&gt;&amp;&#34;\u{fffd}");
        assert_eq!(literal("x]]>y\u{1b}"), "<![CDATA[x]]]]><![CDATA[>y\u{fffd}]]>");
    }
}
