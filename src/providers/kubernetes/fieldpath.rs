//! Paths to fields of an object as users write them: `status.loadBalancer.ingress[0].ip`, `metadata.annotations["example.com/a"]`.

use crate::client::kube::types::Json;

/// The names and indexes of a path.
pub fn steps(path: &str) -> Vec<String> {
    let mut steps = Vec::new();
    let mut rest = path;
    while !rest.is_empty() {
        if let Some(inside) = rest.strip_prefix('[') {
            let quote = inside.chars().next().filter(|quote| matches!(quote, '"' | '\''));
            let (name, after) = match quote {
                Some(quote) => {
                    let inside = &inside[1..];
                    let (name, after) = inside.split_once(quote).unwrap_or((inside, ""));
                    (name, after.strip_prefix(']').unwrap_or(after))
                }
                None => inside.split_once(']').unwrap_or((inside, "")),
            };
            steps.push(name.to_owned());
            rest = after;
        } else if let Some(after) = rest.strip_prefix('.') {
            rest = after;
        } else {
            let end = rest.find(['.', '[']).unwrap_or(rest.len());
            steps.push(rest[..end].to_owned());
            rest = &rest[end..];
        }
    }
    steps
}

/// The part of an object at a path; `None` where there is none.
pub fn at<'a>(object: &'a Json, path: &str) -> Option<&'a Json> {
    part(object, &steps(path))
}

/// The part of an object at the steps of a path; `None` where there is none.
pub fn part<'a>(object: &'a Json, steps: &[String]) -> Option<&'a Json> {
    let found = steps.iter().try_fold(object, |value, step| match value {
        Json::Array(items) => items.get(step.parse::<usize>().ok()?),
        other => other.get(step),
    })?;
    (!found.is_null()).then_some(found)
}

/// The same, to be changed.
pub fn part_mut<'a>(object: &'a mut Json, steps: &[String]) -> Option<&'a mut Json> {
    steps.iter().try_fold(object, |value, step| match value {
        Json::Array(items) => items.get_mut(step.parse::<usize>().ok()?),
        other => other.get_mut(step),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn paths() {
        let check = |path: &str, expect: &[&str]| assert_eq!(steps(path), expect, "{path}");
        check("metadata.labels", &["metadata", "labels"]);
        check("status.ingress[0].ip", &["status", "ingress", "0", "ip"]);
        check("metadata.annotations[\"example.com/a.b\"]", &["metadata", "annotations", "example.com/a.b"]);
        check("data['a']", &["data", "a"]);
        check("", &[]);
    }

    #[test]
    fn parts() {
        let object = json!({ "status": { "ingress": [{ "ip": "a" }], "none": null }, "data": { "a.b": 1 } });
        let check = |path: &str, expect: Option<Json>| assert_eq!(at(&object, path), expect.as_ref(), "{path}");
        check("status.ingress[0].ip", Some(json!("a")));
        check("status.ingress[1].ip", None);
        check("status.none", None);
        check("data[\"a.b\"]", Some(json!(1)));
    }
}
