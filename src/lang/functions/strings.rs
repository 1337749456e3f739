//! Functions on text: case, trimming, cutting, joining.

use unicode_segmentation::UnicodeSegmentation;

use super::arguments::{elements_of, items, text, text_of, whole};
use super::{Context, Function, FunctionError, Param, ParamType, Returns};
use crate::value::{Type, Value};

pub(super) static FUNCTIONS: &[Function] = &[
    Function::new("chomp", &[Param::string("str")], Returns::String, chomp),
    Function::new("endswith", &[Param::string("str"), Param::string("suffix")], Returns::Bool, ends_with),
    Function::new("indent", &[Param::number("spaces"), Param::string("str")], Returns::String, indent),
    Function::new("join", &[Param::string("separator")], Returns::String, join)
        .variadic(Param::new("lists", ParamType::Strings)),
    Function::new("lower", &[Param::string("str")], Returns::String, |arguments, _| {
        Ok(Value::string(text(arguments, 0).chars().map(lower_char).collect::<String>()))
    }),
    Function::new("split", &[Param::string("separator"), Param::string("str")], Returns::NotNull(strings), split),
    Function::new("startswith", &[Param::string("str").unknown(), Param::string("prefix")], Returns::Bool, starts_with),
    Function::new("strcontains", &[Param::string("str"), Param::string("substr")], Returns::Bool, |arguments, _| {
        Ok(Value::Bool(text(arguments, 0).contains(text(arguments, 1))))
    }),
    Function::new("strrev", &[Param::string("str")], Returns::String, |arguments, _| {
        Ok(Value::string(text(arguments, 0).graphemes(true).rev().collect::<String>()))
    }),
    Function::new(
        "substr",
        &[Param::string("str"), Param::number("offset"), Param::number("length")],
        Returns::String,
        substr,
    ),
    Function::new("title", &[Param::string("str")], Returns::String, title),
    Function::new("trim", &[Param::string("str"), Param::string("cutset")], Returns::String, |arguments, _| {
        let cutset = text(arguments, 1);
        Ok(Value::string(text(arguments, 0).trim_matches(|char| cutset.contains(char))))
    }),
    Function::new("trimprefix", &[Param::string("str"), Param::string("prefix")], Returns::String, |arguments, _| {
        let whole = text(arguments, 0);
        Ok(Value::string(whole.strip_prefix(text(arguments, 1)).unwrap_or(whole)))
    }),
    Function::new("trimspace", &[Param::string("str")], Returns::String, |arguments, _| {
        Ok(Value::string(text(arguments, 0).trim()))
    }),
    Function::new("trimsuffix", &[Param::string("str"), Param::string("suffix")], Returns::String, |arguments, _| {
        let whole = text(arguments, 0);
        Ok(Value::string(whole.strip_suffix(text(arguments, 1)).unwrap_or(whole)))
    }),
    Function::new("upper", &[Param::string("str")], Returns::String, |arguments, _| {
        Ok(Value::string(text(arguments, 0).chars().map(upper_char).collect::<String>()))
    }),
];

/// Of a text that is not known yet the beginning may be.
fn starts_with(arguments: &[Value], _: &Context<'_>) -> Result<Value, FunctionError> {
    let wanted = text(arguments, 1);
    let Some(Value::Unknown(unknown)) = arguments.first() else {
        return Ok(Value::Bool(text(arguments, 0).starts_with(wanted)));
    };
    let known = unknown.refinement.prefix.as_ref().map_or("", |prefix| prefix.as_str());
    Ok(match (known.starts_with(wanted), wanted.starts_with(known)) {
        (true, _) => Value::Bool(true),
        (false, false) => Value::Bool(false),
        (false, true) => Value::unknown_not_null(Type::Bool),
    })
}

fn strings(_: &[Value]) -> Type {
    Type::list(Type::String)
}

fn chomp(arguments: &[Value], _: &Context<'_>) -> Result<Value, FunctionError> {
    Ok(Value::string(text(arguments, 0).trim_end_matches(['\r', '\n'])))
}

fn ends_with(arguments: &[Value], _: &Context<'_>) -> Result<Value, FunctionError> {
    Ok(Value::Bool(text(arguments, 0).ends_with(text(arguments, 1))))
}

fn indent(arguments: &[Value], _: &Context<'_>) -> Result<Value, FunctionError> {
    let spaces = whole(arguments, 0)?;
    let Ok(spaces) = usize::try_from(spaces) else {
        return Err(FunctionError::argument(0, "the number of spaces must not be negative"));
    };
    let pad = format!("\n{}", " ".repeat(spaces.min(1 << 16)));
    let lines = text(arguments, 1).matches('\n').count();
    text_of(text(arguments, 1).len().saturating_add(lines.saturating_mul(pad.len())))?;
    Ok(Value::string(text(arguments, 1).replace('\n', &pad)))
}

fn join(arguments: &[Value], _: &Context<'_>) -> Result<Value, FunctionError> {
    if arguments.len() < 2 {
        return Err(FunctionError::failed("at least one list is required"));
    }
    if !arguments.iter().all(Value::is_wholly_known) {
        return Ok(Value::unknown_not_null(Type::String));
    }
    let (mut parts, mut bytes) = (Vec::new(), 0_usize);
    for index in 1..arguments.len() {
        for (at, item) in items(arguments, index).iter().enumerate() {
            let Some(part) = item.as_str() else {
                let list = if arguments.len() > 2 { format!(" of list {index}") } else { String::new() };
                let message = format!("element {at}{list} is null; cannot concatenate null values");
                return Err(FunctionError::argument(index, message));
            };
            bytes = bytes.saturating_add(part.len() + text(arguments, 0).len());
            parts.push(part);
        }
    }
    text_of(bytes)?;
    Ok(Value::string(parts.join(text(arguments, 0))))
}

fn split(arguments: &[Value], _: &Context<'_>) -> Result<Value, FunctionError> {
    let (separator, whole) = (text(arguments, 0), text(arguments, 1));
    let parts: Vec<Value> = if separator.is_empty() {
        elements_of(whole.len())?;
        whole.chars().map(|char| Value::string(char.to_string())).collect()
    } else {
        elements_of(whole.matches(separator).count())?;
        whole.split(separator).map(Value::from).collect()
    };
    Ok(Value::list(Type::String, parts))
}

fn substr(arguments: &[Value], _: &Context<'_>) -> Result<Value, FunctionError> {
    let string = text(arguments, 0);
    let (offset, length) = (whole(arguments, 1)?, whole(arguments, 2)?);
    if length == 0 {
        return Ok(Value::from(""));
    }
    let mut start = usize::try_from(offset).unwrap_or_default();
    if offset < 0 {
        let back = usize::try_from(offset.unsigned_abs()).unwrap_or(usize::MAX);
        start = string.graphemes(true).count().saturating_sub(back);
    }
    // A negative length means the rest of the text.
    let take = usize::try_from(length).unwrap_or(usize::MAX);
    let part: String = string.graphemes(true).skip(start).take(take).collect();
    Ok(Value::string(part))
}

fn title(arguments: &[Value], _: &Context<'_>) -> Result<Value, FunctionError> {
    let mut titled = String::new();
    let mut inside = false;
    for char in text(arguments, 0).chars() {
        titled.push(if inside { char } else { upper_char(char) });
        inside = if char.is_ascii() { char.is_ascii_alphanumeric() || char == '_' } else { !char.is_whitespace() };
    }
    Ok(Value::string(titled))
}

/// The upper-case letter where there is one; letters whose upper case are several letters stay, as in Terraform.
fn upper_char(char: char) -> char {
    let mut upper = char.to_uppercase();
    match (upper.next(), upper.next()) {
        (Some(one), None) => one,
        _ => char,
    }
}

fn lower_char(char: char) -> char {
    // Whatever follows the first letter is a combining mark (of the dotted capital I only).
    char.to_lowercase().next().unwrap_or(char)
}
