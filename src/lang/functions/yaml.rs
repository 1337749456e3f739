//! `yamlencode` and `yamldecode`.
//!
//! Encoding reproduces Terraform's output byte for byte, because it ends up in attributes that are compared: every string and
//! key in double quotes, folded beyond column 80, except that text of several lines is a literal block wherever that can
//! hold it.

use super::arguments::text;
use super::yaml_read::read;
use super::{Context, Function, FunctionError, Param, Returns};
use crate::value::{Type, Value};

/// Indentation of a level.
const STEP: usize = 2;

/// Lines are folded at the first blank beyond this column.
const WIDTH: usize = 80;

/// Longer keys are written with a question mark.
const LONGEST_KEY: usize = 128;

pub(super) static FUNCTIONS: &[Function] = &[
    Function::new(
        "yamldecode",
        &[Param::string("src")],
        Returns::From(|arguments| match arguments.first().and_then(Value::as_str).map(read) {
            Some(Ok(value)) => value.ty(),
            _ => Type::Any,
        }),
        |arguments, _| read(text(arguments, 0)).map_err(FunctionError::failed),
    ),
    Function::new("yamlencode", &[Param::any("value").null().unknown()], Returns::String, encode),
];

fn encode(arguments: &[Value], _: &Context<'_>) -> Result<Value, FunctionError> {
    let Some(value) = arguments.first() else { return Ok(Value::NULL) };
    if !value.is_wholly_known() {
        return Ok(Value::unknown_not_null(Type::String));
    }
    let mut writer = Writer { out: String::new(), column: 0, blank: true, indenting: true };
    let plain = writer.node(value, None, false);
    writer.indent(0);
    if plain {
        // A plain scalar at the top might go on in the next line, were it not ended.
        writer.out.push_str("...\n");
    }
    Ok(Value::string(writer.out))
}

/// Writes nodes; knows where in the line it is, as indicators share lines: `- - "a": 1`.
struct Writer {
    out: String,
    column: usize,
    /// Whether the last thing written was a blank.
    blank: bool,
    /// Whether the line holds nothing but indentation and indicators so far.
    indenting: bool,
}

impl Writer {
    fn push(&mut self, char: char) {
        self.out.push(char);
        self.column += 1;
    }

    fn line_break(&mut self) {
        self.out.push('\n');
        self.column = 0;
    }

    /// Goes to a column, in this line where nothing stands in the way.
    fn indent(&mut self, column: usize) {
        if !self.indenting || self.column > column || self.column == column && !self.blank {
            self.line_break();
        }
        while self.column < column {
            self.push(' ');
        }
        self.blank = true;
        self.indenting = true;
    }

    fn indicator(&mut self, indicator: &str, apart: bool, keeps_indenting: bool) {
        if apart && !self.blank {
            self.push(' ');
        }
        indicator.chars().for_each(|char| self.push(char));
        self.blank = false;
        self.indenting = self.indenting && keeps_indenting;
    }

    /// Writes a value. `level` is the column of what it stands in, `None` at the top; `in_mapping`: it is the value of a key.
    /// Says whether it was a plain scalar.
    fn node(&mut self, value: &Value, level: Option<usize>, in_mapping: bool) -> bool {
        let deeper = level.map_or(0, |level| level + STEP);
        match value.bare() {
            Value::Null(_) | Value::Unknown(_) => self.indicator("null", true, false),
            Value::Bool(value) => self.indicator(if *value { "true" } else { "false" }, true, false),
            Value::Number(number) => self.indicator(&number.to_string(), true, false),
            Value::String(text) => {
                // What goes on in further lines is indented by one level even at the top.
                self.string(text, level.map_or(STEP, |level| level + STEP), false);
                return false;
            }
            Value::List(_) | Value::Set(_) | Value::Tuple(_) => {
                let items = value.as_items().unwrap_or_default();
                // A sequence under a key needs no indentation, unless it starts in the line of an indicator.
                let column = if in_mapping && !self.indenting { level.unwrap_or(0) } else { deeper };
                for item in items {
                    self.indent(column);
                    self.indicator("-", true, true);
                    self.node(item, Some(column), false);
                }
                if items.is_empty() {
                    self.indicator("[]", true, false);
                }
                return false;
            }
            Value::Map(_) | Value::Object(_) | Value::Marked(_) => {
                let entries = value.as_entries();
                for (key, part) in entries.into_iter().flatten() {
                    self.indent(deeper);
                    if key.len() <= LONGEST_KEY && !key.contains('\n') {
                        self.string(key, deeper + STEP, true);
                        self.indicator(":", false, false);
                    } else {
                        self.indicator("?", true, true);
                        self.string(key, deeper + STEP, false);
                        self.indent(deeper);
                        self.indicator(":", true, true);
                    }
                    self.node(part, Some(deeper), true);
                }
                if entries.is_none_or(|entries| entries.is_empty()) {
                    self.indicator("{}", true, false);
                }
                return false;
            }
        }
        true
    }

    fn string(&mut self, text: &str, column: usize, key: bool) {
        if !key && text.contains('\n') && fits_literal(text) {
            self.literal(text, column);
        } else {
            self.quoted(text, column, !key);
        }
    }

    fn literal(&mut self, text: &str, column: usize) {
        self.indicator("|", true, false);
        if text.starts_with([' ', '\n']) {
            self.indicator("2", false, false);
        }
        let keep = match text.strip_suffix('\n') {
            None => "-",
            Some("") => "+",
            Some(rest) if rest.ends_with('\n') => "+",
            Some(_) => "",
        };
        self.indicator(keep, false, false);
        self.line_break();
        for (index, line) in text.split('\n').enumerate() {
            if index > 0 {
                self.line_break();
            }
            if !line.is_empty() {
                (0..column).for_each(|_| self.push(' '));
                line.chars().for_each(|char| self.push(char));
            }
        }
        let ended = text.ends_with('\n');
        (self.blank, self.indenting) = (ended, ended);
    }

    fn quoted(&mut self, text: &str, column: usize, may_fold: bool) {
        self.indicator("\"", true, false);
        let last = text.len().saturating_sub(1);
        let mut after_blank = false;
        for (at, char) in text.char_indices() {
            if char != ' ' {
                self.quoted_char(char);
                after_blank = false;
                continue;
            }
            if may_fold && !after_blank && self.column > WIDTH && at > 0 && at < last {
                self.line_break();
                (0..column).for_each(|_| self.push(' '));
                if text[at + 1..].starts_with(' ') {
                    self.push('\\');
                }
            } else {
                self.push(' ');
            }
            after_blank = true;
        }
        self.push('"');
        (self.blank, self.indenting) = (false, false);
    }

    fn quoted_char(&mut self, char: char) {
        let code = u32::from(char);
        let escape = match char {
            '"' => "\\\"".to_owned(),
            '\\' => "\\\\".to_owned(),
            '\0' => "\\0".to_owned(),
            '\u{7}' => "\\a".to_owned(),
            '\u{8}' => "\\b".to_owned(),
            '\t' => "\\t".to_owned(),
            '\n' => "\\n".to_owned(),
            '\u{b}' => "\\v".to_owned(),
            '\u{c}' => "\\f".to_owned(),
            '\r' => "\\r".to_owned(),
            '\u{1b}' => "\\e".to_owned(),
            '\u{85}' => "\\N".to_owned(),
            '\u{2028}' => "\\L".to_owned(),
            '\u{2029}' => "\\P".to_owned(),
            _ if is_printable(char) => return self.push(char),
            _ if code <= 0xFF => format!("\\x{code:02X}"),
            _ if code <= 0xFFFF => format!("\\u{code:04X}"),
            _ => format!("\\U{code:08X}"),
        };
        escape.chars().for_each(|char| self.push(char));
    }
}

/// Whether Terraform's encoder writes a character as it is; it knows nothing beyond the basic plane.
fn is_printable(char: char) -> bool {
    matches!(char, ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}')
}

/// Whether a literal block can hold a text: no blanks at ends of lines, nothing that must be escaped.
fn fits_literal(text: &str) -> bool {
    !text.split('\n').any(|line| line.ends_with(' '))
        && text.chars().all(|char| char == '\n' || is_printable(char) && !matches!(char, '\u{2028}' | '\u{2029}'))
}
