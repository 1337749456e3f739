//! Base64, URLs, JSON.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::arguments::{elements_of, from_outside, text};
use super::{Context, Function, FunctionError, Param, Returns};
use crate::value::{Type, Value, from_json, to_json, type_of_json};

/// Standard base64 that, as Terraform's, does not mind bits left over in the last character.
pub(super) const LENIENT: GeneralPurpose =
    GeneralPurpose::new(&alphabet::STANDARD, GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true));

/// What stands for itself in a query.
const QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b' ');

pub(super) static FUNCTIONS: &[Function] = &[
    Function::new("base64decode", &[Param::string("str")], Returns::String, base64_decode),
    Function::new("base64encode", &[Param::string("str")], Returns::String, |arguments, _| {
        Ok(Value::string(STANDARD.encode(text(arguments, 0))))
    }),
    Function::new("jsondecode", &[Param::string("str")], Returns::From(json_type), |arguments, _| {
        // Every value but the first begins behind one of these.
        elements_of(text(arguments, 0).bytes().filter(|byte| matches!(byte, b',' | b'[' | b'{')).count())?;
        from_json(text(arguments, 0).as_bytes()).map_err(|error| FunctionError::failed(error.to_string()))
    }),
    Function::new("jsonencode", &[Param::any("val").null().unknown()], Returns::String, json_encode),
    Function::new("urldecode", &[Param::string("str")], Returns::String, url_decode),
    Function::new("urlencode", &[Param::string("str")], Returns::String, |arguments, _| {
        let encoded = utf8_percent_encode(text(arguments, 0), QUERY).to_string();
        Ok(Value::string(encoded.replace(' ', "+")))
    }),
];

/// Decodes base64, passing over line breaks.
pub(super) fn decode(encoded: &str) -> Option<Vec<u8>> {
    let broken = encoded.contains(['\n', '\r']);
    let joined = if broken { encoded.replace(['\n', '\r'], "") } else { String::new() };
    LENIENT.decode(if broken { &joined } else { encoded }).ok()
}

fn base64_decode(arguments: &[Value], _: &Context<'_>) -> Result<Value, FunctionError> {
    let encoded = text(arguments, 0);
    let decoded =
        decode(encoded).ok_or_else(|| FunctionError::failed(format!("failed to decode base64 data {encoded:?}")))?;
    let decoded = String::from_utf8(decoded)
        .map_err(|_| FunctionError::failed("the result of decoding the provided string is not valid UTF-8"))?;
    Ok(from_outside(decoded))
}

fn json_type(arguments: &[Value]) -> Type {
    let text = arguments.first().and_then(Value::as_str);
    text.and_then(|text| type_of_json(text.as_bytes()).ok()).unwrap_or(Type::Any)
}

fn json_encode(arguments: &[Value], _: &Context<'_>) -> Result<Value, FunctionError> {
    let Some(value) = arguments.first() else { return Ok(Value::NULL) };
    if !value.is_wholly_known() {
        return Ok(Value::unknown_not_null(Type::String));
    }
    to_json(value).map(Value::string).map_err(|error| FunctionError::failed(error.to_string()))
}

fn url_decode(arguments: &[Value], _: &Context<'_>) -> Result<Value, FunctionError> {
    let encoded = text(arguments, 0);
    let wrong = |reason: &str| FunctionError::failed(format!("failed to decode URL {encoded:?}: {reason}"));
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut rest = encoded.as_bytes();
    while let Some((byte, tail)) = rest.split_first() {
        rest = tail;
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let digits = tail.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
                let digits = digits.filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
                let code = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
                bytes.push(code.ok_or_else(|| wrong("invalid URL escape"))?);
                rest = &tail[2..];
            }
            byte => bytes.push(*byte),
        }
    }
    String::from_utf8(bytes).map(from_outside).map_err(|_| wrong("the result is not valid UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::super::{DirFiles, lookup};
    use super::*;

    #[test]
    fn decodes_urls() {
        let context = Context {
            base: std::path::Path::new("/"),
            files: &DirFiles,
            plan_time: None,
            now: None,
            env: None,
            templates: None,
        };
        for (encoded, expect) in [
            ("Hello+World%21", Some("Hello World!")),
            ("%E2%98%83", Some("☃")),
            ("a%2Fb", Some("a/b")),
            ("%zz", None),
            ("%2", None),
            ("%ff", None),
            ("%+1", None),
        ] {
            let got = lookup("urldecode").and_then(|function| function.call(&[encoded.into()], &context).ok());
            assert_eq!(got, expect.map(Value::from), "{encoded}");
        }
    }
}
