//! Paths and query strings of the API.

use percent_encoding::percent_decode_str;

/// What a path asks for.
#[derive(Debug, PartialEq, Eq)]
pub enum Target {
    /// A collection or an object of a kind.
    Resource(Place),
    /// Anything else: discovery, versions, health.
    Other(Vec<String>),
}

/// A place among the resources.
#[derive(Debug, PartialEq, Eq, Clone, Default)]
pub struct Place {
    /// API group, empty for the core group.
    pub group: String,
    /// Version.
    pub version: String,
    /// The namespace, if the path names one.
    pub namespace: Option<String>,
    /// `deployments`.
    pub plural: String,
    /// The object; none for the collection.
    pub name: Option<String>,
    /// `status`, `scale`, `log`.
    pub subresource: Option<String>,
}

/// Reads a path.
pub fn target(path: &str) -> Target {
    let parts: Vec<String> = path
        .split('/')
        .filter(|part| !part.is_empty())
        .map(|part| percent_decode_str(part).decode_utf8_lossy().into_owned())
        .collect();
    let words: Vec<&str> = parts.iter().map(String::as_str).collect();
    let (group, version, rest) = match &words[..] {
        ["api", version, rest @ ..] if !rest.is_empty() => ("", *version, rest),
        ["apis", group, version, rest @ ..] if !rest.is_empty() => (*group, *version, rest),
        _ => return Target::Other(parts),
    };
    let (namespace, rest) = match rest {
        // `…/namespaces/a` and its subresources are the namespace itself.
        ["namespaces", _, "status" | "finalize"] | ["namespaces"] | ["namespaces", _] => (None, rest),
        ["namespaces", namespace, rest @ ..] => (Some((*namespace).to_owned()), rest),
        _ => (None, rest),
    };
    let owned = |at: usize| rest.get(at).map(|word| (*word).to_owned());
    match owned(0) {
        Some(plural) if rest.len() <= 3 => Target::Resource(Place {
            group: group.to_owned(),
            version: version.to_owned(),
            namespace,
            plural,
            name: owned(1),
            subresource: owned(2),
        }),
        _ => Target::Other(parts),
    }
}

/// A query string, read.
#[derive(Debug, Default)]
pub struct Query(Vec<(String, String)>);

impl Query {
    /// Reads one.
    pub fn new(text: Option<&str>) -> Self {
        let decode = |part: &str| percent_decode_str(&part.replace('+', " ")).decode_utf8_lossy().into_owned();
        let pairs = text.unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
        let pairs = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        Query(pairs.map(|(name, value)| (decode(name), decode(value))).collect())
    }

    /// The first value of a parameter, unless it is empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// Whether a parameter is `true` or `1`.
    pub fn is(&self, name: &str) -> bool {
        matches!(self.get(name), Some("true" | "1"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths() {
        let check = |path: &str, expect: Option<(&str, Option<&str>, &str, Option<&str>, Option<&str>)>| {
            let found = match target(path) {
                Target::Resource(place) => Some(place),
                Target::Other(_) => None,
            };
            let found = found.as_ref().map(|place| {
                let text = |part: &Option<String>| part.clone();
                (
                    place.group.clone(),
                    text(&place.namespace),
                    place.plural.clone(),
                    text(&place.name),
                    text(&place.subresource),
                )
            });
            let owned = |part: Option<&str>| part.map(str::to_owned);
            let expect = expect.map(|(a, b, c, d, e)| (a.to_owned(), owned(b), c.to_owned(), owned(d), owned(e)));
            assert_eq!(found, expect, "{path}");
        };
        check("/api/v1/pods", Some(("", None, "pods", None, None)));
        check("/api/v1/namespaces/a", Some(("", None, "namespaces", Some("a"), None)));
        check("/api/v1/namespaces/a/status", Some(("", None, "namespaces", Some("a"), Some("status"))));
        check("/api/v1/namespaces/a/pods/b/log", Some(("", Some("a"), "pods", Some("b"), Some("log"))));
        check("/apis/apps/v1/namespaces/a/deployments", Some(("apps", Some("a"), "deployments", None, None)));
        check("/apis/apps/v1", None);
        check("/api", None);
        check("/version", None);
    }

    #[test]
    fn queries() {
        let query = Query::new(Some("labelSelector=app%3Da%2Cb+in+%28c%29&force=true&empty="));
        assert_eq!(query.get("labelSelector"), Some("app=a,b in (c)"));
        assert!(query.is("force"));
        assert_eq!(query.get("empty"), None);
    }
}
