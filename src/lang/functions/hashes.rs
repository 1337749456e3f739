//! Digests of text and files, and identifiers made from them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};
use uuid::Uuid;

use super::arguments::{text, whole};
use super::files::read_for_hash;
use super::{Context, Function, FunctionError, Param, Returns};
use crate::value::Value;

const TEXT: &[Param] = &[Param::string("str")];
const PATH: &[Param] = &[Param::string("path")];

pub(super) static FUNCTIONS: &[Function] = &[
    Function::new("base64sha256", TEXT, Returns::String, |arguments, _| Ok(base64::<Sha256>(text(arguments, 0)))),
    Function::new("base64sha512", TEXT, Returns::String, |arguments, _| Ok(base64::<Sha512>(text(arguments, 0)))),
    Function::new("bcrypt", TEXT, Returns::String, bcrypt).variadic(Param::number("cost")),
    Function::new("filebase64sha256", PATH, Returns::String, |arguments, context| {
        Ok(base64::<Sha256>(read_for_hash(arguments, context)?))
    }),
    Function::new("filebase64sha512", PATH, Returns::String, |arguments, context| {
        Ok(base64::<Sha512>(read_for_hash(arguments, context)?))
    }),
    Function::new("filemd5", PATH, Returns::String, |arguments, context| {
        Ok(hex::<Md5>(read_for_hash(arguments, context)?))
    }),
    Function::new("filesha1", PATH, Returns::String, |arguments, context| {
        Ok(hex::<Sha1>(read_for_hash(arguments, context)?))
    }),
    Function::new("filesha256", PATH, Returns::String, |arguments, context| {
        Ok(hex::<Sha256>(read_for_hash(arguments, context)?))
    }),
    Function::new("filesha512", PATH, Returns::String, |arguments, context| {
        Ok(hex::<Sha512>(read_for_hash(arguments, context)?))
    }),
    Function::new("md5", TEXT, Returns::String, |arguments, _| Ok(hex::<Md5>(text(arguments, 0)))),
    Function::new("sha1", TEXT, Returns::String, |arguments, _| Ok(hex::<Sha1>(text(arguments, 0)))),
    Function::new("sha256", TEXT, Returns::String, |arguments, _| Ok(hex::<Sha256>(text(arguments, 0)))),
    Function::new("sha512", TEXT, Returns::String, |arguments, _| Ok(hex::<Sha512>(text(arguments, 0)))),
    Function::new("uuid", &[], Returns::String, |_, context| {
        Ok(match context.now {
            Some(_) => Value::string(Uuid::new_v4().to_string()),
            None => Value::unknown_not_null(crate::value::Type::String),
        })
    }),
    Function::new("uuidv5", &[Param::string("namespace"), Param::string("name")], Returns::String, uuidv5),
];

fn base64<D: Digest>(content: impl AsRef<[u8]>) -> Value {
    Value::string(STANDARD.encode(D::digest(content.as_ref())))
}

fn hex<D: Digest>(content: impl AsRef<[u8]>) -> Value {
    let digest = D::digest(content.as_ref());
    Value::string(digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>())
}

fn uuidv5(arguments: &[Value], _: &Context<'_>) -> Result<Value, FunctionError> {
    let (space, name) = (text(arguments, 0), text(arguments, 1));
    let space = match space {
        "dns" => Uuid::NAMESPACE_DNS,
        "url" => Uuid::NAMESPACE_URL,
        "oid" => Uuid::NAMESPACE_OID,
        "x500" => Uuid::NAMESPACE_X500,
        other => Uuid::parse_str(other).map_err(|_| {
            let reason = match other.len() {
                36 => "invalid UUID format".to_owned(),
                length => format!("invalid UUID length: {length}"),
            };
            FunctionError::failed(format!("uuidv5() doesn't support namespace {other} ({reason})"))
        })?,
    };
    Ok(Value::string(Uuid::new_v5(&space, name.as_bytes()).to_string()))
}

fn bcrypt(arguments: &[Value], context: &Context<'_>) -> Result<Value, FunctionError> {
    if arguments.len() > 2 {
        return Err(FunctionError::failed("bcrypt() takes no more than two arguments"));
    }
    // Costs below the least allowed mean the default.
    let cost = if arguments.len() == 2 { whole(arguments, 1)? } else { 10 };
    let cost = if cost < 4 { 10 } else { cost };
    let cost = u32::try_from(cost)
        .ok()
        .filter(|cost| *cost <= 31)
        .ok_or_else(|| FunctionError::failed(format!("cost {cost} is outside allowed range (4,31)")))?;
    if text(arguments, 0).len() > 72 {
        return Err(FunctionError::failed("password length exceeds 72 bytes"));
    }
    if context.now.is_none() {
        return Ok(Value::unknown_not_null(crate::value::Type::String));
    }
    let hashed =
        bcrypt::hash_with_result(text(arguments, 0), cost).map_err(|error| FunctionError::failed(error.to_string()))?;
    Ok(Value::string(hashed.format_for_version(bcrypt::Version::TwoA)))
}

#[cfg(test)]
mod tests {
    use super::super::{DirFiles, lookup};
    use super::*;
    use crate::value::Type;

    #[test]
    fn results_that_change_are_unknown_while_planning() {
        let planning = Context {
            base: std::path::Path::new("/"),
            files: &DirFiles,
            plan_time: None,
            now: None,
            env: None,
            templates: None,
        };
        let applying = Context { now: Some(jiff::Timestamp::UNIX_EPOCH), ..planning };
        let call = |name: &str, arguments: &[Value], context: &Context<'_>| {
            lookup(name).and_then(|function| function.call(arguments, context).ok()).unwrap_or_default()
        };
        let unknown = Value::unknown_not_null(Type::String);
        for (name, arguments) in [("uuid", vec![]), ("bcrypt", vec![Value::from("x"), Value::int(4)])] {
            assert_eq!(call(name, &arguments, &planning), unknown, "{name}");
            assert!(call(name, &arguments, &applying).as_str().is_some_and(|text| text.len() >= 36), "{name}");
        }
        let hashed = call("bcrypt", &[Value::from("x"), Value::int(4)], &applying);
        assert!(bcrypt::verify("x", hashed.as_str().unwrap_or_default()).is_ok_and(|same| same));
        assert!(hashed.as_str().is_some_and(|text| text.starts_with("$2a$04$")));
    }
}
