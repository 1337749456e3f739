//! Reads the outputs of states where backends `local` and `s3` keep them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::addr::LayerName;
use crate::client::Secret;
use crate::client::s3::{S3Credentials, S3Settings};
use crate::diag::{Diagnostic, Outcome};
use crate::provider::Boxed;
use crate::state::store::{LocalStore, S3Store, Store};
use crate::state::{StateHandle, View};
use crate::value::{Type, Value, convert};

use super::{RemoteState, RemoteStateRequest};

/// Looks up environment variables.
pub type Environment = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// Reads stored states.
pub struct StoredStates {
    base: PathBuf,
    env: Environment,
}

impl StoredStates {
    /// Relative paths start from `base`; credentials and the region may come from the environment.
    pub fn new(base: impl Into<PathBuf>, env: Environment) -> Self {
        StoredStates { base: base.into(), env }
    }
}

impl RemoteState for StoredStates {
    fn outputs(&self, request: RemoteStateRequest) -> Boxed<'_, Outcome<Option<Value>>> {
        let opened = match request.backend.as_str() {
            "local" => Ok(local(&self.base, &request)),
            "s3" => s3(&self.env, &request),
            other => Err(Diagnostic::error(
                "Invalid backend configuration",
                format!("There is no backend type named {other:?} here: states are read from \"local\" and \"s3\"."),
            )),
        };
        Box::pin(async move {
            let (store, key) = match opened {
                Ok(opened) => opened,
                Err(diagnostic) => return diagnostic.into(),
            };
            let handle = StateHandle::new(store, key, LayerName::plain());
            match handle.read().await {
                Ok(view) => Outcome::ok(outputs(&view)),
                Err(error) => error.diagnostic().into(),
            }
        })
    }
}

fn outputs(view: &View) -> Option<Value> {
    if view.version.is_none() && view.recovered.is_none() {
        return None;
    }
    let mark = |value: &Value, sensitive: bool| if sensitive { value.clone().sensitive() } else { value.clone() };
    let outputs = view.state.outputs.iter().map(|(name, output)| (name.clone(), mark(&output.value, output.sensitive)));
    Some(Value::object(outputs))
}

fn text(config: &Value, name: &str) -> Option<String> {
    let value = convert(config.get(name)?, &Type::String).ok()?;
    value.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

fn local(base: &Path, request: &RemoteStateRequest) -> (Arc<dyn Store>, String) {
    let path = match (text(&request.config, "path"), request.workspace.as_str()) {
        (Some(path), "default") => PathBuf::from(path),
        (None, "default") => PathBuf::from("terraform.tfstate"),
        (_, workspace) => {
            let folder = text(&request.config, "workspace_dir").unwrap_or_else(|| "terraform.tfstate.d".into());
            Path::new(&folder).join(workspace).join("terraform.tfstate")
        }
    };
    let path = base.join(path);
    let folder = path.parent().unwrap_or(base).to_owned();
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    (Arc::new(LocalStore::new(folder)), name)
}

fn s3(env: &Environment, request: &RemoteStateRequest) -> Result<(Arc<dyn Store>, String), Diagnostic> {
    let config = &request.config;
    let from = |names: &[&str]| names.iter().find_map(|name| env(name).filter(|value| !value.is_empty()));
    let needed = |name: &str, found: Option<String>| {
        found.ok_or_else(|| {
            let detail = format!("The backend \"s3\" needs the argument {name:?}.");
            Diagnostic::error("Invalid backend configuration", detail)
        })
    };
    let endpoint =
        config.get("endpoints").and_then(|endpoints| text(endpoints, "s3")).or_else(|| text(config, "endpoint"));
    let flag = |name: &str| text(config, name).is_some_and(|text| text == "true");
    let settings = S3Settings {
        bucket: needed("bucket", text(config, "bucket"))?,
        region: needed("region", text(config, "region").or_else(|| from(&["AWS_REGION", "AWS_DEFAULT_REGION"])))?,
        endpoint: endpoint.or_else(|| from(&["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"])),
        use_path_style: flag("use_path_style") || flag("force_path_style"),
        credentials: S3Credentials {
            access_key: needed("access_key", text(config, "access_key").or_else(|| from(&["AWS_ACCESS_KEY_ID"])))?,
            secret_key: needed("secret_key", text(config, "secret_key").or_else(|| from(&["AWS_SECRET_ACCESS_KEY"])))
                .map(Secret::new)?,
            session_token: text(config, "token").or_else(|| from(&["AWS_SESSION_TOKEN"])).map(Secret::new),
        },
    };
    let key = needed("key", text(config, "key"))?;
    let key = match request.workspace.as_str() {
        "default" => key,
        workspace => {
            let prefix = text(config, "workspace_key_prefix").unwrap_or_else(|| "env:".into());
            format!("{prefix}/{workspace}/{key}")
        }
    };
    Ok((Arc::new(S3Store::new(&settings)), key))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    const STATE: &str = r#"{"version":4,"terraform_version":"1.11.4","serial":3,"lineage":"l","outputs":{
        "host":{"value":"db","type":"string"},"key":{"value":"s3cret","type":"string","sensitive":true}},"resources":[]}"#;

    fn reader(base: &Path) -> StoredStates {
        StoredStates::new(base, Arc::new(|_| None))
    }

    fn request(backend: &str, config: Value, workspace: &str) -> RemoteStateRequest {
        RemoteStateRequest { backend: backend.into(), config, workspace: workspace.into() }
    }

    #[tokio::test]
    async fn outputs_of_a_file_are_read_with_their_marks() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("terraform.tfstate.d/w")).unwrap();
        std::fs::write(folder.path().join("x.tfstate"), STATE).unwrap();
        std::fs::write(folder.path().join("terraform.tfstate.d/w/terraform.tfstate"), STATE).unwrap();
        for (config, workspace) in [(Value::object([("path", "x.tfstate".into())]), "default"), (Value::NULL, "w")] {
            let read = reader(folder.path()).outputs(request("local", config, workspace)).await.value.unwrap().unwrap();
            assert_eq!(read.get("host"), Some(&Value::from("db")));
            assert_eq!(read.get("key"), Some(&Value::from("s3cret").sensitive()));
        }
        let none = reader(folder.path()).outputs(request("local", Value::NULL, "default")).await;
        assert_eq!(none.value, Some(None));
    }

    #[tokio::test]
    async fn what_cannot_be_opened_is_said() {
        let check = async |backend: &str, expect: &str| {
            let said = reader(Path::new("/nowhere")).outputs(request(backend, Value::NULL, "default")).await.said;
            assert_eq!(said.0[0].detail, expect);
        };
        check("s3", "The backend \"s3\" needs the argument \"bucket\".").await;
        check("gcs", "There is no backend type named \"gcs\" here: states are read from \"local\" and \"s3\".").await;
    }
}
