//! The arguments of each kind of check.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use crate::schema::{Attribute, Block};
use crate::value::Type;

/// The kinds of checks, as blocks inside a gate are named.
pub const KINDS: [&str; 7] = ["command", "exec", "http", "kubernetes", "postgresql", "redis", "tcp"];

/// The schema of a kind of check.
pub fn schema(kind: &str) -> Option<&'static Block> {
    static BLOCKS: OnceLock<BTreeMap<&'static str, Block>> = OnceLock::new();
    BLOCKS.get_or_init(all).get(kind)
}

fn text() -> Attribute {
    Attribute::optional(Type::String)
}

fn flag() -> Attribute {
    Attribute::optional(Type::Bool)
}

fn words() -> Type {
    Type::list(Type::String)
}

/// `address = "host:port"` reaches over the network, `service = "namespace/name[:port]"` through the API server.
fn reach() -> Vec<(&'static str, Attribute)> {
    vec![("address", text()), ("service", text())]
}

fn all() -> BTreeMap<&'static str, Block> {
    let with = |more: Vec<(&'static str, Attribute)>| Block::new(reach().into_iter().chain(more));
    BTreeMap::from([
        ("tcp", with(vec![])),
        (
            "http",
            Block::new([
                ("url", text()),
                ("service", text()),
                ("path", text()),
                ("host", text()),
                ("method", text()),
                ("headers", Attribute::optional(Type::map(Type::String)).sensitive()),
                ("request_body", text()),
                ("status", Attribute::optional(Type::Number)),
                ("contains", text()),
                ("body", text()),
                ("follow_redirects", flag()),
                ("insecure", flag()),
                ("ca_cert_pem", text()),
            ]),
        ),
        (
            "postgresql",
            with(vec![
                ("database", text()),
                ("username", text()),
                ("password", text().sensitive()),
                ("query", text()),
                ("expect", text()),
                ("role", text()),
                ("replica_address", text()),
                ("replica_service", text()),
                ("sslmode", text()),
                ("ca_cert_pem", text()),
            ]),
        ),
        (
            "redis",
            with(vec![
                ("username", text()),
                ("password", text().sensitive()),
                ("tls", flag()),
                ("insecure", flag()),
                ("ca_cert_pem", text()),
            ]),
        ),
        (
            "kubernetes",
            Block::new([
                ("ready", flag()),
                ("api_version", text()),
                ("kind", text()),
                ("namespace", text()),
                ("name", text()),
                ("exists", flag()),
                ("condition", text()),
                ("rollout", flag()),
            ]),
        ),
        (
            "exec",
            Block::new([
                ("pod", text()),
                ("service", text()),
                ("container", text()),
                ("command", Attribute::required(words())),
                ("contains", text()),
            ]),
        ),
        ("command", Block::new([("argv", Attribute::required(words())), ("contains", text())])),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_schema() {
        for kind in KINDS {
            assert!(schema(kind).is_some(), "{kind}");
        }
        assert!(schema("vault").is_none());
    }
}
