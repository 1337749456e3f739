//! Types as JSON: `"string"`, `["list","string"]`, `["object",{"a":"number"},["a"]]` (the last names what is optional),
//! `"dynamic"` for `Any`.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::json::{JsonError, ReadError, read_all, shared};
use super::json_text::{Kind, Reader, write_string};
use super::{AttrType, ObjectType, Str, Type, Value};

/// A type as JSON.
pub fn type_to_json(ty: &Type) -> String {
    let mut out = Vec::new();
    write_type(&mut out, ty);
    String::from_utf8_lossy(&out).into_owned()
}

/// The type that a JSON text describes.
///
/// # Errors
/// When it is not JSON, or describes no type.
pub fn type_from_json(text: &[u8]) -> Result<Type, JsonError> {
    read_all(text, read_type)
}

/// How many types are remembered at once.
const MOST: usize = 16;

/// Types that stood in JSON lately, with their texts. The objects of a state repeat few of them: they are found by their
/// text, and all values of one share it and the names in it.
#[derive(Default)]
pub struct KnownTypes {
    types: Vec<(Box<[u8]>, Type)>,
    /// The one that was found last.
    last: usize,
    /// The one to be forgotten next.
    oldest: usize,
    /// The attributes that were left out because their object's type does not have them; `None` while that is an error.
    pub(super) dropped: Option<Vec<Str>>,
}

impl KnownTypes {
    /// The value of a JSON text of a type; see [`super::from_json_typed`].
    ///
    /// # Errors
    /// When it is not JSON, or not of the type.
    pub fn read(&mut self, text: &[u8], ty: &Type) -> Result<Value, JsonError> {
        read_all(text, |reader| super::json::read_typed(reader, ty, self))
    }

    /// The value of a stored JSON text of a type, with what was left out; see [`super::from_json_stored`].
    ///
    /// # Errors
    /// When it is not JSON, or not of the type.
    pub fn read_stored(&mut self, text: &[u8], ty: &Type) -> Result<(Value, Vec<Str>), JsonError> {
        self.dropped = Some(Vec::new());
        let read = self.read(text, ty);
        let dropped = self.dropped.take().unwrap_or_default();
        Ok((read?, dropped))
    }

    /// Reads a type.
    pub(super) fn read_type(&mut self, reader: &mut Reader<'_>) -> Result<Type, ReadError> {
        if reader.kind()? != Kind::Array {
            return read_type(reader);
        }
        // What begins with the whole text of an array is that array.
        let rest = reader.rest();
        let is_next = |(text, _): &(Box<[u8]>, Type)| rest.starts_with(text);
        let found = match self.types.get(self.last) {
            Some(last) if is_next(last) => Some(self.last),
            _ => self.types.iter().position(is_next),
        };
        if let Some(found) = found {
            self.last = found;
            let (text, ty) = &self.types[found];
            reader.pass(text.len());
            return Ok(ty.clone());
        }
        let start = reader.place();
        let ty = read_type(reader)?;
        let known = (rest[..reader.place() - start].into(), ty.clone());
        if self.types.len() < MOST {
            self.types.push(known);
        } else {
            self.types[self.oldest] = known;
            self.oldest = (self.oldest + 1) % MOST;
        }
        Ok(ty)
    }
}

pub(super) fn write_type(out: &mut Vec<u8>, ty: &Type) {
    let mut wrapped = |kind: &str, element: &Type| {
        out.extend_from_slice(format!("[\"{kind}\",").as_bytes());
        write_type(out, element);
        out.push(b']');
    };
    match ty {
        Type::Any => out.extend_from_slice(b"\"dynamic\""),
        Type::Bool => out.extend_from_slice(b"\"bool\""),
        Type::Number => out.extend_from_slice(b"\"number\""),
        Type::String => out.extend_from_slice(b"\"string\""),
        Type::List(element) => wrapped("list", element),
        Type::Set(element) => wrapped("set", element),
        Type::Map(element) => wrapped("map", element),
        Type::Tuple(items) => {
            out.extend_from_slice(b"[\"tuple\",[");
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write_type(out, item);
            }
            out.extend_from_slice(b"]]");
        }
        Type::Object(object) => {
            out.extend_from_slice(b"[\"object\",{");
            for (index, (name, attribute)) in object.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write_string(out, name);
                out.push(b':');
                write_type(out, &attribute.ty);
            }
            out.push(b'}');
            let mut before: &[u8] = b",[";
            for (name, _) in object.iter().filter(|(_, attribute)| attribute.optional) {
                out.extend_from_slice(before);
                write_string(out, name);
                before = b",";
            }
            out.extend_from_slice(if before == b"," { b"]]" } else { b"]" });
        }
    }
}

fn wrong() -> ReadError {
    ReadError::mismatch("invalid type description")
}

fn read_type(reader: &mut Reader<'_>) -> Result<Type, ReadError> {
    match reader.kind()? {
        Kind::String => match &*reader.string()? {
            "bool" => Ok(Type::Bool),
            "number" => Ok(Type::Number),
            "string" => Ok(Type::String),
            "dynamic" => Ok(Type::Any),
            _ => Err(wrong()),
        },
        Kind::Array => {
            let mut kind = Cow::Borrowed("");
            let mut ty = None;
            reader.array(|reader, index| {
                match (index, &*kind) {
                    (0, _) if reader.kind()? == Kind::String => kind = reader.string()?,
                    (1, "list") => ty = Some(Type::list(read_type(reader)?)),
                    (1, "set") => ty = Some(Type::set(read_type(reader)?)),
                    (1, "map") => ty = Some(Type::map(read_type(reader)?)),
                    (1, "tuple") if reader.kind()? == Kind::Array => {
                        let mut items = Vec::new();
                        reader.array(|reader, _| {
                            items.push(read_type(reader)?);
                            Ok::<(), ReadError>(())
                        })?;
                        ty = Some(Type::tuple(items));
                    }
                    (1, "object") if reader.kind()? == Kind::Object => {
                        let mut attributes = Vec::new();
                        reader.object(|reader, name| {
                            attributes.push((shared(name), read_type(reader)?));
                            Ok::<(), ReadError>(())
                        })?;
                        ty = Some(Type::object(attributes));
                    }
                    (2, "object") if reader.kind()? == Kind::Array => {
                        let optional = read_names(reader)?;
                        ty = ty.take().map(|ty| with_optional(&ty, &optional));
                    }
                    _ => return Err(wrong()),
                }
                Ok(())
            })?;
            ty.ok_or_else(wrong)
        }
        _ => Err(wrong()),
    }
}

fn read_names(reader: &mut Reader<'_>) -> Result<BTreeSet<String>, ReadError> {
    let mut names = BTreeSet::new();
    reader.array(|reader, _| {
        if reader.kind()? != Kind::String {
            return Err(wrong());
        }
        names.insert(reader.string()?.into_owned());
        Ok(())
    })?;
    Ok(names)
}

fn with_optional(ty: &Type, optional: &BTreeSet<String>) -> Type {
    let Type::Object(object) = ty else { return ty.clone() };
    let attributes = object.iter().map(|(name, attribute)| {
        (name.clone(), AttrType { ty: attribute.ty.clone(), optional: optional.contains(name.as_str()) })
    });
    Type::Object(std::sync::Arc::new(ObjectType::new(attributes)))
}
