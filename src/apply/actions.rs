//! Actions in their place: arguments completed with what became known, the provider asked, what it says told.

use crate::diag::{Diagnostic, Diagnostics};
use crate::event::Event;
use crate::lang::decode::decode;
use crate::plan::Invocation;
use crate::plan::scope::ModuleScope;
use crate::provider::InvokeRequest;
use crate::value::Value;

use super::run::{Done, Run};

impl<'a> Run<'a> {
    /// Invokes an action, or says why not.
    pub(super) fn invoke(&mut self, step: u32, index: usize) {
        let invocation = &self.plan.invocations[index];
        if self.inputs.stop.is_asked() {
            self.report.stopped = true;
            self.report.left += 1;
            self.leave(invocation);
            return self.release(step, true);
        }
        let config = match self.action_arguments(invocation) {
            Ok(config) => config,
            Err(said) => return self.invoked(step, index, said),
        };
        let Some(configured) = self.providers[invocation.provider].ask().cloned() else {
            let detail = "Its provider could not be configured.";
            return self.invoked(step, index, Diagnostic::error("Provider not configured", detail).into());
        };
        let events = self.inputs.events;
        let (action, trigger) = names(invocation);
        events.emit(Event::ActionStarted { action: action.clone(), trigger: trigger.clone() });
        let segment = self.plan.segment();
        let layer = segment.graph.module(invocation.module).layer;
        let request = InvokeRequest {
            kind: invocation.addr.action.kind.to_string(),
            config,
            directory: segment.config.working_dir.join(&segment.config.layers[layer].dir),
        };
        let suppressed = crate::provision::suppressed(invocation.config.marks_deep());
        self.running.push(Box::pin(async move {
            let hear = |text: &str| {
                let text = suppressed.unwrap_or(text);
                let (action, trigger, text) = (action.clone(), trigger.clone(), text.to_owned());
                events.emit(Event::ActionProgress { action, trigger, text });
            };
            let said = configured.invoke(request, &hear).await;
            Done::Invoked(step, index, said)
        }));
    }

    /// Takes in how an action ended.
    pub(super) fn invoked(&mut self, step: u32, index: usize, said: Diagnostics) {
        let invocation = &self.plan.invocations[index];
        self.leave(invocation);
        let failed = said.has_errors();
        let (action, trigger) = names(invocation);
        self.inputs.events.emit(Event::ActionEnded { action, trigger, failed });
        let module = &self.plan.segment().graph.module(invocation.module).module;
        let block = module.actions.get(&invocation.addr.action).map(|block| block.span);
        let addr = &invocation.addr.action;
        let within = format!("action {:?} {:?}", addr.kind.as_str(), addr.name.as_str());
        let mut said = said.located(block, Some(&within));
        for diagnostic in &mut said.0 {
            let prefix = self.plan.prefixes_layers;
            diagnostic.address.get_or_insert_with(|| invocation.addr.in_project(prefix));
        }
        self.said.append(said);
        self.report.calls += 1;
        self.report.counts.invoke += usize::from(!failed);
        self.release(step, failed);
    }

    /// The arguments of an action, wholly known, without marks.
    fn action_arguments(&self, invocation: &Invocation) -> Result<Value, Diagnostics> {
        if invocation.config.is_wholly_known() {
            return Ok(invocation.config.clone().unmark_deep().0);
        }
        let module = &self.plan.segment().graph.module(invocation.module).module;
        let (Some(block), Some(schema)) = (module.actions.get(&invocation.addr.action), invocation.schema()) else {
            return Err(Diagnostic::error("Invalid action", "The block is no longer written.").into());
        };
        let (copy, repetition) = (invocation.copy, &invocation.repetition);
        let scope = ModuleScope { around: self.around(), copy, repetition, this: None };
        let outcome = decode(&block.config, &schema.block, &scope);
        let mut said = outcome.said;
        let config = outcome.value.unwrap_or_default().unmark_deep().0;
        if !said.has_errors() && !config.is_wholly_known() {
            let detail = "Some of its arguments are not known, although everything it refers to has been applied.";
            said.push(Diagnostic::error("Arguments not known", detail));
        }
        if said.has_errors() { Err(said) } else { Ok(config) }
    }
}

fn names(invocation: &Invocation) -> (crate::addr::ActionInstance, Option<crate::addr::InstanceAddr>) {
    (invocation.addr.clone(), invocation.trigger.as_ref().map(|trigger| trigger.addr.clone()))
}
