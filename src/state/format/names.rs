//! Addresses as texts of state files, and the memory that keeps equal ones in one allocation.

use foldhash::{HashMap, HashMapExt, HashSet, HashSetExt};

use crate::addr::{
    ConfigResourceAddr, LayerName, ModuleAddr, ModuleInstance, Name, ProviderConfigAddr, ProviderSource,
    parse_module_instance, parse_resource_instance,
};

/// Reads `module.m.provider["registry.terraform.io/hashicorp/random"].alias`, and `provider.random.alias` as Terraform 0.12
/// wrote it. The layer is the one whose state this is. `None` when it is neither.
pub fn parse_provider(layer: &LayerName, text: &str) -> Option<ProviderConfigAddr> {
    let mut rest = text;
    let mut calls: Vec<Name> = Vec::new();
    while let Some(after) = rest.strip_prefix("module.") {
        let (name, after) = after.split_once('.')?;
        if !is_plain(name) {
            return None;
        }
        calls.push(name.into());
        rest = after;
    }
    let rest = rest.strip_prefix("provider")?;
    let (source, alias) = if let Some(quoted) = rest.strip_prefix("[\"") {
        let (source, after) = quoted.split_once("\"]")?;
        (ProviderSource::parse(source).filter(|_| source.matches('/').count() == 2)?, after)
    } else {
        let name = rest.strip_prefix('.')?;
        let end = name.find('.').unwrap_or(name.len());
        (Some(ProviderSource::implied(&name[..end])).filter(|_| is_plain(&name[..end]))?, &name[end..])
    };
    // The key of a block with for_each, as OpenTofu writes it, is a text of JSON.
    let (alias, key) = match alias.split_once('[') {
        Some((alias, key)) => (alias, Some(serde_json::from_str::<String>(key.strip_suffix(']')?).ok()?)),
        None => (alias, None),
    };
    let alias = match alias {
        "" if key.is_some() => return None,
        "" => None,
        alias => Some(Name::from(alias.strip_prefix('.').filter(|alias| is_plain(alias))?)),
    };
    let module = calls.into_iter().collect();
    Some(ProviderConfigAddr { layer: Some(layer.clone()), module, source, alias, key: key.map(Name::from) })
}

/// Whether a name cannot be taken for a piece of an address.
fn is_plain(name: &str) -> bool {
    !name.is_empty() && !name.contains(['.', '/', '[', ']', '"', '\\'])
}

/// Reads `module.m.terraform_data.a`, an entry of `dependencies`. Keys, which very old versions wrote, are left out.
pub fn parse_config_resource(layer: &LayerName, text: &str) -> Option<ConfigResourceAddr> {
    let (module, resource, _) = parse_resource_instance(text).ok()?;
    Some(ConfigResourceAddr { layer: layer.clone(), module: module.config(), resource })
}

/// Names and addresses met so far. A state repeats few of them many times: equal texts share one allocation.
pub struct Known {
    /// The layer whose state is read.
    pub layer: LayerName,
    names: HashSet<Name>,
    modules: HashMap<String, ModuleInstance>,
    providers: HashMap<String, ProviderConfigAddr>,
    resources: HashMap<String, ConfigResourceAddr>,
}

/// Where an object stands, as texts of the stored form.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    /// `module` of a resource.
    pub module: &'a str,
    /// `type` of a resource.
    pub kind: &'a str,
    /// `name` of a resource.
    pub name: &'a str,
}

impl Known {
    /// Nothing met yet.
    pub fn new(layer: LayerName) -> Self {
        Known {
            layer,
            names: HashSet::new(),
            modules: HashMap::new(),
            providers: HashMap::new(),
            resources: HashMap::new(),
        }
    }

    /// A name.
    pub fn name(&mut self, text: &str) -> Name {
        if let Some(name) = self.names.get(text) {
            return name.clone();
        }
        let name = Name::from(text);
        self.names.insert(name.clone());
        name
    }

    /// A module instance; the empty text is the root module.
    pub fn module(&mut self, text: &str) -> Option<ModuleInstance> {
        if let Some(module) = self.modules.get(text) {
            return Some(module.clone());
        }
        let module = parse_module_instance(text).ok()?;
        self.modules.insert(text.to_owned(), module.clone());
        Some(module)
    }

    /// A provider configuration.
    pub fn provider(&mut self, text: &str) -> Option<ProviderConfigAddr> {
        if let Some(provider) = self.providers.get(text) {
            return Some(provider.clone());
        }
        let provider = parse_provider(&self.layer, text)?;
        self.providers.insert(text.to_owned(), provider.clone());
        Some(provider)
    }

    /// An entry of `dependencies`.
    pub fn dependency(&mut self, text: &str) -> Option<ConfigResourceAddr> {
        if let Some(resource) = self.resources.get(text) {
            return Some(resource.clone());
        }
        let mut resource = parse_config_resource(&self.layer, text)?;
        resource.resource.kind = self.name(&resource.resource.kind);
        if resource.module.is_root() {
            resource.module = ModuleAddr::root();
        }
        self.resources.insert(text.to_owned(), resource.clone());
        Some(resource)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: Option<&str>) {
        let parsed = parse_provider(&LayerName::plain(), text);
        assert_eq!(parsed.map(|addr| addr.to_string()).as_deref(), expect, "{text}");
    }

    #[test]
    fn providers_are_read_as_written() {
        for text in [
            "provider[\"registry.terraform.io/hashicorp/random\"]",
            "provider[\"terraform.io/builtin/terraform\"].other",
            "provider[\"a/b/c\"].d[\"e\"]",
            "provider[\"a/b/c\"].d[\"e.f[\\\"]\"]",
            "module.a.module.provider.provider[\"registry.opentofu.org/x/y\"].z",
        ] {
            check(text, Some(text));
        }
        check("provider.aws.west", Some("provider[\"registry.terraform.io/hashicorp/aws\"].west"));
        check("module.m.provider.aws", Some("module.m.provider[\"registry.terraform.io/hashicorp/aws\"]"));
    }

    #[test]
    fn other_texts_are_refused() {
        for text in
            ["", "provider", "provider[\"x\"]", "module.", "module.m", "module.m[0].provider.aws", "provider.aws."]
        {
            check(text, None);
        }
        check("provider[\"a/b/c\"][\"e\"]", None);
        check("provider[\"a/b/c\"].d[e]", None);
        check("provider[\"a/b/c\"].d[\"e\"", None);
        check("provider[\"a/b/c\"", None);
    }
}
