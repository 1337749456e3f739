//! `null_resource` and `null_data_source`: objects that are nothing but their arguments.
//!
//! In: requests of the engine. Out: values. Nothing outside of state exists.

mod words;

use std::collections::BTreeMap;
use std::sync::Arc;

use rand::RngExt;

use crate::diag::Outcome;
use crate::provider::{Boxed, DataRequest, InState, Provider, ProviderSchema, StateOnly, unknown_kind};
use crate::schema::{Attribute, Block, Schema};
use crate::value::{Type, Value};

use super::Settings;

/// The provider.
pub fn provider(_settings: &Settings) -> Arc<dyn Provider> {
    let resource = Block::new([
        ("id", Attribute::computed(Type::String)),
        ("triggers", Attribute::optional(Type::map(Type::String)).replace()),
    ]);
    let texts = Type::map(Type::String);
    let data = Block::new([
        ("has_computed_default", Attribute::optional_computed(Type::String)),
        ("id", Attribute::computed(Type::String).deprecated("It is always \"static\".")),
        ("inputs", Attribute::optional(texts.clone())),
        ("outputs", Attribute::computed(texts)),
        ("random", Attribute::computed(Type::String)),
    ]);
    let schema = super::prose::described(
        "null",
        ProviderSchema {
            resources: BTreeMap::from([("null_resource", Schema::new(words::of_resource(resource)))]),
            data: BTreeMap::from([("null_data_source", Schema::new(words::of_data(data)))]),
            ..ProviderSchema::default()
        },
    );
    Arc::new(StateOnly::new(Null { schema }))
}

struct Null {
    schema: ProviderSchema,
}

/// A text as the Terraform provider makes its ids: a positive 63-bit number.
fn number_text() -> Value {
    Value::string(rand::rng().random_range(0..=i64::MAX).to_string())
}

impl InState for Null {
    fn schema(&self) -> &ProviderSchema {
        &self.schema
    }

    fn create(&self, kind: &str, planned: &Value) -> Outcome<Value> {
        match planned {
            Value::Object(entries) => Outcome::ok(Value::Object(entries.clone().with("id", number_text()))),
            _ => unknown_kind(kind),
        }
    }

    fn read_data<'a>(&'a self, request: DataRequest) -> Boxed<'a, Outcome<Value>> {
        let Value::Object(config) = request.config else {
            return Box::pin(async move { unknown_kind(&request.kind) });
        };
        let inputs = config.get("inputs").cloned().unwrap_or_default();
        let random = number_text();
        let default = match config.get("has_computed_default") {
            Some(given) if !given.is_null() => given.clone(),
            _ => random.clone(),
        };
        let read = config
            .with("has_computed_default", default)
            .with("id", "static".into())
            .with("outputs", inputs)
            .with("random", random);
        Box::pin(async move { Outcome::ok(Value::Object(read)) })
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::provider::{Configured, PlanRequest};
    use crate::schema::proposed;
    use crate::value::{Entries, Path};

    async fn configured() -> Arc<dyn Configured> {
        provider(&Settings::new()).configure(Value::NULL).await.value.unwrap()
    }

    fn config(trigger: &str) -> Value {
        let triggers = Value::map(Type::String, Entries::from_iter([("a".into(), trigger.into())]));
        Value::object([("id", Value::Null(Type::String)), ("triggers", triggers)])
    }

    #[tokio::test]
    async fn triggers_replace_and_nothing_else_changes() {
        let provider = provider(&Settings::new());
        let schema = &provider.schema().resources["null_resource"];
        let configured = configured().await;
        let plan = async |prior: Value, config: Value| {
            let proposed = proposed(&schema.block, &prior, &config);
            let kind = "null_resource".to_owned();
            configured.plan(PlanRequest { kind, prior, proposed, config, private: vec![] }).await.value.unwrap()
        };
        let new = plan(Value::NULL, config("1")).await;
        assert_eq!(new.value.get("id"), Some(&Value::unknown(Type::String)));
        let Value::Object(entries) = new.value else { panic!("an object is planned") };
        let object = Value::Object(entries.with("id", "7".into()));
        assert_eq!(plan(object.clone(), config("1")).await.value, object);
        assert_eq!(plan(object, config("2")).await.replace, [Path::attribute("triggers")]);
    }

    #[tokio::test]
    async fn the_data_source_gives_its_inputs_back() {
        let inputs = Value::map(Type::String, Entries::from_iter([("a".into(), "b".into())]));
        let nothing = Value::Null(Type::String);
        let config = Value::object([
            ("has_computed_default", nothing.clone()),
            ("id", nothing.clone()),
            ("inputs", inputs.clone()),
            ("outputs", Value::Null(Type::map(Type::String))),
            ("random", nothing),
        ]);
        let read =
            configured().await.read_data(DataRequest { kind: "null_data_source".into(), config }).await.value.unwrap();
        assert_eq!(read.get("outputs"), Some(&inputs));
        assert_eq!(read.get("id"), Some(&Value::from("static")));
        assert_eq!(read.get("random"), read.get("has_computed_default"));
    }
}
