//! YAML as Go's library writes it: words without quotes wherever they mean themselves, folded beyond column 80, lists at the column of
//! their key, keys in natural order.

use std::cmp::Ordering;

use serde_json::{Map, Value as Json};

use super::yaml_read::read;

/// Lines are folded at the first blank beyond this column.
const WIDTH: usize = 80;

/// A document.
pub(super) fn document(object: &Map<String, Json>) -> String {
    let mut writer = Writer { out: String::new(), column: 0 };
    if object.is_empty() {
        writer.put("{}\n");
    } else {
        writer.mapping(object, 0, true);
    }
    writer.out
}

struct Writer {
    out: String,
    column: usize,
}

impl Writer {
    fn put(&mut self, text: &str) {
        for char in text.chars() {
            self.out.push(char);
            self.column = if char == '\n' { 0 } else { self.column + 1 };
        }
    }

    fn line(&mut self, indent: usize) {
        self.put("\n");
        self.put(&" ".repeat(indent));
    }

    /// The entries, each on a line of its own; the first where the writer is when it `begins` there.
    fn mapping(&mut self, object: &Map<String, Json>, indent: usize, begins: bool) {
        let mut keys: Vec<&String> = object.keys().collect();
        keys.sort_by(|one, other| natural(one, other));
        for (at, key) in keys.into_iter().enumerate() {
            if at > 0 || !begins {
                self.put(&" ".repeat(indent));
            }
            self.scalar(key, indent, true);
            self.put(":");
            self.value(&object[key.as_str()], indent);
        }
    }

    /// What stands after a key, to the end of its lines.
    fn value(&mut self, value: &Json, indent: usize) {
        match value {
            Json::Object(object) if !object.is_empty() => {
                self.put("\n");
                self.mapping(object, indent + 2, false);
            }
            Json::Array(items) if !items.is_empty() => {
                self.put("\n");
                self.sequence(items, indent, false);
            }
            other => {
                self.put(" ");
                self.plain(other, indent);
            }
        }
    }

    fn sequence(&mut self, items: &[Json], indent: usize, begins: bool) {
        for (at, item) in items.iter().enumerate() {
            if at > 0 || !begins {
                self.put(&" ".repeat(indent));
            }
            self.put("- ");
            match item {
                Json::Object(object) if !object.is_empty() => self.mapping(object, indent + 2, true),
                Json::Array(items) if !items.is_empty() => self.sequence(items, indent + 2, true),
                other => self.plain(other, indent),
            }
        }
    }

    /// What has no parts of its own, to the end of its line.
    fn plain(&mut self, value: &Json, indent: usize) {
        match value {
            Json::String(text) => self.scalar(text, indent, false),
            Json::Null => self.put("null"),
            Json::Bool(value) => self.put(if *value { "true" } else { "false" }),
            Json::Number(number) => self.put(&number.to_string()),
            Json::Array(_) => self.put("[]"),
            Json::Object(_) => self.put("{}"),
        }
        if !self.out.ends_with('\n') || self.column > 0 {
            self.put("\n");
        }
    }

    fn scalar(&mut self, text: &str, indent: usize, key: bool) {
        let form = Form::of(text);
        if text.contains('\n') && !key && form.block {
            return self.literal(text, indent + 2);
        }
        if form.plain && means_itself(text) {
            return self.folded(text, indent + 2, key);
        }
        let is_text = !text.is_empty() && !text.contains('\n') && (!form.plain || means_itself(text));
        if is_text && form.single {
            self.put("'");
            self.folded(&text.replace('\'', "''"), indent + 2, key);
            self.put("'");
            return;
        }
        self.double(text, indent + 2, key);
    }

    fn folded(&mut self, text: &str, indent: usize, key: bool) {
        let chars: Vec<char> = text.chars().collect();
        for (at, char) in chars.iter().enumerate() {
            let inside = at > 0 && at + 1 < chars.len() && chars[at - 1] != ' ' && chars[at + 1] != ' ';
            if *char == ' ' && !key && inside && self.column > WIDTH {
                self.line(indent);
            } else {
                self.put(char.encode_utf8(&mut [0; 4]));
            }
        }
    }

    fn double(&mut self, text: &str, indent: usize, key: bool) {
        self.put("\"");
        let chars: Vec<char> = text.chars().collect();
        for (at, char) in chars.iter().enumerate() {
            match char {
                '"' => self.put("\\\""),
                '\\' => self.put("\\\\"),
                '\n' => self.put("\\n"),
                '\t' => self.put("\\t"),
                '\r' => self.put("\\r"),
                '\0' => self.put("\\0"),
                '\u{feff}' => self.put("\\uFEFF"),
                control if control.is_control() => self.put(&format!("\\x{:02X}", u32::from(*control))),
                ' ' if !key && at > 0 && at + 1 < chars.len() && chars[at - 1] != ' ' && self.column > WIDTH => {
                    self.line(indent);
                    if chars[at + 1] == ' ' {
                        self.put("\\");
                    }
                }
                other => self.put(other.encode_utf8(&mut [0; 4])),
            }
        }
        self.put("\"");
    }

    fn literal(&mut self, text: &str, indent: usize) {
        self.put("|");
        if text.starts_with([' ', '\n']) {
            self.put("2");
        }
        let body = match text.strip_suffix('\n') {
            None => {
                self.put("-");
                text
            }
            Some(body) if body.ends_with('\n') || body.is_empty() => {
                self.put("+");
                body
            }
            Some(body) => body,
        };
        self.put("\n");
        for line in body.split('\n') {
            if !line.is_empty() {
                self.put(&" ".repeat(indent));
                self.put(line);
            }
            self.put("\n");
        }
    }
}

/// In which forms a text may stand.
struct Form {
    plain: bool,
    single: bool,
    block: bool,
}

impl Form {
    fn of(text: &str) -> Form {
        let special = text.chars().any(|char| char != '\n' && char.is_control() || char == '\u{feff}');
        let space_break = text.contains(" \n");
        let break_space = text.contains("\n ");
        let blank_end = text.ends_with(' ');
        let edges = text.starts_with([' ', '\n']) || text.ends_with([' ', '\n']);
        Form {
            plain: !(special || edges || text.contains('\n') || has_indicators(text)),
            single: !(special || space_break || break_space),
            block: !(special || space_break || blank_end),
        }
    }
}

/// Whether a text has signs that mean something where it stands.
fn has_indicators(text: &str) -> bool {
    const FIRST: [char; 17] =
        ['#', ',', '[', ']', '{', '}', '&', '*', '!', '|', '>', '\'', '"', '%', '@', '`', '\u{85}'];
    let blank = |char: Option<&char>| char.is_none_or(|char| matches!(char, ' ' | '\t'));
    let chars: Vec<char> = text.chars().collect();
    let first = chars
        .first()
        .is_some_and(|first| FIRST.contains(first) || (matches!(first, '?' | ':' | '-') && blank(chars.get(1))));
    first
        || text.starts_with("---")
        || text.starts_with("...")
        || chars.iter().enumerate().skip(1).any(|(at, char)| match char {
            ':' => blank(chars.get(at + 1)),
            '#' => blank(chars.get(at - 1)),
            _ => false,
        })
}

/// Whether a text without quotes is read as itself, and not as a number, a date or a truth value.
fn means_itself(text: &str) -> bool {
    let digits = |text: &str, counts: std::ops::RangeInclusive<usize>| {
        counts.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    let day = text.split(['T', 't', ' ']).next().unwrap_or_default();
    let parts: Vec<&str> = day.split('-').collect();
    let is_date = matches!(parts[..], [year, month, day]
        if digits(year, 4..=4) && digits(month, 1..=2) && digits(day, 1..=2));
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let is_base_60 = unsigned.contains(':')
        && unsigned.split(':').all(|part| part.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.'))
        && unsigned.starts_with(|first: char| first.is_ascii_digit());
    !is_date && !is_base_60 && read(text).is_ok_and(|value| value.as_str() == Some(text))
}

/// The order of keys: letters after all else, numbers by what they count.
fn natural(one: &str, other: &str) -> Ordering {
    let (a, b): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    let number = |chars: &[char], at: usize| {
        let begin = chars[..at].iter().rposition(|char| !char.is_ascii_digit()).map_or(0, |before| before + 1);
        let digits = chars[begin..].iter().take_while(|char| char.is_ascii_digit());
        digits.collect::<String>().parse::<u128>().ok()
    };
    for at in 0..a.len().min(b.len()) {
        if a[at] == b[at] {
            continue;
        }
        match (a[at].is_alphabetic(), b[at].is_alphabetic()) {
            (true, false) => return Ordering::Greater,
            (false, true) => return Ordering::Less,
            (true, true) => return a[at].cmp(&b[at]),
            (false, false) => {
                let counted = number(&a, at).zip(number(&b, at)).map(|(one, other)| one.cmp(&other));
                return counted.filter(|order| order.is_ne()).unwrap_or_else(|| a[at].cmp(&b[at]));
            }
        }
    }
    a.len().cmp(&b.len())
}
