//! What a run says of former runs that ended without saying so.

use crate::event::Recovery;

use super::style::{Ink, Style};

/// What was recovered and what became of it, in two lines.
pub fn recovered(recovery: &Recovery, style: Style) -> String {
    let Recovery { results, intents, looked_up, uncertain, .. } = recovery;
    let mut out = format!("{}\n  settled: {}", style.bold(&summary(recovery)), results + looked_up);
    match looked_up {
        0 => {}
        looked_up => out.push_str(&format!(" ({looked_up} by looking at the objects)")),
    }
    out.push_str(&format!("   uncertain: {uncertain}"));
    if *uncertain > 0 {
        out.push_str(&format!("  →  {}", style.paint(Ink::Yellow, "infra state uncertain")));
    }
    debug_assert!(looked_up + uncertain <= *intents);
    out.push('\n');
    out
}

/// The first of these lines.
pub(super) fn summary(recovery: &Recovery) -> String {
    let Recovery { runs, results, intents, .. } = recovery;
    let plural = |count: usize, one: &str| format!("{count} {one}{}", if count == 1 { "" } else { "s" });
    let what = format!("Recovered {} and {}", plural(*results, "result"), plural(*intents, "intent"));
    match runs.as_slice() {
        [] => format!("{what} from a run that ended without saying so."),
        [run] => format!(
            "{what} from a run by {} that ended without saying so ({}, {}).",
            run.who, run.started, run.operation
        ),
        [.., run] => format!(
            "{what} from {} runs that ended without saying so, the last by {} ({}, {}).",
            runs.len(),
            run.who,
            run.started,
            run.operation
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::RecoveredRun;

    #[test]
    fn says_whose_what_and_what_is_left() {
        let run = |who: &str| RecoveredRun { who: who.into(), operation: "apply".into(), started: "14:02 UTC".into() };
        let mut recovery =
            Recovery { runs: vec![run("ci@runner-7")], results: 7, intents: 2, looked_up: 1, uncertain: 1 };
        insta::assert_snapshot!(recovered(&recovery, Style::PLAIN), @"
        Recovered 7 results and 2 intents from a run by ci@runner-7 that ended without saying so (14:02 UTC, apply).
          settled: 8 (1 by looking at the objects)   uncertain: 1  →  infra state uncertain
        ");
        recovery = Recovery { runs: vec![run("a@b"), run("c@d")], results: 1, intents: 0, looked_up: 0, uncertain: 0 };
        insta::assert_snapshot!(recovered(&recovery, Style::PLAIN), @"
        Recovered 1 result and 0 intents from 2 runs that ended without saying so, the last by c@d (14:02 UTC, apply).
          settled: 1   uncertain: 0
        ");
    }
}
