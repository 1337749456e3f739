//! From configuration to a connection: a kubeconfig (text or files), or the address and credentials one by one.
//!
//! Nothing here falls back to an address nobody wrote: without one, and outside of a pod, it is an error.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::time::Duration;

use base64::Engine as _;
use http::Request;
use kube::client::{Body, ClientBuilder};
use kube::config::{AuthInfo, ExecConfig, KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::json;
use tower::BoxError;

use super::credentials::{Bearer, Credential, Program};
use super::types::Json;
use super::{Kube, KubeError};
use crate::client::{Secret, reason};

/// An address that nobody answers at is given up after this long.
const CONNECT: Duration = Duration::from_secs(10);

/// How to reach a cluster, with the names that Terraform's provider uses for the same things.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
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
    /// The cluster that this process runs in, where nothing else is named.
    pub in_cluster: Option<InCluster>,
}

/// What a pod knows of its cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InCluster {
    /// The API server's address.
    pub host: String,
    /// The folder of its service account, with `token` and `ca.crt`.
    pub account: PathBuf,
}

/// A program that gives credentials, by client-go's protocol.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
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

impl Exec {
    fn config(&self) -> ExecConfig {
        let variable = |(name, value): &(String, String)| {
            HashMap::from([("name".to_owned(), name.clone()), ("value".to_owned(), value.clone())])
        };
        ExecConfig {
            api_version: Some(self.api_version.clone()),
            command: Some(self.command.clone()),
            args: Some(self.args.clone()),
            env: Some(self.env.iter().map(variable).collect()),
            drop_env: None,
            install_hint: None,
            interactive_mode: None,
            provide_cluster_info: false,
            cluster: None,
            other: BTreeMap::new(),
        }
    }
}

/// Makes the connection ready, and calls the program that gives credentials where there is one; dials nothing yet.
///
/// # Errors
/// The settings are incomplete, contradictory or unreadable.
pub async fn connect(settings: &Settings) -> Result<Kube, KubeError> {
    // TLS needs one provider of cryptography for the process; who comes first has installed the same one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut config = base(settings).await?;
    // The library would call the program three times for a connection.
    let program = config.auth_info.exec.take();
    overlay(settings, &mut config)?;
    let program = settings.exec.as_ref().map(Exec::config).or(program).filter(|_| !has_credentials(&config.auth_info));
    let bearer = match program.map(Program) {
        Some(program) => {
            let given = program.call().await?;
            identify(&mut config, &given)?;
            Bearer::new(program, &given)?
        }
        None => None,
    };
    // Retries are counted in one place: here.
    config.default_retry = false;
    config.connect_timeout = Some(CONNECT);
    let host = config.cluster_url.to_string().trim_end_matches('/').to_owned();
    let builder = ClientBuilder::try_from(config).map_err(|error| wrong("the connection cannot be made", &error))?;
    let client = builder.build();
    let client = match bearer {
        Some(bearer) => authorised(client, bearer),
        None => client,
    };
    Ok(Kube::new(client, host))
}

/// The same client, whose every request has the present token.
fn authorised(client: Client, bearer: Bearer) -> Client {
    let service = tower::service_fn(move |request: Request<Body>| {
        let (client, bearer) = (client.clone(), bearer.clone());
        async move { Ok::<_, BoxError>(client.send(bearer.authorise(request).await?).await?) }
    });
    Client::new(service, "default")
}

/// Whether credentials are written down, so that no program is called for them.
fn has_credentials(auth: &AuthInfo) -> bool {
    auth.token.is_some() || auth.token_file.is_some() || (auth.username.is_some() && auth.password.is_some())
}

/// Takes the client certificate of a program.
fn identify(config: &mut Config, given: &Credential) -> Result<(), KubeError> {
    let Some((certificate, key)) = &given.identity else { return Ok(()) };
    with_auth(config, |auth| {
        auth["client-certificate-data"] = json!(encoded(certificate));
        auth["client-key-data"] = json!(encoded(key.reveal()));
    })
}

/// Changes credentials in the form that they have in a kubeconfig: the type's own way for secrets.
fn with_auth(config: &mut Config, change: impl FnOnce(&mut Json)) -> Result<(), KubeError> {
    let mut auth = serde_json::to_value(&config.auth_info).unwrap_or_default();
    change(&mut auth);
    config.auth_info = serde_json::from_value(auth).map_err(|error| wrong("the credentials cannot be used", &error))?;
    Ok(())
}

fn encoded(text: &str) -> String {
    base64::engine::general_purpose::STANDARD.encode(text)
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
            return match (settings.host.as_deref().filter(|host| !host.is_empty()), &settings.in_cluster) {
                (Some(host), _) => Ok(Config::new(url(host)?)),
                (None, Some(cluster)) => own_cluster(cluster).await,
                (None, None) => Err(KubeError::Configuration(
                    "no cluster is named: set `config_path`, `config_raw` or `host` in provider \"kubernetes\", or KUBE_CONFIG_PATH \
                     in the environment"
                        .into(),
                )),
            };
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

/// The cluster that this process runs in a pod of. Its token changes, so that the file of it is read again and again.
async fn own_cluster(cluster: &InCluster) -> Result<Config, KubeError> {
    let mut config = Config::new(url(&cluster.host)?);
    let path = cluster.account.join("ca.crt");
    let unreadable = |error: std::io::Error| wrong(&format!("{} cannot be read", path.display()), &error);
    config.root_cert =
        Some(certificates(&tokio::fs::read(&path).await.map_err(unreadable)?, &path.display().to_string())?);
    config.auth_info.token_file = Some(cluster.account.join("token").display().to_string());
    Ok(config)
}

/// The certificates in PEM, as DER. `of` is what they are called.
fn certificates(pem: &[u8], of: &str) -> Result<Vec<Vec<u8>>, KubeError> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let found = found.map_err(|error| wrong(&format!("{of} is not PEM"), &error))?;
    if found.is_empty() {
        return Err(KubeError::Configuration(format!("{of} holds no certificate in PEM")));
    }
    Ok(found.iter().map(|one| one.as_ref().to_vec()).collect())
}

/// Arguments written one by one win over the kubeconfig's.
fn overlay(settings: &Settings, config: &mut Config) -> Result<(), KubeError> {
    if let Some(host) = settings.host.as_deref().filter(|host| !host.is_empty()) {
        config.cluster_url = url(host)?;
    }
    if let Some(pem) = &settings.cluster_ca_certificate {
        config.root_cert = Some(certificates(pem.as_bytes(), "`cluster_ca_certificate`")?);
    }
    config.accept_invalid_certs |= settings.insecure;
    if settings.tls_server_name.is_some() {
        config.tls_server_name = settings.tls_server_name.clone();
    }
    if let Some(proxy) = &settings.proxy_url {
        config.proxy_url = Some(proxy.parse().map_err(|error| wrong("`proxy_url` is not an address", &error))?);
    }
    with_auth(config, |auth| {
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
    })
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
