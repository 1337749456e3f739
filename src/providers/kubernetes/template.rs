//! Pod templates in a changed workload: what the server has left empty in them stays so.
//!
//! In an object of its own the server fills in names, nodes and numbers, so that such attributes are unknown until it has
//! answered. In a template nobody does: what is empty there after creation is empty after every change, and a plan that calls it
//! unknown hides the one line that matters.

use crate::value::{Str, Value};

/// The planned value, with null where a template has null already and the plan says unknown.
pub(super) fn settled(prior: &Value, planned: &Value) -> Value {
    descend(prior, planned, false)
}

fn descend(prior: &Value, planned: &Value, inside: bool) -> Value {
    match (prior.bare(), planned) {
        (before @ Value::Null(_), Value::Unknown(_)) if inside => before.clone(),
        (Value::Object(before), Value::Object(entries)) => {
            let part = |name: &Str, part: &Value| match before.get(name.as_str()) {
                Some(before) => descend(before, part, inside || matches!(name.as_str(), "template" | "job_template")),
                None => part.clone(),
            };
            Value::Object(entries.map_values(part))
        }
        (Value::List(before), Value::List(list)) => {
            let items = list.items.iter().enumerate().map(|(at, item)| match before.items.get(at) {
                Some(before) => descend(before, item, inside),
                None => item.clone(),
            });
            Value::list(list.element.clone(), items.collect())
        }
        _ => planned.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Type;

    #[test]
    fn only_templates_are_settled_and_only_where_they_were_empty() {
        let object = |host: Value, node: Value, uid: Value| {
            let pod = Value::object([("host", host), ("node", node)]);
            let template = Value::list(pod.ty(), vec![pod]);
            Value::object([("template", template), ("uid", uid)])
        };
        let (none, open) = (|| Value::Null(Type::String), || Value::unknown(Type::String));
        let prior = object(none(), "n".into(), none());
        assert_eq!(settled(&prior, &object(open(), open(), open())), object(none(), open(), open()));
        // A new item of a list has no past.
        let nothing = Value::object([("template", Value::list(Type::Any, vec![])), ("uid", none())]);
        assert_eq!(settled(&nothing, &object(open(), open(), none())), object(open(), open(), none()));
    }
}
