//! Provider configurations of a run: what each is planned to be, what it was, and who can be asked now.

use std::sync::Arc;

use crate::addr::ProviderConfigAddr;
use crate::diag::{Diagnostic, Diagnostics, Outcome};
use crate::graph::{Graph, Owner, ProviderId};
use crate::lang::decode::decode;
use crate::lang::eval::Scope;
use crate::lang::syntax::ast::Body;
use crate::provider::{Configured, Provider, Registry};
use crate::value::Value;

use super::scope::{ModuleScope, ProjectScope, Surroundings};
use super::world::Repetition;

/// A provider configuration in a run.
#[derive(Clone)]
pub struct ProviderSlot {
    /// Its address.
    pub addr: ProviderConfigAddr,
    /// Its type.
    pub kind: Arc<dyn Provider>,
    /// What can be done with it now.
    pub status: Status,
}

/// What can be done with a provider configuration.
#[derive(Clone, Default)]
pub enum Status {
    /// Nothing has been tried yet.
    #[default]
    New,
    /// It can be asked.
    Ready(Arc<dyn Configured>),
    /// It can be asked with the configuration it had; the apply configures it anew when it reaches it.
    Provisional(Arc<dyn Configured>),
    /// Its configuration is made by what the text names. Objects are planned from the schema alone.
    Pending(String),
    /// What its configuration came from is replaced or deleted: every object goes with it. Holds the source's address.
    Lost(String, Arc<dyn Configured>),
    /// Configuring it failed; that has been said.
    Failed,
}

impl ProviderSlot {
    /// Who can be asked, if anybody.
    pub fn ask(&self) -> Option<&Arc<dyn Configured>> {
        match &self.status {
            Status::Ready(configured) | Status::Provisional(configured) | Status::Lost(_, configured) => {
                Some(configured)
            }
            Status::New | Status::Pending(_) | Status::Failed => None,
        }
    }
}

/// Finds the type of a provider configuration.
///
/// # Errors
/// When no provider of that source is known.
pub fn resolve(registry: &Registry, addr: &ProviderConfigAddr) -> Result<Arc<dyn Provider>, Diagnostic> {
    registry.configuration(addr).ok_or_else(|| {
        let names = registry.names();
        let hint = crate::diag::did_you_mean(&addr.source.kind, names.iter().map(String::as_str));
        Diagnostic::error(
            "Provider not available",
            format!(
                "There is no provider {} in this program.{hint} Native providers are: {}. Installed Terraform providers \
                 cannot be used yet.",
                addr.source,
                names.join(", ")
            ),
        )
    })
}

/// Evaluates the body of a provider configuration with what is known now. The value may hold unknowns.
pub fn planned_config(around: Surroundings<'_>, id: ProviderId, kind: &dyn Provider) -> Outcome<Value> {
    let node = &around.graph.providers[id.index()];
    match node.owner {
        Owner::Project => decode_body(around, id, kind, &ProjectScope { around }),
        Owner::Module(module) => match around.world.copies_of(module).first() {
            Some(copy) => {
                let repetition = repetition_of(around, id);
                let scope = ModuleScope { around, copy: *copy, repetition: &repetition, this: None };
                decode_body(around, id, kind, &scope)
            }
            None => Outcome::ok(Value::NULL),
        },
    }
}

/// `each` in a provider block with `for_each`.
fn repetition_of(around: Surroundings<'_>, id: ProviderId) -> Repetition {
    let node = &around.graph.providers[id.index()];
    let block = match (node.owner, node.block) {
        (Owner::Module(module), Some(block)) => around.graph.module(module).module.providers.get(block),
        (Owner::Project, _) | (_, None) => None,
    };
    match block.and_then(|block| block.each.clone()) {
        Some((key, value)) => Repetition::Each(key, value),
        None => Repetition::None,
    }
}

/// Decodes the body of a provider configuration in a scope of the caller's choice.
pub fn decode_body(around: Surroundings<'_>, id: ProviderId, kind: &dyn Provider, scope: &dyn Scope) -> Outcome<Value> {
    let empty = Body::default();
    let (body, within) = body_of(around.graph, around.config, id).unwrap_or((&empty, None));
    let outcome = decode(body, &kind.schema().config.block, scope);
    let span = within.as_ref().map(|(_, span)| *span);
    let within = within.map(|(name, _)| format!("provider {name:?}"));
    let within = within.as_ref().map(|name| name as &dyn std::fmt::Display);
    Outcome { value: outcome.value, said: outcome.said.located(span, within) }
}

type Within = Option<(String, crate::diag::Span)>;

fn body_of<'a>(graph: &'a Graph, config: &'a crate::config::Config, id: ProviderId) -> Option<(&'a Body, Within)> {
    let node = &graph.providers[id.index()];
    let block = node.block?;
    let provider = match node.owner {
        Owner::Project => &config.shared_providers[block],
        Owner::Module(module) => &graph.module(module).module.providers[block],
    };
    Some((&provider.body, Some((provider.local.to_string(), provider.span))))
}

/// The first thing that a provider's configuration waits for, as its block names it.
pub fn waits_for(around: Surroundings<'_>, id: ProviderId) -> String {
    let found = match body_of(around.graph, around.config, id) {
        Some((body, _)) => crate::lang::decode::references_in(body),
        None => Vec::new(),
    };
    let unknown = |reference: &crate::lang::eval::Reference| {
        let span = crate::diag::Span { file: crate::diag::FileId(0), start: 0, end: 0 };
        let value = match around.graph.providers[id.index()].owner {
            Owner::Project => ProjectScope { around }.resolve(reference, span),
            Owner::Module(module) => match around.world.copies_of(module).first() {
                Some(copy) => ModuleScope::plain(around, *copy).resolve(reference, span),
                None => return false,
            },
        };
        value.is_ok_and(|value| !value.is_wholly_known())
    };
    let names = found.iter().map(|found| &found.reference);
    let first = names.clone().find(|reference| unknown(reference)).or_else(|| names.clone().next());
    first.map_or_else(|| "its provider's configuration".to_owned(), ToString::to_string)
}

/// Configures a provider, saying where its block is when that fails.
pub async fn configure(
    kind: Arc<dyn Provider>,
    config: Value,
) -> Result<(Arc<dyn Configured>, Diagnostics), Diagnostics> {
    let (config, _) = config.unmark_deep();
    kind.configure(config).await.into_result()
}
