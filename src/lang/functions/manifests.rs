//! Functions of the provider `kubernetes`: `manifest_decode`, `manifest_decode_multi`, `manifest_encode`.
//!
//! Encoding gives the text that the provider gives (plain words, sorted keys, lists that are not indented), because it ends up in
//! arguments that are compared.

use serde_json::{Map, Value as Json};

use super::arguments::text;
use super::manifest_text::document;
use super::yaml_read::read;
use super::{Context, Function, FunctionError, Param, Returns};
use crate::value::{Type, Value, to_json};

pub(super) static FUNCTIONS: [Function; 3] = [
    Function::new("provider::kubernetes::manifest_decode", &[Param::string("manifest")], Returns::Any, decode_one),
    Function::new("provider::kubernetes::manifest_decode_multi", &[Param::string("manifest")], Returns::Any, decode),
    Function::new("provider::kubernetes::manifest_encode", &[Param::any("manifest")], Returns::String, encode),
];

fn decode_one(arguments: &[Value], _: &Context<'_>) -> Result<Value, FunctionError> {
    let mut found = manifests(text(arguments, 0))?;
    match (found.pop(), found.is_empty()) {
        (Some(one), true) => Ok(one),
        (None, _) => Err(FunctionError::failed("Invalid manifest: YAML document is empty")),
        (Some(_), false) => Err(FunctionError::failed(
            "YAML manifest contains multiple resources: use manifest_decode_multi to decode manifests containing more \
             than one resource",
        )),
    }
}

fn decode(arguments: &[Value], _: &Context<'_>) -> Result<Value, FunctionError> {
    Ok(Value::tuple(manifests(text(arguments, 0))?))
}

/// The manifests of a text, empty documents left out.
fn manifests(text: &str) -> Result<Vec<Value>, FunctionError> {
    let mut found = Vec::new();
    for document in documents(text) {
        let is_blank = |line: &str| line.trim().is_empty() || line.trim_start().starts_with('#');
        if document.lines().all(is_blank) {
            continue;
        }
        let value = read(&document).map_err(|why| FunctionError::failed(format!("Invalid YAML document: {why}")))?;
        let Some(entries) = value.as_entries() else {
            if value.is_null() {
                continue;
            }
            return Err(FunctionError::failed("Invalid YAML document: a manifest is an object"));
        };
        if entries.is_empty() {
            continue;
        }
        is_manifest(|name| entries.get(name).is_some())?;
        found.push(value);
    }
    Ok(found)
}

/// The documents of a text: a line that begins with `---` ends the one before it.
fn documents(text: &str) -> Vec<String> {
    let mut documents = vec![String::new()];
    for line in text.lines() {
        let rest = match line.strip_prefix("---") {
            Some(rest) => {
                documents.push(String::new());
                rest.trim_start()
            }
            None => line,
        };
        if let Some(document) = documents.last_mut() {
            document.push_str(rest);
            document.push('\n');
        }
    }
    documents
}

fn is_manifest(has: impl Fn(&str) -> bool) -> Result<(), FunctionError> {
    match ["apiVersion", "kind", "metadata"].into_iter().find(|name| !has(name)) {
        Some(missing) => Err(FunctionError::failed(format!("Invalid Kubernetes manifest: missing field {missing:?}"))),
        None => Ok(()),
    }
}

fn encode(arguments: &[Value], _: &Context<'_>) -> Result<Value, FunctionError> {
    let Some(value) = arguments.first() else { return Ok(Value::NULL) };
    if !value.is_wholly_known() {
        return Ok(Value::unknown_not_null(Type::String));
    }
    let json = to_json(value).ok().and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
    let one = |manifest: &Map<String, Json>| {
        is_manifest(|name| manifest.contains_key(name))?;
        Ok(document(manifest))
    };
    let invalid = || FunctionError::failed("Invalid manifest: the value must be a manifest or a list of manifests");
    let text = match &json {
        Json::Object(manifest) => one(manifest)?,
        Json::Array(items) => {
            let texts = items.iter().map(|item| one(item.as_object().ok_or_else(invalid)?));
            texts.map(|text| Ok(format!("---\n{}", text?))).collect::<Result<String, FunctionError>>()?
        }
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => return Err(invalid()),
    };
    Ok(Value::string(text))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::value::from_json;

    #[test]
    fn texts_become_manifests() {
        let two = "---\napiVersion: v1\nkind: A\nmetadata: {}\n---\n# nothing\n--- \napiVersion: v1\nkind: B\nmetadata:\n  name: b\n";
        let found = manifests(two).unwrap();
        let kinds: Vec<_> = found.iter().map(|one| one.get("kind").and_then(Value::as_str).unwrap()).collect();
        assert_eq!(kinds, ["A", "B"]);
        let fails = |text: &str| format!("{:?}", manifests(text).unwrap_err());
        assert!(fails("a: b").contains("missing field \\\"apiVersion\\\""));
        assert!(fails("[1]").contains("a manifest is an object"));
        assert!(fails("a: [").contains("Invalid YAML document"));
        assert_eq!(manifests("").unwrap(), []);
    }

    #[test]
    fn manifests_become_text() {
        let encoded = |json: &str| {
            let value = from_json(json.as_bytes()).unwrap();
            let json: Json = serde_json::from_str(&to_json(&value).unwrap()).unwrap();
            document(json.as_object().unwrap())
        };
        let text = encoded(
            r#"{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"test","namespace":null,"labels":{}},
                "data":{"number":"1","yes":"yes","empty":"","colon":"a: b","lines":"a\nb\n","open":"a\nb","tilde":"~","date":"2001-12-14"},
                "list":[{"a":[1,2.5,true]},[]]}"#,
        );
        let expect = "apiVersion: v1\ndata:\n  colon: 'a: b'\n  date: \"2001-12-14\"\n  empty: \"\"\n  lines: |\n    a\n    b\n  number: \"1\"\n  open: |-\n    a\n    b\n  tilde: \"~\"\n  \"yes\": \"yes\"\nkind: ConfigMap\nlist:\n- a:\n  - 1\n  - 2.5\n  - true\n- []\nmetadata:\n  labels: {}\n  name: test\n  namespace: null\n";
        assert_eq!(text, expect);
        let long = format!("{{\"a\":\"{}\"}}", "word ".repeat(30).trim());
        let lines: Vec<_> = encoded(&long).lines().map(str::to_owned).collect();
        assert_eq!(lines.len(), 2);
        assert!(lines[1].starts_with("  word "), "{lines:?}");
    }
}
