//! Reading a state together with what its journal holds: which logs count, and what they add up to.
//!
//! A log counts when it extends the snapshot that is current (same serial, same hash), or when it is sealed with that snapshot
//! and goes on after the seal. What the snapshot or another log already holds is left over and may go. Everything else is a
//! conflict: results that nobody has seen yet on a snapshot that is gone.

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use sha2::{Digest, Sha256};

use super::error::StateError;
use super::format;
use super::journal::{Base, Head, JournalError, Line, OpenIntent, Record, Run, read_pieces};
use super::model::{Object, Slot, State, Status};
use super::store::{LogName, Store, Version};
use crate::addr::LayerName;

/// A state as a reader sees it: the snapshot and everything that was acknowledged since.
#[derive(Clone, Debug)]
pub struct View {
    /// The recovered state. Its serial is that of the snapshot.
    pub state: Arc<State>,
    /// Version of the snapshot in its store; `None` before the first.
    pub version: Option<Version>,
    /// Calls of whose end nothing is known. Of a run that is alive, they are running.
    pub open: Vec<OpenIntent>,
    /// What came out of the journal; `None` when it was empty.
    pub recovered: Option<Recovered>,
    /// Logs that extend a snapshot that is no longer current. They block writes until settled.
    pub conflicts: Vec<Conflict>,
    /// What was read, for the writer.
    pub(super) base: Base,
    pub(super) size: usize,
    pub(super) counted: Vec<(LogName, u64)>,
    pub(super) records: Vec<Record>,
    pub(super) leftover: Vec<LogName>,
    /// Slots whose objects are tainted since the snapshot: made by a run that may not be done with them.
    making: BTreeSet<Slot>,
}

/// What the journal added to the snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovered {
    /// Results (records that change the state).
    pub results: usize,
    /// Calls without a result.
    pub intents: usize,
    /// The runs that wrote it.
    pub runs: Vec<Run>,
}

/// A log that cannot be folded in.
#[derive(Clone, Debug)]
pub struct Conflict {
    /// Which one.
    pub log: LogName,
    /// Who wrote it, when its beginning is there.
    pub run: Option<Run>,
    /// Why not.
    pub reason: String,
    /// What it holds; empty where it cannot be read.
    pub records: Vec<Record>,
    /// Whether it can be read: what cannot be read can only be dropped.
    pub readable: bool,
    pub(super) pieces: u64,
}

impl View {
    /// The same while the run that writes the journal goes on. Its calls are under way and not lost, and an object that it is
    /// just making is tainted only in case it does not come to an end.
    #[must_use]
    pub fn of_running(mut self) -> View {
        self.open.clear();
        let state = Arc::make_mut(&mut self.state);
        for slot in &self.making {
            let Some(object) = state.at(slot).filter(|object| object.status == Status::Tainted).cloned() else {
                continue;
            };
            let Some(provider) = state.provider(&slot.addr) else { continue };
            state.put(slot, &provider, Arc::new(Object { status: Status::Ready, ..(*object).clone() }));
        }
        self
    }

    /// Folds the conflicts in, in the order of their logs: what they hold replaces what the state has.
    pub(super) fn accept_conflicts(&mut self) {
        let mut recovered = self.recovered.take().unwrap_or(Recovered { results: 0, intents: 0, runs: Vec::new() });
        let state = Arc::make_mut(&mut self.state);
        for conflict in std::mem::take(&mut self.conflicts) {
            recovered.runs.extend(conflict.run);
            for record in conflict.records {
                recovered.results += usize::from(record.apply(state, &mut self.open));
                self.records.push(record);
            }
            self.counted.push((conflict.log, conflict.pieces));
        }
        recovered.intents = self.open.len();
        self.recovered = Some(recovered);
    }

    /// Whether something was recovered that no snapshot holds yet.
    pub fn has_results(&self) -> bool {
        self.recovered.as_ref().is_some_and(|recovered| recovered.results > 0)
    }
}

/// One log as it was read.
pub(super) struct LogRead {
    name: LogName,
    pieces: Vec<(u64, Bytes)>,
    lines: Result<Vec<(u64, Line)>, JournalError>,
}

/// Reads the recovered view.
///
/// A live run may write in between. Logs are read before the snapshot: what was acknowledged before this call is then in one
/// or the other. Where the two do not fit each other they are read again, and believed when they stay as they are.
///
/// # Errors
/// When the store fails or what it holds cannot be read.
pub(super) async fn load(store: &dyn Store, key: &str, layer: &LayerName) -> Result<View, StateError> {
    let mut before: Option<Vec<(LogName, usize)>> = None;
    loop {
        let mut logs = Vec::new();
        for name in store.logs(key).await? {
            let pieces = store.read_log(&name).await?;
            if !pieces.is_empty() {
                let lines = read_pieces(layer, &pieces);
                logs.push(LogRead { name, pieces, lines });
            }
        }
        let seen: Vec<_> =
            logs.iter().map(|log| (log.name.clone(), log.pieces.iter().map(|(_, bytes)| bytes.len()).sum())).collect();
        let snapshot = store.get(key).await?;
        let view = fold(key, layer, snapshot, logs)?;
        if view.conflicts.is_empty() || before.as_ref() == Some(&seen) {
            return Ok(view);
        }
        before = Some(seen);
    }
}

/// The hash that names a snapshot in the journal.
pub(super) fn hash_of(bytes: &[u8]) -> String {
    super::journal::hex(&Sha256::digest(bytes))
}

/// Folds logs into a snapshot.
pub(super) fn fold(
    key: &str,
    layer: &LayerName,
    snapshot: Option<(Bytes, Version)>,
    logs: Vec<LogRead>,
) -> Result<View, StateError> {
    let (state, hash, size, version) = match snapshot {
        None => (State::empty(layer.clone()), String::new(), 0, None),
        Some((bytes, version)) => {
            let state =
                format::read(layer, &bytes).map_err(|source| StateError::Format { key: key.to_owned(), source })?;
            // The hash is needed only when there is a log to compare it with, or a writer, who computes it again.
            let hash = if logs.is_empty() { String::new() } else { hash_of(&bytes) };
            (state, hash, bytes.len(), Some(version))
        }
    };
    let mut base = Base { serial: state.serial, hash, lineage: state.lineage.clone() };
    let parts = sort_out(&base, version.is_some(), logs);
    let mut view = View {
        state: Arc::new(state),
        version,
        open: Vec::new(),
        recovered: None,
        conflicts: parts.conflicts,
        size,
        counted: Vec::new(),
        records: Vec::new(),
        leftover: parts.leftover,
        making: BTreeSet::new(),
        base: base.clone(),
    };
    let mut recovered = Recovered { results: 0, intents: 0, runs: Vec::new() };
    for log in parts.counted {
        if view.version.is_none() && base.lineage.is_empty() {
            base.lineage.clone_from(&log.head.base.lineage);
        }
        if !recovered.runs.contains(&log.head.run) {
            recovered.runs.push(log.head.run);
        }
        let state = Arc::make_mut(&mut view.state);
        for record in log.records {
            let begun = tainted_anew(state, &record);
            view.making.extend(begun);
            if record.apply(state, &mut view.open) {
                recovered.results += 1;
            }
            view.records.push(record);
        }
        view.counted.push((log.name, log.pieces));
    }
    recovered.intents = view.open.len();
    if !view.counted.is_empty() {
        view.recovered = Some(recovered);
    }
    view.base.lineage = base.lineage;
    Ok(view)
}

/// The slots that a record fills with tainted objects, and in which there were none before it.
fn tainted_anew(state: &State, record: &Record) -> Vec<Slot> {
    let tainted = |slot: &Slot| state.at(slot).is_some_and(|object| object.status == Status::Tainted);
    let puts = record.puts.iter().filter(|put| put.object.status == Status::Tainted && put.slot.deposed.is_none());
    puts.map(|put| &put.slot).filter(|slot| !tainted(slot)).cloned().collect()
}

struct Counted {
    name: LogName,
    pieces: u64,
    head: Head,
    records: Vec<Record>,
}

#[derive(Default)]
struct Parts {
    counted: Vec<Counted>,
    leftover: Vec<LogName>,
    conflicts: Vec<Conflict>,
}

/// Says of every log whether it counts, is left over, or is a conflict.
fn sort_out(base: &Base, exists: bool, logs: Vec<LogRead>) -> Parts {
    let mut parts = Parts::default();
    let mut rest = Vec::new();
    for log in logs {
        let LogRead { name, pieces, lines } = log;
        let count = pieces.iter().map(|(number, _)| number + 1).max().unwrap_or(0);
        let gap = (count as usize) != pieces.len();
        let lines = match lines {
            Ok(lines) => lines,
            Err(error) => {
                parts.conflicts.push(Conflict {
                    log: name,
                    run: None,
                    reason: error.to_string(),
                    records: Vec::new(),
                    readable: false,
                    pieces: count,
                });
                continue;
            }
        };
        let head = lines.iter().find_map(|(_, line)| match line {
            Line::Head(head) => Some(head.clone()),
            _ => None,
        });
        let sealed = lines.iter().rposition(|(_, line)| {
            exists && matches!(line, Line::Seal(seal) if seal.serial == base.serial && seal.hash == base.hash)
        });
        let records: Vec<Record> = lines
            .into_iter()
            .skip(sealed.map_or(0, |at| at + 1))
            .filter_map(|(_, line)| match line {
                Line::Record(record) => Some(*record),
                _ => None,
            })
            .collect();
        let extends = |head: &Head| head.base.serial == base.serial && head.base.hash == base.hash;
        match head {
            _ if sealed.is_some() && records.is_empty() => parts.leftover.push(name),
            Some(head) if !gap && (sealed.is_some() || extends(&head)) => {
                parts.counted.push(Counted { name, pieces: count, head, records });
            }
            // Intents that moved under a snapshot which was never written; they are in the log before it, too.
            Some(head) if head.ahead && records.len() <= 1 && !extends(&head) => parts.leftover.push(name),
            // The end of a run that wrote nothing but its beginning says nothing.
            _ if records.is_empty() && !gap => parts.leftover.push(name),
            head => rest.push((name, count, head, records)),
        }
    }
    // What another log that counts has taken over is left over.
    let takes: Vec<_> = parts.counted.iter().flat_map(|log| log.head.takes.clone()).collect();
    let taken = |name: &LogName, pieces: u64| {
        takes.iter().any(|taken| taken.serial == name.serial && taken.run == name.run && taken.pieces >= pieces)
    };
    for (log, pieces, head, records) in rest {
        if taken(&log, pieces) {
            parts.leftover.push(log);
        } else {
            let reason = match &head {
                None => "its beginning is missing".to_owned(),
                Some(head) if head.base.serial == base.serial => {
                    format!("it extends another snapshot of serial {} than the one that is stored", base.serial)
                }
                Some(head) => format!("it extends serial {}, but serial {} is stored", head.base.serial, base.serial),
            };
            parts.conflicts.push(Conflict {
                log,
                run: head.map(|head| head.run),
                reason,
                records,
                readable: true,
                pieces,
            });
        }
    }
    let (leftover, mut counted): (Vec<_>, Vec<_>) =
        std::mem::take(&mut parts.counted).into_iter().partition(|log| taken(&log.name, log.pieces));
    parts.leftover.extend(leftover.into_iter().map(|log| log.name));
    // Moved intents come before what the same run recorded after its seal.
    counted.sort_by(|a, b| {
        (&a.head.run.started, &a.head.run.id, !a.head.ahead).cmp(&(&b.head.run.started, &b.head.run.id, !b.head.ahead))
    });
    // Two runs on one snapshot that do not know of each other: the later one holds the lock, the other had lost it.
    let last = counted.last().map(|log| log.head.run.id.clone());
    for log in counted {
        if Some(&log.head.run.id) == last.as_ref() {
            parts.counted.push(log);
        } else {
            let reason = "another run wrote to the same snapshot without knowing of it".to_owned();
            let (run, pieces) = (Some(log.head.run), log.pieces);
            parts.conflicts.push(Conflict { log: log.name, run, reason, records: log.records, readable: true, pieces });
        }
    }
    parts
}
