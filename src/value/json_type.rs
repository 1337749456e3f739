//! Types as JSON: `"string"`, `["list","string"]`, `["object",{"a":"number"},["a"]]` (the last names what is optional),
//! `"dynamic"` for `Any`.

use std::collections::BTreeSet;

use super::json::{JsonError, ReadError, read_all, shared};
use super::json_text::{Kind, Reader, write_string};
use super::{AttrType, ObjectType, Path, Type};

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
    read_all(text, |reader| read_type(reader, &Path::root()))
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

pub(super) fn read_type(reader: &mut Reader<'_>, path: &Path) -> Result<Type, ReadError> {
    let wrong = || ReadError::Mismatch { path: path.clone(), message: "invalid type description".into() };
    match reader.kind()? {
        Kind::String => match &*reader.string()? {
            "bool" => Ok(Type::Bool),
            "number" => Ok(Type::Number),
            "string" => Ok(Type::String),
            "dynamic" => Ok(Type::Any),
            _ => Err(wrong()),
        },
        Kind::Array => {
            let mut kind = String::new();
            let mut ty = None;
            reader.array(|reader, index| {
                match (index, kind.as_str()) {
                    (0, _) if reader.kind()? == Kind::String => kind = reader.string()?.into_owned(),
                    (1, "list") => ty = Some(Type::list(read_type(reader, path)?)),
                    (1, "set") => ty = Some(Type::set(read_type(reader, path)?)),
                    (1, "map") => ty = Some(Type::map(read_type(reader, path)?)),
                    (1, "tuple") if reader.kind()? == Kind::Array => {
                        let mut items = Vec::new();
                        reader.array(|reader, _| {
                            items.push(read_type(reader, path)?);
                            Ok::<(), ReadError>(())
                        })?;
                        ty = Some(Type::tuple(items));
                    }
                    (1, "object") if reader.kind()? == Kind::Object => {
                        let mut attributes = Vec::new();
                        reader.object(|reader, name| {
                            attributes.push((shared(name), read_type(reader, path)?));
                            Ok::<(), ReadError>(())
                        })?;
                        ty = Some(Type::object(attributes));
                    }
                    (2, "object") if reader.kind()? == Kind::Array => {
                        let optional = read_names(reader, path)?;
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

fn read_names(reader: &mut Reader<'_>, path: &Path) -> Result<BTreeSet<String>, ReadError> {
    let mut names = BTreeSet::new();
    reader.array(|reader, _| {
        if reader.kind()? != Kind::String {
            let message = "invalid type description".into();
            return Err(ReadError::Mismatch { path: path.clone(), message });
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
