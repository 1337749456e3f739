//! The provider's own arguments, and all of its schemas.

use std::path::PathBuf;

use super::table::table;
use crate::client::Secret;
use crate::client::kube::{Exec, Settings};
use crate::provider::ProviderSchema;
use crate::schema::{Attribute, Block, NestedBlock, Nesting, Schema};
use crate::value::{Type, Value};

/// Every schema of the provider.
pub fn schemas() -> ProviderSchema {
    let mut schemas = ProviderSchema { config: Schema::new(arguments()), ..ProviderSchema::default() };
    for (name, resource) in &table().resources {
        schemas.resources.insert(name, resource.schema());
    }
    for (name, resource) in &table().data {
        schemas.data.insert(name, resource.schema());
    }
    for (name, special) in &table().special {
        schemas.resources.insert(name, special.schema());
    }
    schemas.resources.insert("kubernetes_manifest", super::manifest::schema());
    schemas.data.insert("kubernetes_resource", super::data::resource_schema());
    for kind in super::lists::KINDS {
        schemas.data.insert(kind, super::lists::schema(kind));
    }
    schemas.ephemeral.insert(super::token::KIND, super::token::schema());
    schemas.ephemeral.insert(super::certificate::KIND, super::certificate::ephemeral_schema());
    super::super::prose::described("kubernetes", schemas)
}

/// The provider's own arguments.
pub fn arguments() -> Block {
    let text = || Attribute::optional(Type::String);
    let secret = || Attribute::optional(Type::String).sensitive();
    let exec = Block::new([
        ("api_version", Attribute::required(Type::String)),
        ("command", Attribute::required(Type::String)),
        ("args", Attribute::optional(Type::list(Type::String))),
        ("env", Attribute::optional(Type::map(Type::String))),
    ]);
    let experiments = Block::new([(
        "manifest_resource",
        Attribute::optional(Type::Bool).deprecated("The resource type needs no permission any more."),
    )]);
    Block::new([
        ("host", text()),
        ("username", text()),
        ("password", secret()),
        ("insecure", Attribute::optional(Type::Bool)),
        ("tls_server_name", text()),
        ("client_certificate", text()),
        ("client_key", secret()),
        ("cluster_ca_certificate", text()),
        ("config_raw", secret()),
        ("config_path", text()),
        ("config_paths", Attribute::optional(Type::list(Type::String))),
        ("config_context", text()),
        ("config_context_auth_info", text()),
        ("config_context_cluster", text()),
        ("token", secret()),
        ("proxy_url", text()),
        ("ignore_annotations", Attribute::optional(Type::list(Type::String))),
        ("ignore_labels", Attribute::optional(Type::list(Type::String))),
    ])
    .with_blocks([
        ("exec", NestedBlock::new(Nesting::List, exec)),
        ("experiments", NestedBlock::new(Nesting::List, experiments)),
    ])
}

/// How to reach the cluster that a configuration names.
pub fn settings(config: &Value) -> Settings {
    let text = |name: &str| {
        let text = config.get(name).and_then(Value::as_str);
        text.filter(|text| !text.is_empty()).map(str::to_owned)
    };
    let secret = |name: &str| text(name).map(Secret::new);
    let texts = |value: Option<&Value>| -> Vec<String> {
        let items = value.and_then(Value::as_items).unwrap_or_default().iter();
        items.filter_map(|item| item.as_str().map(str::to_owned)).collect()
    };
    let mut paths = texts(config.get("config_paths"));
    paths.extend(text("config_path"));
    let exec = config.get("exec").and_then(Value::as_items).and_then(<[Value]>::first).map(|exec| {
        let text = |name: &str| exec.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let env = exec.get("env").and_then(Value::as_entries).into_iter().flatten();
        Exec {
            api_version: text("api_version"),
            command: text("command"),
            args: texts(exec.get("args")),
            env: env.filter_map(|(name, value)| Some((name.to_string(), value.as_str()?.to_owned()))).collect(),
        }
    });
    Settings {
        config_raw: secret("config_raw"),
        config_paths: paths.iter().map(|path| expand_home(path)).collect(),
        config_context: text("config_context"),
        config_context_cluster: text("config_context_cluster"),
        config_context_auth_info: text("config_context_auth_info"),
        host: text("host"),
        username: text("username"),
        password: secret("password"),
        token: secret("token"),
        cluster_ca_certificate: text("cluster_ca_certificate"),
        client_certificate: text("client_certificate"),
        client_key: secret("client_key"),
        insecure: config.get("insecure").and_then(Value::as_bool).unwrap_or(false),
        tls_server_name: text("tls_server_name"),
        proxy_url: text("proxy_url"),
        exec,
    }
}

/// `~/…` is in the user's home folder, as in a shell.
fn expand_home(path: &str) -> PathBuf {
    match (path.strip_prefix("~/"), std::env::home_dir()) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => PathBuf::from(path),
    }
}
