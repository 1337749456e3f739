//! `terraform_data`: keeps a value in state, gives it back as `output`, and is replaced when `triggers_replace` changes.

use crate::diag::{Diagnostic, Outcome};
use crate::provider::{MoveRequest, Moved, PlanRequest, Planned};
use crate::schema::{Attribute, Block, Schema};
use crate::value::{Entries, Path, Step, Type, Value, from_json_typed};

/// Its schema.
pub fn schema() -> Schema {
    Schema::new(Block::new([
        ("id", Attribute::computed(Type::String)),
        ("input", Attribute::optional(Type::Any)),
        ("output", Attribute::computed(Type::Any)),
        ("triggers_replace", Attribute::optional(Type::Any)),
    ]))
}

/// The planned object. The output follows the input: unknown when the input is new or changed, and of its type.
pub fn plan(request: &PlanRequest) -> Planned {
    let Value::Object(proposed) = &request.proposed else {
        return Planned { value: request.proposed.clone(), replace: Vec::new(), private: Vec::new() };
    };
    let of = |object: &Value, name: &str| object.get(name).cloned().unwrap_or_default();
    let input = of(&request.proposed, "input");
    let triggers = of(&request.proposed, "triggers_replace");
    let is_new = request.prior.is_null();
    let replaced = !is_new && triggers != of(&request.prior, "triggers_replace");
    let changed = !is_new && input != of(&request.prior, "input");
    let output = match () {
        () if input.is_null() && (!changed || replaced) => input.clone(),
        () if is_new || replaced || changed => Value::unknown(input.ty()),
        () => of(&request.prior, "output"),
    };
    let id = if is_new || replaced { Value::unknown_not_null(Type::String) } else { of(&request.prior, "id") };
    let entries: Entries = proposed.map_values(|name, value| match name.as_str() {
        "id" => id.clone(),
        "output" => output.clone(),
        // An equal value is the same one from here on: nothing has to keep or compare both.
        "input" if !is_new && !changed => of(&request.prior, "input"),
        _ => value.clone(),
    });
    let replace = if replaced { vec![Path::attribute("triggers_replace")] } else { Vec::new() };
    Planned { value: Value::Object(entries), replace, private: Vec::new() }
}

/// The planned object with an id and its output.
pub fn apply(planned: &Value) -> Value {
    let Value::Object(entries) = planned else { return planned.clone() };
    let input = entries.get("input").cloned().unwrap_or_default();
    Value::Object(entries.map_values(|name, value| match name.as_str() {
        "id" if !value.is_known() => Value::string(uuid::Uuid::new_v4().to_string()),
        "output" if !value.is_known() => input.clone(),
        _ => value.clone(),
    }))
}

/// What was a `null_resource`: its id stays, its triggers become those of the replacement.
pub fn moved(from: &MoveRequest<'_>) -> Option<Outcome<Moved>> {
    let known = from.source.namespace == *"hashicorp" && from.source.kind == *"null";
    if from.kind != "terraform_data" || from.from != "null_resource" || !known {
        return None;
    }
    let texts = Type::map(Type::String);
    let ty = Type::object([("id", Type::String), ("triggers", texts)]);
    let old = match from_json_typed(from.attributes.as_bytes(), &ty) {
        Ok(old) => old,
        Err(error) => {
            let detail = format!("The attributes of the null_resource in state cannot be read: {error}.");
            return Some(Diagnostic::error("Stored object cannot be read", detail).into());
        }
    };
    let of = |name: &str| old.get(name).cloned().unwrap_or_default();
    let triggers = match of("triggers") {
        Value::Map(map) => Value::Object(map.entries.clone()),
        _ => Value::NULL,
    };
    let value = Value::object([
        ("id", of("id")),
        ("input", Value::NULL),
        ("output", Value::NULL),
        ("triggers_replace", triggers),
    ]);
    let sensitive = from.sensitive.iter().map(|path| match path.steps() {
        [Step::Attribute(name), inner @ ..] if *name == *"triggers" => {
            // What were keys of a map are attributes now.
            let inner = inner.iter().map(|step| match step {
                Step::Key(key) => Step::Attribute(key.clone()),
                other => other.clone(),
            });
            std::iter::once(Step::Attribute("triggers_replace".into())).chain(inner).collect()
        }
        _ => path.clone(),
    });
    Some(Outcome::ok(Moved { value, sensitive: sensitive.collect() }))
}

/// An object of which only the id is known.
pub fn imported(id: &str) -> Value {
    Value::object([
        ("id", Value::from(id)),
        ("input", Value::NULL),
        ("output", Value::NULL),
        ("triggers_replace", Value::NULL),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::proposed;

    fn config(input: Value, triggers: Value) -> Value {
        Value::object([
            ("id", Value::Null(Type::String)),
            ("input", input),
            ("output", Value::NULL),
            ("triggers_replace", triggers),
        ])
    }

    fn planned(prior: &Value, config: Value) -> Planned {
        let proposed = proposed(&schema().block, prior, &config);
        plan(&PlanRequest { kind: "terraform_data".into(), prior: prior.clone(), proposed, config, private: vec![] })
    }

    fn made(input: Value, triggers: Value) -> Value {
        apply(&planned(&Value::NULL, config(input, triggers)).value)
    }

    #[test]
    fn a_new_object_has_unknown_id_and_output() {
        let new = planned(&Value::NULL, config("a".into(), Value::NULL));
        assert!(new.replace.is_empty());
        assert_eq!(new.value.get("id"), Some(&Value::unknown_not_null(Type::String)));
        assert_eq!(new.value.get("output"), Some(&Value::unknown(Type::String)));
        let object = apply(&new.value);
        assert_eq!(object.get("output"), Some(&Value::from("a")));
        assert_eq!(object.get("id").and_then(Value::as_str).map(str::len), Some(36));
    }

    #[test]
    fn without_input_the_output_is_null_at_once() {
        let new = planned(&Value::NULL, config(Value::NULL, Value::NULL));
        assert_eq!(new.value.get("output"), Some(&Value::NULL));
    }

    #[test]
    fn an_unchanged_object_plans_nothing() {
        let object = made(Value::int(1), "t".into());
        assert_eq!(planned(&object, config(Value::int(1), "t".into())).value, object);
    }

    #[test]
    fn a_changed_input_keeps_the_id_and_renews_the_output() {
        let object = made("a".into(), Value::NULL);
        let update = planned(&object, config(Value::tuple([Value::int(1)]), Value::NULL));
        assert!(update.replace.is_empty());
        assert_eq!(update.value.get("id"), object.get("id"));
        assert_eq!(update.value.get("output"), Some(&Value::unknown(Type::tuple([Type::Number]))));
        assert_eq!(apply(&update.value).get("output"), Some(&Value::tuple([Value::int(1)])));
    }

    #[test]
    fn a_removed_input_removes_the_output() {
        let object = made("a".into(), Value::NULL);
        let update = planned(&object, config(Value::NULL, Value::NULL));
        // As Terraform plans it: the output is known only afterwards.
        assert_eq!(update.value.get("output").map(Value::is_known), Some(false));
        assert_eq!(apply(&update.value).get("output"), Some(&Value::NULL));
    }

    #[test]
    fn changed_triggers_need_a_new_object() {
        let object = made("a".into(), "t".into());
        for triggers in ["u".into(), Value::NULL, Value::unknown(Type::String)] {
            let replace = planned(&object, config("a".into(), triggers));
            assert_eq!(replace.replace, [Path::attribute("triggers_replace")]);
            assert_eq!(replace.value.get("id"), Some(&Value::unknown_not_null(Type::String)));
        }
    }

    #[test]
    fn an_import_knows_the_id_only() {
        let object = imported("x");
        let update = planned(&object, config("a".into(), Value::NULL));
        assert_eq!(update.value.get("id"), Some(&Value::from("x")));
        assert_eq!(apply(&update.value).get("output"), Some(&Value::from("a")));
    }
}
