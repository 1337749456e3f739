//! Each recorded change: planned as the real provider plans it, applied, planned empty, taken back.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{MAIN, Platform};
use crate::conformance::kubernetes::whole::{Change, Cluster, lines, plan, planned, try_plan};

const CHANGES: &str = include_str!("changes.jsonl");

/// What is planned otherwise than the real provider plans it, and why.
const OTHERWISE: [(&str, &str, &str); 2] = [
    (
        "kubernetes_persistent_volume_v1.pv",
        "node",
        "a new block forces the replacement as a whole: the real provider names its attributes one by one",
    ),
    (
        "kubernetes_storage_class_v1.sc",
        "reclaim",
        "the server's dry run says that the field is immutable: the real provider plans an update, which is refused",
    ),
];

/// A change of one object's block.
struct Edit {
    object: String,
    name: String,
    from: String,
    to: String,
    action: String,
    replace: Vec<String>,
    /// Why it is planned only: `refused` by the server, `stuck` (in use, so it would stay, or others would not start; or what replaces it is refused),
    /// or `kept` (computed: it stays when it is taken out again, and is in the way of other changes).
    apply: Option<String>,
}

impl Edit {
    fn of(line: &str) -> Edit {
        let json: Value = serde_json::from_str(line).unwrap();
        let text = |name: &str| json[name].as_str().unwrap().to_owned();
        let mut replace: Vec<String> = json["replace"].as_array().into_iter().flatten().map(Value::to_string).collect();
        replace.sort();
        Edit {
            object: text("object"),
            name: text("change"),
            from: text("from"),
            to: text("to"),
            action: text("plan"),
            replace,
            apply: json["apply"].as_str().map(str::to_owned),
        }
    }

    /// Makes it in the configuration.
    fn made(&self, main: &str) -> String {
        let (kind, name) = self.object.split_once('.').unwrap();
        let head = format!("resource \"{kind}\" \"{name}\" {{");
        let (before, from_here) = main.split_at(main.find(&head).unwrap());
        let (block, after) = from_here.split_at(from_here.find("\n}\n").unwrap() + 1);
        assert!(block.contains(&self.from), "{} {}", self.object, self.name);
        format!("{before}{}{after}", block.replacen(&self.from, &self.to, 1))
    }

    fn is_planned_otherwise(&self) -> bool {
        OTHERWISE.iter().any(|(object, name, _)| *object == self.object && *name == self.name)
    }

    fn is_planned(&self, change: Option<&Change>) -> bool {
        let Some(change) = change else { return self.action == "no-op" };
        let action = if change.action == "create/delete" { "delete/create" } else { &change.action };
        // The real provider finds out only when it applies.
        if self.apply.as_deref() == Some("refused") {
            return ["update", "delete/create"].contains(&action);
        }
        action == self.action && change.replace == self.replace
    }
}

/// Rounds of changes that can be made together: the n-th one of every object.
fn rounds() -> Vec<Vec<Edit>> {
    let mut rounds: Vec<Vec<Edit>> = Vec::new();
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for edit in CHANGES.lines().map(Edit::of) {
        let round = seen.entry(edit.object.clone()).or_default();
        if rounds.len() == *round {
            rounds.push(Vec::new());
        }
        rounds[*round].push(edit);
        *round += 1;
    }
    rounds
}

/// Plans the edits together, and says which are planned in another way than the real provider does.
fn compare(platform: &Platform<'_>, edits: &[&Edit]) -> Vec<String> {
    let main = edits.iter().fold(MAIN.to_owned(), |main, edit| edit.made(&main));
    platform.program.write("main.tf", &main);
    let changes = planned(&plan(&platform.program, &platform.args()));
    let of = |object: &str| changes.iter().find(|change| change.object == object);
    let mut wrong: Vec<String> = Vec::new();
    for edit in edits {
        let change = of(&edit.object);
        if !edit.is_planned(change) && !edit.is_planned_otherwise() {
            let got = change.map(|change| lines(std::slice::from_ref(change))).unwrap_or_default();
            wrong.push(format!(
                "{} {}: not {} {}\n  {got}",
                edit.object,
                edit.name,
                edit.action,
                edit.replace.join(" ")
            ));
        }
    }
    let others = changes.iter().filter(|change| edits.iter().all(|edit| edit.object != change.object));
    wrong.extend(others.map(|change| format!("not changed: {}", lines(std::slice::from_ref(change)))));
    wrong
}

/// What the server will refuse is planned as an update or a replacement, or refused while planning.
fn compare_refused(platform: &Platform<'_>, edit: &Edit) -> Option<String> {
    platform.program.write("main.tf", &edit.made(MAIN));
    match try_plan(&platform.program, &platform.args()) {
        Ok(plan) => {
            let changes = planned(&plan);
            let change = changes.iter().find(|change| change.object == edit.object);
            (!edit.is_planned(change)).then(|| format!("{} {}: {}", edit.object, edit.name, lines(&changes)))
        }
        Err(answer) => (!answer.err.contains("Error: ")).then_some(answer.err),
    }
}

fn changes(cluster: &Cluster, chosen: impl Fn(usize) -> bool) -> Vec<String> {
    let platform = Platform::new(cluster);
    platform.apply();
    let mut wrong = Vec::new();
    for (at, round) in rounds().iter().enumerate().filter(|(at, _)| chosen(*at)) {
        let (refused, others): (Vec<&Edit>, Vec<&Edit>) =
            round.iter().partition(|edit| edit.apply.as_deref() == Some("refused"));
        wrong.extend(compare(&platform, &others));
        wrong.extend(refused.into_iter().filter_map(|edit| compare_refused(&platform, edit)));
        let applied = others.iter().filter(|edit| edit.apply.is_none());
        let main = applied.fold(MAIN.to_owned(), |main, edit| edit.made(&main));
        for (main, when) in [(main.as_str(), "changed"), (MAIN, "taken back")] {
            platform.program.write("main.tf", main);
            platform.apply();
            platform.assert_nothing_planned(&format!("round {at}, {when}"));
        }
    }
    tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(platform.destroy()));
    wrong
}

/// The seed of a run: of `INFRA_SEED`, or always the same.
fn seed() -> usize {
    std::env::var("INFRA_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1)
}

/// One round of the long ones, and one of the short ones.
fn sampled(seed: usize) -> impl Fn(usize) -> bool {
    move |at| at == seed % 4 || at == 4 + seed % (rounds().len() - 4)
}

#[test]
fn every_change_finds_its_place() {
    let rounds = rounds();
    assert_eq!(rounds.iter().map(Vec::len).sum::<usize>(), 143);
    for edit in rounds.iter().flatten() {
        assert_ne!(edit.made(MAIN), MAIN, "{} {}", edit.object, edit.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_are_planned_as_the_real_provider_plans_them() {
    let Some(cluster) = Cluster::real().await else { return };
    let wrong = changes(&cluster, sampled(seed()));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_are_planned_so_in_the_sandbox_too() {
    let wrong = changes(&Cluster::sandbox().await, sampled(seed() + 1));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "long; just soak"]
async fn soak_all_changes_of_the_platform() {
    let Some(cluster) = Cluster::real().await else { return };
    let mut wrong = changes(&cluster, |_| true);
    wrong.extend(changes(&Cluster::sandbox().await, |_| true));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
