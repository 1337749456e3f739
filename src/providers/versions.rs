//! The released versions whose schemas and behaviour the native providers have.

use crate::addr::ProviderSource;

/// Namespace, type and version. Those that exist only here have the version of the program.
const VERSIONS: &[(&str, &str, &str)] = &[
    ("hashicorp", "http", "3.5.0"),
    ("hashicorp", "k3s", env!("CARGO_PKG_VERSION")),
    ("hashicorp", "kubernetes", "2.38.0"),
    ("hashicorp", "local", "2.6.1"),
    ("hashicorp", "null", "3.2.4"),
    ("hashicorp", "random", "3.7.2"),
    ("hashicorp", "ssh", env!("CARGO_PKG_VERSION")),
    ("hashicorp", "time", "0.13.1"),
];

/// The version that a native provider stands for; `None` for one that is none, and for the one that has no versions.
pub fn version_of(source: &ProviderSource) -> Option<&'static str> {
    let own = |namespace: &str, kind: &str| ProviderSource {
        host: crate::addr::DEFAULT_HOST.into(),
        namespace: namespace.into(),
        kind: kind.into(),
    };
    let found = VERSIONS.iter().find(|(namespace, kind, _)| own(namespace, kind).is_same(source));
    found.map(|(_, _, version)| *version)
}
