//! From configuration to a connection: a kubeconfig (text or files), or the address and credentials one by one.
//!
//! Nothing here falls back to an address nobody wrote: without one it is an error.

use std::path::PathBuf;

use base64::Engine as _;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::json;

use super::{Kube, KubeError};
use crate::client::{Secret, reason};

/// How to reach a cluster, with the names that Terraform's provider uses for the same things.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// A kubeconfig as text.
    pub config_raw: Option<Secret>,
    /// Kubeconfig files, merged in order.
    pub config_paths: Vec<PathBuf>,
    /// The context to use instead of the current one.
    pub config_context: Option<String>,
    /// The cluster to use instead of the context's.
    pub config_context_cluster: Option<String>,
    /// The user to use instead of the context's.
    pub config_context_auth_info: Option<String>,
    /// Address of the API server: a URL, or `host[:port]` (https).
    pub host: Option<String>,
    /// User name for basic authentication.
    pub username: Option<String>,
    /// Password for basic authentication.
    pub password: Option<Secret>,
    /// Bearer token.
    pub token: Option<Secret>,
    /// Authorities that sign the server's certificate, PEM.
    pub cluster_ca_certificate: Option<String>,
    /// Client certificate, PEM.
    pub client_certificate: Option<String>,
    /// Its key, PEM.
    pub client_key: Option<Secret>,
    /// Whether the server's certificate is not checked.
    pub insecure: bool,
    /// The name to expect in the server's certificate.
    pub tls_server_name: Option<String>,
    /// A proxy to go through.
    pub proxy_url: Option<String>,
    /// A program that gives credentials.
    pub exec: Option<Exec>,
}

/// A program that gives credentials, by client-go's protocol.
#[derive(Clone, Debug, Default)]
pub struct Exec {
    /// `client.authentication.k8s.io/v1`.
    pub api_version: String,
    /// The program.
    pub command: String,
    /// Its arguments.
    pub args: Vec<String>,
    /// Variables for it.
    pub env: Vec<(String, String)>,
}

/// Makes the connection ready; dials nothing yet.
///
/// # Errors
/// The settings are incomplete, contradictory or unreadable.
pub async fn connect(settings: &Settings) -> Result<Kube, KubeError> {
    // TLS needs one provider of cryptography for the process; who comes first has installed the same one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut config = base(settings).await?;
    overlay(settings, &mut config)?;
    // Retries are counted in one place: here.
    config.default_retry = false;
    let host = config.cluster_url.to_string().trim_end_matches('/').to_owned();
    let client = Client::try_from(config).map_err(|error| wrong("the connection cannot be made", &error))?;
    Ok(Kube::new(client, host))
}

async fn base(settings: &Settings) -> Result<Config, KubeError> {
    let kubeconfig = match (&settings.config_raw, &settings.config_paths[..]) {
        (Some(_), [_, ..]) => {
            return Err(KubeError::Configuration("`config_raw` and `config_path` cannot be set together".into()));
        }
        (Some(text), []) => {
            let text = text.reveal();
            if text.trim().is_empty() {
                return Err(KubeError::Configuration("`config_raw` is empty".into()));
            }
            Kubeconfig::from_yaml(text).map_err(|error| wrong("`config_raw` is not a kubeconfig", &error))?
        }
        (None, []) => {
            let Some(host) = settings.host.as_deref().filter(|host| !host.is_empty()) else {
                return Err(KubeError::Configuration(
                    "no cluster is named: set `config_path`, `config_raw` or `host` in provider \"kubernetes\"".into(),
                ));
            };
            return Ok(Config::new(url(host)?));
        }
        (None, paths) => {
            let mut merged = Kubeconfig::default();
            for path in paths {
                let one = Kubeconfig::read_from(path)
                    .map_err(|error| wrong(&format!("the kubeconfig {} cannot be used", path.display()), &error))?;
                merged = merged.merge(one).map_err(|error| wrong("the kubeconfigs do not go together", &error))?;
            }
            merged
        }
    };
    let options = KubeConfigOptions {
        context: settings.config_context.clone(),
        cluster: settings.config_context_cluster.clone(),
        user: settings.config_context_auth_info.clone(),
    };
    Config::from_custom_kubeconfig(kubeconfig, &options)
        .await
        .map_err(|error| wrong("the kubeconfig cannot be used", &error))
}

/// Arguments written one by one win over the kubeconfig's.
fn overlay(settings: &Settings, config: &mut Config) -> Result<(), KubeError> {
    if let Some(host) = settings.host.as_deref().filter(|host| !host.is_empty()) {
        config.cluster_url = url(host)?;
    }
    if let Some(pem) = &settings.cluster_ca_certificate {
        let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
        let certificates = certificates.map_err(|error| wrong("`cluster_ca_certificate` is not PEM", &error))?;
        if certificates.is_empty() {
            return Err(KubeError::Configuration("`cluster_ca_certificate` holds no certificate in PEM".into()));
        }
        config.root_cert = Some(certificates.iter().map(|one| one.as_ref().to_vec()).collect());
    }
    config.accept_invalid_certs |= settings.insecure;
    if settings.tls_server_name.is_some() {
        config.tls_server_name = settings.tls_server_name.clone();
    }
    if let Some(proxy) = &settings.proxy_url {
        config.proxy_url = Some(proxy.parse().map_err(|error| wrong("`proxy_url` is not an address", &error))?);
    }
    let encoded = |text: &str| base64::engine::general_purpose::STANDARD.encode(text);
    // Secrets go in through the type's own form in a kubeconfig.
    let mut auth = serde_json::to_value(&config.auth_info).unwrap_or_default();
    if let Some(token) = &settings.token {
        auth["token"] = json!(token.reveal());
    }
    if let Some(certificate) = &settings.client_certificate {
        auth["client-certificate-data"] = json!(encoded(certificate));
    }
    if let Some(key) = &settings.client_key {
        auth["client-key-data"] = json!(encoded(key.reveal()));
    }
    if let Some(name) = &settings.username {
        auth["username"] = json!(name);
        auth["password"] = json!(settings.password.as_ref().map(Secret::reveal));
    }
    if let Some(exec) = &settings.exec {
        let env: Vec<_> = exec.env.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect();
        auth["exec"] = json!({
            "apiVersion": exec.api_version, "command": exec.command, "args": exec.args, "env": env, "interactiveMode": "Never",
        });
    }
    config.auth_info = serde_json::from_value(auth).map_err(|error| wrong("the credentials cannot be used", &error))?;
    Ok(())
}

fn url(host: &str) -> Result<http::Uri, KubeError> {
    let text = if host.contains("://") { host.to_owned() } else { format!("https://{host}") };
    let uri: http::Uri = text.parse().map_err(|error| wrong(&format!("`host` {host:?} is not an address"), &error))?;
    if uri.host().is_none_or(str::is_empty) {
        return Err(KubeError::Configuration(format!("`host` {host:?} is not an address")));
    }
    Ok(uri)
}

fn wrong(what: &str, error: &(dyn std::error::Error + 'static)) -> KubeError {
    KubeError::Configuration(format!("{what}: {}", reason(error)))
}
