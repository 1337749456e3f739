//! What former runs have left in the journals, summed up over the layers, to be told before anything else.

use jiff::Timestamp;

use crate::event::{RecoveredRun, Recovery};
use crate::state::{Run, View};

/// The sum of what was recovered; `None` when there was nothing. What becomes of open calls is not known yet.
pub(super) fn of(views: &[View], now: Timestamp) -> Option<Recovery> {
    let recovered = || views.iter().filter_map(|view| view.recovered.as_ref());
    let results = recovered().map(|one| one.results).sum();
    let intents = recovered().map(|one| one.intents).sum();
    if results + intents == 0 {
        return None;
    }
    // A run over several layers has a journal in each of them.
    let mut runs: Vec<&Run> = Vec::new();
    for run in recovered().flat_map(|one| &one.runs) {
        if !runs.iter().any(|known| known.id == run.id) {
            runs.push(run);
        }
    }
    runs.sort_by(|a, b| a.started.cmp(&b.started));
    let told = |run: &&Run| RecoveredRun {
        who: run.who.clone(),
        operation: run.operation.clone(),
        started: clock(&run.started, now),
    };
    Some(Recovery { runs: runs.iter().map(told).collect(), results, intents, looked_up: 0, uncertain: 0 })
}

/// A time of day; with its date when it was not today.
fn clock(started: &str, now: Timestamp) -> String {
    let Ok(at) = started.parse::<Timestamp>() else { return started.to_owned() };
    let day = |at: Timestamp| at.strftime("%Y-%m-%d").to_string();
    let pattern = if day(at) == day(now) { "%H:%M UTC" } else { "%Y-%m-%d %H:%M UTC" };
    at.strftime(pattern).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_short_on_the_same_day() {
        let now: Timestamp = "2026-01-02T15:00:00Z".parse().unwrap_or_default();
        let check = |started: &str, expect: &str| assert_eq!(clock(started, now), expect);
        check("2026-01-02T14:02:11Z", "14:02 UTC");
        check("2026-01-01T23:59:59.5Z", "2026-01-01 23:59 UTC");
        check("yesterday", "yesterday");
    }
}
