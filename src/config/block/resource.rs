//! `resource`, `data` and `provider` blocks: meta-arguments apart, the rest kept for the schema.

use std::collections::btree_map::Entry;
use std::sync::Arc;

use crate::addr::{Mode, Name, ResourceAddr};
use crate::diag::{Diagnostic, Diagnostics, Span};
use crate::lang::eval::{Found, Reference, references};
use crate::lang::syntax::ast::{Block, Body, Expr, Json};

use super::super::model::{Lifecycle, ProviderConfig, ProviderRef, Provision, Resource};
use super::super::shape::{Shape, check_name, place};
use super::Reader;
use super::lifecycle::lifecycle;
use super::provision::provision;
use super::reference::{depends_on, provider_ref, quoted_reference, text_of};

const LABELS: Shape = Shape { labels: &["type", "name"], ..Shape::EMPTY };
const PROVIDER_LABELS: Shape = Shape { labels: &["name"], ..Shape::EMPTY };

/// Arguments that belong to the language, not to the resource's type.
const META: &[&str] = &["count", "for_each", "depends_on", "provider"];
/// The same for nested blocks.
const META_BLOCKS: &[&str] = &["lifecycle", "connection", "provisioner"];

/// `count` and `for_each`.
pub struct Repetition {
    /// `count`.
    pub count: Option<Arc<Expr>>,
    /// `for_each`.
    pub for_each: Option<Arc<Expr>>,
    /// `lifecycle { enabled }`.
    pub enabled: Option<Arc<Expr>>,
}

/// Takes `count` and `for_each` out of a body; both at once are wrong.
pub fn repetition(body: &Body, what: &str, said: &mut Diagnostics) -> Repetition {
    let of = |name: &str| body.attribute(name).map(|attribute| attribute.expr.clone());
    if let (Some(_), Some(for_each)) = (body.attribute("count"), body.attribute("for_each")) {
        let detail = format!(
            "The \"count\" and \"for_each\" meta-arguments are mutually-exclusive, only one should be used to be explicit \
             about the number of {what} to be created."
        );
        let summary = "Invalid combination of \"count\" and \"for_each\"";
        said.push(Diagnostic::error(summary, detail).at(for_each.name.span));
    }
    let enabled = body.blocks_of("lifecycle").find_map(|block| block.body.attribute("enabled"));
    let both = match (body.attribute("count"), body.attribute("for_each")) {
        (Some(count), _) => Some((count, "\"count\" and \"enabled\"")),
        (None, Some(for_each)) => Some((for_each, "\"enabled\" and \"for_each\"")),
        (None, None) => None,
    };
    if let (Some((other, names)), Some(_)) = (both, enabled) {
        let detail =
            format!("The {names} arguments exclude each other: only one of them says how many {what} there are.");
        said.push(Diagnostic::error(format!("Invalid combination of {names}"), detail).at(other.name.span));
    }
    let enabled = enabled.map(|attribute| attribute.expr.clone());
    Repetition { count: of("count"), for_each: of("for_each"), enabled }
}

/// A body without the named arguments and blocks.
pub fn without(body: &Body, arguments: &[&str], blocks: &[&str]) -> Body {
    let attributes = body.attributes.iter().filter(|attribute| !arguments.contains(&attribute.name.text.as_str()));
    let nested = body.blocks.iter().filter(|block| !blocks.contains(&block.kind.text.as_str()));
    let json = body.json.as_ref().map(|json| {
        let open = json.blocks.iter().filter(|block| !arguments.contains(&block.kind.text.as_str()));
        Arc::new(Json { blocks: open.cloned().collect() })
    });
    Body { attributes: attributes.cloned().collect(), blocks: nested.cloned().collect(), span: body.span, json }
}

impl Reader<'_> {
    /// Reads a block of its own, or the data block inside of a `check`.
    pub(super) fn resource(&mut self, block: &Arc<Block>, mode: Mode, check: Option<&Name>) {
        if !LABELS.check_labels(block, self.said) {
            return;
        }
        let (kind, name) = (&block.labels[0], &block.labels[1]);
        let (what, what_type) = match mode {
            Mode::Managed => ("resource", "resource type"),
            Mode::Data => ("data source", "data source type"),
            Mode::Ephemeral => ("ephemeral resource", "ephemeral resource type"),
        };
        let valid = check_name(what_type, &kind.text, kind.span, self.said)
            & check_name(what, &name.text, name.span, self.said);
        if !valid {
            return;
        }
        let addr = ResourceAddr { mode, kind: kind.text.clone(), name: name.text.clone() };
        let body = &block.body;
        let Repetition { count, for_each, enabled } = repetition(body, "resources", self.said);
        let depends_on = match body.attribute("depends_on") {
            Some(attribute) => depends_on(&attribute.expr, self.said),
            None => Vec::new(),
        };
        let provider = match body.attribute("provider") {
            Some(attribute) => match provider_ref(&attribute.expr) {
                Ok(provider) => {
                    if text_of(&attribute.expr).is_some() && body.json.is_none() {
                        self.said.push(quoted_reference(&attribute.expr));
                    }
                    provider
                }
                Err(diagnostic) => {
                    self.said.push(diagnostic);
                    implied(&addr.kind)
                }
            },
            None => implied(&addr.kind),
        };
        let lifecycle = self.lifecycle_of(body, mode);
        self.own_conditions(&addr, &lifecycle);
        let resource = Resource {
            addr: addr.clone(),
            block: block.clone(),
            body: without(body, META, META_BLOCKS),
            count,
            for_each,
            enabled,
            depends_on,
            provider,
            lifecycle,
            provision: match mode {
                Mode::Managed => provision(body, self.sources, self.said),
                Mode::Data | Mode::Ephemeral => Provision::default(),
            },
            generated: false,
            check: check.cloned(),
        };
        match self.unlinked.module.resources.entry(addr) {
            Entry::Vacant(vacant) => {
                vacant.insert(Arc::new(resource));
            }
            Entry::Occupied(first) => {
                let (word, thing) = match mode {
                    Mode::Managed => ("resource", "resource"),
                    Mode::Data => ("data", "data resource"),
                    Mode::Ephemeral => ("ephemeral", "ephemeral resource"),
                };
                let at = place(self.sources, first.get().block.header);
                let (kind, name) = (kind.text.as_str(), name.text.as_str());
                let detail = format!(
                    "A {kind} {thing} named {name:?} was already declared at {at}. Resource names must be unique per type \
                     in each module."
                );
                let summary = format!("Duplicate {word} {kind:?} configuration");
                self.said.push(Diagnostic::error(summary, detail).at(block.header));
            }
        }
    }

    /// Conditions of a resource cannot look at it by its name: it is being decided whether it may be.
    fn own_conditions(&mut self, addr: &ResourceAddr, lifecycle: &Lifecycle) {
        for (word, rules) in [("precondition", &lifecycle.preconditions), ("postcondition", &lifecycle.postconditions)]
        {
            for rule in rules {
                let own = |found: &Found| matches!(&found.reference, Reference::Resource(named) if named == addr);
                if references(&rule.condition).iter().any(own) {
                    let detail = format!(
                        "The condition of {addr} cannot name {addr} itself.{}",
                        if word == "postcondition" { " Its attributes are those of self." } else { "" }
                    );
                    let error = Diagnostic::error(format!("Invalid reference in {word}"), detail);
                    self.said.push(error.at(rule.condition.span));
                }
            }
        }
    }

    fn lifecycle_of(&mut self, body: &Body, mode: Mode) -> Lifecycle {
        let misplaced = |nested: &&Arc<Block>| matches!(nested.kind.text.as_str(), "connection" | "provisioner");
        for nested in body.blocks.iter().filter(misplaced).filter(|_| mode != Mode::Managed) {
            let what = if mode == Mode::Data { "A data source" } else { "An ephemeral resource" };
            let detail = format!("{what} has no {:?} block.", nested.kind.text.as_str());
            self.said.push(Diagnostic::error("Unsupported block type", detail).at(nested.header));
        }
        let mut blocks = body.blocks_of("lifecycle");
        let Some(first) = blocks.next() else { return Lifecycle::default() };
        for second in blocks {
            let at = place(self.sources, first.header);
            let detail = format!("This resource already has a lifecycle block at {at}.");
            self.said.push(Diagnostic::error("Duplicate lifecycle block", detail).at(second.header));
        }
        lifecycle(first, mode, self.said)
    }

    pub(super) fn provider(&mut self, block: &Arc<Block>) {
        let Some(provider) = provider_config(block, self.said) else { return };
        if let Some(first) = find(&self.unlinked.module.providers, &provider.local, provider.alias.as_ref()) {
            self.said.push(duplicate_provider(&provider, &place(self.sources, first)));
            return;
        }
        self.unlinked.module.providers.push(provider);
    }
}

/// Reads a `provider` block, of a module or of the project file.
pub fn provider_config(block: &Block, said: &mut Diagnostics) -> Option<ProviderConfig> {
    if !PROVIDER_LABELS.check_labels(block, said) {
        return None;
    }
    let label = &block.labels[0];
    if !check_name("provider", &label.text, label.span, said) {
        return None;
    }
    let mut alias = None;
    if let Some(attribute) = block.body.attribute("alias") {
        match text_of(&attribute.expr) {
            Some(text) if crate::lang::syntax::is_name(text) => alias = Some(text.clone()),
            _ => {
                let detail = "An alias must be a valid name. Names must start with a letter, and may contain only letters, \
                              digits, underscores, and dashes.";
                said.push(Diagnostic::error("Invalid provider configuration alias", detail).at(attribute.expr.span));
                return None;
            }
        }
    }
    for name in ["count", "depends_on", "source"] {
        if let Some(attribute) = block.body.attribute(name) {
            let detail =
                format!("The provider argument name {name:?} is reserved for use by Terraform in a future version.");
            said.push(Diagnostic::error("Reserved argument name in provider block", detail).at(attribute.name.span));
        }
    }
    let for_each = block.body.attribute("for_each");
    if let Some(attribute) = for_each.filter(|_| alias.is_none()) {
        let detail = "A provider block with for_each needs an alias: its configurations are named by alias and key.";
        said.push(Diagnostic::error("Alias required when using \"for_each\"", detail).at(attribute.name.span));
    }
    if let Some(version) = block.body.attribute("version") {
        let detail =
            "The version of a provider belongs into required_providers of a terraform block; here it has no effect.";
        said.push(
            Diagnostic::warning("Version constraints inside provider configuration blocks are deprecated", detail)
                .at(version.expr.span),
        );
    }
    Some(ProviderConfig {
        local: label.text.clone(),
        alias,
        for_each: for_each.map(|attribute| attribute.expr.clone()),
        each: None,
        body: without(&block.body, &["alias", "version", "for_each"], &[]),
        span: block.header,
    })
}

/// The place of a configuration among others.
pub fn find(providers: &[ProviderConfig], local: &Name, alias: Option<&Name>) -> Option<Span> {
    let found = providers.iter().find(|known| known.local == *local && known.alias.as_ref() == alias);
    found.map(|known| known.span)
}

/// The error of a second configuration of one name.
pub fn duplicate_provider(provider: &ProviderConfig, first: &str) -> Diagnostic {
    let local = provider.local.as_str();
    let detail = match &provider.alias {
        None => format!(
            "A default (non-aliased) provider configuration for {local:?} was already given at {first}. If multiple \
             configurations are required, set the \"alias\" argument for alternative configurations."
        ),
        Some(alias) => format!(
            "A provider configuration for {local:?} with alias {:?} was already given at {first}. Each configuration for the \
             same provider must have a distinct alias.",
            alias.as_str()
        ),
    };
    Diagnostic::error("Duplicate provider configuration", detail).at(provider.span)
}

/// The provider a type's first word names.
pub(super) fn implied(kind: &Name) -> ProviderRef {
    let word = kind.split('_').next().unwrap_or_default();
    ProviderRef { local: word.into(), alias: None, key: None, span: None }
}
