//! Regular expressions: `regex`, `regexall`, `replace`, in the syntax of Terraform's (RE2).

use std::borrow::Cow;

use regex::{Captures, Regex};

use super::arguments::{elements_of, text, text_of};
use super::{Context, Function, FunctionError, Param, Returns};
use crate::value::{Type, Value};

/// A pattern is looked at even where the text it is for is not known yet.
const SUBJECT: &[Param] = &[Param::string("pattern"), Param::string("string").unknown()];

pub(super) static FUNCTIONS: &[Function] = &[
    Function::new("regex", SUBJECT, Returns::From(match_type), find),
    Function::new("regexall", SUBJECT, Returns::NotNull(matches_type), find_all),
    Function::new(
        "replace",
        &[Param::string("str"), Param::string("substr"), Param::string("replace")],
        Returns::String,
        replace,
    ),
];

fn find(arguments: &[Value], _: &Context<'_>) -> Result<Value, FunctionError> {
    let pattern = compile_pattern(text(arguments, 0))?;
    if arguments.get(1).is_some_and(|subject| !subject.is_known()) {
        return Ok(Value::unknown(pattern_type(&pattern)));
    }
    match pattern.captures(text(arguments, 1)) {
        Some(found) => Ok(captured(&pattern, &found)),
        None => Err(FunctionError::failed("pattern did not match any part of the given string")),
    }
}

fn find_all(arguments: &[Value], _: &Context<'_>) -> Result<Value, FunctionError> {
    let pattern = compile_pattern(text(arguments, 0))?;
    if arguments.get(1).is_some_and(|subject| !subject.is_known()) {
        return Ok(Value::unknown_not_null(Type::list(pattern_type(&pattern))));
    }
    let mut all = Vec::new();
    for found in pattern.captures_iter(text(arguments, 1)) {
        // Each group of a match is a value of its own.
        elements_of((all.len() + 1).saturating_mul(pattern.captures_len()))?;
        all.push(captured(&pattern, &found));
    }
    Ok(Value::list(pattern_type(&pattern), all))
}

/// What a match gives: the text without groups, a tuple of unnamed groups, an object of named ones.
fn captured(pattern: &Regex, found: &Captures<'_>) -> Value {
    let group = |index: usize| found.get(index).map_or(Value::Null(Type::String), |group| Value::from(group.as_str()));
    if pattern.captures_len() == 1 {
        return group(0);
    }
    let named: Vec<(&str, Value)> =
        pattern.capture_names().enumerate().filter_map(|(index, name)| Some((name?, group(index)))).collect();
    if named.is_empty() {
        Value::tuple((1..pattern.captures_len()).map(group).collect::<Vec<_>>())
    } else {
        Value::object(named)
    }
}

fn pattern_type(pattern: &Regex) -> Type {
    let groups = pattern.captures_len() - 1;
    let mut names = pattern.capture_names().flatten().peekable();
    if groups == 0 {
        Type::String
    } else if names.peek().is_some() {
        Type::object(names.map(|name| (name, Type::String)))
    } else {
        Type::tuple(vec![Type::String; groups])
    }
}

fn match_type(arguments: &[Value]) -> Type {
    let pattern = arguments.first().and_then(Value::as_str).and_then(|pattern| compile_pattern(pattern).ok());
    pattern.map_or(Type::Any, |pattern| pattern_type(&pattern))
}

fn matches_type(arguments: &[Value]) -> Type {
    Type::list(match_type(arguments))
}

fn compile_pattern(pattern: &str) -> Result<Regex, FunctionError> {
    let compiled = compile(pattern)
        .map_err(|reason| FunctionError::argument(0, format!("invalid regexp pattern: {reason} in {pattern}")))?;
    let named = compiled.capture_names().flatten().count();
    if named > 0 && named + 1 != compiled.captures_len() {
        let message = "invalid regexp pattern: cannot mix both named and unnamed capture groups";
        return Err(FunctionError::argument(0, message));
    }
    Ok(compiled)
}

fn replace(arguments: &[Value], _: &Context<'_>) -> Result<Value, FunctionError> {
    let (string, wanted, by) = (text(arguments, 0), text(arguments, 1), text(arguments, 2));
    // A pattern is written between slashes; a lone slash is a slash.
    let pattern = wanted.strip_prefix('/').and_then(|rest| rest.strip_suffix('/'));
    let Some(pattern) = pattern else {
        let count = if by.len() > wanted.len() { string.matches(wanted).count() } else { 0 };
        text_of(string.len().saturating_add(count.saturating_mul(by.len())))?;
        return Ok(Value::string(string.replace(wanted, by)));
    };
    let compiled = compile(pattern)
        .map_err(|reason| FunctionError::failed(format!("error parsing regexp: {reason}: `{pattern}`")))?;
    replace_all(&compiled, string, by).map(Value::string)
}

/// As `Regex::replace_all`, within bounds: what replaces a match can be many times the whole text.
fn replace_all(pattern: &Regex, string: &str, by: &str) -> Result<String, FunctionError> {
    let (mut out, mut end) = (String::with_capacity(string.len()), 0);
    for found in pattern.captures_iter(string) {
        let Some(whole) = found.get(0) else { continue };
        let groups = by.matches('$').count().saturating_mul(whole.len());
        text_of(out.len().saturating_add(by.len()).saturating_add(groups))?;
        out.push_str(&string[end..whole.start()]);
        found.expand(by, &mut out);
        end = whole.end();
    }
    out.push_str(&string[end..]);
    text_of(out.len())?;
    Ok(out)
}

/// Compiles a pattern, or says in a few words what is wrong with it.
fn compile(pattern: &str) -> Result<Regex, String> {
    Regex::new(&translate(pattern)).map_err(|error| match error {
        regex::Error::Syntax(text) => reason(&text),
        regex::Error::CompiledTooBig(_) => "expression too large".to_owned(),
        _ => "invalid expression".to_owned(),
    })
}

/// The last line of the library's explanation, which is the reason, in RE2's words where people search for them.
fn reason(explanation: &str) -> String {
    let last = explanation.lines().last().unwrap_or_default();
    let reason = last.strip_prefix("error: ").unwrap_or(last);
    match reason {
        "unclosed group" => "missing closing )",
        "unopened group" => "unexpected )",
        "unclosed character class" => "missing closing ]",
        "repetition operator missing expression" => "missing argument to repetition operator",
        other => other,
    }
    .to_owned()
}

/// Rewrites RE2's syntax where the library reads it differently: classes such as `\d` are ASCII, and brackets, ampersands
/// and braces that form no operator stand for themselves.
fn translate(pattern: &str) -> Cow<'_, str> {
    if pattern.bytes().all(|byte| byte.is_ascii_alphanumeric() || b" _-.*+?()^$|:/,;=@".contains(&byte)) {
        return Cow::Borrowed(pattern);
    }
    let mut out = String::with_capacity(pattern.len() + 16);
    let mut rest = pattern;
    let mut class = false;
    while let Some(char) = rest.chars().next() {
        let tail = &rest[char.len_utf8()..];
        match (char, class) {
            ('\\', _) => {
                let Some(escaped) = tail.chars().next() else {
                    out.push('\\');
                    break;
                };
                rest = &tail[escaped.len_utf8()..];
                if escaped == 'Q' {
                    let (literal, after) = rest.split_once("\\E").unwrap_or((rest, ""));
                    // Repetition applies to the last character only, as it would unquoted.
                    out.push_str(&regex::escape(literal));
                    rest = after;
                } else if let ('p' | 'P' | 'x', true, Some(end)) = (escaped, rest.starts_with('{'), rest.find('}')) {
                    out.push('\\');
                    out.push(escaped);
                    out.push_str(&rest[..=end]);
                    rest = &rest[end + 1..];
                } else {
                    push_escape(&mut out, escaped, class);
                }
                continue;
            }
            ('[', false) => {
                class = true;
                out.push('[');
                rest = tail;
                // A bracket that closes right at the start stands for itself.
                for (start, rewritten) in [("^]", "^\\]"), ("]", "\\]"), ("^", "^")] {
                    if let Some(after) = rest.strip_prefix(start) {
                        out.push_str(rewritten);
                        rest = after;
                        break;
                    }
                }
                continue;
            }
            ('[', true) => match rest.find(":]") {
                Some(end) if rest.starts_with("[:") => {
                    out.push_str(&rest[..end + 2]);
                    rest = &rest[end + 2..];
                    continue;
                }
                _ => out.push_str("\\["),
            },
            (']', true) => {
                class = false;
                out.push(']');
            }
            ('-', true) if tail.starts_with('-') => {
                // The library would take this for a difference of classes.
                out.push_str("-\\-");
                rest = &tail[1..];
                continue;
            }
            ('&' | '~', true) => {
                out.push('\\');
                out.push(char);
            }
            ('{', false) => {
                out.push_str(if is_repetition(rest) { "{" } else { "\\{" });
            }
            _ => out.push(char),
        }
        rest = tail;
    }
    Cow::Owned(out)
}

fn push_escape(out: &mut String, escaped: char, class: bool) {
    let plain = match escaped {
        'd' => "0-9",
        'w' => "0-9A-Za-z_",
        's' => r"\t\n\f\r\x20",
        'D' => return out.push_str("[^0-9]"),
        'W' => return out.push_str("[^0-9A-Za-z_]"),
        'S' => return out.push_str(r"[^\t\n\f\r\x20]"),
        'b' if !class => return out.push_str(r"(?-u:\b)"),
        '<' | '>' | '"' | '\'' | '/' | ':' | ';' | ',' | '=' | '@' | '!' | '%' | '`' | '_' => return out.push(escaped),
        other => {
            out.push('\\');
            return out.push(other);
        }
    };
    if class {
        out.push_str(plain);
    } else {
        out.push('[');
        out.push_str(plain);
        out.push(']');
    }
}

/// Whether a text starts with `{2}`, `{2,}` or `{2,3}`.
fn is_repetition(text: &str) -> bool {
    let Some((inner, _)) = text[1..].split_once('}') else { return false };
    let (least, most) = inner.split_once(',').unwrap_or((inner, ""));
    !least.is_empty() && least.bytes().chain(most.bytes()).all(|byte| byte.is_ascii_digit())
}
