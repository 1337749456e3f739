//! The arguments of provisioners and connections.

use std::sync::LazyLock;

use crate::schema::{Attribute, Block};
use crate::value::Type;

static LOCAL_EXEC: LazyLock<Block> = LazyLock::new(|| {
    Block::new(vec![
        ("command", Attribute::required(Type::String)),
        ("environment", Attribute::optional(Type::map(Type::String))),
        ("interpreter", Attribute::optional(Type::list(Type::String))),
        ("quiet", Attribute::optional(Type::Bool)),
        ("working_dir", Attribute::optional(Type::String)),
    ])
});

static REMOTE_EXEC: LazyLock<Block> = LazyLock::new(|| {
    Block::new(vec![
        ("inline", Attribute::optional(Type::list(Type::String))),
        ("script", Attribute::optional(Type::String)),
        ("scripts", Attribute::optional(Type::list(Type::String))),
    ])
});

static FILE: LazyLock<Block> = LazyLock::new(|| {
    Block::new(vec![
        ("content", Attribute::optional(Type::String)),
        ("destination", Attribute::required(Type::String)),
        ("source", Attribute::optional(Type::String)),
    ])
});

static CONNECTION: LazyLock<Block> = LazyLock::new(|| {
    let texts = [
        "agent_identity",
        "bastion_certificate",
        "bastion_host",
        "bastion_host_key",
        "bastion_password",
        "bastion_private_key",
        "bastion_user",
        "cacert",
        "certificate",
        "host_key",
        "password",
        "private_key",
        "proxy_host",
        "proxy_scheme",
        "proxy_user_name",
        "proxy_user_password",
        "script_path",
        "target_platform",
        "timeout",
        "type",
        "user",
    ];
    let mut attributes: Vec<_> = texts.into_iter().map(|name| (name, Attribute::optional(Type::String))).collect();
    let numbers = ["bastion_port", "port", "proxy_port"];
    attributes.extend(numbers.map(|name| (name, Attribute::optional(Type::Number))));
    let flags = ["agent", "https", "insecure", "use_ntlm"];
    attributes.extend(flags.map(|name| (name, Attribute::optional(Type::Bool))));
    attributes.push(("host", Attribute::required(Type::String)));
    Block::new(attributes)
});

/// The arguments of a provisioner; `None` where there is none of that kind.
pub fn schema(kind: &str) -> Option<&'static Block> {
    match kind {
        "local-exec" => Some(&LOCAL_EXEC),
        "remote-exec" => Some(&REMOTE_EXEC),
        "file" => Some(&FILE),
        _ => None,
    }
}

/// The arguments of a connection.
pub fn connection() -> &'static Block {
    &CONNECTION
}
