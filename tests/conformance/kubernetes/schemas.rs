//! The schemas against a record of those of Terraform's provider: the same names, types and flags, but for a table of reasons.

use std::collections::{BTreeMap, HashMap};

use infra::providers::{Settings, native};
use infra::schema::{Block, Nesting, Presence, Schema};
use infra::value::type_to_json;
use infra::view::provider_schemas_json;

const RECORD: &str = include_str!("schemas.txt");

/// Where ours differ, by the end of the path, and why.
const REASONS: [(&str, &str, &str); 7] = [
    (
        "init_container.restart_policy",
        "ours only",
        "containers that stay beside the main ones, newer than the provider",
    ),
    ("status", "type", "`ip_mode` of load balancers, newer than the provider"),
    ("provider.config_raw", "ours only", "a kubeconfig that is a value, as of a cluster made in the same run"),
    ("provider.client_key", "sensitive", "a key"),
    ("provider.password", "sensitive", "a password"),
    ("provider.token", "sensitive", "a token"),
    ("kubernetes_token_request_v1.token", "sensitive", "a token"),
];

/// One block of the record: each line by its name.
type Recorded = BTreeMap<&'static str, &'static str>;

fn recorded() -> (Vec<&'static str>, HashMap<&'static str, Recorded>) {
    let mut sections = RECORD.split("\nblock ");
    let heads = sections.next().unwrap().lines().filter(|line| !line.starts_with('#')).collect();
    let blocks = sections.map(|section| {
        let mut lines = section.lines();
        let number = lines.next().unwrap();
        (number, lines.filter_map(|line| line.trim_start().split_once(' ')).collect())
    });
    (heads, blocks.collect())
}

/// A block of ours as the record writes it.
fn lines(block: &Block) -> BTreeMap<String, String> {
    let mut lines = BTreeMap::new();
    for (name, attribute) in &block.attributes {
        let ty = type_to_json(&attribute.ty);
        let mut words = vec![ty.trim_matches('"').to_owned()];
        words.push(
            match attribute.presence {
                Presence::Required => "r",
                Presence::Optional => "o",
                Presence::OptionalComputed => "oc",
                Presence::Computed => "c",
            }
            .to_owned(),
        );
        let flags = [
            (attribute.sensitive, "sensitive"),
            (attribute.write_only, "write_only"),
            (attribute.deprecated.is_some(), "deprecated"),
        ];
        words.extend(flags.into_iter().filter(|(holds, _)| *holds).map(|(_, flag)| flag.to_owned()));
        lines.insert(name.to_string(), words.join(" "));
    }
    for (name, nested) in &block.blocks {
        let mode = match nested.nesting {
            Nesting::Single => "single",
            Nesting::Group => "group",
            Nesting::List => "list",
            Nesting::Set => "set",
            Nesting::Map => "map",
        };
        lines.insert(name.to_string(), format!("{mode} {} {}", nested.min, nested.max));
    }
    lines
}

struct Comparison {
    blocks: HashMap<&'static str, Recorded>,
    found: Vec<String>,
    used: Vec<bool>,
}

impl Comparison {
    fn differs(&mut self, path: &str, what: &str) {
        let fits = |(end, kind, _): &(&str, &str, &str)| path.ends_with(end) && what.starts_with(kind);
        match REASONS.iter().position(fits) {
            Some(at) => self.used[at] = true,
            None => self.found.push(format!("{path}: {what}")),
        }
    }

    fn block(&mut self, path: &str, ours: &Block, number: &str) {
        let recorded = self.blocks[number].clone();
        let mut written = lines(ours);
        for (name, line) in &recorded {
            let path = format!("{path}.{name}");
            let Some(mine) = written.remove(*name) else {
                self.differs(&path, "missing");
                continue;
            };
            match line.strip_prefix('*').and_then(|line| line.split_once(' ')) {
                Some((inner, line)) => match ours.nested(name) {
                    Some(nested) => {
                        if mine != line {
                            self.differs(&path, &format!("{mine} for {line}"));
                        }
                        self.block(&path, &nested.block, inner);
                    }
                    None => self.differs(&path, "no block"),
                },
                None if mine == *line => {}
                None => {
                    let (ty, flags) = line.split_once(' ').unwrap();
                    let (own, own_flags) = mine.split_once(' ').unwrap();
                    if own != ty {
                        self.differs(&path, &format!("type {own} for {ty}"));
                    }
                    if own_flags == format!("{flags} sensitive") {
                        self.differs(&path, "sensitive");
                    } else if own_flags != flags {
                        self.differs(&path, &format!("flags {own_flags} for {flags}"));
                    }
                }
            }
        }
        for name in written.keys() {
            self.differs(&format!("{path}.{name}"), "ours only");
        }
    }
}

#[test]
fn schemas_are_those_of_the_provider() {
    let source = infra::addr::ProviderSource::implied("kubernetes");
    let provider = infra::provider::ProviderFactory::provider(&native(Settings::new()), &source).unwrap();
    let ours = provider.schema();
    let (heads, blocks) = recorded();
    let mut comparison = Comparison { blocks, found: Vec::new(), used: vec![false; REASONS.len()] };
    let shown = provider_schemas_json([(source.to_string(), ours)].into_iter());
    let shown = &shown["provider_schemas"][source.to_string()];
    for head in heads.iter().filter(|head| !head.is_empty()) {
        let words: Vec<&str> = head.split(' ').collect();
        let (what, name) = (words[0], words[1]);
        let schema: Option<&Schema> = match what {
            "provider" => Some(&ours.config),
            "resource" => ours.resources.get(name),
            "data" => ours.data.get(name),
            "ephemeral" => ours.ephemeral.get(name),
            _ => {
                let function = &shown["functions"][name];
                assert_eq!(function["return_type"], words[2], "{head}");
                continue;
            }
        };
        let path = if what == "provider" { what.to_owned() } else { format!("{what} {name}") };
        match schema {
            None => comparison.differs(&path, "missing"),
            Some(schema) => {
                if schema.version.to_string() != words[2] {
                    comparison.differs(&path, &format!("version {} for {}", schema.version, words[2]));
                }
                comparison.block(&path, &schema.block, words[3].trim_start_matches('*'));
            }
        }
    }
    let all = |what: &str| heads.iter().filter(|head| head.starts_with(what)).count();
    assert_eq!(ours.resources.len(), all("resource "));
    assert_eq!(ours.data.len(), all("data "));
    assert_eq!(ours.ephemeral.len(), all("ephemeral "));
    let kinds = shown["ephemeral_resource_schemas"].as_object().unwrap();
    assert_eq!(kinds.len(), ours.ephemeral.len(), "ephemeral resources are shown");
    assert_eq!(comparison.found, Vec::<String>::new());
    let unused: Vec<_> = REASONS.iter().zip(&comparison.used).filter(|(_, used)| !**used).collect();
    assert!(unused.is_empty(), "{unused:?}");
}
