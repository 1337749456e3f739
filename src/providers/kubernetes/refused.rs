//! What the API server would refuse of a configuration, found before one is asked: by the table of rules that the sandbox refuses by.
//!
//! Nothing is made of what is absent: a server may fill it in, and so may a webhook.

use super::object::api_type;
use super::table::Resource;
use super::trial::path_of;
use super::write::to_object;
use crate::client::kube::types::Json;
use crate::client::kube::types::rules::{Completeness, problems};
use crate::diag::{Diagnostic, Diagnostics};
use crate::value::Value;

/// Adds what the rules of Kubernetes have against a configuration, but for arguments that something was said of already.
pub fn check(resource: &Resource, config: &Value, said: &mut Diagnostics) {
    let mut object = Json::Object(to_object(&resource.fields, config, None, &api_type(resource)));
    forget_unknown(&mut object);
    for problem in problems(resource.kind, &object, Completeness::Partial) {
        let key = dotted(&path_of(&resource.fields, &problem.path).to_string());
        let known = |one: &Diagnostic| one.argument.as_deref().is_some_and(|known| overlaps(known, &key));
        if said.iter().any(known) {
            continue;
        }
        let detail = format!("{}: {}.", problem.path, problem.message.trim_end_matches('.'));
        said.push(Diagnostic::error("The API server would refuse the object", detail).of_argument(key));
    }
}

/// What is not known yet is null in JSON: it goes, and a list with it, for the places of its elements would be others.
fn forget_unknown(json: &mut Json) {
    match json {
        Json::Object(map) => {
            map.values_mut().for_each(forget_unknown);
            map.retain(|_, part| !part.is_null());
        }
        Json::Array(items) if items.iter().any(Json::is_null) => *json = Json::Null,
        Json::Array(items) => items.iter_mut().for_each(forget_unknown),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
    }
}

/// `spec[0].port[1]` as arguments are named here: `spec.0.port.1`.
fn dotted(path: &str) -> String {
    path.replace('[', ".").replace(']', "")
}

/// Whether one of two arguments is the other, or is inside of it.
fn overlaps(one: &str, other: &str) -> bool {
    let inside =
        |part: &str, whole: &str| part.strip_prefix(whole).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
    inside(one, other) || inside(other, one)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_not_known_is_left_out() {
        let mut object = json!({ "a": null, "b": [1, null], "c": [{ "d": null, "e": 1 }], "f": {} });
        forget_unknown(&mut object);
        assert_eq!(object, json!({ "c": [{ "e": 1 }], "f": {} }));
    }

    #[test]
    fn arguments_inside_of_others() {
        for (one, other, expect) in [
            ("spec.0.type", "spec.0.type", true),
            ("spec.0.port", "spec.0.port.1.name", true),
            ("spec.0.port.1.name", "spec.0.port", true),
            ("spec.0.port", "spec.0.ports", false),
        ] {
            assert_eq!(overlaps(one, other), expect, "{one} {other}");
        }
    }
}
