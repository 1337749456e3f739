//! Changes that need a new object by what the object says of itself, beyond the flags of the table.

use super::compare::is_nothing;
use super::table::Resource;
use crate::client::kube::types::quantity;
use crate::value::{Path, Step, Value};

/// Adds the paths at which such a change is.
pub fn replaced(resource: &Resource, prior: &Value, planned: &Value, found: &mut Vec<Path>) {
    match resource.kind.kind.as_str() {
        "ConfigMap" | "Secret" if prior.get("immutable").and_then(Value::as_bool) == Some(true) => {
            for name in ["data", "binary_data", "immutable"] {
                if differs(at(prior, &[name]), at(planned, &[name])) {
                    push(found, &[name]);
                }
            }
        }
        "PersistentVolumeClaim" => claim(prior, planned, found),
        "PersistentVolume" => {
            let source = ["spec", "persistent_volume_source"];
            if differs(at(prior, &source), at(planned, &source)) {
                push(found, &source);
            }
        }
        _ => {}
    }
}

/// A claim can grow; its limits, and anything less than before, need a new one.
fn claim(prior: &Value, planned: &Value, found: &mut Vec<Path>) {
    let part = |name| ["spec", "resources", name];
    if differs(at(prior, &part("limits")), at(planned, &part("limits"))) {
        return push(found, &part("limits"));
    }
    let storage = |value| at(value, &part("requests")).and_then(|requests| requests.get("storage")?.as_str());
    if let (Some(old), Some(new)) = (storage(prior), storage(planned))
        && quantity::compare(new, old) == Some(std::cmp::Ordering::Less)
    {
        push(found, &part("requests"));
    }
}

fn differs(old: Option<&Value>, new: Option<&Value>) -> bool {
    let is_nothing = |value: Option<&Value>| value.is_none_or(is_nothing);
    old != new && !(is_nothing(old) && is_nothing(new))
}

/// An attribute, through the one block of each name before it.
fn at<'v>(value: &'v Value, path: &[&str]) -> Option<&'v Value> {
    let (last, blocks) = path.split_last()?;
    let block = blocks.iter().try_fold(value, |value, name| value.get(name)?.as_items()?.first())?;
    block.get(last)
}

fn push(found: &mut Vec<Path>, path: &[&str]) {
    fn build(at: &mut Path, rest: &[&str], found: &mut Vec<Path>) {
        let Some((name, rest)) = rest.split_first() else {
            if !found.contains(at) {
                found.push(at.clone());
            }
            return;
        };
        at.inside(Step::Attribute((*name).into()), |at| {
            if rest.is_empty() {
                build(at, rest, found);
            } else {
                at.inside(Step::Index(0), |at| build(at, rest, found));
            }
        });
    }
    build(&mut Path::root(), path, found);
}
