//! Format strings: their verbs, and how each writes a value. The rules are those of Go's `fmt`, as far as Terraform has
//! them.

use unicode_segmentation::UnicodeSegmentation;

use crate::value::{Decimal, Number, Type, Value, convert, to_json};

/// Wider fields and more digits are refused; they would only serve to exhaust memory.
const WIDEST: usize = 1 << 16;

/// A part of a format string.
pub(super) enum Verb<'f> {
    /// Text that stands for itself.
    Literal(&'f str),
    /// A place to be filled.
    Place(Place<'f>),
}

/// A place to be filled.
pub(super) struct Place<'f> {
    /// As it is written.
    raw: &'f str,
    /// Where it stands, in bytes.
    offset: usize,
    minus: bool,
    plus: bool,
    zero: bool,
    space: bool,
    sharp: bool,
    width: usize,
    precision: Option<usize>,
    /// Index of the argument.
    argument: usize,
    mode: char,
}

/// Takes a format string apart.
///
/// # Errors
/// In Terraform's words, when it is malformed.
pub(super) fn scan(format: &str) -> Result<Vec<Verb<'_>>, String> {
    let bytes = format.as_bytes();
    let mut verbs = Vec::new();
    let mut next_argument = 0;
    let mut at = 0;
    while at < bytes.len() {
        let start = at;
        at = format[at..].find('%').map_or(bytes.len(), |found| at + found);
        if at > start {
            verbs.push(Verb::Literal(&format[start..at]));
        }
        if at == bytes.len() {
            break;
        }
        if bytes.get(at + 1) == Some(&b'%') {
            verbs.push(Verb::Literal("%"));
            at += 2;
            continue;
        }
        let mut place = Place {
            raw: "",
            offset: at,
            minus: false,
            plus: false,
            zero: false,
            space: false,
            sharp: false,
            width: 0,
            precision: None,
            argument: next_argument,
            mode: 'v',
        };
        let begin = at;
        at += 1;
        while let Some(flag) = bytes.get(at) {
            match flag {
                b'-' => place.minus = true,
                b'+' => place.plus = true,
                b'0' => place.zero = true,
                b' ' => place.space = true,
                b'#' => place.sharp = true,
                _ => break,
            }
            at += 1;
        }
        place.width = digits(format, &mut at)?.unwrap_or(0);
        if bytes.get(at) == Some(&b'.') {
            at += 1;
            place.precision = Some(digits(format, &mut at)?.unwrap_or(0));
        }
        if bytes.get(at) == Some(&b'[') {
            at += 1;
            if !matches!(bytes.get(at), Some(b'1'..=b'9')) {
                return Err(unrecognized(format, at));
            }
            place.argument = digits(format, &mut at)?.unwrap_or(1) - 1;
            if bytes.get(at) != Some(&b']') {
                return Err(unrecognized(format, at));
            }
            at += 1;
        }
        match bytes.get(at) {
            Some(mode) if mode.is_ascii_alphabetic() => place.mode = char::from(*mode),
            _ => return Err(unrecognized(format, at)),
        }
        at += 1;
        place.raw = &format[begin..at];
        next_argument = place.argument + 1;
        verbs.push(Verb::Place(place));
    }
    Ok(verbs)
}

fn unrecognized(format: &str, at: usize) -> String {
    match format.get(at..).and_then(|rest| rest.chars().next()) {
        Some(char) => format!("unrecognized format character '{char}' at offset {at}"),
        None => format!("invalid format string starting at offset {}", format.len()),
    }
}

fn digits(format: &str, at: &mut usize) -> Result<Option<usize>, String> {
    let rest = &format[*at..];
    let length = rest.bytes().take_while(u8::is_ascii_digit).count();
    if length == 0 {
        return Ok(None);
    }
    let number = rest[..length].parse().ok().filter(|number| *number <= WIDEST);
    *at += length;
    number.map(Some).ok_or_else(|| format!("a number in the format string is above {WIDEST}"))
}

impl Verb<'_> {
    /// The index of the argument that it asks for.
    pub(super) fn argument(&self) -> Option<usize> {
        match self {
            Verb::Literal(_) => None,
            Verb::Place(place) => Some(place.argument),
        }
    }

    /// Writes itself with the arguments filled in.
    ///
    /// # Errors
    /// In Terraform's words, when the argument is missing or of the wrong kind.
    pub(super) fn write(&self, values: &[&Value], out: &mut String) -> Result<(), String> {
        let place = match self {
            Verb::Literal(text) => {
                out.push_str(text);
                return Ok(());
            }
            Verb::Place(place) => place,
        };
        let (raw, offset) = (place.raw, place.offset);
        let Some(value) = values.get(place.argument) else {
            let (need, have) = (place.argument + 1, values.len());
            return Err(format!(
                "not enough arguments for \"{raw}\" at {offset}: need index {need} but have {have} total"
            ));
        };
        match place.text(value) {
            Ok(text) => {
                out.push_str(&text);
                Ok(())
            }
            Err(Refusal::Verb) => {
                Err(format!("unsupported format verb '{}' in \"{raw}\" at offset {offset}", place.mode))
            }
            Err(Refusal::Value(reason)) => Err(format!("unsupported value for \"{raw}\" at {offset}: {reason}")),
        }
    }
}

/// Why a place cannot be filled.
enum Refusal {
    Verb,
    Value(String),
}

fn refuse<T>(reason: &str) -> Result<T, Refusal> {
    Err(Refusal::Value(reason.to_owned()))
}

impl Place<'_> {
    fn text(&self, value: &Value) -> Result<String, Refusal> {
        if value.is_null() && !matches!(self.mode, 'v') && "tbdoxXeEfgGsq".contains(self.mode) {
            return refuse("null value cannot be formatted");
        }
        let wanted = |ty: &Type| match convert(value, ty) {
            Ok(value) => Ok(value),
            Err(error) => refuse(&error.to_string()),
        };
        match self.mode {
            'v' => self.general(value),
            's' => Ok(self.padded(self.cut(wanted(&Type::String)?.as_str().unwrap_or_default()))),
            'q' => {
                let text = self.cut(wanted(&Type::String)?.as_str().unwrap_or_default());
                Ok(self.padded(to_json(&Value::from(text)).unwrap_or_default()))
            }
            't' => Ok(if wanted(&Type::Bool)?.as_bool() == Some(true) { "true" } else { "false" }.to_owned()),
            'b' | 'd' | 'o' | 'x' | 'X' => self.integer(wanted(&Type::Number)?.as_number().unwrap_or(&Number::ZERO)),
            'e' | 'E' | 'f' | 'g' | 'G' => Ok(self.float(wanted(&Type::Number)?.as_number().unwrap_or(&Number::ZERO))),
            _ => Err(Refusal::Verb),
        }
    }

    /// `%v`: numbers as `%g`, strings as they are, anything else as JSON; `%#v`: everything as JSON.
    fn general(&self, value: &Value) -> Result<String, Refusal> {
        let plain = Place { raw: self.raw, plus: false, space: false, precision: None, mode: 'g', ..*self };
        Ok(match value {
            Value::String(text) if !self.sharp => plain.padded(text.as_str().to_owned()),
            Value::Number(number) if !self.sharp => plain.float(number),
            other => match to_json(other) {
                Ok(json) => plain.padded(json),
                Err(error) => return refuse(&error.to_string()),
            },
        })
    }

    /// At most as many characters as the precision says.
    fn cut(&self, text: &str) -> String {
        match self.precision {
            Some(count) => text.graphemes(true).take(count).collect(),
            None => text.to_owned(),
        }
    }

    /// Filled up to the width.
    fn padded(&self, text: String) -> String {
        let missing = self.width.saturating_sub(text.graphemes(true).count());
        if missing == 0 {
            text
        } else if self.minus {
            text + &" ".repeat(missing)
        } else {
            (if self.zero { "0" } else { " " }).repeat(missing) + &text
        }
    }

    fn integer(&self, number: &Number) -> Result<String, Refusal> {
        let Some(whole) = number.as_integer() else { return refuse("an integer is required") };
        let (base, prefix) = match self.mode {
            'b' => (2, "0b"),
            'o' => (8, "0"),
            'x' => (16, "0x"),
            'X' => (16, "0X"),
            _ => (10, ""),
        };
        let digits = whole.in_radix(base).to_string().trim_start_matches('-').to_owned();
        let digits = if self.mode == 'X' { digits.to_uppercase() } else { digits };
        let zeros = "0".repeat(self.precision.unwrap_or(0).saturating_sub(digits.len()));
        let prefix = if self.sharp { prefix } else { "" };
        let zero_fill = self.zero && self.precision.is_none();
        Ok(self.signed(number.is_negative(), prefix, &format!("{zeros}{digits}"), zero_fill))
    }

    /// Sign, prefix and digits filled up to the width: with zeros after the sign, or with blanks around.
    fn signed(&self, negative: bool, prefix: &str, digits: &str, zero_fill: bool) -> String {
        let sign = match (negative, self.plus, self.space) {
            (true, ..) => "-",
            (false, true, _) => "+",
            (false, false, true) => " ",
            _ => "",
        };
        let missing = self.width.saturating_sub(sign.len() + prefix.len() + digits.len());
        if self.minus {
            format!("{sign}{prefix}{digits}{}", " ".repeat(missing))
        } else if zero_fill {
            format!("{sign}{prefix}{}{digits}", "0".repeat(missing))
        } else {
            format!("{}{sign}{prefix}{digits}", " ".repeat(missing))
        }
    }

    fn float(&self, number: &Number) -> String {
        let (Some(exact), Some(shortest)) = (number.exact_decimal(), number.decimal()) else {
            let infinite = number.to_string();
            return Place { zero: false, raw: self.raw, ..*self }.padded(infinite);
        };
        let negative = exact.negative;
        let digits = match self.mode {
            'f' => fixed(exact, self.precision.unwrap_or(6)),
            'e' | 'E' => scientific(exact, self.precision.unwrap_or(6), true),
            _ => {
                let (digits, least) = match self.precision {
                    None => (shortest, 6),
                    Some(precision) => {
                        let mut rounded = exact;
                        rounded.round(precision.max(1) as i64);
                        (rounded, precision.max(1) as i64)
                    }
                };
                let exponent = if digits.digits.is_empty() { 0 } else { digits.point - 1 };
                // Go decides by the precision, or by the digits there are where these are more.
                let limit = match self.precision {
                    Some(_) if least > digits.digits.len() as i64 && digits.digits.len() as i64 >= digits.point => {
                        digits.digits.len() as i64
                    }
                    _ => least,
                };
                if exponent < -4 || exponent >= limit {
                    let count = digits.digits.len().saturating_sub(1);
                    scientific(digits, count, false)
                } else {
                    let after = (digits.digits.len() as i64 - digits.point).max(0);
                    fixed(digits, usize::try_from(after).unwrap_or_default())
                }
            }
        };
        let digits = if matches!(self.mode, 'E' | 'G') { digits.to_uppercase() } else { digits };
        self.signed(negative, "", &digits, self.zero)
    }
}

/// `123.450`, with so many digits after the point.
fn fixed(mut number: Decimal, after: usize) -> String {
    number.round(number.point + after as i64);
    let digit = |index: i64| {
        let found = usize::try_from(index).ok().and_then(|index| number.digits.get(index));
        char::from(*found.unwrap_or(&b'0'))
    };
    let mut out: String = if number.point > 0 { (0..number.point).map(digit).collect() } else { "0".to_owned() };
    if after > 0 {
        out.push('.');
        out.extend((number.point..number.point + after as i64).map(digit));
    }
    out
}

/// `1.2345e+02`, with so many digits after the point.
fn scientific(mut number: Decimal, after: usize, round: bool) -> String {
    if round {
        number.round(after as i64 + 1);
    }
    let exponent = if number.digits.is_empty() { 0 } else { number.point - 1 };
    let digit = |index: usize| char::from(*number.digits.get(index).unwrap_or(&b'0'));
    let mut out = String::from(digit(0));
    if after > 0 {
        out.push('.');
        out.extend((1..=after).map(digit));
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    out + &format!("e{sign}{:02}", exponent.unsigned_abs())
}
