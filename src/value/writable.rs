//! Which values JSON can hold, and what can be held of the others. Who makes something that has to be stored asks before, since
//! afterwards it is too late.

use super::{JsonError, MAX_WRITTEN_DEPTH, Path, Step, Type, Value};

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
    // Types are written as well, also of what has no parts.
    let left = MAX_WRITTEN_DEPTH - path.steps().len();
    let fits = |ty: &Type| if ty.depth() > left { Err(JsonError::TooDeep) } else { Ok(()) };
    match value {
        Value::Null(ty) => fits(ty)?,
        Value::Unknown(unknown) => fits(&unknown.ty)?,
        Value::List(sequence) | Value::Set(sequence) if sequence.items.is_empty() => fits(&sequence.element)?,
        Value::Map(mapping) if mapping.entries.is_empty() => fits(&mapping.element)?,
        Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::List(_)
        | Value::Set(_)
        | Value::Map(_)
        | Value::Tuple(_)
        | Value::Object(_)
        | Value::Marked(_) => {}
    }
    let deepest = left == 0;
    let mut items = |items: &[Value]| {
        let mut parts = items.iter().enumerate();
        parts.try_for_each(|(index, item)| match !deepest && is_plain(item) {
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
    let deepest = path.steps().len() == MAX_WRITTEN_DEPTH;
    entries.try_for_each(|(name, part)| match !deepest && is_plain(part) {
        true => Ok(()),
        false => path.inside(Step::Attribute(name.clone()), |path| check(part, path)),
    })
}

/// Whether nothing can be wrong with a value: most are, and need no path.
fn is_plain(value: &Value) -> bool {
    let plain = |ty: &Type| matches!(ty, Type::Any | Type::Bool | Type::Number | Type::String);
    match value {
        Value::Bool(_) | Value::String(_) => true,
        Value::Null(ty) => plain(ty),
        Value::Unknown(unknown) => plain(&unknown.ty),
        Value::Number(_)
        | Value::List(_)
        | Value::Set(_)
        | Value::Map(_)
        | Value::Tuple(_)
        | Value::Object(_)
        | Value::Marked(_) => false,
    }
}

/// The value with null for what JSON cannot hold: unknown parts, infinite numbers, parts that lie too deep. Marks are gone.
#[must_use]
pub fn writable(value: &Value) -> Value {
    kept(value, MAX_WRITTEN_DEPTH)
}

fn kept(value: &Value, levels: usize) -> Value {
    // Types are written as well: a null of too deep a type is one of no type.
    let null = |ty: &Type| if ty.depth() > levels { Value::NULL } else { Value::Null(ty.clone()) };
    let fits = |element: &Type| element.depth() < levels;
    let below = levels.saturating_sub(1);
    let items = |items: &[Value]| items.iter().map(|item| kept(item, below)).collect::<Vec<_>>();
    match value {
        Value::Null(ty) => null(ty),
        Value::Unknown(unknown) => null(&unknown.ty),
        Value::Number(number) if number.is_infinite() => Value::Null(Type::Number),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
        Value::Marked(marked) => kept(&marked.value, levels),
        Value::List(sequence) if fits(&sequence.element) => {
            Value::list(sequence.element.clone(), items(&sequence.items))
        }
        Value::Set(sequence) if fits(&sequence.element) => Value::set(sequence.element.clone(), items(&sequence.items)),
        Value::Map(mapping) if fits(&mapping.element) => {
            Value::map(mapping.element.clone(), mapping.entries.map_values(|_, item| kept(item, below)))
        }
        Value::Tuple(parts) if levels > 0 => Value::tuple(items(parts)),
        Value::Object(entries) if levels > 0 => Value::Object(entries.map_values(|_, item| kept(item, below))),
        Value::List(_) | Value::Set(_) | Value::Map(_) | Value::Tuple(_) | Value::Object(_) => Value::NULL,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::{Number, from_json_typed, to_json_typed};

    fn nested(levels: usize) -> Value {
        let inner = if levels.is_multiple_of(2) { Value::int(1) } else { "x".into() };
        (0..levels).fold(inner, |value, _| Value::tuple(vec![value]))
    }

    /// The same of lists, and a null of such a type.
    fn listed(levels: usize) -> [Value; 2] {
        let list = |value: Value| Value::list(value.ty(), vec![value]);
        [
            (0..levels).fold(Value::int(1), |value, _| list(value)),
            Value::Null((0..levels).fold(Type::Number, |ty, _| Type::list(ty))),
        ]
    }

    #[test]
    fn what_is_written_can_be_read_and_the_rest_is_refused() {
        let check_one = |inner: Value, levels: usize, writes: bool| {
            let value = Value::object([("a", inner)]);
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
        let check = move |levels: usize, writes: bool| {
            for inner in listed(levels)
                .into_iter()
                .chain([nested(levels), Value::tuple(listed(levels - levels.min(1)).to_vec())])
            {
                check_one(inner, levels, writes);
            }
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
