//! Tests as lines for programs: Terraform's machine-readable UI.

use jiff::Timestamp;
use serde_json::{Map, Value as Json, json};

use crate::diag::{Diagnostic, SourceMap};
use crate::event::{RunResult, TestResults, TestStatus};
use crate::plan::Plan;

use super::super::document::{plan_json, state_json};
use super::super::outputs::ShownOutput;
use super::super::state::ShownObject;
use super::super::stream::{Stream, line};
use super::text::counts;
use super::word;

/// Writes lines about tests.
#[derive(Clone, Copy, Debug)]
pub struct TestLines;

/// Whose line it is: a file, and one of its runs.
type Of<'a> = (&'a str, Option<&'a str>);

fn of(of: Of<'_>, mut more: Json) -> Json {
    more["@testfile"] = json!(of.0);
    if let Some(run) = of.1 {
        more["@testrun"] = json!(run);
    }
    more
}

impl TestLines {
    /// What is going to be run: the files, each with its runs.
    pub fn found(self, files: &[(String, Vec<String>)], now: Timestamp) -> String {
        let runs: usize = files.iter().map(|(_, runs)| runs.len()).sum();
        let plural = |count: usize, word: &str| format!("{count} {word}{}", if count == 1 { "" } else { "s" });
        let message = format!("Found {} and {}", plural(files.len(), "file"), plural(runs, "run block"));
        let names = |runs: &Vec<String>| if runs.is_empty() { Json::Null } else { json!(runs) };
        let files: Map<String, Json> = files.iter().map(|(path, runs)| (path.clone(), names(runs))).collect();
        line("info", &message, now, "test_abstract", json!({ "test_abstract": files }))
    }

    /// A file begins (`starting`), is cleaned up (`teardown`), or has ended with a status.
    pub fn file(self, path: &str, progress: &str, status: Option<TestStatus>, now: Timestamp) -> String {
        let (shown, mut body) = (shown(progress, status), json!({"path": path, "progress": progress}));
        if let Some(status) = status {
            body["status"] = json!(word(status));
        }
        line("info", &format!("{path}... {shown}"), now, "test_file", of((path, None), json!({ "test_file": body })))
    }

    /// A run begins, is cleaned up after, or has ended with a status.
    pub fn run(self, path: &str, run: &str, progress: &str, status: Option<TestStatus>, now: Timestamp) -> String {
        let mut body = json!({"path": path, "run": run, "progress": progress});
        match status {
            Some(status) => body["status"] = json!(word(status)),
            None => body["elapsed"] = json!(0),
        }
        let message = format!("  {run:?}... {}", shown(progress, status));
        line("info", &message, now, "test_run", of((path, Some(run)), json!({ "test_run": body })))
    }

    /// What a run planned.
    pub fn plan(self, path: &str, run: &str, plan: &Plan, now: Timestamp) -> String {
        let mut whole = plan_json(plan);
        let mut document = json!({"plan_format_version": whole["format_version"].take()});
        // What the plan changes, and nothing of what it was made from.
        for part in ["output_changes", "resource_changes", "resource_drift", "relevant_attributes"] {
            match whole.get_mut(part).map(Json::take) {
                Some(Json::Array(empty)) if empty.is_empty() => {}
                Some(found) => document[part] = found,
                None => {}
            }
        }
        let message = "-verbose flag enabled, printing plan";
        line("info", message, now, "test_plan", of((path, Some(run)), json!({ "test_plan": document })))
    }

    /// What a run left in its state.
    pub fn state(
        self,
        path: &str,
        run: &str,
        objects: &[ShownObject<'_>],
        outputs: &[ShownOutput],
        now: Timestamp,
    ) -> String {
        let values = state_json(objects, outputs, &[], false)["values"].take();
        let mut body = json!({"state_format_version": "1.0"});
        if let (Some(body), Json::Object(values)) = (body.as_object_mut(), values) {
            body.extend(values);
        }
        let message = "-verbose flag enabled, printing state";
        line("info", message, now, "test_state", of((path, Some(run)), json!({ "test_state": body })))
    }

    /// Something that is to be said of a file or of a run.
    pub fn diagnostic(self, whose: Of<'_>, diagnostic: &Diagnostic, sources: &SourceMap, now: Timestamp) -> String {
        let text = Stream::new(false).diagnostic(diagnostic, sources, now);
        match serde_json::from_str::<Json>(&text) {
            Ok(json) => format!("{}\n", of(whose, json)),
            Err(_) => text,
        }
    }

    /// Objects that could not be destroyed, each with the key of a deposed one.
    pub fn left(self, path: &str, run: &str, objects: &[(String, Option<String>)], now: Timestamp) -> String {
        let one = |(address, deposed): &(String, Option<String>)| match deposed {
            Some(key) => json!({"instance": address, "deposed_key": key}),
            None => json!({"instance": address}),
        };
        let message = format!(
            "Terraform left some resources in state after executing {path}/{run}, they need to be cleaned up manually."
        );
        let body = json!({"failed_resources": objects.iter().map(one).collect::<Vec<_>>()});
        line("error", &message, now, "test_cleanup", of((path, Some(run)), json!({ "test_cleanup": body })))
    }

    /// The last line.
    pub fn summary(self, results: &TestResults, now: Timestamp) -> String {
        let status = results.status();
        let head = if status == TestStatus::Pass { "Success!" } else { "Failure!" };
        let body = json!({
            "status": word(status),
            "passed": results.count(TestStatus::Pass),
            "failed": results.count(TestStatus::Fail),
            "errored": results.count(TestStatus::Error),
            "skipped": results.count(TestStatus::Skip),
        });
        line("info", &format!("{head} {}", counts(results)), now, "test_summary", json!({ "test_summary": body }))
    }

    /// A run that has ended.
    pub fn ended(self, path: &str, result: &RunResult, now: Timestamp) -> String {
        self.run(path, &result.name, "complete", Some(result.status), now)
    }
}

fn shown(progress: &str, status: Option<TestStatus>) -> &'static str {
    match (progress, status) {
        ("starting", _) => "in progress",
        ("teardown", _) => "tearing down",
        (_, Some(TestStatus::Error)) => "fail",
        (_, Some(status)) => word(status),
        (_, None) => "running",
    }
}
