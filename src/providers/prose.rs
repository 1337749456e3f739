//! What native kinds and their attributes are, in words: the table `prose.txt`.
//!
//! Kinds of a large API are not in it; their own table says which field an attribute is.

use std::collections::HashMap;

use crate::provider::ProviderSchema;
use crate::schema::{Block, Schema};

const TEXT: &str = include_str!("prose.txt");

/// What is said of one kind.
#[derive(Clone, Default)]
struct Section {
    kind: &'static str,
    attributes: HashMap<&'static str, &'static str>,
}

fn sections() -> HashMap<&'static str, Section> {
    let mut sections: HashMap<&'static str, Section> = HashMap::new();
    let mut names: Vec<&'static str> = Vec::new();
    for line in TEXT.lines().filter(|line| !line.starts_with('#')) {
        let (head, words) = line.split_once(" - ").unwrap_or((line, ""));
        match head.strip_prefix(' ') {
            None => {
                names = head.split(' ').collect();
                for name in &names {
                    sections.entry(name).or_default().kind = words;
                }
            }
            Some(attribute) => {
                for name in &names {
                    sections.entry(name).or_default().attributes.insert(attribute, words);
                }
            }
        }
    }
    sections
}

/// The schemas of a provider, with words wherever they have none.
pub fn described(provider: &str, mut schemas: ProviderSchema) -> ProviderSchema {
    let sections = sections();
    let common = sections.get("*").cloned().unwrap_or_default();
    let describe = |name: &str, schema: &mut Schema| {
        let section = sections.get(name).cloned().unwrap_or_default();
        if schema.block.description.is_empty() {
            schema.block.description = section.kind;
        }
        fill(&mut schema.block, &section, &common);
    };
    describe(provider, &mut schemas.config);
    for kinds in [&mut schemas.resources, &mut schemas.data, &mut schemas.actions, &mut schemas.ephemeral] {
        for (name, schema) in kinds.iter_mut() {
            describe(name, schema);
        }
    }
    schemas
}

fn fill(block: &mut Block, section: &Section, common: &Section) {
    for (name, attribute) in &mut block.attributes {
        let of = |section: &Section| section.attributes.get(name.as_str()).copied();
        if let Some(words) = of(section).or_else(|| of(common)).filter(|_| attribute.description.is_empty()) {
            attribute.description = words.into();
        }
    }
    for (_, nested) in &mut block.blocks {
        fill(&mut nested.block, section, common);
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::super::{Settings, native};
    use super::*;
    use crate::addr::ProviderSource;
    use crate::provider::ProviderFactory;

    #[test]
    fn every_attribute_of_every_kind_is_described() {
        fn bare(block: &Block, path: &str, found: &mut Vec<String>) {
            let attributes = block.attributes.iter().filter(|(_, attribute)| attribute.description.is_empty());
            found.extend(attributes.map(|(name, _)| format!("{path}.{name}")));
            for (name, nested) in &block.blocks {
                bare(&nested.block, &format!("{path}.{name}"), found);
            }
        }
        let factory = native(Settings::new());
        let mut found = Vec::new();
        for name in factory.names() {
            let builtin = name == "terraform";
            let (host, namespace) =
                if builtin { ("terraform.io", "builtin") } else { (crate::addr::DEFAULT_HOST, "hashicorp") };
            let source = ProviderSource { host: host.into(), namespace: namespace.into(), kind: name.as_str().into() };
            let provider = factory.provider(&source).unwrap();
            let schemas = provider.schema();
            bare(&schemas.config.block, &name, &mut found);
            for kinds in [&schemas.resources, &schemas.data, &schemas.actions, &schemas.ephemeral] {
                for (kind, schema) in kinds {
                    bare(&schema.block, kind, &mut found);
                }
            }
        }
        assert_eq!(found, Vec::<String>::new());
    }
}
