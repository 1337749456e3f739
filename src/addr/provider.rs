//! Providers: where one comes from, and which configuration of it is meant.

use std::fmt;

use super::{InstanceKey, LayerName, ModuleAddr, Name};

/// A provider's source address: `registry.terraform.io/hashicorp/random`. The host is the one state files carry.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ProviderSource {
    /// The host name.
    pub host: Name,
    /// The namespace, such as `hashicorp`.
    pub namespace: Name,
    /// The type, such as `random`.
    pub kind: Name,
}

/// The host of addresses that name none, in Terraform's state and lock files.
pub const DEFAULT_HOST: &str = "registry.terraform.io";
/// The same for OpenTofu.
pub const DEFAULT_HOST_OPENTOFU: &str = "registry.opentofu.org";

impl ProviderSource {
    /// The address of a provider that `required_providers` does not mention: `hashicorp/TYPE`, and the built-in one for `terraform`.
    pub fn implied(kind: &str) -> Self {
        if kind == "terraform" {
            return ProviderSource::builtin();
        }
        ProviderSource { host: DEFAULT_HOST.into(), namespace: "hashicorp".into(), kind: lower(kind) }
    }

    /// The provider inside the program: `terraform.io/builtin/terraform`.
    pub fn builtin() -> Self {
        ProviderSource { host: "terraform.io".into(), namespace: "builtin".into(), kind: "terraform".into() }
    }

    /// Reads `TYPE`, `NAMESPACE/TYPE` or `HOST/NAMESPACE/TYPE`. `None` when it is none of these. Upper and lower case mean the
    /// same, as in the names of hosts: `ClickHouse/x` is `clickhouse/x`.
    pub fn parse(text: &str) -> Option<Self> {
        let valid = |part: &str| {
            !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':'))
        };
        let parts: Vec<&str> = text.split('/').collect();
        if !parts.iter().all(|part| valid(part)) {
            return None;
        }
        match parts[..] {
            [kind] => Some(ProviderSource::implied(kind)),
            [namespace, kind] => {
                Some(ProviderSource { host: DEFAULT_HOST.into(), namespace: lower(namespace), kind: lower(kind) })
            }
            [host, namespace, kind] => {
                Some(ProviderSource { host: lower(host), namespace: lower(namespace), kind: lower(kind) })
            }
            _ => None,
        }
    }

    /// Whether two addresses mean the same provider: the two default hosts are one.
    pub fn is_same(&self, other: &ProviderSource) -> bool {
        let host = |source: &ProviderSource| {
            if source.host == DEFAULT_HOST_OPENTOFU { Name::from(DEFAULT_HOST) } else { source.host.clone() }
        };
        self.namespace == other.namespace && self.kind == other.kind && host(self) == host(other)
    }
}

fn lower(text: &str) -> Name {
    text.to_ascii_lowercase().into()
}

impl fmt::Display for ProviderSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.host, self.namespace, self.kind)
    }
}

/// One provider configuration: of a module of a layer, or of the project (shared by its layers).
/// `Display` is the notation of state files: `module.m.provider["registry.terraform.io/hashicorp/random"].alias`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ProviderConfigAddr {
    /// The layer that configures it; `None` for a provider block of the project file.
    pub layer: Option<LayerName>,
    /// The module with the `provider` block.
    pub module: ModuleAddr,
    /// What is configured.
    pub source: ProviderSource,
    /// The alias, if the block has one.
    pub alias: Option<Name>,
    /// The key, of a block with `for_each`.
    pub key: Option<Name>,
}

impl ProviderConfigAddr {
    /// The same configuration of a block with another key, or of the block as a whole.
    #[must_use]
    pub fn with_key(&self, key: Option<Name>) -> Self {
        ProviderConfigAddr { key, ..self.clone() }
    }
}

impl fmt::Display for ProviderConfigAddr {
    /// Terraform's notation, without the layer; `{:#}` puts `layer.NAME.` before it in a project.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(layer) = self.layer.as_ref().filter(|layer| f.alternate() && **layer != LayerName::plain()) {
            write!(f, "layer.{layer}.")?;
        }
        if !self.module.is_root() {
            write!(f, "{}.", self.module)?;
        }
        write!(f, "provider[\"{}\"]", self.source)?;
        if let Some(alias) = &self.alias {
            write!(f, ".{alias}")?;
        }
        match &self.key {
            Some(key) => write!(f, "{}", InstanceKey::Str(key.clone())),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn upper_and_lower_case_name_the_same_provider() {
        let check = |text: &str, expect: Option<&str>| {
            assert_eq!(ProviderSource::parse(text).map(|source| source.to_string()).as_deref(), expect, "{text}");
        };
        check("ClickHouse/x", Some("registry.terraform.io/clickhouse/x"));
        check("clickhouse/X", Some("registry.terraform.io/clickhouse/x"));
        check("Example.COM/A/b", Some("example.com/a/b"));
        check("Random", Some("registry.terraform.io/hashicorp/random"));
        check("Terraform", Some("registry.terraform.io/hashicorp/terraform"));
        check("a b/c", None);
    }
}
