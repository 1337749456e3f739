//! Which changes of an argument are a reason for a new object.
//!
//! Earlier versions of the Terraform provider did not store keepers that are null, nor a map of nothing else, and some stored an
//! empty text for none. Such a state must not cost anybody a password: it is brought up to date in place.

use crate::value::{Path, Step, Value};

/// Whether the change of the argument that `path` leads to needs a new object.
pub fn is_reason(prior: &Value, planned: &Value, path: &Path) -> bool {
    let [Step::Attribute(name)] = path.steps() else { return true };
    let (old, new) = (prior.get(name), planned.get(name));
    match name.as_str() {
        // What is not known yet may be anything.
        "keepers" => new.is_some_and(|new| !new.is_known()) || !keep_the_same(old, new),
        "override_special" => !(is_nothing(old) && is_nothing(new)),
        _ => true,
    }
}

/// Whether two maps of keepers are the same but for nulls.
fn keep_the_same(old: Option<&Value>, new: Option<&Value>) -> bool {
    let kept = |side: Option<&Value>| {
        let entries = side.and_then(Value::as_entries).into_iter().flatten();
        entries.filter(|(_, value)| !value.is_null()).cloned().collect::<Vec<_>>()
    };
    kept(old) == kept(new)
}

fn is_nothing(side: Option<&Value>) -> bool {
    side.is_none_or(|value| value.is_null() || value.as_str() == Some(""))
}
