//! Label and field selectors.

use crate::client::kube::types::Json;

/// One requirement of a selector in text form.
#[derive(Debug, PartialEq, Eq)]
enum Need {
    In(String, Vec<String>),
    NotIn(String, Vec<String>),
    Exists(String),
    Missing(String),
}

/// A label selector and a field selector, read.
#[derive(Debug, Default)]
pub struct Selection {
    labels: Vec<Need>,
    fields: Vec<Need>,
}

impl Selection {
    /// Reads the texts of `labelSelector` and `fieldSelector`.
    pub fn new(labels: Option<&str>, fields: Option<&str>) -> Self {
        let needs = |text: Option<&str>| split(text.unwrap_or_default()).iter().map(|part| need(part)).collect();
        Selection { labels: needs(labels), fields: needs(fields) }
    }

    /// Whether it takes everything.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty() && self.fields.is_empty()
    }

    /// Whether it takes an object.
    pub fn takes(&self, object: &Json) -> bool {
        let label = |name: &str| object["metadata"]["labels"][name].as_str().map(str::to_owned);
        let field = |path: &str| Some(text_at(object, path));
        self.labels.iter().all(|need| need.met(label)) && self.fields.iter().all(|need| need.met(field))
    }
}

impl Need {
    fn met(&self, value: impl Fn(&str) -> Option<String>) -> bool {
        match self {
            Need::In(name, values) => value(name).is_some_and(|value| values.contains(&value)),
            Need::NotIn(name, values) => value(name).is_none_or(|value| !values.contains(&value)),
            Need::Exists(name) => value(name).is_some(),
            Need::Missing(name) => value(name).is_none(),
        }
    }
}

/// `metadata.name` of an object as text; empty where there is none.
fn text_at(object: &Json, path: &str) -> String {
    let found = path.split('.').try_fold(object, |object, name| object.get(name));
    match found {
        None | Some(Json::Null) => String::new(),
        Some(Json::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

/// Splits at commas that are not inside parentheses.
fn split(text: &str) -> Vec<&str> {
    let (mut parts, mut depth, mut start) = (Vec::new(), 0, 0);
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts.into_iter().map(str::trim).filter(|part| !part.is_empty()).collect()
}

fn need(part: &str) -> Need {
    let one = |name: &str, value: &str| (name.trim().to_owned(), vec![value.trim().to_owned()]);
    if let Some((name, value)) = part.split_once("!=") {
        let (name, values) = one(name, value);
        return Need::NotIn(name, values);
    }
    if let Some((name, value)) = part.split_once("==").or_else(|| part.split_once('=')) {
        let (name, values) = one(name, value);
        return Need::In(name, values);
    }
    let listed = |rest: &str| {
        let inner = rest.trim().trim_start_matches('(').trim_end_matches(')');
        inner.split(',').map(|value| value.trim().to_owned()).collect()
    };
    match part.split_once(char::is_whitespace) {
        Some((name, rest)) => match rest.trim().strip_prefix("notin") {
            Some(values) => Need::NotIn(name.to_owned(), listed(values)),
            None => Need::In(name.to_owned(), listed(rest.trim().trim_start_matches("in"))),
        },
        None => match part.strip_prefix('!') {
            Some(name) => Need::Missing(name.to_owned()),
            None => Need::Exists(part.to_owned()),
        },
    }
}

/// Whether a selector in object form (`matchLabels`, `matchExpressions`) takes these labels.
pub fn matches_selector(selector: &Json, labels: &Json) -> bool {
    let by_label = selector["matchLabels"].as_object().into_iter().flatten();
    let by_expression = selector["matchExpressions"].as_array().into_iter().flatten();
    by_label.into_iter().all(|(name, value)| labels.get(name) == Some(value))
        && by_expression.into_iter().all(|one| {
            let value = one["key"].as_str().and_then(|key| labels.get(key));
            let listed = |value: &Json| one["values"].as_array().is_some_and(|values| values.contains(value));
            match one["operator"].as_str() {
                Some("In") => value.is_some_and(listed),
                Some("NotIn") => !value.is_some_and(listed),
                Some("Exists") => value.is_some(),
                Some("DoesNotExist") => value.is_none(),
                _ => false,
            }
        })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn selects() {
        let object =
            json!({ "metadata": { "name": "x", "labels": { "app": "redis", "tier": "data" } }, "spec": { "n": 3 } });
        let check = |labels: &str, fields: &str, expect: bool| {
            assert_eq!(Selection::new(Some(labels), Some(fields)).takes(&object), expect, "{labels} {fields}");
        };
        check("", "", true);
        check("app=redis,tier=data", "", true);
        check("app==redis", "metadata.name=x", true);
        check("app!=redis", "", false);
        check("app in (redis, nats),tier notin (web)", "", true);
        check("!app", "", false);
        check("app", "metadata.name!=x", false);
        check("", "spec.n=3", true);
        check("", "status.phase=Running", false);
    }
}
