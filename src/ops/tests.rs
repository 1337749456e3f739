//! Whole use cases in plain mode on local state.

use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;

use super::*;
use crate::apply::Stop;
use crate::change::Action;
use crate::config::LoadOptions;
use crate::diag::{Diagnostics, Outcome};
use crate::event::Silent;
use crate::lang::functions::DirFiles;
use crate::plan::{Plan, PlanMode};
use crate::provider::Registry;

struct NoClusters;

impl crate::apply::Clusters for NoClusters {
    fn schema(&self) -> Option<&crate::schema::Block> {
        None
    }

    fn client(&self, _config: crate::value::Value) -> crate::provider::Boxed<'_, Outcome<crate::client::kube::Kube>> {
        Box::pin(async { Outcome::fail(crate::diag::Diagnostic::error("No cluster", "")) })
    }
}

struct Yes;

impl Approve for Yes {
    fn ask(&mut self, _question: &Question<'_>) -> Answer {
        Answer::Yes
    }
}

fn session(dir: &Path) -> Result<Session, Diagnostics> {
    let load = LoadOptions::new(dir, Arc::new(DirFiles));
    let registry =
        |_: &crate::config::Config| Registry::new(vec![Box::new(crate::providers::native(Default::default()))]);
    let identity = Identity { who: "me@here".into(), version: "0.1.0".into() };
    let clusters = |_: &crate::config::Config| -> Arc<dyn crate::apply::Clusters> { Arc::new(NoClusters) };
    Session::open(SessionOptions { load, registry: &registry, clusters: &clusters, identity })
        .into_result()
        .map(|(session, _)| session)
}

fn write(dir: &Path, text: &str) {
    std::fs::write(dir.join("main.tf"), text).unwrap();
}

async fn plan_of(dir: &Path) -> Result<Plan, Diagnostics> {
    let session = session(dir)?;
    plan(&session, &RunOptions::new(Timestamp::UNIX_EPOCH), &Silent).await.into_result().map(|(plan, _)| plan)
}

async fn apply_in(dir: &Path, mode: PlanMode) -> Applied {
    let session = session(dir).unwrap();
    let options = RunOptions { mode, ..RunOptions::new(Timestamp::UNIX_EPOCH) };
    apply(&session, &options, &mut Yes, &Silent, &Stop::default()).await
}

fn actions(plan: &Plan) -> Vec<String> {
    let changes = plan.changes.iter().filter(|planned| planned.change.action != Action::NoOp);
    changes.map(|planned| format!("{} {}", planned.change.action, planned.change.addr)).collect()
}

/// Plans, compares the actions, applies, and checks that nothing is left to do.
async fn step(dir: &Path, text: &str, expect: &[&str]) {
    write(dir, text);
    let planned = plan_of(dir).await.unwrap_or_else(|said| panic!("{said}"));
    assert_eq!(actions(&planned), expect, "{text}");
    let applied = apply_in(dir, PlanMode::Normal).await;
    assert!(!applied.said.has_errors(), "{}", applied.said);
    let again = plan_of(dir).await.unwrap_or_else(|said| panic!("{said}"));
    assert_eq!(actions(&again), Vec::<String>::new(), "after {text}");
    assert!(again.is_empty());
}

#[tokio::test]
async fn plain_mode_creates_updates_replaces_and_destroys() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    step(
        dir,
        r#"
        variable "env" { default = "dev" }
        locals { tags = { env = var.env } }
        resource "terraform_data" "a" { input = "a-${local.tags.env}" }
        resource "terraform_data" "b" {
          count = 2
          input = "${terraform_data.a.output}-${count.index}"
        }
        resource "terraform_data" "c" {
          for_each = toset(["x", "y"])
          input    = { key = each.key, all = terraform_data.b[*].output }
        }
        output "c" { value = terraform_data.c["y"].output }
        "#,
        &[
            "create terraform_data.a",
            "create terraform_data.b[0]",
            "create terraform_data.b[1]",
            "create terraform_data.c[\"x\"]",
            "create terraform_data.c[\"y\"]",
        ],
    )
    .await;
    step(
        dir,
        r#"
        resource "terraform_data" "a" { input = "other" }
        resource "terraform_data" "b" {
          count            = 1
          input            = terraform_data.a.output
          triggers_replace = terraform_data.a.input
        }
        "#,
        &[
            "update terraform_data.a",
            "delete then create terraform_data.b[0]",
            "delete terraform_data.b[1]",
            "delete terraform_data.c[\"x\"]",
            "delete terraform_data.c[\"y\"]",
        ],
    )
    .await;
    let destroyed = apply_in(dir, PlanMode::Destroy).await;
    assert!(!destroyed.said.has_errors(), "{}", destroyed.said);
    assert_eq!(destroyed.report.counts.destroy, 2);
    let state = session(dir).unwrap().states().await.unwrap();
    assert!(state[0].is_empty());
}

#[tokio::test]
async fn modules_pass_values_in_and_out() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    std::fs::create_dir(dir.join("child")).unwrap();
    std::fs::write(
        dir.join("child/main.tf"),
        r#"
        variable "name" { type = string }
        resource "terraform_data" "x" { input = var.name }
        output "out" { value = terraform_data.x.output }
        "#,
    )
    .unwrap();
    step(
        dir,
        r#"
        module "a" {
          source   = "./child"
          for_each = { one = "1", two = "2" }
          name     = each.value
        }
        module "b" {
          source = "./child"
          name   = module.a["one"].out
        }
        output "b" { value = module.b.out }
        "#,
        &[
            "create module.a[\"one\"].terraform_data.x",
            "create module.a[\"two\"].terraform_data.x",
            "create module.b.terraform_data.x",
        ],
    )
    .await;
}

#[tokio::test]
async fn creation_first_replacement_leaves_nothing_behind() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let text = |trigger: &str| {
        format!(
            r#"
            resource "terraform_data" "base" {{ triggers_replace = "{trigger}" }}
            resource "terraform_data" "user" {{
              triggers_replace = terraform_data.base.id
              lifecycle {{ create_before_destroy = true }}
            }}
            "#
        )
    };
    step(dir, &text("1"), &["create terraform_data.base", "create terraform_data.user"]).await;
    step(dir, &text("2"), &["create then delete terraform_data.base", "create then delete terraform_data.user"]).await;
    let states = session(dir).unwrap().states().await.unwrap();
    assert_eq!(states[0].object_count(), 2);
}

#[tokio::test]
async fn errors_say_what_is_wrong() {
    for (text, expect) in [
        ("resource \"terraform_data\" \"a\" { input = var.x }", "Reference to undeclared input variable"),
        ("resource \"terraform_data\" \"a\" { input = terraform_data.b.id }", "Reference to undeclared resource"),
        ("resource \"terraform_data\" \"a\" { inpt = 1 }", "Unsupported argument"),
        ("resource \"terraform_dat\" \"a\" { }", "Invalid resource type"),
        ("variable \"x\" { type = string }\noutput \"x\" { value = var.x }", "No value for required variable"),
        (
            "resource \"terraform_data\" \"a\" { input = terraform_data.b.id }\n\
             resource \"terraform_data\" \"b\" { input = terraform_data.a.id }",
            "Cycle: terraform_data.a, terraform_data.b",
        ),
        ("resource \"terraform_data\" \"a\" { input = terraform_data.a.id }", "Self-referential block"),
        (
            "resource \"terraform_data\" \"a\" {\n count = terraform_data.b.id\n}\nresource \"terraform_data\" \"b\" {}",
            "Invalid count argument",
        ),
    ] {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), text);
        let Err(said) = plan_of(dir.path()).await else { panic!("no error for {text}") };
        assert!(said.iter().any(|diagnostic| diagnostic.summary == expect), "{text}: {said}");
    }
}
