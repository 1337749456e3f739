//! The provider's own arguments, and all of its schemas.

use std::path::PathBuf;

use super::table::table;
use crate::client::Secret;
use crate::client::kube::{Exec, InCluster, KubeError, Settings};
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

/// Environment variables by name.
pub type Env = dyn Fn(&str) -> Option<String> + Send + Sync;

/// How to reach the cluster that a configuration names. What it leaves out comes from the KUBE_* variables of Terraform's provider.
///
/// # Errors
/// A variable cannot be read.
pub fn settings(config: &Value, env: &Env) -> Result<Settings, KubeError> {
    let arguments = Arguments { config, env };
    let (text, secret) = (|name| arguments.text(name), |name| arguments.text(name).map(Secret::new));
    Ok(Settings {
        config_raw: secret("config_raw"),
        config_paths: arguments.paths().iter().map(|path| expand_home(path)).collect(),
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
        insecure: arguments.flag("insecure")?,
        tls_server_name: text("tls_server_name"),
        proxy_url: text("proxy_url"),
        exec: config.get("exec").and_then(Value::as_items).and_then(<[Value]>::first).map(exec),
        in_cluster: in_cluster(env),
    })
}

/// Which variable stands in for an argument that is not set, by the documentation of hashicorp/kubernetes 2.38.
const VARIABLES: [(&str, &str); 14] = [
    ("host", "KUBE_HOST"),
    ("username", "KUBE_USER"),
    ("password", "KUBE_PASSWORD"),
    ("insecure", "KUBE_INSECURE"),
    ("tls_server_name", "KUBE_TLS_SERVER_NAME"),
    ("client_certificate", "KUBE_CLIENT_CERT_DATA"),
    ("client_key", "KUBE_CLIENT_KEY_DATA"),
    ("cluster_ca_certificate", "KUBE_CLUSTER_CA_CERT_DATA"),
    ("config_path", "KUBE_CONFIG_PATH"),
    ("config_context", "KUBE_CTX"),
    ("config_context_auth_info", "KUBE_CTX_AUTH_INFO"),
    ("config_context_cluster", "KUBE_CTX_CLUSTER"),
    ("token", "KUBE_TOKEN"),
    ("proxy_url", "KUBE_PROXY_URL"),
];

/// The provider's arguments and the environment beneath them.
struct Arguments<'a> {
    config: &'a Value,
    env: &'a Env,
}

impl Arguments<'_> {
    /// What the configuration says, if only that it is to be empty.
    fn set(&self, name: &str) -> Option<&Value> {
        self.config.get(name).filter(|value| !value.is_null())
    }

    fn variable(&self, argument: &str) -> Option<(&'static str, String)> {
        let (_, name) = VARIABLES.iter().find(|(of, _)| *of == argument)?;
        Some((name, (self.env)(name).filter(|text| !text.is_empty())?))
    }

    fn text(&self, name: &str) -> Option<String> {
        match self.set(name) {
            Some(value) => value.as_str().filter(|text| !text.is_empty()).map(str::to_owned),
            None => self.variable(name).map(|(_, text)| text),
        }
    }

    fn flag(&self, name: &str) -> Result<bool, KubeError> {
        if let Some(value) = self.set(name) {
            return Ok(value.as_bool().unwrap_or(false));
        }
        let Some((variable, text)) = self.variable(name) else { return Ok(false) };
        // The forms that Go's ParseBool reads.
        match text.as_str() {
            "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
            "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
            _ => Err(KubeError::Configuration(format!("{variable} is {text:?}: it has to be true or false"))),
        }
    }

    /// Kubeconfig files: one path or several, from the configuration or else from the environment.
    fn paths(&self) -> Vec<String> {
        if self.set("config_raw").is_some() {
            return Vec::new();
        }
        let mut paths = texts(self.config.get("config_paths"));
        let one_is_set = self.set("config_path").is_some();
        if paths.is_empty() || one_is_set {
            paths.extend(self.text("config_path"));
        }
        if paths.is_empty() && !one_is_set {
            let listed = (self.env)("KUBE_CONFIG_PATHS").unwrap_or_default();
            paths.extend(std::env::split_paths(&listed).filter_map(|path| Some(path.to_str()?.to_owned())));
            paths.retain(|path| !path.is_empty());
        }
        paths
    }
}

fn texts(value: Option<&Value>) -> Vec<String> {
    let items = value.and_then(Value::as_items).unwrap_or_default().iter();
    items.filter_map(|item| item.as_str().map(str::to_owned)).collect()
}

fn exec(exec: &Value) -> Exec {
    let text = |name: &str| exec.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let env = exec.get("env").and_then(Value::as_entries).into_iter().flatten();
    Exec {
        api_version: text("api_version"),
        command: text("command"),
        args: texts(exec.get("args")),
        env: env.filter_map(|(name, value)| Some((name.to_string(), value.as_str()?.to_owned()))).collect(),
    }
}

/// Where a pod finds the cluster that it runs in.
fn in_cluster(env: &Env) -> Option<InCluster> {
    let filled = |name: &str| env(name).filter(|text| !text.is_empty());
    let (host, port) = (filled("KUBERNETES_SERVICE_HOST")?, filled("KUBERNETES_SERVICE_PORT")?);
    // An IPv6 address stands in brackets in a URL.
    let host = if host.contains(':') { format!("[{host}]") } else { host };
    let account = PathBuf::from("/var/run/secrets/kubernetes.io/serviceaccount");
    Some(InCluster { host: format!("https://{host}:{port}"), account })
}

/// `~/…` is in the user's home folder, as in a shell.
fn expand_home(path: &str) -> PathBuf {
    match (path.strip_prefix("~/"), std::env::home_dir()) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => PathBuf::from(path),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn read(arguments: &[(&str, Value)], env: &[(&str, &str)]) -> Result<Settings, KubeError> {
        let given: BTreeMap<&str, &Value> = arguments.iter().map(|(name, value)| (*name, value)).collect();
        let names = super::arguments();
        let names = names.attributes.iter().map(|(name, _)| name.to_string());
        let config = Value::object(names.map(|name| {
            let value = given.get(name.as_str()).map_or(Value::NULL, |value| (*value).clone());
            (name, value)
        }));
        let env: BTreeMap<String, String> =
            env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        settings(&config, &move |name: &str| env.get(name).cloned())
    }

    fn text(text: &str) -> Value {
        Value::from(text)
    }

    #[test]
    fn every_variable_stands_in_for_its_argument() {
        let env: Vec<(&str, &str)> = VARIABLES
            .iter()
            .map(|(argument, name)| (*name, if *argument == "insecure" { "true" } else { *argument }))
            .collect();
        let some = |text: &str| Some(text.to_owned());
        let secret = |text: &str| Some(Secret::new(text));
        let expect = Settings {
            config_raw: None,
            config_paths: vec!["config_path".into()],
            config_context: some("config_context"),
            config_context_cluster: some("config_context_cluster"),
            config_context_auth_info: some("config_context_auth_info"),
            host: some("host"),
            username: some("username"),
            password: secret("password"),
            token: secret("token"),
            cluster_ca_certificate: some("cluster_ca_certificate"),
            client_certificate: some("client_certificate"),
            client_key: secret("client_key"),
            insecure: true,
            tls_server_name: some("tls_server_name"),
            proxy_url: some("proxy_url"),
            exec: None,
            in_cluster: None,
        };
        assert_eq!(read(&[], &env).unwrap(), expect);
    }

    #[test]
    fn arguments_win_over_variables() {
        let host = |arguments: &[(&str, Value)]| read(arguments, &[("KUBE_HOST", "theirs")]).unwrap().host;
        assert_eq!(host(&[]).as_deref(), Some("theirs"));
        assert_eq!(host(&[("host", text("ours"))]).as_deref(), Some("ours"));
        assert_eq!(host(&[("host", text(""))]), None, "what is set to nothing is not looked for elsewhere");
        let insecure = |arguments: &[(&str, Value)], variable: &str| {
            read(arguments, &[("KUBE_INSECURE", variable)])
                .map(|settings| settings.insecure)
                .map_err(|error| error.to_string())
        };
        assert_eq!(insecure(&[], "1"), Ok(true));
        assert_eq!(insecure(&[("insecure", Value::from(false))], "1"), Ok(false));
        assert!(insecure(&[], "yes").unwrap_err().contains("KUBE_INSECURE is \"yes\""));
    }

    #[test]
    fn kubeconfig_files() {
        let paths = |arguments: &[(&str, Value)], env: &[(&str, &str)]| {
            let paths = read(arguments, env).unwrap().config_paths;
            paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(" ")
        };
        let (one, many) = (("KUBE_CONFIG_PATH", "one"), ("KUBE_CONFIG_PATHS", "a:b"));
        let listed = ("config_paths", Value::list(Type::String, vec![text("x"), text("y")]));
        assert_eq!(paths(&[], &[]), "");
        assert_eq!(paths(&[], &[many]), "a b");
        assert_eq!(paths(&[], &[one, many]), "one");
        assert_eq!(paths(&[("config_path", text("own"))], &[one, many]), "own");
        assert_eq!(paths(&[("config_path", text(""))], &[one, many]), "");
        assert_eq!(paths(&[listed], &[one, many]), "x y");
        assert_eq!(paths(&[("config_raw", text("{}"))], &[one, many]), "");
    }

    #[test]
    fn pods_know_their_cluster() {
        let host = |host: &str| {
            let settings = read(&[], &[("KUBERNETES_SERVICE_HOST", host), ("KUBERNETES_SERVICE_PORT", "443")]).unwrap();
            settings.in_cluster.map(|cluster| cluster.host)
        };
        assert_eq!(host("10.0.0.1").as_deref(), Some("https://10.0.0.1:443"));
        assert_eq!(host("fd00::1").as_deref(), Some("https://[fd00::1]:443"));
        assert_eq!(host(""), None);
    }
}
