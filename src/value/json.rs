//! Values from JSON and to JSON: free-form, as `jsondecode` and `jsonencode` do it, and typed, as state files hold it.
//!
//! The typed form needs the type to be read: where the type is `Any`, the JSON says both, `{"value":…,"type":…}`. In the
//! free form arrays become tuples and objects objects. Numbers are read and written digit for digit.

use std::borrow::Cow;

use super::json_text::{Kind, Malformed, Reader, write_string};
use super::json_type::{KnownTypes, write_type};
use super::{Entries, Number, ObjectType, Path, Step, Str, Type, Value};

/// Why JSON is not a value, or a value not JSON. Never contains content of values.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum JsonError {
    /// Not JSON.
    #[error("invalid JSON at line {line}, column {column}: {message}")]
    Syntax {
        /// Line, from 1.
        line: usize,
        /// Byte in the line, from 1.
        column: usize,
        /// What is wrong there.
        message: Cow<'static, str>,
    },
    /// JSON, but not of the type.
    #[error("{}{message}", located(.path))]
    Mismatch {
        /// The part of the value.
        path: Path,
        /// What is wrong with it.
        message: String,
    },
    /// The value cannot be written: no reader would take it.
    #[error("a value that is nested more than {} levels deep cannot be written as JSON", super::MAX_WRITTEN_DEPTH)]
    TooDeep,
    /// The value cannot be written.
    #[error("{}{reason} value cannot be written as JSON", located(.path))]
    Unwritable {
        /// The part of the value.
        path: Path,
        /// What it is: an unknown, a sensitive, an infinite.
        reason: &'static str,
    },
}

fn located(path: &Path) -> String {
    if path.steps().is_empty() { String::new() } else { format!("{path}: ") }
}

/// What goes wrong while reading; the text is needed to make it a [`JsonError`].
pub(super) enum ReadError {
    Malformed(Malformed),
    /// The steps to the part come while the error goes up, the innermost first: the good case has no need of them.
    Mismatch {
        steps: Vec<Step>,
        message: String,
    },
}

impl ReadError {
    pub fn mismatch(message: impl Into<String>) -> Self {
        ReadError::Mismatch { steps: Vec::new(), message: message.into() }
    }

    /// The error of a part, seen from what the part is in.
    #[cold]
    fn inside(mut self, step: Step) -> Self {
        if let ReadError::Mismatch { steps, .. } = &mut self {
            steps.push(step);
        }
        self
    }
}

impl From<Malformed> for ReadError {
    fn from(malformed: Malformed) -> Self {
        ReadError::Malformed(malformed)
    }
}

/// Runs a reading function over a whole text.
pub(super) fn read_all<'a, T>(
    text: &'a [u8],
    read: impl FnOnce(&mut Reader<'a>) -> Result<T, ReadError>,
) -> Result<T, JsonError> {
    read_from(Reader::new(text), text, read)
}

fn read_from<'a, T>(
    mut reader: Reader<'a>,
    text: &'a [u8],
    read: impl FnOnce(&mut Reader<'a>) -> Result<T, ReadError>,
) -> Result<T, JsonError> {
    let result = read(&mut reader).and_then(|value| Ok(reader.end().map(|()| value)?));
    result.map_err(|error| match error {
        ReadError::Mismatch { steps, message } => {
            JsonError::Mismatch { path: steps.into_iter().rev().collect(), message }
        }
        ReadError::Malformed(Malformed { offset, message }) => {
            let before = &text[..offset.min(text.len())];
            let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
            let column = before.iter().rev().take_while(|byte| **byte != b'\n').count() + 1;
            JsonError::Syntax { line, column, message }
        }
    })
}

/// The value of a JSON text, of the type it implies: arrays are tuples, objects objects, `null` is null of no type. Of a
/// repeated key the last stays.
///
/// # Errors
/// When it is not JSON, or nests too deep.
pub fn from_json(text: &[u8]) -> Result<Value, JsonError> {
    // Here the text alone says what the value is: it is as deep as that.
    read_from(Reader::new(text).at_most(super::MAX_DEPTH), text, read_value)
}

/// The value of a JSON text of a type; missing attributes of objects are null.
///
/// # Errors
/// When it is not JSON, or not of the type.
pub fn from_json_typed(text: &[u8], ty: &Type) -> Result<Value, JsonError> {
    KnownTypes::default().read(text, ty)
}

/// The value of a stored JSON text of a type, and the attributes that were left out because the type does not have them: they
/// come from another version of what wrote it.
///
/// # Errors
/// When it is not JSON, or not of the type.
pub fn from_json_stored(text: &[u8], ty: &Type) -> Result<(Value, Vec<Str>), JsonError> {
    KnownTypes::default().read_stored(text, ty)
}

/// The type that [`from_json`] would give the value.
///
/// # Errors
/// When it is not JSON, or nests too deep.
pub fn type_of_json(text: &[u8]) -> Result<Type, JsonError> {
    read_from(Reader::new(text).at_most(super::MAX_DEPTH), text, read_implied)
}

/// A value as JSON without blanks, keys sorted.
///
/// # Errors
/// When any part is unknown, marked or infinite.
pub fn to_json(value: &Value) -> Result<String, JsonError> {
    let mut out = Vec::new();
    write_json(&mut out, value)?;
    Ok(String::from_utf8_lossy(&out).into_owned())
}

/// Writes a value as JSON; see [`to_json`].
///
/// # Errors
/// When any part is unknown, marked or infinite. What was written until then stays in `out`.
pub fn write_json(out: &mut Vec<u8>, value: &Value) -> Result<(), JsonError> {
    write_value(out, value, None, &mut Path::root())
}

/// A value as JSON of a type, so that [`from_json_typed`] reads the same value: where the type is `Any`, the JSON names the
/// value's own.
///
/// # Errors
/// When any part is unknown, marked, infinite or not of the type.
pub fn to_json_typed(value: &Value, ty: &Type) -> Result<String, JsonError> {
    let mut out = Vec::new();
    write_json_typed(&mut out, value, ty)?;
    Ok(String::from_utf8_lossy(&out).into_owned())
}

/// Writes a value as JSON of a type; see [`to_json_typed`].
///
/// # Errors
/// When any part is unknown, marked, infinite or not of the type. What was written until then stays in `out`.
pub fn write_json_typed(out: &mut Vec<u8>, value: &Value, ty: &Type) -> Result<(), JsonError> {
    write_value(out, value, Some(ty), &mut Path::root())
}

fn read_value(reader: &mut Reader<'_>) -> Result<Value, ReadError> {
    Ok(match reader.kind()? {
        Kind::Null => {
            reader.null()?;
            Value::NULL
        }
        Kind::Bool => Value::Bool(reader.bool()?),
        Kind::Number => Value::Number(read_number(reader)?),
        Kind::String => Value::string(shared(reader.string()?)),
        Kind::Array => {
            let mut items = Vec::new();
            reader.array(|reader, _| {
                items.push(read_value(reader)?);
                Ok::<(), ReadError>(())
            })?;
            Value::tuple(items)
        }
        Kind::Object => {
            let mut entries = Vec::new();
            reader.object(|reader, key| {
                entries.push((shared(key), read_value(reader)?));
                Ok::<(), ReadError>(())
            })?;
            Value::Object(Entries::from_iter(entries))
        }
    })
}

fn read_implied(reader: &mut Reader<'_>) -> Result<Type, ReadError> {
    Ok(match reader.kind()? {
        Kind::Null => {
            reader.null()?;
            Type::Any
        }
        Kind::Bool => {
            reader.bool()?;
            Type::Bool
        }
        Kind::Number => {
            reader.number()?;
            Type::Number
        }
        Kind::String => {
            reader.string()?;
            Type::String
        }
        Kind::Array => {
            let mut items = Vec::new();
            reader.array(|reader, _| {
                items.push(read_implied(reader)?);
                Ok::<(), ReadError>(())
            })?;
            Type::tuple(items)
        }
        Kind::Object => {
            let mut attributes = Vec::new();
            reader.object(|reader, key| {
                attributes.push((shared(key), read_implied(reader)?));
                Ok::<(), ReadError>(())
            })?;
            Type::object(attributes)
        }
    })
}

pub(super) fn shared(text: Cow<'_, str>) -> Str {
    match text {
        Cow::Borrowed(text) => Str::from(text),
        Cow::Owned(text) => Str::from(text),
    }
}

fn read_number(reader: &mut Reader<'_>) -> Result<Number, ReadError> {
    let text = reader.number()?;
    match Number::parse(text) {
        Ok(number) if !number.is_infinite() => Ok(number),
        _ => Err(reader.malformed("a number is out of range").into()),
    }
}

/// A value of a type.
pub(super) fn read_typed(reader: &mut Reader<'_>, ty: &Type, known: &mut KnownTypes) -> Result<Value, ReadError> {
    let kind = reader.kind()?;
    if kind == Kind::Null {
        reader.null()?;
        return Ok(Value::Null(ty.clone()));
    }
    match ty {
        Type::Any => read_self_described(reader, kind, known),
        Type::Bool | Type::Number | Type::String => read_primitive(reader, kind, ty),
        Type::List(element) | Type::Set(element) => {
            required(kind, Kind::Array)?;
            let mut items = Vec::new();
            reader.array(|reader, index| {
                let item = read_typed(reader, element, known);
                items.push(item.map_err(|error| error.inside(Step::Index(index)))?);
                Ok::<(), ReadError>(())
            })?;
            let element = Type::clone(element);
            Ok(if matches!(ty, Type::List(_)) { Value::list(element, items) } else { Value::set(element, items) })
        }
        Type::Tuple(types) => {
            required(kind, Kind::Array)?;
            let wrong = || ReadError::mismatch(format!("a JSON array with {} elements is required", types.len()));
            let mut items = Vec::with_capacity(types.len());
            reader.array(|reader, index| {
                let item = read_typed(reader, types.get(index).ok_or_else(wrong)?, known);
                items.push(item.map_err(|error| error.inside(Step::Index(index)))?);
                Ok::<(), ReadError>(())
            })?;
            if items.len() < types.len() { Err(wrong()) } else { Ok(Value::tuple(items)) }
        }
        Type::Map(element) => {
            required(kind, Kind::Object)?;
            let mut entries = Vec::new();
            reader.object(|reader, key| {
                let key = shared(key);
                let part = read_typed(reader, element, known);
                let part = part.map_err(|error| error.inside(Step::Key(key.clone())))?;
                entries.push((key, part));
                Ok::<(), ReadError>(())
            })?;
            Ok(Value::map(Type::clone(element), Entries::from_iter(entries)))
        }
        Type::Object(object) => {
            required(kind, Kind::Object)?;
            read_object(reader, object, known).map(Value::Object)
        }
    }
}

fn read_object(reader: &mut Reader<'_>, object: &ObjectType, known: &mut KnownTypes) -> Result<Entries, ReadError> {
    let mut entries = Vec::with_capacity(object.len());
    // Keys mostly stand in the order of their names, so that the next one is where it is looked for first.
    let mut next = 0;
    let mut in_order = true;
    reader.object(|reader, key| {
        let Some(at) = object.position(&key, next) else {
            let Some(dropped) = &mut known.dropped else {
                return Err(ReadError::mismatch(format!("unsupported attribute {key:?}")));
            };
            dropped.push(shared(key));
            reader.skip()?;
            return Ok(());
        };
        let (name, attribute) = &object.attributes()[at];
        let part = read_typed(reader, &attribute.ty, known);
        let part = part.map_err(|error| error.inside(Step::Attribute(name.clone())))?;
        entries.push((name.clone(), part));
        in_order &= at >= next;
        next = at + 1;
        Ok::<(), ReadError>(())
    })?;
    let entries = if in_order { Entries::from_sorted(entries) } else { Entries::from_iter(entries) };
    if entries.len() == object.len() {
        return Ok(entries);
    }
    let part = |(name, attribute): &(Str, super::AttrType)| {
        let missing = || Value::Null(attribute.ty.clone());
        (name.clone(), entries.get(name).cloned().unwrap_or_else(missing))
    };
    Ok(object.iter().map(part).collect())
}

/// An error unless the value is of the kind that its type asks for.
fn required(kind: Kind, wanted: Kind) -> Result<(), ReadError> {
    match wanted {
        wanted if wanted == kind => Ok(()),
        Kind::Array => Err(ReadError::mismatch("a JSON array is required")),
        _ => Err(ReadError::mismatch("a JSON object is required")),
    }
}

/// `{"value":…,"type":…}`, in either order.
fn read_self_described(reader: &mut Reader<'_>, kind: Kind, known: &mut KnownTypes) -> Result<Value, ReadError> {
    let wrong = || ReadError::mismatch("a JSON object with \"value\" and \"type\" is required");
    if kind != Kind::Object {
        return Err(wrong());
    }
    let (mut ty, mut value) = (None, None);
    reader.object(|reader, key| {
        match &*key {
            "type" => ty = Some(known.read_type(reader)?),
            "value" => value = Some(reader.pass_over()?),
            _ => return Err(wrong()),
        }
        Ok(())
    })?;
    let (Some(ty), Some(value)) = (ty, value) else { return Err(wrong()) };
    // The type stands beside the value, and not in a schema of another version: the two have to fit.
    let dropped = known.dropped.take();
    let read = reader.again(value, |reader| match ty {
        // `Any` inside `Any` has nothing that would describe it but null.
        Type::Any => {
            reader.kind()?;
            if reader.null().is_ok() { Ok(Value::NULL) } else { Err(wrong()) }
        }
        ty => read_typed(reader, &ty, known),
    });
    known.dropped = dropped;
    read
}

/// Strings are read from numbers and truth values too, and the reverse, as Terraform's state reader does.
fn read_primitive(reader: &mut Reader<'_>, kind: Kind, ty: &Type) -> Result<Value, ReadError> {
    let value = match kind {
        Kind::Bool => Value::Bool(reader.bool()?),
        Kind::Number => Value::Number(read_number(reader)?),
        Kind::String => Value::string(shared(reader.string()?)),
        Kind::Null | Kind::Array | Kind::Object => {
            return Err(ReadError::mismatch(format!("a {} is required", ty.friendly())));
        }
    };
    match (&value, ty) {
        (Value::Bool(_), Type::Bool) | (Value::Number(_), Type::Number) | (Value::String(_), Type::String) => Ok(value),
        _ => super::convert(&value, ty).map_err(|error| ReadError::mismatch(error.message)),
    }
}

fn write_value(out: &mut Vec<u8>, value: &Value, ty: Option<&Type>, path: &mut Path) -> Result<(), JsonError> {
    let unwritable = |path: &Path, reason| Err(JsonError::Unwritable { path: path.clone(), reason });
    if path.steps().len() > super::MAX_WRITTEN_DEPTH {
        // The path of such a part would fill pages.
        return Err(JsonError::TooDeep);
    }
    // Of no type of their own are nulls and unknown values only.
    if ty == Some(&Type::Any)
        && let own = value.ty()
        && own != Type::Any
    {
        if own.depth() + path.steps().len() > super::MAX_WRITTEN_DEPTH {
            return Err(JsonError::TooDeep);
        }
        out.extend_from_slice(b"{\"value\":");
        write_value(out, value, Some(&own), path)?;
        out.extend_from_slice(b",\"type\":");
        write_type(out, &own);
        out.push(b'}');
        return Ok(());
    }
    match (value, ty) {
        (Value::Null(_), _) => out.extend_from_slice(b"null"),
        (Value::Unknown(_), _) => return unwritable(path, "an unknown"),
        (Value::Marked(marked), _) => {
            let sensitive = marked.marks.contains(super::Marks::SENSITIVE);
            return unwritable(path, if sensitive { "a sensitive" } else { "an ephemeral" });
        }
        (Value::Bool(value), None | Some(Type::Bool)) => {
            out.extend_from_slice(if *value { b"true" } else { b"false" });
        }
        (Value::Number(number), None | Some(Type::Number)) => {
            if number.is_infinite() {
                return unwritable(path, "an infinite");
            }
            out.extend_from_slice(number.to_string().as_bytes());
        }
        (Value::String(text), None | Some(Type::String)) => write_string(out, text),
        (Value::List(sequence), None | Some(Type::List(_))) | (Value::Set(sequence), None | Some(Type::Set(_))) => {
            let element = match ty {
                Some(Type::List(element) | Type::Set(element)) => Some(&**element),
                _ => None,
            };
            write_items(out, &sequence.items, |_| element, path)?;
        }
        (Value::Tuple(items), None) => write_items(out, items, |_| None, path)?,
        (Value::Tuple(items), Some(Type::Tuple(types))) if items.len() == types.len() => {
            write_items(out, items, |index| types.get(index), path)?;
        }
        (Value::Map(mapping), None) => write_entries(out, &mapping.entries, |_| Some(None), path)?,
        (Value::Map(mapping), Some(Type::Map(element))) => {
            write_entries(out, &mapping.entries, |_| Some(Some(&**element)), path)?;
        }
        (Value::Object(entries), None) => write_entries(out, entries, |_| Some(None), path)?,
        (Value::Object(entries), Some(Type::Object(object))) => {
            write_entries(out, entries, |name| Some(Some(&object.get(name)?.ty)), path)?;
        }
        (_, Some(ty)) => {
            let message = format!("a {} is required", ty.friendly());
            return Err(JsonError::Mismatch { path: path.clone(), message });
        }
    }
    Ok(())
}

fn write_items<'t>(
    out: &mut Vec<u8>,
    items: &[Value],
    ty: impl Fn(usize) -> Option<&'t Type>,
    path: &mut Path,
) -> Result<(), JsonError> {
    out.push(b'[');
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        path.inside(Step::Index(index), |path| write_value(out, item, ty(index), path))?;
    }
    out.push(b']');
    Ok(())
}

fn write_entries<'t>(
    out: &mut Vec<u8>,
    entries: &Entries,
    ty: impl Fn(&str) -> Option<Option<&'t Type>>,
    path: &mut Path,
) -> Result<(), JsonError> {
    out.push(b'{');
    for (index, (key, part)) in entries.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write_string(out, key);
        out.push(b':');
        let Some(ty) = ty(key) else {
            let message = format!("unsupported attribute {:?}", key.as_str());
            return Err(JsonError::Mismatch { path: path.clone(), message });
        };
        path.inside(Step::Attribute(key.clone()), |path| write_value(out, part, ty, path))?;
    }
    out.push(b'}');
    Ok(())
}

#[cfg(test)]
#[path = "json_test.rs"]
mod tests;
