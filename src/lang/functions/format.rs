//! `format` and `formatlist`.

use super::arguments::{MOST_TEXT, text, text_of};
use super::format_verb::{Verb, scan};
use super::{Context, Function, FunctionError, Param, Returns};
use crate::value::{Type, Value};

const ARGUMENTS: Param = Param::any("args").null().unknown();

pub(super) static FUNCTIONS: &[Function] = &[
    Function::new("format", &[Param::string("format")], Returns::String, format).variadic(ARGUMENTS),
    Function::new(
        "formatlist",
        &[Param::string("format")],
        Returns::NotNull(|_| Type::list(Type::String)),
        format_list,
    )
    .variadic(ARGUMENTS),
];

fn format(arguments: &[Value], _: &Context<'_>) -> Result<Value, FunctionError> {
    let verbs = scan(text(arguments, 0)).map_err(|message| FunctionError::Failed { message })?;
    if !arguments.iter().all(Value::is_wholly_known) {
        return Ok(Value::unknown_not_null(Type::String));
    }
    let values: Vec<&Value> = arguments[1..].iter().collect();
    let text = fill(&verbs, &values).map_err(|message| FunctionError::Failed { message })?;
    check_count(&verbs, values.len()).map_err(|(index, message)| FunctionError::argument(index, message))?;
    Ok(Value::string(text))
}

fn format_list(arguments: &[Value], _: &Context<'_>) -> Result<Value, FunctionError> {
    let verbs = scan(text(arguments, 0)).map_err(|message| FunctionError::Failed { message })?;
    let open = |value: &Value| matches!(value.ty(), Type::Any | Type::List(_) | Type::Set(_) | Type::Tuple(_));
    if arguments[1..].iter().any(|value| !value.is_known() && value.ty() == Type::Any) {
        return Ok(Value::unknown(Type::Any));
    }
    if arguments[1..].iter().any(|value| !value.is_known() && open(value)) {
        return Ok(Value::unknown_not_null(Type::list(Type::String)));
    }
    let lists = &arguments[1..];
    let mut length: Option<(usize, usize)> = None;
    for (index, list) in lists.iter().enumerate() {
        let Some(items) = list.as_items() else { continue };
        match length {
            Some((first, length)) if length != items.len() => {
                let message = format!(
                    "argument {} has length {}, which is inconsistent with argument {} of length {length}",
                    index + 1,
                    items.len(),
                    first + 1
                );
                return Err(FunctionError::argument(index + 1, message));
            }
            Some(_) => {}
            None => length = Some((index, items.len())),
        }
    }
    let length = length.map_or(1, |(_, length)| length);
    let (mut lines, mut bytes) = (Vec::with_capacity(length), 0_usize);
    for at in 0..length {
        let values: Vec<&Value> =
            lists.iter().map(|list| list.as_items().and_then(|items| items.get(at)).unwrap_or(list)).collect();
        if !values.iter().all(|value| value.is_wholly_known()) {
            lines.push(Value::unknown_not_null(Type::String));
            continue;
        }
        let line = fill(&verbs, &values)
            .and_then(|line| check_count(&verbs, values.len()).map(|()| line).map_err(|(_, message)| message))
            .map_err(|message| FunctionError::failed(format!("error on format iteration {at}: {message}")))?;
        bytes = bytes.saturating_add(line.len());
        text_of(bytes)?;
        lines.push(Value::string(line));
    }
    Ok(Value::list(Type::String, lines))
}

/// Arguments that no verb asks for are a mistake.
fn check_count(verbs: &[Verb<'_>], given: usize) -> Result<(), (usize, String)> {
    let used = verbs.iter().filter_map(Verb::argument).map(|index| index + 1).max().unwrap_or(0);
    if given <= used {
        return Ok(());
    }
    let what = match used {
        0 => "no verbs in format string".to_owned(),
        used => format!("only {used} used by format string"),
    };
    Err((used + 1, format!("too many arguments; {what}")))
}

fn fill(verbs: &[Verb<'_>], values: &[&Value]) -> Result<String, String> {
    let mut out = String::new();
    for verb in verbs {
        verb.write(values, &mut out)?;
        if out.len() > MOST_TEXT {
            return Err(format!("the resulting text would be larger than {} MiB", MOST_TEXT >> 20));
        }
    }
    Ok(out)
}
