//! `csvdecode`: comma-separated values with a line of names, as RFC 4180 has them.

use std::collections::HashSet;

use super::arguments::{elements_of, text};
use super::{Context, Function, FunctionError, Param, Returns};
use crate::value::{Type, Value};

pub(super) static FUNCTIONS: &[Function] = &[Function::new("csvdecode", &[Param::string("str")], Returns::Any, decode)];

fn decode(arguments: &[Value], _: &Context<'_>) -> Result<Value, FunctionError> {
    let failed =
        |(line, reason): (usize, &str)| FunctionError::failed(format!("CSV parse error on line {line}: {reason}"));
    let mut reader = Reader { rest: text(arguments, 0), line: 1 };
    let Some((_, names)) = reader.record().map_err(failed)? else {
        return Err(FunctionError::failed("missing header line"));
    };
    let mut seen = HashSet::with_capacity(names.len());
    if let Some(name) = names.iter().find(|name| !seen.insert(name.as_str())) {
        return Err(FunctionError::failed(format!("duplicate column name {name:?}")));
    }
    let row_type = Type::object(names.iter().map(|name| (name.as_str(), Type::String)));
    let mut rows = Vec::new();
    while let Some((line, fields)) = reader.record().map_err(failed)? {
        if fields.len() != names.len() {
            return Err(failed((line, "wrong number of fields")));
        }
        elements_of((rows.len() + 1).saturating_mul(names.len() + 1))?;
        rows.push(Value::object(names.iter().map(String::as_str).zip(fields.into_iter().map(Value::from))));
    }
    Ok(Value::list(row_type, rows))
}

struct Reader<'t> {
    rest: &'t str,
    line: usize,
}

impl Reader<'_> {
    /// The next record and the line it starts in; empty lines are none. `None` at the end.
    fn record(&mut self) -> Result<Option<(usize, Vec<String>)>, (usize, &'static str)> {
        loop {
            if let Some(rest) = self.rest.strip_prefix("\r\n").or_else(|| self.rest.strip_prefix('\n')) {
                self.rest = rest;
                self.line += 1;
            } else if self.rest.is_empty() {
                return Ok(None);
            } else {
                break;
            }
        }
        let start = self.line;
        let mut fields = Vec::new();
        loop {
            fields.push(self.field()?);
            if let Some(rest) = self.rest.strip_prefix(',') {
                self.rest = rest;
                continue;
            }
            // A field ends at a comma, a line's end or the end.
            self.rest = self.rest.strip_prefix("\r\n").or_else(|| self.rest.strip_prefix('\n')).unwrap_or("");
            self.line += 1;
            return Ok(Some((start, fields)));
        }
    }

    fn field(&mut self) -> Result<String, (usize, &'static str)> {
        let Some(quoted) = self.rest.strip_prefix('"') else {
            let end = self.rest.find([',', '\n']).unwrap_or(self.rest.len());
            let end =
                if self.rest[end..].starts_with('\n') && self.rest[..end].ends_with('\r') { end - 1 } else { end };
            let field = self.rest[..end].to_owned();
            if field.contains('"') {
                return Err((self.line, "bare \" in non-quoted-field"));
            }
            self.rest = &self.rest[end..];
            return Ok(field);
        };
        let mut field = String::new();
        let mut rest = quoted;
        loop {
            let Some(end) = rest.find('"') else { return Err((self.line, "extraneous or missing \" in quoted-field")) };
            field.push_str(&rest[..end]);
            self.line += rest[..end].matches('\n').count();
            rest = &rest[end + 1..];
            if let Some(after) = rest.strip_prefix('"') {
                field.push('"');
                rest = after;
                continue;
            }
            if !(rest.is_empty() || rest.starts_with([',', '\n']) || rest.starts_with("\r\n")) {
                return Err((self.line, "extraneous or missing \" in quoted-field"));
            }
            self.rest = rest;
            return Ok(field.replace("\r\n", "\n"));
        }
    }
}
