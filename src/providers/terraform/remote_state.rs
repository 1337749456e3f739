//! `data "terraform_remote_state"`: the outputs of another state.

use crate::diag::{Diagnostic, Diagnostics, Outcome, did_you_mean};
use crate::provider::Boxed;
use crate::schema::{Attribute, Backend, Block, Schema};
use crate::value::{Type, Value, convert};

/// Which state is meant.
#[derive(Clone, Debug)]
pub struct RemoteStateRequest {
    /// `local`, `s3`.
    pub backend: String,
    /// The backend's arguments, an object; null without any.
    pub config: Value,
    /// The workspace; `default` when none is named.
    pub workspace: String,
}

/// Reads the outputs of states. The caller gives it, since providers know no stores.
pub trait RemoteState: Send + Sync {
    /// The root outputs, sensitive ones marked; `None` when there is no such state.
    fn outputs(&self, request: RemoteStateRequest) -> Boxed<'_, Outcome<Option<Value>>>;
}

/// For callers that have no stores: every read is an error.
pub struct NoRemoteState;

impl RemoteState for NoRemoteState {
    fn outputs(&self, _request: RemoteStateRequest) -> Boxed<'_, Outcome<Option<Value>>> {
        Box::pin(async {
            Diagnostic::error("Remote state cannot be read", "This command works without access to stored states.")
                .into()
        })
    }
}

/// Its schema.
pub fn schema() -> Schema {
    Schema::new(Block::new([
        ("backend", Attribute::required(Type::String)),
        ("config", Attribute::optional(Type::Any)),
        ("defaults", Attribute::optional(Type::Any)),
        ("outputs", Attribute::computed(Type::Any)),
        ("workspace", Attribute::optional(Type::String)),
    ]))
}

/// Looks at the arguments that are known: an argument that the backend does not have would be no argument at all, and what is
/// read another state than the one that is meant.
pub fn validate(config: &Value) -> Diagnostics {
    let mut said = Diagnostics::none();
    let Some(name) = config.get("backend").and_then(Value::as_str) else { return said };
    let mut invalid = |argument: &str, detail: String| {
        said.push(Diagnostic::error("Invalid backend configuration", detail).of_argument(argument));
    };
    let backend = match Backend::named(name) {
        Ok(backend) => backend,
        Err(none) => {
            invalid("backend", none.detail(name));
            return said;
        }
    };
    let given = config.get("config").cloned().unwrap_or_default().unmark_deep().0;
    let wrong = |why: &str| format!("The given configuration is not valid for backend {name:?}: {why}.");
    if given.is_null() || !given.is_known() {
        return said;
    }
    let Some(entries) = given.as_entries() else {
        invalid("config", wrong("an object is required"));
        return said;
    };
    for (argument, value) in entries {
        if !backend.has(argument) {
            let hint = did_you_mean(argument, backend.arguments());
            invalid("config", wrong(&format!("unexpected attribute {:?}", argument.as_str())) + &hint);
        } else if value.is_known() && backend.is_plain(argument) && convert(value, &Type::String).is_err() {
            invalid("config", wrong(&format!(".{}: string required", argument.as_str())));
        }
    }
    said
}

/// The data source with `outputs`: the defaults, and over them what the state has.
pub async fn read(states: &dyn RemoteState, config: Value) -> Outcome<Value> {
    let Value::Object(entries) = &config else {
        return Diagnostic::error("Invalid configuration", "An object is required.").into();
    };
    let text = |name: &str| entries.get(name).and_then(Value::as_str).map(str::to_owned);
    let defaults = entries.get("defaults").cloned().unwrap_or_default();
    if !defaults.is_null() && defaults.as_entries().is_none() {
        return Diagnostic::error("Invalid default values", "Defaults must be given in a map or object value.").into();
    }
    let request = RemoteStateRequest {
        backend: text("backend").unwrap_or_default(),
        config: entries.get("config").cloned().unwrap_or_default(),
        workspace: text("workspace").unwrap_or_else(|| "default".into()),
    };
    let read = states.outputs(request).await;
    let entries = entries.clone();
    read.and_then(|stored| {
        if stored.is_none() {
            return Diagnostic::error(
                "Unable to find remote state",
                "No stored state was found for the given workspace in the given backend.",
            )
            .into();
        }
        let defaults = defaults.as_entries().into_iter().flatten().cloned();
        let stored = stored.as_ref().and_then(Value::as_entries).into_iter().flatten().cloned();
        let outputs = Value::Object(defaults.chain(stored).collect());
        Outcome::ok(Value::Object(entries.with("outputs", outputs)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    struct One(Option<Value>);

    impl RemoteState for One {
        fn outputs(&self, request: RemoteStateRequest) -> Boxed<'_, Outcome<Option<Value>>> {
            assert_eq!((request.backend.as_str(), request.workspace.as_str()), ("local", "default"));
            Box::pin(async { Outcome::ok(self.0.clone()) })
        }
    }

    async fn check(stored: Option<Value>, defaults: Value, expect: Result<Value, &str>) {
        let config = Value::object([
            ("backend", "local".into()),
            ("config", Value::NULL),
            ("defaults", defaults),
            ("outputs", Value::NULL),
            ("workspace", Value::Null(Type::String)),
        ]);
        let got = read(&One(stored), config).await.into_result();
        let got = got.map(|(value, _)| value.get("outputs").cloned().unwrap_or_default());
        assert_eq!(got.map_err(|said| said.0[0].summary.clone()), expect.map_err(str::to_owned));
    }

    #[tokio::test]
    async fn outputs_lie_over_defaults() {
        let object = |entries: &[(&'static str, i64)]| Value::object(entries.iter().map(|&(k, v)| (k, Value::int(v))));
        check(Some(object(&[("a", 1)])), Value::NULL, Ok(object(&[("a", 1)]))).await;
        check(Some(object(&[("a", 1)])), object(&[("a", 2), ("b", 3)]), Ok(object(&[("a", 1), ("b", 3)]))).await;
        check(None, object(&[("b", 3)]), Err("Unable to find remote state")).await;
        check(None, Value::NULL, Err("Unable to find remote state")).await;
        check(None, "x".into(), Err("Invalid default values")).await;
    }
}
