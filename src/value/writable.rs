//! Which values JSON can hold, and what can be held of the others. Who makes something that has to be stored asks before, since
//! afterwards it is too late.

use super::{JsonError, MAX_WRITTEN_DEPTH, Path, Step, Value};

/// Looks for parts that no JSON can hold: infinite numbers, and values nested too deep to be read again. Unknown parts and marks
/// are not looked at: they are gone when the value is written.
///
/// # Errors
/// The first such part.
pub fn check_writable(value: &Value) -> Result<(), JsonError> {
    check(value, &mut Path::root())
}

fn check(value: &Value, path: &mut Path) -> Result<(), JsonError> {
    if path.steps().len() > MAX_WRITTEN_DEPTH {
        return Err(JsonError::TooDeep);
    }
    let mut items = |items: &[Value]| {
        let mut parts = items.iter().enumerate();
        parts.try_for_each(|(index, item)| match is_plain(item) {
            true => Ok(()),
            false => path.inside(Step::Index(index), |path| check(item, path)),
        })
    };
    match value {
        Value::Null(_) | Value::Unknown(_) | Value::Bool(_) | Value::String(_) => Ok(()),
        Value::Number(number) if number.is_infinite() => {
            Err(JsonError::Unwritable { path: path.clone(), reason: "an infinite" })
        }
        Value::Number(_) => Ok(()),
        Value::Marked(marked) => check(&marked.value, path),
        Value::List(sequence) | Value::Set(sequence) => items(&sequence.items),
        Value::Tuple(parts) => items(parts),
        Value::Map(mapping) => each(mapping.entries.iter(), path),
        Value::Object(entries) => each(entries.iter(), path),
    }
}

fn each<'v>(mut entries: impl Iterator<Item = &'v (super::Str, Value)>, path: &mut Path) -> Result<(), JsonError> {
    entries.try_for_each(|(name, part)| match is_plain(part) {
        true => Ok(()),
        false => path.inside(Step::Attribute(name.clone()), |path| check(part, path)),
    })
}

/// Whether nothing can be wrong with a value: most are, and need no path.
fn is_plain(value: &Value) -> bool {
    matches!(value, Value::Null(_) | Value::Unknown(_) | Value::Bool(_) | Value::String(_))
}

/// The value with null for what JSON cannot hold: unknown parts, infinite numbers, parts that lie too deep. Marks are gone.
#[must_use]
pub fn writable(value: &Value) -> Value {
    kept(value, MAX_WRITTEN_DEPTH)
}

fn kept(value: &Value, levels: usize) -> Value {
    let Some(below) = levels.checked_sub(1) else {
        return if is_plain(value) && value.is_known() { value.clone() } else { Value::Null(value.ty()) };
    };
    let items = |items: &[Value]| items.iter().map(|item| kept(item, below)).collect::<Vec<_>>();
    match value {
        Value::Unknown(unknown) => Value::Null(unknown.ty.clone()),
        Value::Number(number) if number.is_infinite() => Value::Null(super::Type::Number),
        Value::List(sequence) => Value::list(sequence.element.clone(), items(&sequence.items)),
        Value::Set(sequence) => Value::set(sequence.element.clone(), items(&sequence.items)),
        Value::Tuple(parts) => Value::tuple(items(parts)),
        Value::Map(mapping) => {
            Value::map(mapping.element.clone(), mapping.entries.map_values(|_, item| kept(item, below)))
        }
        Value::Object(entries) => Value::Object(entries.map_values(|_, item| kept(item, below))),
        Value::Marked(marked) => kept(&marked.value, levels),
        Value::Null(_) | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::{Number, Type, from_json_typed, to_json_typed};

    fn nested(levels: usize) -> Value {
        (0..levels).fold(Value::int(1), |value, _| Value::tuple(vec![value]))
    }

    #[test]
    fn what_is_written_can_be_read_and_the_rest_is_refused() {
        let check = |levels: usize, writes: bool| {
            let value = Value::object([("a", nested(levels))]);
            let ty = Type::object([("a", Type::Any)]);
            assert_eq!(check_writable(&value).is_ok(), writes, "{levels}");
            let text = to_json_typed(&value, &ty);
            assert_eq!(text.is_ok(), writes, "{levels}");
            let read = text.ok().map(|text| from_json_typed(text.as_bytes(), &ty));
            assert_eq!(read, writes.then(|| Ok(value.clone())), "{levels}");
            let kept = writable(&value);
            let text = to_json_typed(&kept, &ty);
            let read = text.and_then(|text| from_json_typed(text.as_bytes(), &ty));
            assert_eq!(read.as_ref(), Ok(&kept), "{levels}");
            assert_eq!(kept == value, writes, "{levels}");
        };
        let all = move || {
            for levels in [0, 1, 70, 127, 128, 400, 1000, MAX_WRITTEN_DEPTH - 1] {
                check(levels, true);
            }
            check(MAX_WRITTEN_DEPTH, false);
            check(MAX_WRITTEN_DEPTH + 1, false);
            check(3 * MAX_WRITTEN_DEPTH, false);
        };
        // As deep as that of the program's threads.
        let thread = std::thread::Builder::new().stack_size(64 << 20).spawn(all);
        assert!(thread.is_ok_and(|thread| thread.join().is_ok()));
    }

    #[test]
    fn infinite_numbers_become_null_and_are_named() {
        let infinite = Value::Number(Number::parse("inf").unwrap_or_default());
        let value = Value::object([
            ("a", Value::list(Type::Number, vec![Value::int(1), infinite])),
            ("b", Value::unknown(Type::String)),
            ("c", Value::from("x").sensitive()),
        ]);
        let error = check_writable(&value).map_err(|error| error.to_string());
        assert_eq!(error, Err("a[1]: an infinite value cannot be written as JSON".to_owned()));
        let expect = Value::object([
            ("a", Value::list(Type::Number, vec![Value::int(1), Value::Null(Type::Number)])),
            ("b", Value::Null(Type::String)),
            ("c", "x".into()),
        ]);
        assert_eq!(writable(&value), expect);
    }
}
