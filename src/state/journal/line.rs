//! Lines of a log: encoding, checking, reading.

use std::borrow::Cow;
use std::io::{self, Write};
use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use super::record::{OpenIntent, Put, Record};
use crate::addr::{DeposedKey, LayerName, Name, ProviderConfigAddr};
use crate::change::{Intent, Step};
use crate::state::format::{
    FormatError, InstanceIn, Known, OutputIn, Place, compact, fields_of_instance, fields_of_object, fields_of_place,
    output_fields, read_key, text,
};
use crate::state::model::{Object, Slot};

/// Who writes a log, for people.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Run {
    /// Names the run; letters, digits and dashes, begins with a letter or digit.
    pub id: String,
    /// `user@host`.
    pub who: String,
    /// The command: `apply`, `destroy`, `state settle`.
    pub operation: String,
    /// When it began, RFC 3339.
    pub started: String,
}

/// The snapshot that a log extends.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Base {
    /// Its serial; 0 before the first.
    pub serial: u64,
    /// SHA-256 of its bytes in hexadecimal digits; empty before the first.
    pub hash: String,
    /// Its lineage; before the first the one that the first will have.
    pub lineage: String,
}

/// Another log whose records this one holds as well.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Taken {
    /// The serial it extends.
    pub serial: u64,
    /// Its run.
    pub run: String,
    /// How many pieces of it are taken; a later one is not.
    pub pieces: u64,
}

/// First line of a log.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Head {
    /// Whose log.
    pub run: Run,
    /// What it extends.
    pub base: Base,
    /// Logs that were folded into this one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub takes: Vec<Taken>,
    /// Whether it was begun before its snapshot was written, and holds nothing yet but moved intents.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ahead: bool,
}

/// Says that a snapshot holding all records before this line is about to be written.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Seal {
    /// Its serial.
    pub serial: u64,
    /// SHA-256 of its bytes in hexadecimal digits.
    pub hash: String,
}

/// One line.
#[derive(Clone, PartialEq, Debug)]
pub enum Line {
    /// The first one.
    Head(Head),
    /// What happened.
    Record(Box<Record>),
    /// A snapshot follows.
    Seal(Seal),
}

/// Why a log cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// A line in the middle is damaged.
    #[error("line {line} of piece {piece} is damaged")]
    Damaged {
        /// Number of the piece.
        piece: u64,
        /// Number of the line in it, from 1.
        line: usize,
    },
    /// A line says something that this program does not understand.
    #[error("line {line} of piece {piece} is not understood: {reason}")]
    Foreign {
        /// Number of the piece.
        piece: u64,
        /// Number of the line in it, from 1.
        line: usize,
        /// Why not.
        reason: String,
    },
}

/// Encodes a head.
pub fn encode_head(head: &Head) -> Vec<u8> {
    encode_json("head", head)
}

/// Encodes a seal.
pub fn encode_seal(seal: &Seal) -> Vec<u8> {
    encode_json("seal", seal)
}

fn encode_json(kind: &str, content: &impl Serialize) -> Vec<u8> {
    // Texts and numbers only: nothing in it can fail to be JSON.
    let json = serde_json::to_string(content).unwrap_or_default();
    frame(format!("{{\"{kind}\":{json}}}").as_bytes())
}

/// Encodes a record of a layer's state.
///
/// # Errors
/// When the value of an output is not wholly known.
pub fn encode_record(layer: &LayerName, record: &Record) -> io::Result<Vec<u8>> {
    let mut line = Vec::with_capacity(512);
    write_record(&mut line, layer, record)?;
    Ok(frame(&line))
}

/// A line as it stands in a log: with its checksum.
pub fn frame(line: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(line.len() + 40);
    out.extend_from_slice(b"{\"sum\":\"");
    out.extend_from_slice(checksum(line).as_bytes());
    out.extend_from_slice(b"\",\"line\":");
    out.extend_from_slice(line);
    out.extend_from_slice(b"}\n");
    out
}

/// The first 16 hexadecimal digits of the line's SHA-256.
fn checksum(line: &[u8]) -> String {
    hex(&Sha256::digest(line)[..8])
}

/// Bytes as hexadecimal digits.
pub(in crate::state) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn write_record(out: &mut Vec<u8>, layer: &LayerName, record: &Record) -> io::Result<()> {
    out.extend_from_slice(b"{\"record\":{");
    let mut lists = Lists { out, some: false };
    if !record.opens.is_empty() {
        lists.begin("opens")?;
        for (index, open) in record.opens.iter().enumerate() {
            let step = match open.intent.step {
                Step::Create => "create",
                Step::Update => "update",
                Step::Delete => "delete",
            };
            write!(lists.out, "{}{{\"step\":\"{step}\",\"nonce\":", if index == 0 { "" } else { "," })?;
            text(lists.out, &open.intent.nonce)?;
            lists.out.push(b',');
            write_slot(lists.out, &open.slot())?;
            let object = open.object(open.intent.schema_version, open.intent.object.clone());
            write_object(lists.out, layer, &open.provider, &object)?;
        }
        lists.out.push(b']');
    }
    if !record.closes.is_empty() {
        lists.begin("closes")?;
        for (index, nonce) in record.closes.iter().enumerate() {
            lists.out.extend_from_slice(if index == 0 { b"" } else { b"," });
            text(lists.out, nonce)?;
        }
        lists.out.push(b']');
    }
    if !record.removes.is_empty() {
        lists.begin("removes")?;
        for (index, slot) in record.removes.iter().enumerate() {
            lists.out.extend_from_slice(if index == 0 { b"{" } else { b",{" });
            write_slot(lists.out, slot)?;
            lists.out.push(b'}');
        }
        lists.out.push(b']');
    }
    if !record.puts.is_empty() {
        lists.begin("puts")?;
        for (index, put) in record.puts.iter().enumerate() {
            lists.out.extend_from_slice(if index == 0 { b"{" } else { b",{" });
            write_slot(lists.out, &put.slot)?;
            write_object(lists.out, layer, &put.provider, &put.object)?;
        }
        lists.out.push(b']');
    }
    if !record.outputs.is_empty() {
        lists.begin("outputs")?;
        for (index, (name, output)) in record.outputs.iter().enumerate() {
            lists.out.extend_from_slice(if index == 0 { b"[" } else { b",[" });
            text(lists.out, name)?;
            match output {
                None => lists.out.extend_from_slice(b",null]"),
                Some(output) => {
                    lists.out.extend_from_slice(b",{");
                    output_fields(lists.out, output)?;
                    lists.out.extend_from_slice(b"}]");
                }
            }
        }
        lists.out.push(b']');
    }
    if let Some(json) = &record.check_results {
        write!(lists.out, "{}\"check_results\":{json}", if lists.some { "," } else { "" })?;
    }
    out.extend_from_slice(b"}}");
    Ok(())
}

struct Lists<'a> {
    out: &'a mut Vec<u8>,
    some: bool,
}

impl Lists<'_> {
    fn begin(&mut self, name: &str) -> io::Result<()> {
        let comma = if std::mem::replace(&mut self.some, true) { "," } else { "" };
        write!(self.out, "{comma}\"{name}\":[")
    }
}

fn write_slot(out: &mut Vec<u8>, slot: &Slot) -> io::Result<()> {
    fields_of_instance(out, slot.addr.key.as_ref(), slot.deposed.as_ref(), ",")?;
    fields_of_place(out, &slot.addr.module, &slot.addr.resource, ",")
}

/// The rest of an entry after its slot, with the closing brace.
fn write_object(
    out: &mut Vec<u8>,
    layer: &LayerName,
    provider: &ProviderConfigAddr,
    object: &Object,
) -> io::Result<()> {
    out.extend_from_slice(b",\"provider\":");
    text(out, &provider.to_string())?;
    out.extend_from_slice(b",\"object\":{");
    fields_of_object(out, layer, object, ",")?;
    out.extend_from_slice(b"}}");
    Ok(())
}

/// Reads the pieces of a log, in order. The end of the last piece may be torn: what is not whole there was never reported to
/// anybody and is left out.
///
/// # Errors
/// When a line before the end is damaged, or a whole line is not understood.
pub fn read_pieces(layer: &LayerName, pieces: &[(u64, Bytes)]) -> Result<Vec<(u64, Line)>, JournalError> {
    let mut known = Known::new(layer.clone());
    let mut lines = Vec::new();
    for (index, (piece, bytes)) in pieces.iter().enumerate() {
        let last_piece = index + 1 == pieces.len();
        let mut rest = &bytes[..];
        let mut number = 0;
        while !rest.is_empty() {
            number += 1;
            let (line, after) = match rest.iter().position(|byte| *byte == b'\n') {
                Some(end) => (&rest[..=end], &rest[end + 1..]),
                None => (rest, &rest[rest.len()..]),
            };
            match unframe(line) {
                Some(line) => {
                    let line = read_line(&mut known, line).map_err(|reason| JournalError::Foreign {
                        piece: *piece,
                        line: number,
                        reason,
                    })?;
                    lines.push((*piece, line));
                }
                // A tear: nothing whole may follow it.
                None if last_piece && after.split(|byte| *byte == b'\n').all(|line| unframe_bare(line).is_none()) => {
                    break;
                }
                None => return Err(JournalError::Damaged { piece: *piece, line: number }),
            }
            rest = after;
        }
    }
    Ok(lines)
}

fn unframe(line: &[u8]) -> Option<&str> {
    unframe_bare(line.strip_suffix(b"\n")?)
}

fn unframe_bare(line: &[u8]) -> Option<&str> {
    #[derive(Deserialize)]
    struct Frame<'a> {
        #[serde(borrow)]
        sum: Cow<'a, str>,
        #[serde(borrow)]
        line: &'a RawValue,
    }
    let frame: Frame<'_> = serde_json::from_slice(line).ok()?;
    (frame.sum == checksum(frame.line.get().as_bytes())).then(|| frame.line.get())
}

#[derive(Deserialize)]
struct LineIn<'a> {
    head: Option<Head>,
    #[serde(borrow)]
    record: Option<RecordIn<'a>>,
    seal: Option<Seal>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RecordIn<'a> {
    #[serde(borrow, default)]
    opens: Vec<EntryIn<'a>>,
    #[serde(default)]
    closes: Vec<String>,
    #[serde(borrow, default)]
    removes: Vec<EntryIn<'a>>,
    #[serde(borrow, default)]
    puts: Vec<EntryIn<'a>>,
    #[serde(borrow, default)]
    outputs: Vec<(Cow<'a, str>, Option<OutputIn<'a>>)>,
    #[serde(borrow, default)]
    check_results: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EntryIn<'a> {
    #[serde(borrow, default)]
    module: Cow<'a, str>,
    #[serde(borrow)]
    mode: Cow<'a, str>,
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow, default)]
    index_key: Option<&'a RawValue>,
    #[serde(borrow, default)]
    deposed: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    provider: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    object: Option<InstanceIn<'a>>,
    #[serde(default)]
    nonce: Option<String>,
    #[serde(borrow, default)]
    step: Option<Cow<'a, str>>,
}

impl EntryIn<'_> {
    fn slot(&self, known: &mut Known) -> Result<Slot, String> {
        let place = Place { module: &self.module, kind: &self.kind, name: &self.name };
        let (module, resource) = place.read(known, &self.mode)?;
        let key = read_key(self.index_key, known)?;
        let addr = resource.instance(known.layer.clone(), module, key);
        let deposed = self.deposed.as_deref().map(|key| DeposedKey(Name::from(key)));
        Ok(Slot { addr, deposed })
    }

    fn put(&self, known: &mut Known) -> Result<Put, String> {
        let slot = self.slot(known)?;
        let provider = self.provider.as_deref().and_then(|text| known.provider(text));
        let provider = provider.ok_or_else(|| format!("{slot} names no provider"))?;
        let object = self.object.as_ref().ok_or_else(|| format!("{slot} has no object"))?;
        let object = object.read(known, &|| slot.to_string()).map_err(|error: FormatError| error.to_string())?;
        Ok(Put { slot, provider, object: Arc::new(object) })
    }

    fn open(&self, known: &mut Known) -> Result<OpenIntent, String> {
        let Put { slot, provider, object } = self.put(known)?;
        let step = match self.step.as_deref() {
            Some("create") => Step::Create,
            Some("update") => Step::Update,
            Some("delete") => Step::Delete,
            _ => return Err(format!("the intent on {slot} has an unknown step")),
        };
        let nonce = self.nonce.clone().ok_or_else(|| format!("the intent on {slot} has no nonce"))?;
        let intent = Intent {
            addr: slot.addr,
            deposed: slot.deposed,
            step,
            nonce,
            schema_version: object.schema_version,
            object: object.attributes.clone(),
        };
        Ok(OpenIntent {
            intent,
            provider,
            dependencies: object.dependencies.clone(),
            create_before_destroy: object.create_before_destroy,
            sensitive: object.sensitive.clone(),
        })
    }
}

fn read_line(known: &mut Known, json: &str) -> Result<Line, String> {
    let line: LineIn<'_> = serde_json::from_str(json).map_err(|error| error.to_string())?;
    match line {
        LineIn { head: Some(head), record: None, seal: None } => Ok(Line::Head(head)),
        LineIn { head: None, record: None, seal: Some(seal) } => Ok(Line::Seal(seal)),
        LineIn { head: None, record: Some(record), seal: None } => {
            let outputs = record.outputs.iter().map(|(name, output)| {
                let output = output.as_ref().map(OutputIn::read).transpose()?;
                Ok((Name::from(name.as_ref()), output))
            });
            let outputs = outputs.collect::<Result<_, String>>()?;
            let check_results = record.check_results.map(|raw| compact(raw.get())).transpose();
            Ok(Line::Record(Box::new(Record {
                opens: record.opens.iter().map(|entry| entry.open(known)).collect::<Result<_, _>>()?,
                closes: record.closes,
                removes: record.removes.iter().map(|entry| entry.slot(known)).collect::<Result<_, _>>()?,
                puts: record.puts.iter().map(|entry| entry.put(known)).collect::<Result<_, _>>()?,
                outputs,
                check_results: check_results.map_err(|error| error.to_string())?,
            })))
        }
        _ => Err("neither a head, a record nor a seal".into()),
    }
}
