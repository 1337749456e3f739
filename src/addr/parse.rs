//! Reading addresses that users type (`-target`, `state show`, `phase { include }`) or that state files hold.

use std::fmt;

use super::{ConfigResourceAddr, InstanceAddr, InstanceKey, LayerName, Mode, ModuleInstance, Name, ResourceAddr};

/// Why a text is no address.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{reason} (at character {at} of {text:?})")]
pub struct AddrError {
    /// The whole text.
    pub text: String,
    /// Offset in characters, from 1.
    pub at: usize,
    /// What was expected.
    pub reason: &'static str,
}

/// What a user selects with `-target` and friends: a layer, a module, a resource or one instance, in one layer or in all.
#[derive(Clone, PartialEq, Eq, Debug, Hash)]
pub struct Pattern {
    /// The layer, when `layer.NAME.` was given; otherwise every layer.
    pub layer: Option<LayerName>,
    /// The module; a step without a key matches every copy.
    pub module: ModuleInstance,
    /// The resource; `None` selects the whole module (or layer).
    pub resource: Option<ResourceAddr>,
    /// The copy; `None` selects all of them.
    pub key: Option<InstanceKey>,
}

impl Pattern {
    /// The pattern that matches exactly one instance (or all copies, when it has no key).
    pub fn of(addr: &InstanceAddr) -> Self {
        Pattern {
            layer: Some(addr.layer.clone()),
            module: addr.module.clone(),
            resource: Some(addr.resource.clone()),
            key: addr.key.clone(),
        }
    }

    /// Whether the instance is selected.
    pub fn matches(&self, addr: &InstanceAddr) -> bool {
        if self.layer.as_ref().is_some_and(|layer| *layer != addr.layer) {
            return false;
        }
        let steps = addr.module.steps();
        if steps.len() < self.module.steps().len() {
            return false;
        }
        let inside = self
            .module
            .steps()
            .iter()
            .zip(steps)
            .all(|(wanted, step)| wanted.name == step.name && (wanted.key.is_none() || wanted.key == step.key));
        match &self.resource {
            None => inside,
            Some(resource) => {
                inside
                    && steps.len() == self.module.steps().len()
                    && *resource == addr.resource
                    && (self.key.is_none() || self.key == addr.key)
            }
        }
    }

    /// Whether it names this instance and no other of its layer.
    pub fn is_exactly(&self, addr: &InstanceAddr) -> bool {
        self.matches(addr) && self.resource.is_some() && self.key == addr.key && self.module == addr.module
    }

    /// Whether it names no single instance, of the resource or of a module around it.
    pub fn is_whole(&self) -> bool {
        self.key.is_none() && self.module.steps().iter().all(|step| step.key.is_none())
    }

    /// Whether any instance of the block could be selected.
    pub fn may_match(&self, addr: &ConfigResourceAddr) -> bool {
        if self.layer.as_ref().is_some_and(|layer| *layer != addr.layer) {
            return false;
        }
        let steps = self.module.steps();
        let calls = addr.module.calls();
        let inside = calls.len() >= steps.len() && steps.iter().zip(calls).all(|(step, call)| step.name == *call);
        match &self.resource {
            None => inside,
            Some(resource) => inside && calls.len() == steps.len() && *resource == addr.resource,
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut dot = "";
        // The layer of a folder alone is never named.
        if let Some(layer) = self.layer.as_ref().filter(|layer| **layer != LayerName::plain()) {
            write!(f, "layer.{layer}")?;
            dot = ".";
        }
        if !self.module.is_root() {
            write!(f, "{dot}{}", self.module)?;
            dot = ".";
        }
        if let Some(resource) = &self.resource {
            write!(f, "{dot}{resource}")?;
        }
        match &self.key {
            Some(key) => write!(f, "{key}"),
            None => Ok(()),
        }
    }
}

/// Reads `[layer.NAME.][module.X[k].]…[[resource.|data.|ephemeral.]TYPE.NAME[k]]`.
///
/// # Errors
/// When the text is not of that form.
pub fn parse_pattern(text: &str) -> Result<Pattern, AddrError> {
    Reader { text, rest: text }.pattern()
}

/// Reads one instance of one layer; the text has no layer prefix (the form of state files).
///
/// # Errors
/// When the text is not a resource address.
pub fn parse_instance(layer: &LayerName, text: &str) -> Result<InstanceAddr, AddrError> {
    let pattern = parse_pattern(text)?;
    let fail = |reason| AddrError { text: text.into(), at: 1, reason };
    if pattern.layer.is_some() {
        return Err(fail("expected an address without a layer"));
    }
    let resource = pattern.resource.ok_or_else(|| fail("expected a resource, as in TYPE.NAME"))?;
    Ok(InstanceAddr { layer: layer.clone(), module: pattern.module, resource, key: pattern.key })
}

/// Reads `[module.X[k].]…TYPE.NAME[k]` into its parts, for state files.
///
/// # Errors
/// When the text is not a resource address.
pub fn parse_resource_instance(text: &str) -> Result<(ModuleInstance, ResourceAddr, Option<InstanceKey>), AddrError> {
    let addr = parse_instance(&LayerName::plain(), text)?;
    Ok((addr.module, addr.resource, addr.key))
}

/// Reads `module.X[k].module.Y`; the empty text is the root module.
///
/// # Errors
/// When the text names something else than a module.
pub fn parse_module_instance(text: &str) -> Result<ModuleInstance, AddrError> {
    if text.is_empty() {
        return Ok(ModuleInstance::root());
    }
    let pattern = parse_pattern(text)?;
    if pattern.resource.is_some() || pattern.layer.is_some() {
        return Err(AddrError { text: text.into(), at: 1, reason: "expected a module, as in module.NAME" });
    }
    Ok(pattern.module)
}

struct Reader<'a> {
    text: &'a str,
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn pattern(&mut self) -> Result<Pattern, AddrError> {
        let mut pattern = Pattern { layer: None, module: ModuleInstance::root(), resource: None, key: None };
        let mut steps = Vec::new();
        let mut word = self.ident()?;
        if word == "layer" && self.rest.starts_with('.') {
            self.dot()?;
            pattern.layer = Some(LayerName::from(self.ident()?));
            if self.rest.is_empty() {
                return Ok(pattern);
            }
            self.dot()?;
            word = self.ident()?;
        }
        loop {
            if word != "module" {
                break;
            }
            self.dot()?;
            let name = Name::from(self.ident()?);
            let key = self.key()?;
            steps.push(super::ModuleStep { name, key });
            if self.rest.is_empty() {
                pattern.module = steps.into_iter().collect();
                return Ok(pattern);
            }
            self.dot()?;
            word = self.ident()?;
        }
        let mode = match word {
            "data" => Mode::Data,
            "ephemeral" => Mode::Ephemeral,
            _ => Mode::Managed,
        };
        // Managed ones have a full form too, which is mostly left out.
        if mode != Mode::Managed || word == "resource" {
            self.dot()?;
            word = self.ident()?;
        }
        self.dot()?;
        let name = self.ident()?;
        pattern.resource = Some(ResourceAddr { mode, kind: word.into(), name: name.into() });
        pattern.key = self.key()?;
        pattern.module = steps.into_iter().collect();
        if self.rest.is_empty() { Ok(pattern) } else { Err(self.fail("expected the end of the address")) }
    }

    fn fail(&self, reason: &'static str) -> AddrError {
        let at = self.text[..self.text.len() - self.rest.len()].chars().count() + 1;
        AddrError { text: self.text.into(), at, reason }
    }

    fn dot(&mut self) -> Result<(), AddrError> {
        self.rest = self.rest.strip_prefix('.').ok_or_else(|| self.fail("expected \".\""))?;
        Ok(())
    }

    fn ident(&mut self) -> Result<&'a str, AddrError> {
        let end = self.rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-')).unwrap_or(self.rest.len());
        if end == 0 || self.rest.starts_with(|c: char| c.is_ascii_digit() || c == '-') {
            return Err(self.fail("expected a name"));
        }
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        Ok(word)
    }

    fn key(&mut self) -> Result<Option<InstanceKey>, AddrError> {
        let Some(inner) = self.rest.strip_prefix('[') else { return Ok(None) };
        self.rest = inner;
        let key = if let Some(quoted) = inner.strip_prefix('"') {
            let mut value = String::new();
            let mut chars = quoted.char_indices();
            let end = loop {
                match chars.next() {
                    None => return Err(self.fail("expected a closing quote")),
                    Some((at, '"')) => break at + 1,
                    Some((_, '\\')) => match chars.next().map(|(_, c)| c) {
                        Some('n') => value.push('\n'),
                        Some('r') => value.push('\r'),
                        Some('t') => value.push('\t'),
                        Some('u') => {
                            let digits: String = chars.by_ref().take(4).map(|(_, c)| c).collect();
                            let c = u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32);
                            value.push(c.ok_or_else(|| self.fail("expected four hexadecimal digits after \\u"))?);
                        }
                        Some(c @ ('"' | '\\')) => value.push(c),
                        _ => return Err(self.fail("unknown escape in a key")),
                    },
                    Some((at, c @ ('$' | '%'))) if quoted[at..].starts_with(&format!("{c}{c}{{")) => {
                        // `$${` stands for a literal `${`.
                        chars.next();
                        value.push(c);
                    }
                    Some((_, c)) => value.push(c),
                }
            };
            self.rest = &quoted[end..];
            InstanceKey::Str(value.into())
        } else {
            let end = inner.find(|c: char| !c.is_ascii_digit()).unwrap_or(inner.len());
            let index = inner[..end].parse().map_err(|_| self.fail("expected an index or a quoted key"))?;
            self.rest = &inner[end..];
            InstanceKey::Int(index)
        };
        self.rest = self.rest.strip_prefix(']').ok_or_else(|| self.fail("expected \"]\""))?;
        Ok(Some(key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(input: &str, expect: Result<&str, usize>) {
        let parsed = parse_pattern(input);
        match (&parsed, expect) {
            (Ok(pattern), Ok(text)) => assert_eq!(pattern.to_string(), text),
            (Err(error), Err(at)) => assert_eq!(error.at, at, "{error}"),
            _ => panic!("{input}: {parsed:?} instead of {expect:?}"),
        }
    }

    #[test]
    fn patterns_print_as_they_are_read() {
        for text in [
            "terraform_data.a",
            "terraform_data.a[3]",
            "data.http.page",
            "module.a[\"x.y\"].module.b.null_resource.c[\"k\\\"q\"]",
            "layer.data",
            "layer.data.module.postgresql",
            "layer.apps.kubernetes_manifest.m[\"a\\\\b\"]",
            "module.k3s",
        ] {
            check(text, Ok(text));
        }
    }

    #[test]
    fn the_full_form_of_a_managed_resource_is_the_short_one() {
        check("resource.terraform_data.a", Ok("terraform_data.a"));
        check("module.m.resource.terraform_data.a[0]", Ok("module.m.terraform_data.a[0]"));
        check("layer.data.resource.terraform_data.a", Ok("layer.data.terraform_data.a"));
        check("resource", Err(9));
        check("resource.terraform_data", Err(24));
        check("data.resource.terraform_data.a", Err(29));
        check("resource.resource.terraform_data.a", Err(33));
    }

    #[test]
    fn the_layer_of_a_folder_alone_is_not_named() {
        let addr = parse_instance(&LayerName::plain(), "terraform_data.a[0]").unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(Pattern::of(&addr).to_string(), "terraform_data.a[0]");
    }

    #[test]
    fn errors_name_the_place() {
        check("", Err(1));
        check("module.", Err(8));
        check("a", Err(2));
        check("a.b[", Err(5));
        check("a.b[\"x]", Err(5));
        check("a.b.c", Err(4));
        check("module.m..a", Err(10));
    }

    #[test]
    fn patterns_select_instances() {
        let addr = |text| parse_instance(&LayerName::from("data"), text);
        for (pattern, instance, expect) in [
            ("module.p", "module.p.a.b", true),
            ("module.p", "module.p[0].module.q.a.b[1]", true),
            ("module.p[1]", "module.p[0].a.b", false),
            ("layer.data", "a.b", true),
            ("layer.apps", "a.b", false),
            ("a.b", "a.b[\"x\"]", true),
            ("a.b[0]", "a.b[1]", false),
            ("a.b", "module.p.a.b", false),
        ] {
            let (pattern, instance) = (parse_pattern(pattern), addr(instance));
            assert_eq!(pattern.ok().zip(instance.ok()).map(|(p, i)| p.matches(&i)), Some(expect));
        }
    }
}
