//! The one task that writes a state: it appends records to the journal, applies them in memory, and writes the snapshot.
//!
//! Group commit without a timer: while one append is on its way, records gather; the next append carries all of them.

use std::future::Future;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};

use super::error::StateError;
use super::format;
use super::journal::{Base, Head, OpenIntent, Record, Run, Seal, Taken, encode_head, encode_record, encode_seal};
use super::lock::Lease;
use super::model::State;
use super::recover::{View, hash_of};
use super::store::{Condition, LogName, Store, StoreError, Version, put_checked};
use crate::addr::LayerName;

/// What states say of the program that wrote them, when nobody else has said it: the Terraform version whose format it is.
const WRITTEN_BY: &str = "1.11.4";

/// When a journal has outgrown its snapshot.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outgrown {
    /// A journal of this many bytes, if that is also twice the size of the state.
    pub bytes: usize,
    /// As many pieces, where each is an object of its own that a reader has to fetch.
    pub pieces: u64,
}

impl Outgrown {
    /// A reader takes about half a second for that much.
    pub const USUAL: Outgrown = Outgrown { bytes: 64 << 20, pieces: 2000 };
}

/// Writes one state. Cloning gives another handle of the same writer.
#[derive(Clone)]
pub struct Commit {
    layer: LayerName,
    key: Arc<str>,
    lease: Lease,
    sender: mpsc::UnboundedSender<Message>,
}

/// How a run's writing ended.
#[derive(Clone, Debug)]
pub struct Finished {
    /// The state as it is stored now.
    pub state: Arc<State>,
    /// Whether a new snapshot was written. Nothing changed otherwise.
    pub written: bool,
    /// Intents that are still open.
    pub open: Vec<OpenIntent>,
}

enum Message {
    Append { line: Vec<u8>, record: Record, done: oneshot::Sender<Result<(), StateError>> },
    Look(oneshot::Sender<(Arc<State>, Vec<OpenIntent>)>),
    Finish(oneshot::Sender<Result<Finished, StateError>>),
}

impl Commit {
    /// Records something. The future resolves when it is durable and applied; the record is on its way even if the future is
    /// dropped. Records are applied in the order of the calls.
    ///
    /// # Errors
    /// When it could not be made durable. A record with intents is also refused when the lease is in doubt: nothing new may be
    /// started then, while results are still kept.
    pub fn append(&self, record: Record) -> impl Future<Output = Result<(), StateError>> + Send + 'static {
        let key = self.key.clone();
        let receiver = self.send(record);
        async move {
            match receiver?.await {
                Ok(result) => result,
                Err(_) => Err(StateError::Ended { key: key.to_string() }),
            }
        }
    }

    fn send(&self, record: Record) -> Result<oneshot::Receiver<Result<(), StateError>>, StateError> {
        if !record.opens.is_empty() && !self.lease.may_start() {
            return Err(StateError::LeaseLost { key: self.key.to_string() });
        }
        // Encoded by the caller: many callers have many cores, the writer is one.
        let line = encode_record(&self.layer, &record)
            .map_err(|source| StateError::Encode { key: self.key.to_string(), source })?;
        let (done, receiver) = oneshot::channel();
        self.sender
            .send(Message::Append { line, record, done })
            .map_err(|_| StateError::Ended { key: self.key.to_string() })?;
        Ok(receiver)
    }

    /// The state with everything that is durable by now. Asking is cheap; the writer copies its maps once for each answer.
    ///
    /// # Errors
    /// When the writer has ended.
    pub async fn state(&self) -> Result<Arc<State>, StateError> {
        Ok(self.look().await?.0)
    }

    /// The intents that are open by now.
    ///
    /// # Errors
    /// When the writer has ended.
    pub async fn open(&self) -> Result<Vec<OpenIntent>, StateError> {
        Ok(self.look().await?.1)
    }

    async fn look(&self) -> Result<(Arc<State>, Vec<OpenIntent>), StateError> {
        let ended = || StateError::Ended { key: self.key.to_string() };
        let (answer, receiver) = oneshot::channel();
        self.sender.send(Message::Look(answer)).map_err(|_| ended())?;
        receiver.await.map_err(|_| ended())
    }

    /// Ends the writing: a snapshot if anything has changed since the last one; the journal goes, except for open intents.
    ///
    /// # Errors
    /// When the snapshot could not be written. Everything that was acknowledged is in the journal then.
    pub async fn finish(&self) -> Result<Finished, StateError> {
        let ended = || StateError::Ended { key: self.key.to_string() };
        let (answer, receiver) = oneshot::channel();
        self.sender.send(Message::Finish(answer)).map_err(|_| ended())?;
        receiver.await.map_err(|_| ended())?
    }

    /// The lease under which it writes.
    pub fn lease(&self) -> &Lease {
        &self.lease
    }

    /// The key of the state.
    pub fn key(&self) -> &str {
        &self.key
    }
}

/// Starts the writer on a view that was read under the lock. What the journal holds is taken over into the run's own log first.
///
/// # Errors
/// When there are conflicts, or the store fails.
pub(super) async fn begin(
    store: Arc<dyn Store>,
    key: &str,
    view: View,
    run: Run,
    lease: Lease,
    outgrown: Outgrown,
) -> Result<Commit, StateError> {
    if !view.conflicts.is_empty() {
        return Err(StateError::Conflict { key: key.to_owned(), conflicts: view.conflicts });
    }
    let layer = view.state.layer.clone();
    let mut base = view.base;
    if view.version.is_some() && base.hash.is_empty() {
        base.hash = match store.get(key).await? {
            Some((bytes, version)) if Some(&version) == view.version.as_ref() => hash_of(&bytes),
            _ => return Err(StoreError::Precondition { key: key.to_owned() }.into()),
        };
    }
    if base.lineage.is_empty() {
        base.lineage = uuid::Uuid::new_v4().to_string();
    }
    for log in &view.leftover {
        store.delete_log(log).await?;
    }
    let log = LogName { key: key.to_owned(), serial: base.serial, run: run.id.clone() };
    let mut writer = Writer {
        store,
        key: key.into(),
        run,
        lease: lease.clone(),
        state: view.state,
        open: Vec::new(),
        changed: false,
        base,
        version: view.version,
        size: view.size,
        log,
        pieces: 0,
        bytes: 0,
        takes: Vec::new(),
        done_with: Vec::new(),
        in_doubt: None,
        ahead: None,
        last_put: None,
        failed: None,
        outgrown,
    };
    writer.take_over(&view.counted, view.records, view.open).await?;
    writer.changed = view.recovered.is_some_and(|recovered| recovered.results > 0);
    let (sender, receiver) = mpsc::unbounded_channel();
    tokio::spawn(writer.work(receiver));
    Ok(Commit { layer, key: key.into(), lease, sender })
}

struct Writer {
    store: Arc<dyn Store>,
    key: Arc<str>,
    run: Run,
    lease: Lease,
    state: Arc<State>,
    open: Vec<OpenIntent>,
    /// Whether the state differs from the snapshot.
    changed: bool,
    /// The snapshot.
    base: Base,
    version: Option<Version>,
    size: usize,
    /// The log that is appended to, how many pieces it has and how long it is.
    log: LogName,
    pieces: u64,
    bytes: usize,
    takes: Vec<Taken>,
    /// Logs that the snapshot (or this run's own log) holds and that could not be removed yet.
    done_with: Vec<LogName>,
    /// The hash of a snapshot of which nobody knows whether it was written.
    in_doubt: Option<String>,
    /// The log with moved intents of a snapshot that is not known to be written.
    ahead: Option<LogName>,
    last_put: Option<Instant>,
    /// The journal cannot be written any more.
    failed: Option<Arc<StateError>>,
    outgrown: Outgrown,
}

impl Writer {
    async fn work(mut self, mut receiver: mpsc::UnboundedReceiver<Message>) {
        let mut waiting = None;
        loop {
            let Some(first) = (match waiting.take() {
                None => receiver.recv().await,
                message => message,
            }) else {
                return;
            };
            match first {
                Message::Look(answer) => {
                    // Nobody listening any more is fine.
                    let _ = answer.send((self.state.clone(), self.open.clone()));
                }
                Message::Finish(answer) => {
                    receiver.close();
                    let _ = answer.send(self.finish().await);
                    return;
                }
                Message::Append { line, record, done } => {
                    let mut lines = line;
                    let mut batch = vec![(record, done)];
                    // Everything that has gathered goes along, up to the first message of another kind.
                    while let Ok(message) = receiver.try_recv() {
                        match message {
                            Message::Append { line, record, done } => {
                                lines.extend_from_slice(&line);
                                batch.push((record, done));
                            }
                            other => {
                                waiting = Some(other);
                                break;
                            }
                        }
                    }
                    self.append(lines, batch).await;
                }
            }
        }
    }

    async fn append(&mut self, lines: Vec<u8>, batch: Vec<(Record, oneshot::Sender<Result<(), StateError>>)>) {
        if let Err(error) = self.append_piece(lines).await {
            let error = Arc::new(error);
            for (_, done) in batch {
                let _ = done.send(Err(StateError::Earlier(error.clone())));
            }
            return;
        }
        let state = Arc::make_mut(&mut self.state);
        for (record, done) in batch {
            self.changed |= record.apply(state, &mut self.open);
            let _ = done.send(Ok(()));
        }
        let long = self.bytes > self.outgrown.bytes.max(2 * self.size);
        let many = self.pieces > self.outgrown.pieces && self.store.files().is_none();
        if (long || many) && self.lease.may_start() {
            // Tried again when it has grown as much again: what is in the journal is safe there.
            if self.snapshot().await.is_err() {
                self.bytes = 0;
            }
        }
    }

    async fn append_piece(&mut self, lines: Vec<u8>) -> Result<(), StateError> {
        if let Some(error) = &self.failed {
            return Err(StateError::Earlier(error.clone()));
        }
        let bytes = if self.pieces == 0 {
            let head = Head {
                run: self.run.clone(),
                base: self.base.clone(),
                takes: std::mem::take(&mut self.takes),
                ahead: false,
            };
            let mut bytes = encode_head(&head);
            bytes.extend_from_slice(&lines);
            bytes
        } else {
            lines
        };
        let bytes = Bytes::from(bytes);
        let length = bytes.len();
        let mut tries = 0;
        loop {
            match self.store.append(&self.log, self.pieces, bytes.clone()).await {
                Err(StoreError::Precondition { .. }) if tries < 100 => {
                    // Somebody has written to this run's own log: whoever took the lock over has closed it. Results are kept
                    // behind that all the same; a reader will see them as a conflict.
                    self.lease.lost();
                    self.pieces += 1;
                    tries += 1;
                }
                Ok(()) => break,
                Err(error) => {
                    // Nobody knows whether the piece is there: nothing can follow it any more.
                    let error = Arc::new(StateError::from(error));
                    self.failed = Some(error.clone());
                    return Err(StateError::Earlier(error));
                }
            }
        }
        self.pieces += 1;
        self.bytes += length;
        Ok(())
    }

    /// Copies what the journal of former runs holds into this run's log, and removes theirs.
    async fn take_over(
        &mut self,
        logs: &[(LogName, u64)],
        records: Vec<Record>,
        open: Vec<OpenIntent>,
    ) -> Result<(), StateError> {
        if logs.is_empty() {
            return Ok(());
        }
        let mut lines = Vec::new();
        let encode = |record: &Record| {
            encode_record(&self.state.layer, record)
                .map_err(|source| StateError::Encode { key: self.key.to_string(), source })
        };
        for mut record in records {
            record.opens.clear();
            record.closes.clear();
            if !record.is_empty() {
                lines.extend_from_slice(&encode(&record)?);
            }
        }
        if !open.is_empty() {
            lines.extend_from_slice(&encode(&Record { opens: open.clone(), ..Record::new() })?);
        }
        self.open = open;
        if !lines.is_empty() {
            self.takes = logs
                .iter()
                .map(|(log, pieces)| Taken { serial: log.serial, run: log.run.clone(), pieces: *pieces })
                .collect();
            self.append_piece(lines).await?;
        }
        self.done_with.extend(logs.iter().map(|(log, _)| log.clone()));
        self.sweep().await
    }

    /// Removes logs that are held elsewhere.
    async fn sweep(&mut self) -> Result<(), StateError> {
        while let Some(log) = self.done_with.last() {
            self.store.delete_log(log).await?;
            self.done_with.pop();
        }
        Ok(())
    }

    async fn finish(&mut self) -> Result<Finished, StateError> {
        if let Some(error) = &self.failed {
            return Err(StateError::Earlier(error.clone()));
        }
        let written = self.changed;
        if self.changed {
            self.snapshot().await?;
        } else if self.open.is_empty() && self.pieces > 0 {
            // Calls that changed nothing: their log says nothing.
            self.done_with.push(self.log.clone());
        }
        // The snapshot is written: a log that stays is swept by the next run.
        let _ = self.sweep().await;
        Ok(Finished { state: self.state.clone(), written, open: self.open.clone() })
    }

    /// Writes the next snapshot: open intents move under its serial, the log is sealed with its hash, then it is put.
    async fn snapshot(&mut self) -> Result<(), StateError> {
        let key = self.key.clone();
        let lost = || StateError::LeaseLost { key: key.to_string() };
        if !self.lease.may_start() {
            return Err(lost());
        }
        self.settle_doubt().await?;
        if let Some(ahead) = &self.ahead {
            self.store.delete_log(ahead).await?;
            self.ahead = None;
        }
        self.sweep().await?;
        let encode = |source| StateError::Encode { key: key.to_string(), source };
        let mut state = self.state.clone();
        let next = Arc::make_mut(&mut state);
        next.serial = self
            .base
            .serial
            .checked_add(1)
            .ok_or_else(|| encode(std::io::Error::other("its serial has reached the largest number there is")))?;
        next.lineage.clone_from(&self.base.lineage);
        if next.written_by.is_empty() {
            next.written_by = WRITTEN_BY.into();
        }
        let mut bytes = Vec::with_capacity(self.size + self.size / 8 + 4096);
        format::write(&state, &mut bytes).map_err(encode)?;
        let bytes = Bytes::from(bytes);
        let base = Base { serial: state.serial, hash: hash_of(&bytes), lineage: state.lineage.clone() };
        let ahead = LogName { serial: base.serial, ..self.log.clone() };
        if !self.open.is_empty() {
            let head = Head { run: self.run.clone(), base: base.clone(), takes: Vec::new(), ahead: true };
            let mut piece = encode_head(&head);
            let intents = Record { opens: self.open.clone(), ..Record::new() };
            piece.extend_from_slice(&encode_record(&state.layer, &intents).map_err(encode)?);
            self.ahead = Some(ahead.clone());
            self.store.append(&ahead, 0, piece.into()).await?;
        }
        self.append_piece(encode_seal(&Seal { serial: base.serial, hash: base.hash.clone() })).await?;
        if let Some(last) = self.last_put {
            tokio::time::sleep(self.store.pause().saturating_sub(last.elapsed())).await;
        }
        if !self.lease.may_start() {
            return Err(lost());
        }
        let condition = self.version.clone().map_or(Condition::Absent, Condition::Matches);
        self.in_doubt = Some(base.hash.clone());
        self.last_put = Some(Instant::now());
        let size = bytes.len();
        let put = match put_checked(&*self.store, &self.key, bytes.clone(), condition).await {
            // Without an answer it may be there all the same.
            Err(error) if !matches!(error, StoreError::Precondition { .. }) => match self.store.get(&self.key).await {
                Ok(Some((there, version))) if there == bytes => Ok(version),
                _ => Err(error),
            },
            put => put,
        };
        match put {
            Ok(version) => self.version = Some(version),
            Err(error) => {
                if matches!(error, StoreError::Precondition { .. }) {
                    self.in_doubt = None;
                }
                return Err(error.into());
            }
        }
        self.in_doubt = None;
        self.ahead = None;
        self.state = state;
        self.base = base;
        self.size = size;
        self.changed = false;
        self.bytes = 0;
        let old = std::mem::replace(&mut self.log, ahead);
        self.pieces = u64::from(!self.open.is_empty());
        self.done_with.push(old);
        // Left-over logs are sealed with this snapshot; they must be gone before the next one, not now.
        let _ = self.sweep().await;
        Ok(())
    }

    /// Finds out whether a snapshot was written whose answer was lost.
    async fn settle_doubt(&mut self) -> Result<(), StateError> {
        let Some(hash) = &self.in_doubt else { return Ok(()) };
        match self.store.get(&self.key).await? {
            Some((bytes, version)) if hash_of(&bytes) == *hash => {
                // It was. This run's log goes on behind its seal, so that nothing recorded since is lost.
                self.base =
                    Base { serial: self.base.serial + 1, hash: hash.clone(), lineage: self.base.lineage.clone() };
                self.version = Some(version);
                self.size = bytes.len();
                // Its moved intents are in this log before the seal only: they must stand behind it before they go there.
                // The log with them goes like any other that was written ahead.
                self.in_doubt = None;
                if !self.open.is_empty() {
                    let intents = Record { opens: self.open.clone(), ..Record::new() };
                    let line = encode_record(&self.state.layer, &intents)
                        .map_err(|source| StateError::Encode { key: self.key.to_string(), source })?;
                    self.append_piece(line).await?;
                }
            }
            _ => self.in_doubt = None,
        }
        Ok(())
    }
}
