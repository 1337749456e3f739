//! The journal: what a run is about to do and what it has done, durable before anybody is told.
//!
//! A log extends one snapshot. It is lines of JSON, `{"sum":CHECKSUM,"line":LINE}`: first a [`Head`] that names the run and the
//! snapshot, then [`Record`]s, and before the next snapshot is written a [`Seal`] that names that one. In: records. Out: bytes
//! for a store's log, and back; [`Folded`], the records of a log in short. Not here: when pieces are written (`commit`), which
//! logs count (`recover`).

mod line;
mod record;
#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests;

pub use line::{Base, Head, JournalError, Line, Run, Seal, Taken, encode_record, frame, read_pieces};
pub use record::{OpenIntent, Put, Record, Settlement};

pub(super) use line::{encode_head, encode_seal, hex};
