//! What providers and functions take and give, in Terraform's JSON formats; and which module needs which provider.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Map, Value as Json, json};

use crate::addr::ProviderSource;
use crate::config::Module;
use crate::lang::functions::{self, Function, Param};
use crate::provider::ProviderSchema;
use crate::schema::{Attribute, Block, NestedBlock, Nesting, Presence, Schema};
use crate::value::Type;

use super::outputs::type_tree as type_json;

/// `providers schema -json`.
pub fn provider_schemas_json<'a>(providers: impl Iterator<Item = (String, &'a ProviderSchema)>) -> Json {
    let mut schemas = Map::new();
    for (source, schema) in providers {
        // Only what is built in has no configuration at all.
        let provider = if source.starts_with("terraform.io/builtin/") {
            json!({ "version": schema.config.version })
        } else {
            schema_json(&schema.config)
        };
        let mut json = json!({ "provider": provider });
        for (name, kinds) in [
            ("resource_schemas", &schema.resources),
            ("data_source_schemas", &schema.data),
            ("ephemeral_resource_schemas", &schema.ephemeral),
        ] {
            let kinds: BTreeMap<&str, Json> = kinds.iter().map(|(name, schema)| (*name, schema_json(schema))).collect();
            if !kinds.is_empty() {
                json[name] = json!(kinds);
            }
        }
        if let Some(source) = ProviderSource::parse(&source) {
            let functions = functions::provided_by(&source).iter();
            let functions: Map<String, Json> = functions
                .map(|function| {
                    (function.name.rsplit("::").next().unwrap_or_default().to_owned(), signature_json(function))
                })
                .collect();
            if !functions.is_empty() {
                json["functions"] = functions.into();
            }
        }
        schemas.insert(source, json);
    }
    let mut json = json!({ "format_version": "1.0" });
    if !schemas.is_empty() {
        json["provider_schemas"] = schemas.into();
    }
    json
}

fn schema_json(schema: &Schema) -> Json {
    json!({ "version": schema.version, "block": block_json(&schema.block) })
}

fn block_json(block: &Block) -> Json {
    let mut json = Map::new();
    let kind = if block.markdown { "markdown" } else { "plain" };
    if !block.attributes.is_empty() {
        let attributes: Map<String, Json> = block
            .attributes
            .iter()
            .map(|(name, attribute)| (name.to_string(), attribute_json(attribute, kind)))
            .collect();
        json.insert("attributes".into(), attributes.into());
    }
    if !block.blocks.is_empty() {
        let blocks: Map<String, Json> =
            block.blocks.iter().map(|(name, nested)| (name.to_string(), nested_json(nested))).collect();
        json.insert("block_types".into(), blocks.into());
    }
    if !block.description.is_empty() {
        json.insert("description".into(), block.description.into());
    }
    json.insert("description_kind".into(), kind.into());
    if block.deprecated {
        json.insert("deprecated".into(), true.into());
    }
    json.into()
}

fn attribute_json(attribute: &Attribute, kind: &str) -> Json {
    let mut json = Map::new();
    json.insert("type".into(), type_json(&attribute.ty));
    if !attribute.description.is_empty() {
        json.insert("description".into(), attribute.description.as_str().into());
    }
    json.insert("description_kind".into(), kind.into());
    let (required, optional, computed) = match attribute.presence {
        Presence::Required => (true, false, false),
        Presence::Optional => (false, true, false),
        Presence::OptionalComputed => (false, true, true),
        Presence::Computed => (false, false, true),
    };
    let deprecated = attribute.deprecated.is_some();
    for (name, holds) in [
        ("deprecated", deprecated),
        ("required", required),
        ("optional", optional),
        ("computed", computed),
        ("sensitive", attribute.sensitive),
        ("write_only", attribute.write_only),
    ] {
        if holds {
            json.insert(name.into(), true.into());
        }
    }
    json.into()
}

fn nested_json(nested: &NestedBlock) -> Json {
    let mode = match nested.nesting {
        Nesting::Single => "single",
        Nesting::Group => "group",
        Nesting::List => "list",
        Nesting::Set => "set",
        Nesting::Map => "map",
    };
    let mut json = json!({ "nesting_mode": mode, "block": block_json(&nested.block) });
    for (name, limit) in [("min_items", nested.min), ("max_items", nested.max)] {
        if limit > 0 {
            json[name] = limit.into();
        }
    }
    json
}

/// `metadata functions -json`.
pub fn functions_json() -> Json {
    let mut signatures: BTreeMap<String, Json> = BTreeMap::new();
    for name in functions::names() {
        if let Some(function) = functions::lookup(name).filter(|function| function.name != "env") {
            let signature = signature_json(function);
            signatures.insert(format!("core::{name}"), signature.clone());
            signatures.insert(name.to_owned(), signature);
        }
    }
    for (name, signature) in special() {
        signatures.insert(format!("core::{name}"), signature.clone());
        signatures.insert(name.to_owned(), signature);
    }
    json!({ "format_version": "1.0", "function_signatures": signatures })
}

/// Functions whose arguments are expressions.
fn special() -> [(&'static str, Json); 3] {
    let dynamic = |name: &str| json!({ "name": name, "type": "dynamic" });
    [
        ("can", json!({ "return_type": "bool", "parameters": [dynamic("expression")] })),
        ("try", json!({ "return_type": "dynamic", "variadic_parameter": dynamic("expressions") })),
        ("convert", json!({ "return_type": "dynamic", "parameters": [dynamic("value"), dynamic("type")] })),
    ]
}

fn signature_json(function: &Function) -> Json {
    let mut json = Map::new();
    json.insert("return_type".into(), type_json(&return_type(function)));
    if !function.params.is_empty() {
        json.insert("parameters".into(), function.params.iter().map(param_json).collect::<Vec<_>>().into());
    }
    if let Some(variadic) = &function.variadic {
        json.insert("variadic_parameter".into(), param_json(variadic));
    }
    json.into()
}

/// What a function is declared to return. Some are known to return more than is declared.
fn return_type(function: &Function) -> Type {
    match function.name {
        "contains" | "format" | "formatlist" | "index" | "parseint" | "setproduct" => Type::Any,
        "tolist" => Type::list(Type::Any),
        "tomap" => Type::map(Type::Any),
        "toset" => Type::set(Type::Any),
        _ => function.declared(),
    }
}

/// The call that a diagnostic happened in: as which function, and what that takes.
pub fn call_json(called_as: &str) -> Json {
    let mut json = json!({ "called_as": called_as });
    if let Some(function) = functions::lookup(called_as) {
        // What is rendered has to be looked at as it is written, so that its type is no rule of the call.
        let open = function.name == "templatestring";
        let typed = |ty: Type| type_json(if open { &Type::Any } else { &ty });
        let param = |param: &Param| json!({ "name": param.name, "type": typed(param.ty.ty()) });
        let mut signature =
            json!({ "name": function.name, "params": function.params.iter().map(param).collect::<Vec<_>>() });
        if let Some(variadic) = &function.variadic {
            signature["variadic_param"] = param(variadic);
        }
        signature["return_type"] = typed(return_type(function));
        json["signature"] = signature;
    }
    json
}

/// The same in words: the name and the names of the parameters.
pub fn call_text(called_as: &str) -> Option<(String, String)> {
    let function = functions::lookup(called_as)?;
    let variadic = function.variadic.map(|param| format!("{}...", param.name));
    let params: Vec<String> = function.params.iter().map(|param| param.name.to_owned()).chain(variadic).collect();
    Some((called_as.to_owned(), params.join(", ")))
}

fn param_json(param: &Param) -> Json {
    let mut json = json!({ "name": param.name });
    if param.allow_null {
        json["is_nullable"] = true.into();
    }
    json["type"] = type_json(&param.ty.ty());
    json
}

/// The tree of modules with the providers that each needs.
pub fn providers_tree(layers: &[(Option<String>, &Module)], stored: &[(String, Vec<String>)]) -> String {
    let mut out = String::from("\nProviders required by configuration:\n");
    for (layer, root) in layers {
        let _ = writeln!(out, "{}", layer.as_deref().unwrap_or("."));
        branch(&mut out, root, "");
        out.push('\n');
    }
    if stored.iter().any(|(_, sources)| !sources.is_empty()) {
        out.push_str("Providers required by state:\n\n");
        for (layer, sources) in stored {
            let prefix = if layer.is_empty() { String::new() } else { format!("{layer}: ") };
            for source in sources {
                let _ = writeln!(out, "    {prefix}provider[{source}]\n");
            }
        }
    }
    out
}

fn branch(out: &mut String, module: &Module, indent: &str) {
    let mut lines: BTreeMap<String, String> = BTreeMap::new();
    for required in module.required_providers.values() {
        let version = required.version.as_deref().map(|version| format!(" {version}")).unwrap_or_default();
        lines.insert(required.source.to_string(), version);
    }
    let used = module.resources.values().map(|resource| module.provider_source(&resource.provider.local));
    let written = module.providers.iter().map(|provider| module.provider_source(&provider.local));
    for source in used.chain(written) {
        lines.entry(source.to_string()).or_default();
    }
    let count = lines.len() + module.calls.len();
    let mut at = 0;
    let mut edge = || {
        at += 1;
        if at == count { ("└── ", "    ") } else { ("├── ", "│   ") }
    };
    for (source, version) in lines {
        let _ = writeln!(out, "{indent}{}provider[{source}]{version}", edge().0);
    }
    for (name, call) in &module.calls {
        let (edge, below) = edge();
        let _ = writeln!(out, "{indent}{edge}module.{name}");
        branch(out, &call.module, &format!("{indent}{below}"));
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::addr::ProviderSource;
    use crate::provider::ProviderFactory;
    use crate::providers::{Settings, native};

    fn json_of(host: &str, namespace: &str, kind: &str) -> Json {
        let source = ProviderSource { host: host.into(), namespace: namespace.into(), kind: kind.into() };
        let provider = native(Settings::new()).provider(&source).unwrap();
        let json = provider_schemas_json([(source.to_string(), provider.schema())].into_iter());
        json["provider_schemas"][source.to_string()].clone()
    }

    #[test]
    fn a_provider_has_a_block_and_everything_has_words() {
        let null = json_of("registry.terraform.io", "hashicorp", "null");
        assert_eq!(null["provider"]["version"], 0);
        assert_eq!(null["provider"]["block"]["description_kind"], "plain");
        let id = &null["resource_schemas"]["null_resource"]["block"]["attributes"]["id"];
        assert_eq!((id["description_kind"].as_str(), id["computed"].as_bool()), (Some("markdown"), Some(true)));
        assert!(id["description"].as_str().is_some_and(|words| words.ends_with('.')), "{id}");
        let kubernetes = json_of("registry.terraform.io", "hashicorp", "kubernetes");
        assert!(kubernetes["provider"]["block"]["attributes"]["host"]["description"].is_string());
        let map = &kubernetes["resource_schemas"]["kubernetes_config_map"]["block"];
        assert!(map["attributes"]["data"]["description"].is_string());
        assert!(map["block_types"]["metadata"]["block"]["attributes"]["name"]["description"].is_string());
        assert!(json_of("registry.terraform.io", "hashicorp", "random")["ephemeral_resource_schemas"].is_object());
        // What is built in has no configuration, as under Terraform.
        assert_eq!(json_of("terraform.io", "builtin", "terraform")["provider"], json!({ "version": 0 }));
    }
}
