//! Actions: what a provider can be asked to do beside making, changing and removing objects.

use std::fmt;

use super::{AddrError, InstanceAddr, InstanceKey, LayerName, Mode, ModuleInstance, Name, Pattern, ResourceAddr};

/// An `action` block in its module: `action.TYPE.NAME`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ActionAddr {
    /// The type.
    pub kind: Name,
    /// The name.
    pub name: Name,
}

impl fmt::Display for ActionAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "action.{}.{}", self.kind, self.name)
    }
}

/// One copy of an action in one layer; printed as [`InstanceAddr`] is.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ActionInstance {
    /// The layer.
    pub layer: LayerName,
    /// The copy of the module it stands in.
    pub module: ModuleInstance,
    /// The block.
    pub action: ActionAddr,
    /// Which copy; `None` without `count` and `for_each`.
    pub key: Option<InstanceKey>,
}

impl ActionInstance {
    /// The address as a project with several layers prints it.
    pub fn in_project(&self, prefix: bool) -> String {
        if prefix { format!("layer.{}.{self}", self.layer) } else { self.to_string() }
    }

    /// Whether a pattern of [`parse_action`] means it.
    pub fn is_meant(&self, pattern: &Pattern) -> bool {
        let resource = ResourceAddr::managed(self.action.kind.clone(), self.action.name.clone());
        let (layer, module, key) = (self.layer.clone(), self.module.clone(), self.key.clone());
        pattern.matches(&InstanceAddr { layer, module, resource, key })
    }
}

impl fmt::Display for ActionInstance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.module.is_root() {
            write!(f, "{}.", self.module)?;
        }
        write!(f, "{}", self.action)?;
        match &self.key {
            Some(key) => write!(f, "{key}"),
            None => Ok(()),
        }
    }
}

/// Reads the address of an action, such as `module.a.action.local_command.b["key"]`: a pattern whose resource is the action.
///
/// # Errors
/// When it is none.
pub fn parse_action(text: &str) -> Result<Pattern, AddrError> {
    let word = "action.";
    let mut quoted = false;
    let at = text.char_indices().find_map(|(at, c)| {
        quoted ^= c == '"';
        let begins = at == 0 || text.as_bytes().get(at - 1) == Some(&b'.');
        (!quoted && begins && text[at..].starts_with(word)).then_some(at)
    });
    let wrong =
        || AddrError { text: text.to_owned(), at: 1, reason: "an action is named like action.local_command.example" };
    let at = at.ok_or_else(wrong)?;
    let pattern = super::parse_pattern(&format!("{}{}", &text[..at], &text[at + word.len()..]))?;
    match &pattern.resource {
        Some(resource) if resource.mode == Mode::Managed => Ok(pattern),
        Some(_) | None => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_they_are_printed() {
        let check = |pattern: &str, key: Option<InstanceKey>, meant: bool| {
            let action = ActionAddr { kind: "local_command".into(), name: "a".into() };
            let one = ActionInstance { layer: LayerName::plain(), module: ModuleInstance::root(), action, key };
            let parsed = parse_action(pattern).unwrap_or_else(|error| unreachable!("{error}"));
            assert_eq!(one.is_meant(&parsed), meant, "{pattern}, {one}");
        };
        let key = || Some(InstanceKey::Str("k.action.x".into()));
        check("action.local_command.a", None, true);
        check("action.local_command.a", key(), true);
        check("action.local_command.a[\"k.action.x\"]", key(), true);
        check("action.local_command.a[\"k\"]", key(), false);
        check("action.local_command.b", None, false);
        check("module.m.action.local_command.a", None, false);
        for wrong in ["local_command.a", "action.local_command", "action.data.a.b", "module.m"] {
            assert!(parse_action(wrong).is_err(), "{wrong}");
        }
    }
}
