//! Values of root outputs: as text, as JSON, and raw.

use std::fmt::Write as _;

use serde_json::{Map, Value as Json, json};

use crate::addr::{LayerName, Name};
use crate::diag::{Diagnostic, Outcome};
use crate::value::{Type, Value};

use super::literal;
use super::values::json_of;

/// An output as it is stored.
#[derive(Clone, Debug)]
pub struct ShownOutput {
    /// Its layer.
    pub layer: LayerName,
    /// Its name.
    pub name: Name,
    /// Its value.
    pub value: Value,
    /// Whether it is not to be shown unless asked for by name.
    pub sensitive: bool,
}

impl ShownOutput {
    /// The name as people refer to it: `layer.data.url` in a project of several layers.
    pub fn label(&self, prefixes_layers: bool) -> String {
        if prefixes_layers { format!("layer.{}.{}", self.layer, self.name) } else { self.name.to_string() }
    }
}

/// All outputs, one `name = value` each; sensitive ones are only named.
pub fn outputs(outputs: &[ShownOutput], prefixes_layers: bool) -> String {
    let mut out = String::new();
    for output in outputs {
        let value = if output.sensitive { "<sensitive>".into() } else { literal::console(&output.value) };
        let _ = writeln!(out, "{} = {value}", output.label(prefixes_layers));
    }
    out
}

/// One output that was asked for by name: its value, whether sensitive or not.
pub fn output(output: &ShownOutput) -> String {
    let (value, _) = output.value.clone().unmark_deep();
    format!("{}\n", literal::console(&value))
}

/// What `output -json` prints: name to sensitivity, type and value.
pub fn outputs_json(outputs: &[ShownOutput], prefixes_layers: bool) -> Json {
    let entries = outputs.iter().map(|output| {
        let entry = json!({
            "sensitive": output.sensitive,
            "type": type_json(&output.value),
            "value": json_of(&output.value),
        });
        (output.label(prefixes_layers), entry)
    });
    Json::Object(entries.collect::<Map<_, _>>())
}

/// What `output -json NAME` prints: the value alone.
pub fn output_json(output: &ShownOutput) -> Json {
    json_of(&output.value)
}

/// What `output -raw NAME` prints: a text, number or truth value without quotes or line break.
pub fn output_raw(output: &ShownOutput) -> Outcome<String> {
    match output.value.bare() {
        Value::String(text) => Outcome::ok(text.to_string()),
        Value::Number(number) => Outcome::ok(number.to_string()),
        Value::Bool(value) => Outcome::ok(value.to_string()),
        value => Diagnostic::error(
            "Unsupported value for raw output",
            format!(
                "-raw prints strings, numbers and truth values, but output {:?} is {}. Use -json to print it.",
                output.name.as_str(),
                if value.is_null() { "null".to_owned() } else { format!("a {}", value.ty().friendly()) },
            ),
        )
        .into(),
    }
}

/// The type of a value in Terraform's JSON notation.
pub(super) fn type_json(value: &Value) -> Json {
    type_tree(&value.bare().ty())
}

/// A type in Terraform's JSON notation. Built part by part: as text it nests deeper than serde_json reads.
pub(super) fn type_tree(ty: &Type) -> Json {
    match ty {
        Type::Any => "dynamic".into(),
        Type::Bool => "bool".into(),
        Type::Number => "number".into(),
        Type::String => "string".into(),
        Type::List(element) => Json::Array(vec!["list".into(), type_tree(element)]),
        Type::Set(element) => Json::Array(vec!["set".into(), type_tree(element)]),
        Type::Map(element) => Json::Array(vec!["map".into(), type_tree(element)]),
        Type::Tuple(items) => Json::Array(vec!["tuple".into(), items.iter().map(type_tree).collect()]),
        Type::Object(object) => {
            let attributes = object.iter().map(|(name, attribute)| (name.to_string(), type_tree(&attribute.ty)));
            let mut parts = vec!["object".into(), Json::Object(attributes.collect())];
            let optional = object.iter().filter(|(_, attribute)| attribute.optional);
            let optional: Vec<Json> = optional.map(|(name, _)| name.as_str().into()).collect();
            if !optional.is_empty() {
                parts.push(optional.into());
            }
            Json::Array(parts)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some() -> Vec<ShownOutput> {
        let make = |name: &str, value: Value, sensitive| ShownOutput {
            layer: LayerName::from("data"),
            name: Name::from(name),
            value,
            sensitive,
        };
        vec![
            make("list", Value::list(Type::String, vec!["a".into()]), false),
            make("password", "hunter2".into(), true),
            make("port", Value::int(5432), false),
        ]
    }

    #[test]
    fn withholds_sensitive_values_until_asked_by_name() {
        insta::assert_snapshot!(outputs(&some(), true), @r#"
        layer.data.list = tolist([
          "a",
        ])
        layer.data.password = <sensitive>
        layer.data.port = 5432
        "#);
        assert_eq!(output(&some()[1]), "\"hunter2\"\n");
    }

    #[test]
    fn hands_values_over_as_json_and_raw() {
        let json = outputs_json(&some(), false);
        assert_eq!(json["list"], json!({"sensitive": false, "type": ["list", "string"], "value": ["a"]}));
        assert_eq!(json["password"]["value"], "hunter2");
        assert_eq!(output_raw(&some()[2]).value.as_deref(), Some("5432"));
        let refused = output_raw(&some()[0]);
        assert!(refused.value.is_none() && refused.said.to_string().contains("a list of string"), "{}", refused.said);
    }
}
