//! Providers and what they know: configuring each when its arguments are known, then reading its objects in one batch.

use std::sync::Arc;

use crate::addr::Mode;
use crate::diag::{Diagnostic, Diagnostics, Outcome};
use crate::event::Event;
use crate::graph::{Node, NodeId, ProviderId};
use crate::lang::decode::decode;
use crate::lang::syntax::ast::Body;
use crate::provider::{Boxed, Configured, Provider, ReadRequest, ReadResult, Recovered};
use crate::state::OpenIntent;
use crate::threads;
use crate::value::{KnownTypes, Path, Value};

use super::instance::schema_of;
use super::model::PlanMode;
use super::objects::{Entry, Known, decode_object, retype};
use super::provider::{Status, planned_config, waits_for};
use super::reading::{Reading, ToRead};
use super::scope::ProjectScope;
use super::walk::{Done, Walk};

/// How many objects are worth a thread of its own: a millisecond's work.
const LEAST: usize = 250;

/// Decodes objects by their schemas, many of them in several threads. Those that another type has made are not looked at.
fn decode_all(kind: &dyn Provider, entries: &[Entry], positions: &[usize]) -> Vec<Outcome<Known>> {
    let decode = |positions: &[usize]| {
        let mut types = KnownTypes::default();
        let mut decode = |position: &usize| {
            let entry = &entries[*position];
            match entry.made_by {
                None => decode_object(kind, &entry.slot, &entry.stored, &mut types),
                Some(_) => Outcome::fail(Diagnostics::none()),
            }
        };
        positions.iter().map(&mut decode).collect::<Vec<_>>()
    };
    let count = threads::pieces(positions.len(), LEAST);
    let parts: Vec<&[usize]> = positions.chunks(positions.len().div_ceil(count).max(1)).collect();
    threads::each(parts, decode).into_iter().flatten().collect()
}

/// A provider that was configured, or not, and the objects it read.
pub(super) struct ProviderDone {
    index: usize,
    node: Option<NodeId>,
    pub(super) status: Status,
    pub(super) identity: Option<String>,
    pub(super) reads: Vec<(usize, ReadResult)>,
    recovered: Vec<(String, Recovered)>,
    said: Diagnostics,
}

/// How a provider is to be configured.
enum Way {
    Configure(Value, fn(Arc<dyn Configured>) -> Status),
    Lost(Value, String),
    Leave(Status),
}

impl<'a> Walk<'a> {
    /// Decides how a provider is configured, decodes its objects, and gives the call that does the rest.
    pub(super) fn start_provider(&mut self, node: NodeId, id: ProviderId) -> Boxed<'a, Done> {
        let index = id.index();
        let mut said = self.decode_objects(index);
        // One that nobody uses is not asked for anything: what it is written with may never have been meant for this run.
        let serves = self.provider_serves_selected(node) || self.is_asked_to_act(id);
        let idle = !self.objects.of_provider(index).iter().any(|at| self.takes_part(&self.objects.entries[*at]));
        let way = if (idle && !serves) || self.input.options.values_only {
            Way::Leave(Status::New)
        } else {
            self.way(node, id, &mut said)
        };
        if let Way::Leave(Status::Pending(what)) = &way
            && !self.input.config.is_plain()
        {
            self.pending[node.index()] = Some(what.clone());
        } else {
            // Only an unknown configuration makes what lies above pending, not a pending part of what made it.
            self.pending[node.index()] = None;
        }
        self.call(index, Some(node), way, said)
    }

    /// Configures providers that only state mentions, so that what they made can be removed.
    pub(super) async fn start_extra_providers(&mut self) -> Diagnostics {
        let mut all = Diagnostics::none();
        for index in self.input.graph.providers.len()..self.providers.len() {
            let mut said = self.decode_objects(index);
            let slot = &self.providers[index];
            if slot.addr.key.is_some() {
                let wanted = slot.addr.clone();
                let held = self.objects.entries.iter().filter(|entry| entry.provider == index);
                all.append(
                    held.map(|entry| super::keyed::absent_provider(&entry.slot.addr, &wanted).about(&entry.slot.addr)),
                );
                continue;
            }
            let scope = ProjectScope { around: self.around() };
            let outcome = decode(&Body::default(), &slot.kind.schema().config.block, &scope);
            let way = match outcome.into_result() {
                Ok((config, _)) => Way::Configure(config, Status::Ready),
                Err(_) => {
                    said.push(
                        Diagnostic::error(
                            "Provider configuration not present",
                            format!(
                                "State holds objects made with {}, whose configuration has been removed. It is needed to \
                                 remove them: put the provider block back, apply, then remove it.",
                                slot.addr
                            ),
                        )
                        .about(&slot.addr),
                    );
                    Way::Leave(Status::Failed)
                }
            };
            match self.call(index, None, way, said).await {
                Done::Provider(done) => all.append(self.take_provider(*done)),
                Done::Instance(_) => {}
            }
        }
        all
    }

    fn provider_serves_selected(&self, node: NodeId) -> bool {
        self.input.graph.needed_by[node.index()].iter().any(|user| self.selected[user.index()])
    }

    fn way(&mut self, node: NodeId, id: ProviderId, said: &mut Diagnostics) -> Way {
        let kind = self.providers[id.index()].kind.clone();
        let planned = planned_config(self.around(), id, &*kind);
        let failed = planned.has_errors();
        said.append(planned.said);
        let Some(config) = planned.value.filter(|_| !failed) else { return Way::Leave(Status::Failed) };
        if config.is_null() || kind.limits().unknown_configuration {
            return Way::Configure(config, Status::Ready);
        }
        let known = config.is_wholly_known();
        if known && (self.input.config.is_plain() || self.objects.of_provider(id.index()).is_empty()) {
            return Way::Configure(config, Status::Ready);
        }
        let prior = super::prior::prior_config(self.around(), &self.objects, id, &*kind);
        match (prior, known) {
            // A configuration that is known and another than before is the ordinary case as well, unless it lacks something
            // because what that came from is going away: then the objects go with it.
            (Some(prior), true) if lacks(&config, &prior) => match self.replaced_source(node) {
                Some(source) => Way::Lost(prior, source),
                None => Way::Configure(config, Status::Ready),
            },
            (_, true) => Way::Configure(config, Status::Ready),
            (None, false) => Way::Leave(Status::Pending(self.waiting(id))),
            (Some(prior), false) if self.input.config.is_plain() => Way::Configure(prior, Status::Provisional),
            (Some(prior), false) => match self.replaced_source(node) {
                Some(source) => Way::Lost(prior, source),
                None => Way::Configure(prior, Status::Provisional),
            },
        }
    }

    fn waiting(&self, id: ProviderId) -> String {
        waits_for(self.around(), id)
    }

    /// The change that replaces or removes what a provider's configuration comes from.
    fn replaced_source(&self, node: NodeId) -> Option<String> {
        if self.is_destroy() {
            // Everything goes, in the order of its edges: nothing is lost with anything.
            return None;
        }
        let graph = self.input.graph;
        let mut seen = vec![false; graph.nodes.len()];
        let mut stack = graph.needs[node.index()].clone();
        let mut sources = foldhash::HashSet::default();
        while let Some(next) = stack.pop() {
            if std::mem::replace(&mut seen[next.index()], true) {
                continue;
            }
            match graph.node(next) {
                // What lies behind a resource matters only through it: one that stays keeps what it made.
                Node::Resource(..) => sources.extend(graph.config_addr(next)),
                Node::Variable(..)
                | Node::Local(..)
                | Node::Output(..)
                | Node::Data(..)
                | Node::Ephemeral(..)
                | Node::ModuleCall(..)
                | Node::ModuleEnd(..)
                | Node::Provider(_) => stack.extend(&graph.needs[next.index()]),
            }
        }
        let prefix = self.input.config.prefixes_layers();
        let mut found: Vec<String> = self
            .changes
            .iter()
            .filter(|planned| planned.change.action.deletes() && sources.contains(&planned.change.addr.config()))
            .map(|planned| planned.change.addr.in_project(prefix))
            .collect();
        found.extend(self.objects.vanishing(&sources).map(|addr| addr.in_project(prefix)));
        found.sort();
        found.into_iter().next()
    }

    /// Decodes the stored objects of a provider.
    fn decode_objects(&mut self, index: usize) -> Diagnostics {
        let mut said = Diagnostics::none();
        let kind = self.providers[index].kind.clone();
        let positions = self.objects.of_provider(index).to_vec();
        let decoded = decode_all(&*kind, &self.objects.entries, &positions);
        for (position, decoded) in positions.into_iter().zip(decoded) {
            let entry = &mut self.objects.entries[position];
            let outcome = match entry.made_by.clone() {
                None => decoded,
                Some(made_by) => {
                    let taken = retype(&*kind, entry, &made_by);
                    taken.map(|(known, stored)| {
                        entry.stored = stored;
                        known
                    })
                }
            };
            match outcome.value {
                Some(known) => entry.now = Some(known),
                // A data source is read anew: its stored form does not matter.
                None if entry.slot.addr.resource.mode == Mode::Data => continue,
                None => {}
            }
            said.append(outcome.said);
        }
        said
    }

    fn call(&self, index: usize, node: Option<NodeId>, way: Way, mut said: Diagnostics) -> Boxed<'a, Done> {
        let done = move |status, said| {
            let done =
                ProviderDone { index, node, status, identity: None, reads: Vec::new(), recovered: Vec::new(), said };
            Box::pin(std::future::ready(Done::Provider(Box::new(done)))) as Boxed<'a, Done>
        };
        if said.has_errors() {
            return done(Status::Failed, said);
        }
        if self.input.options.offline {
            return done(Status::Pending("nothing: nobody is asked while validating".to_owned()), said);
        }
        let (config, ready): (Value, Box<dyn FnOnce(Arc<dyn Configured>) -> Status + Send>) = match way {
            Way::Leave(status) => return done(status, said),
            Way::Configure(config, ready) => (config, Box::new(ready)),
            Way::Lost(config, source) => (config, Box::new(move |configured| Status::Lost(source, configured))),
        };
        let kind = self.providers[index].kind.clone();
        let known = self.identities.get(&identity_key(&self.providers[index].addr)).cloned();
        let batch = self.batch(index);
        let refresh = self.input.options.refresh && !batch.is_empty();
        let unfinished = self.unfinished(index);
        let asked = kind.clone();
        let reading = Reading { known, found: self.input.options.found.clone(), events: self.input.events };
        Box::pin(async move {
            let mut result = ProviderDone {
                index,
                node,
                status: Status::Failed,
                identity: None,
                reads: Vec::new(),
                recovered: Vec::new(),
                said: Diagnostics::none(),
            };
            match super::provider::configure(kind, config).await {
                Err(errors) => said.append(errors),
                Ok((configured, warnings)) => {
                    said.append(warnings);
                    let status = ready(configured.clone());
                    let lost = matches!(status, Status::Lost(..));
                    result.status = status;
                    recover(&mut result, &*asked, &*configured, unfinished).await;
                    if refresh && !lost {
                        reading.read(&mut result, &*configured, &*asked, batch, &mut said).await;
                    }
                }
            }
            result.said = said;
            Done::Provider(Box::new(result))
        })
    }

    /// Unfinished creates of earlier runs that this provider may know about.
    fn unfinished(&self, index: usize) -> Vec<OpenIntent> {
        let addr = &self.providers[index].addr;
        let same = |intent: &&OpenIntent| {
            intent.provider == *addr
                || (intent.provider.source.is_same(&addr.source)
                    && intent.provider.alias == addr.alias
                    && intent.provider.module == addr.module
                    && (addr.layer.is_none() || intent.provider.layer.is_none()))
        };
        self.input.options.unfinished.iter().filter(same).cloned().collect()
    }

    /// What is to be read: managed objects of the provider that take part and have not been seen in this run.
    fn batch(&self, index: usize) -> Vec<ToRead> {
        let kind = &self.providers[index].kind;
        let to_read = |position: usize| {
            let entry = &self.objects.entries[position];
            let known = entry.now.as_ref()?;
            let request = ReadRequest {
                kind: entry.slot.addr.resource.kind.to_string(),
                prior: known.value.clone(),
                private: known.private.clone(),
            };
            let by_schema = schema_of(&**kind, &entry.slot.addr).and_then(|schema| schema.block.attribute("id"));
            let hidden =
                by_schema.is_some_and(|id| id.sensitive) || entry.stored.sensitive.contains(&Path::attribute("id"));
            Some(ToRead { position, slot: entry.slot.clone(), request, shows_id: !hidden })
        };
        let positions = self.objects.of_provider(index).iter().copied();
        positions.filter(|position| self.is_to_be_read(&self.objects.entries[*position])).filter_map(to_read).collect()
    }

    fn is_to_be_read(&self, entry: &Entry) -> bool {
        entry.slot.addr.resource.mode == Mode::Managed
            && entry.node.is_none_or(|node| self.aims_at(node, &entry.slot.addr))
            && self.is_selected_layer(entry.layer)
            && !self.input.options.fresh.contains(&entry.slot)
            && !self.is_forgotten(entry)
    }

    /// Tells once how many objects are going to be read: providers do so each on its own, as soon as they are configured.
    pub(super) fn tell_reading(&self) {
        if !self.input.options.refresh || self.input.options.offline || self.input.options.found.is_some() {
            return;
        }
        let objects = self.objects.entries.iter().filter(|entry| self.is_to_be_read(entry)).count();
        if objects > 0 {
            self.input.events.emit(Event::RefreshStarted { objects });
        }
    }

    pub(super) fn is_selected_layer(&self, layer: usize) -> bool {
        let selected = &self.input.options.selection.layer;
        selected.as_ref().is_none_or(|name| *name == self.input.config.layers[layer].name)
    }

    /// Takes in a configured provider; its node is done.
    pub(super) fn provider_done(&mut self, done: ProviderDone) -> NodeId {
        let node = done.node.unwrap_or(NodeId(0));
        let said = self.take_provider(done);
        self.say(node, said);
        node
    }

    fn take_provider(&mut self, done: ProviderDone) -> Diagnostics {
        let ProviderDone { index, status, identity, reads, recovered, mut said, .. } = done;
        self.recovered.extend(recovered);
        self.providers[index].status = status;
        if let Some(identity) = identity {
            self.identities.insert(identity_key(&self.providers[index].addr), identity);
        }
        for (position, result) in reads {
            let entry = &mut self.objects.entries[position];
            match result {
                ReadResult::Found { value, private } => {
                    let old = entry.now.replace(Known { value, private });
                    let changed = old.as_ref().map(|old| &old.value) != entry.now.as_ref().map(|now| &now.value);
                    entry.drifted_from = old.filter(|_| changed).map(|old| old.value);
                }
                ReadResult::Absent => {
                    entry.gone = true;
                    entry.drifted_from = entry.now.take().map(|known| known.value);
                }
                ReadResult::Elsewhere(what) => said.push(
                    Diagnostic::error(
                        "Object belongs elsewhere",
                        format!(
                            "The provider now answers for {what}, not for where this object was made. Nothing is removed \
                             from state. Point the provider at the former place, or remove the object from state.",
                        ),
                    )
                    .about(&entry.slot),
                ),
                ReadResult::Unreachable(why) => said.append(why),
            }
        }
        // One answer for a whole batch says the same for each of its objects.
        let mut seen = foldhash::HashSet::default();
        said.0.retain(|diagnostic| seen.insert((diagnostic.summary.clone(), diagnostic.detail.clone())));
        said
    }

    /// Whether only state is to be brought up to date.
    pub(super) fn is_refresh_only(&self) -> bool {
        self.input.options.mode == PlanMode::RefreshOnly
    }
}

/// Whether an argument that a provider configuration had is null now.
fn lacks(config: &Value, prior: &Value) -> bool {
    let (config, prior) = (config.clone().unmark_deep().0, prior.clone().unmark_deep().0);
    let had = prior.as_entries().into_iter().flatten().filter(|(_, value)| !value.is_null());
    had.into_iter().any(|(name, _)| config.get(name).is_none_or(Value::is_null))
}

/// The name under which a provider configuration's identity is kept beside state.
pub(super) fn identity_key(addr: &crate::addr::ProviderConfigAddr) -> String {
    match &addr.layer {
        Some(layer) => format!("layer.{layer}.{addr}"),
        None => addr.to_string(),
    }
}

/// Asks a provider what became of calls whose end nobody knows.
async fn recover(result: &mut ProviderDone, kind: &dyn Provider, configured: &dyn Configured, open: Vec<OpenIntent>) {
    for unfinished in open {
        let intent = &unfinished.intent;
        let name = intent.addr.resource.kind.as_str();
        let planned = kind
            .schema()
            .resources
            .get(name)
            .map(|schema| crate::value::from_json_stored(intent.object.as_bytes(), &schema.ty()));
        let answer = match planned {
            Some(Ok((planned, _))) => configured.recover(name, intent, planned).await,
            Some(Err(error)) => Recovered::CannotTell(format!("what was planned cannot be read: {error}")),
            None => Recovered::CannotTell(format!("the provider has no type {name:?}")),
        };
        result.recovered.push((intent.nonce.clone(), answer));
    }
}
