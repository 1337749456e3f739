//! Drawing trees of differences in the notation of plans.
//!
//! Every line of level `n` starts with `4n + 2` columns, a marker and a space, so that a line of level `n + 1` lines up
//! under the text of its parent.

use std::fmt::Write as _;

use crate::change::Action;
use crate::value::{Str, Value};

use super::super::literal;
use super::super::style::{Ink, Style};
use super::block::{BlockDiff, Nested};
use super::sequence::{Pairing, pair_lines};
use super::{Diff, Kind, Notation, SensitiveNote};

/// Attributes that are shown even where they do not change: they tell which object it is.
const TELLING: &[&str] = &["id", "name", "tags"];

/// A text under construction.
pub(in crate::view) struct Drawing {
    /// What was drawn so far.
    pub out: String,
    /// Colours.
    pub style: Style,
    /// Whether unchanged parts are drawn like all others, as `state show` does.
    pub everything: bool,
    /// Whether markers are left out, and the columns for them: `state show`.
    pub bare: bool,
    /// Whether a sensitive value that is not known yet says so.
    pub tells_unknown: bool,
}

impl Drawing {
    /// An empty plan drawing.
    pub fn new(style: Style) -> Self {
        Drawing { out: String::new(), style, everything: false, bare: false, tells_unknown: false }
    }

    /// The columns before the text of a line without a marker.
    fn pad(&self, level: usize) -> usize {
        if self.bare { 4 * level } else { 4 * level + 4 }
    }

    /// Begins a line: indentation, marker, space.
    pub fn start(&mut self, level: usize, action: Action) {
        if self.bare {
            let _ = write!(self.out, "{:1$}", "", 4 * level);
            return;
        }
        let symbol = action.symbol();
        let _ = write!(self.out, "{:1$}", "", (4 * level + 3).saturating_sub(symbol.len()));
        let symbol = self.style.symbol(action);
        self.out.push_str(&symbol);
        self.out.push(' ');
    }

    fn comment(&mut self, level: usize, text: &str) {
        let text = self.style.paint(Ink::Dim, text);
        let _ = writeln!(self.out, "{:1$}{text}", "", self.pad(level));
    }

    fn close(&mut self, level: usize, text: &str) {
        let _ = write!(self.out, "{:1$}{text}", "", self.pad(level));
    }

    fn forces(&mut self, replace: bool) {
        if replace {
            let text = self.style.paint(Ink::Red, "# forces replacement");
            self.out.push(' ');
            self.out.push_str(&text);
        }
    }

    /// The lines of a block's content at a level, without its braces.
    pub fn content(&mut self, diff: &BlockDiff, level: usize) {
        let begin = self.out.len();
        let width = diff.attributes.iter().map(|(name, _)| literal::key(name).chars().count()).max().unwrap_or(0);
        let mut hidden = 0;
        for (name, attribute) in &diff.attributes {
            if attribute.action == Action::NoOp && !self.everything && !TELLING.contains(&name.as_str()) {
                hidden += 1;
                continue;
            }
            let nulls = attribute.action == Action::Delete;
            if was_empty_text(attribute) {
                // As Terraform shows it, of a whole attribute.
                let shown = Diff { kind: Kind::Unknown { before: Some(Box::new(null())) }, ..attribute.clone() };
                self.named(&literal::key(name), width, &shown, level, nulls);
            } else {
                self.named(&literal::key(name), width, attribute, level, nulls);
            }
        }
        if hidden > 0 {
            self.comment(level, &unchanged(hidden, "attribute"));
        }
        let mut hidden = 0;
        for (name, nested) in &diff.blocks {
            let mut first = true;
            for one in nested {
                if one.action() == Action::NoOp && !self.everything {
                    hidden += 1;
                    continue;
                }
                if first && self.out.len() > begin {
                    self.out.push('\n');
                }
                first = false;
                self.nested(name, one, level);
            }
        }
        if hidden > 0 {
            if self.out.len() > begin {
                self.out.push('\n');
            }
            self.comment(level, &unchanged(hidden, "block"));
        }
    }

    fn nested(&mut self, name: &str, nested: &Nested, level: usize) {
        self.start(level, nested.action());
        self.out.push_str(&literal::key(name));
        match nested {
            Nested::Unknown { replace, .. } => {
                self.out.push(' ');
                self.out.push_str(literal::UNKNOWN);
                self.forces(*replace);
            }
            Nested::Sensitive { replace, .. } => {
                self.out.push_str(" {");
                self.forces(*replace);
                self.out.push('\n');
                self.comment(level + 1, "# Its content is sensitive and not shown.");
                self.close(level, "}");
            }
            Nested::Known { label, diff } => {
                if let Some(label) = label {
                    let _ = write!(self.out, " {}", literal::quoted(label));
                }
                if diff.attributes.is_empty() && diff.blocks.is_empty() {
                    self.out.push_str(" {}");
                    self.forces(diff.replace);
                } else {
                    self.out.push_str(" {");
                    self.forces(diff.replace);
                    self.out.push('\n');
                    self.content(diff, level + 1);
                    self.close(level, "}");
                }
            }
        }
        self.out.push('\n');
    }

    /// One `name = value` line with all that belongs to it. `nulls` ends a removed value with `-> null`.
    pub fn named(&mut self, name: &str, width: usize, diff: &Diff, level: usize, nulls: bool) {
        self.note(diff, level);
        self.start(level, diff.action);
        let pad = width.saturating_sub(name.chars().count());
        let _ = write!(self.out, "{name}{:pad$} = ", "");
        self.value(diff, level, nulls);
        self.out.push('\n');
    }

    fn note(&mut self, diff: &Diff, level: usize) {
        let Kind::Sensitive { note: Some(note), .. } = &diff.kind else { return };
        let (text, same) = match note {
            SensitiveNote::Becomes { same } => ("from now on this value is sensitive and not shown.", *same),
            SensitiveNote::Ends { same } => {
                ("from now on this value is not sensitive any more and will be shown.", *same)
            }
        };
        let same = if same { " It stays the same." } else { "" };
        let warning = self.style.paint(Ink::Yellow, "# Warning:");
        let _ = writeln!(self.out, "{:1$}{warning} {text}{same}", "", 4 * level + 2);
    }

    /// A value behind `=` or as an element, up to the end of its last line.
    pub fn value(&mut self, diff: &Diff, level: usize, nulls: bool) {
        let opens = match &diff.kind {
            Kind::Scalar { before, after } => {
                self.scalar(before.as_ref(), after.as_ref(), diff.action);
                false
            }
            Kind::Lines { before, after } => {
                self.lines(before.as_ref(), after.as_ref(), diff, level);
                true
            }
            Kind::Json { inner, layout } => {
                self.json(inner, *layout, diff, level);
                true
            }
            Kind::Entries { entries, notation } => {
                self.entries(entries, *notation, diff, level);
                !entries.is_empty()
            }
            Kind::Items { items, set } => {
                self.items(items, *set, diff, level);
                !items.is_empty()
            }
            Kind::Replaced { before, after } => {
                self.value(before, level, false);
                self.arrow();
                self.value(after, level, false);
                false
            }
            Kind::Unknown { before } => {
                if let Some(before) = before {
                    self.value(before, level, false);
                    self.arrow();
                }
                self.out.push_str(literal::UNKNOWN);
                false
            }
            Kind::Sensitive { unknown, .. } => {
                let text =
                    if *unknown && self.tells_unknown { "(sensitive, known after apply)" } else { literal::SENSITIVE };
                self.out.push_str(text);
                false
            }
        };
        if nulls && diff.action == Action::Delete && !is_null(diff) {
            self.arrow();
            self.out.push_str(&self.style.paint(Ink::Dim, "null"));
        }
        if !opens {
            self.forces(diff.replace);
        }
    }

    fn arrow(&mut self) {
        let arrow = self.style.paint(Ink::Yellow, "->");
        let _ = write!(self.out, " {arrow} ");
    }

    fn scalar(&mut self, before: Option<&Value>, after: Option<&Value>, action: Action) {
        let text = |side: Option<&Value>| side.map_or_else(|| "null".to_owned(), literal::scalar);
        match (before, after) {
            (Some(before), Some(after)) if action != Action::NoOp => {
                self.out.push_str(&literal::scalar(before));
                self.arrow();
                self.out.push_str(&literal::scalar(after));
            }
            (before, after) => self.out.push_str(&text(after.or(before))),
        }
    }

    fn lines(&mut self, before: Option<&Str>, after: Option<&Str>, diff: &Diff, level: usize) {
        self.out.push_str("<<-EOT");
        self.forces(diff.replace);
        self.out.push('\n');
        let split = |text: Option<&Str>| -> Vec<String> {
            let text = text.map_or("", |text| text.trim_matches('\n'));
            text.split('\n').map(visible).collect()
        };
        let (old, new) = (split(before), split(after));
        match (before, after) {
            (Some(_), Some(_)) if diff.action != Action::NoOp => {
                let refs = |lines: &[String]| -> Vec<String> { lines.to_vec() };
                let (old, new) = (refs(&old), refs(&new));
                let (old_refs, new_refs): (Vec<&str>, Vec<&str>) =
                    (old.iter().map(String::as_str).collect(), new.iter().map(String::as_str).collect());
                for pairing in pair_lines(&old_refs, &new_refs) {
                    let (action, line) = match pairing {
                        Pairing::Both(_, at) => (Action::NoOp, new_refs[at]),
                        Pairing::Before(at) => (Action::Delete, old_refs[at]),
                        Pairing::After(at) => (Action::Create, new_refs[at]),
                    };
                    self.start(level + 1, action);
                    self.out.push_str(line);
                    self.out.push('\n');
                }
            }
            (before, after) => {
                let lines = if after.is_some() || before.is_none() { new } else { old };
                for line in lines {
                    self.start(level + 1, Action::NoOp);
                    self.out.push_str(&line);
                    self.out.push('\n');
                }
            }
        }
        self.close(level, "EOT");
    }

    fn json(&mut self, inner: &Diff, layout: bool, diff: &Diff, level: usize) {
        self.out.push_str("jsonencode(");
        let empty = |diff: &Diff| match &diff.kind {
            Kind::Entries { entries, .. } => entries.is_empty(),
            Kind::Items { items, .. } => items.is_empty(),
            _ => false,
        };
        if empty(inner) && !layout {
            self.value(inner, level, false);
            self.out.push(')');
            self.forces(diff.replace);
            return;
        }
        if layout {
            self.out.push_str(" # whitespace changes");
        }
        self.forces(diff.replace);
        self.out.push('\n');
        let shown = if inner.action == Action::Update { Action::Update } else { Action::NoOp };
        self.start(level + 1, shown);
        self.value(inner, level + 1, false);
        self.out.push('\n');
        self.close(level, ")");
    }

    fn entries(&mut self, entries: &[(Str, Diff)], notation: Notation, diff: &Diff, level: usize) {
        if entries.is_empty() {
            self.out.push_str("{}");
            return;
        }
        self.out.push('{');
        self.forces(diff.replace);
        self.out.push('\n');
        let key = |name: &Str| if notation == Notation::Map { literal::quoted(name) } else { literal::key(name) };
        let width = entries.iter().map(|(name, _)| key(name).chars().count()).max().unwrap_or(0);
        let hides = diff.action == Action::Update && !self.everything;
        let mut hidden = 0;
        for (name, entry) in entries {
            let telling = notation != Notation::Map && TELLING.contains(&name.as_str());
            if hides && entry.action == Action::NoOp && !telling {
                hidden += 1;
                continue;
            }
            // What a schema declares and nobody has set is not there; in a map and in content of open type a null was written.
            if self.everything && notation == Notation::Object && is_null(entry) {
                continue;
            }
            let nulls = notation != Notation::Open && diff.action == Action::Update;
            self.named(&key(name), width, entry, level + 1, nulls);
        }
        if hidden > 0 {
            self.comment(
                level + 1,
                &unchanged(hidden, if notation == Notation::Map { "element" } else { "attribute" }),
            );
        }
        self.close(level, "}");
    }

    fn items(&mut self, items: &[Diff], set: bool, diff: &Diff, level: usize) {
        if items.is_empty() {
            self.out.push_str("[]");
            return;
        }
        self.out.push('[');
        self.forces(diff.replace);
        self.out.push('\n');
        let hides = diff.action == Action::Update && !self.everything;
        let changes =
            |at: Option<usize>| at.and_then(|at| items.get(at)).is_some_and(|item| item.action != Action::NoOp);
        let mut hidden = 0;
        for (at, item) in items.iter().enumerate() {
            // In a list the neighbours of a change tell where it is; in a set there is no place.
            let neighbour = !set && (changes(at.checked_sub(1)) || changes(Some(at + 1)));
            if hides && item.action == Action::NoOp && !neighbour {
                hidden += 1;
                continue;
            }
            if hidden > 0 && !set {
                self.comment(level + 1, &unchanged(hidden, "element"));
                hidden = 0;
            }
            self.note(item, level + 1);
            self.start(level + 1, item.action);
            self.value(item, level + 1, false);
            self.out.push_str(",\n");
        }
        if hidden > 0 {
            self.comment(level + 1, &unchanged(hidden, "element"));
        }
        self.close(level, "]");
    }
}

/// A line of a text with what a terminal would act on made visible; tabs stay.
fn visible(line: &str) -> String {
    if !line.chars().any(|c| c.is_control() && c != '\t') {
        return line.to_owned();
    }
    line.chars()
        .map(|c| if c.is_control() && c != '\t' { format!("\\x{:02x}", c as u32) } else { c.to_string() })
        .collect()
}

/// Whether an attribute was an empty text, and is known only after the apply.
fn was_empty_text(diff: &Diff) -> bool {
    let Kind::Unknown { before: Some(before) } = &diff.kind else { return false };
    let Kind::Scalar { before, after } = &before.kind else { return false };
    before.as_ref().or(after.as_ref()).and_then(Value::as_str) == Some("")
}

fn null() -> Diff {
    Diff::new(Action::NoOp, Kind::Scalar { before: None, after: None })
}

fn is_null(diff: &Diff) -> bool {
    matches!(&diff.kind, Kind::Scalar { before: None | Some(Value::Null(_)), after: None | Some(Value::Null(_)) })
}

fn unchanged(count: usize, what: &str) -> String {
    format!("# ({count} unchanged {what}{} hidden)", if count == 1 { "" } else { "s" })
}
