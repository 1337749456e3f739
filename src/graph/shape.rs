//! The shape of a module's folder: which nodes it has and what each refers to. Found once, however often the folder is called.

use std::sync::Arc;

use foldhash::HashMap;

use crate::addr::{Name, ResourceAddr};
use crate::config::{DependsOn, Module, Resource, When};
use crate::lang::decode::references_in;
use crate::lang::eval::{Found, Reference, references};

/// What stands at an offset of a module's nodes.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Slot {
    /// An input variable.
    Variable(Name),
    /// A local value.
    Local(Name),
    /// An output value.
    Output(Name),
    /// A resource or data block.
    Resource(ResourceAddr),
    /// The beginning of a module call.
    Call(Name),
    /// The end of a module call.
    End(Name),
}

impl Slot {
    /// The header of the block, as diagnostics name it.
    pub fn header(&self) -> String {
        match self {
            Slot::Variable(name) => format!("variable {:?}", name.as_str()),
            Slot::Local(_) => "locals".into(),
            Slot::Output(name) => format!("output {:?}", name.as_str()),
            Slot::Resource(addr) => {
                let word = match addr.mode {
                    crate::addr::Mode::Managed => "resource",
                    crate::addr::Mode::Data => "data",
                    crate::addr::Mode::Ephemeral => "ephemeral",
                };
                format!("{word} {:?} {:?}", addr.kind.as_str(), addr.name.as_str())
            }
            Slot::Call(name) | Slot::End(name) => format!("module {:?}", name.as_str()),
        }
    }
}

/// The nodes of a folder and their references.
#[derive(Debug, Default)]
pub struct Shape {
    /// What stands at each offset.
    pub slots: Vec<Slot>,
    /// For each offset, the block of a resource, data or ephemeral node.
    pub blocks: Vec<Option<Arc<Resource>>>,
    /// For each offset, what its expressions name. Those of variables are the references of their validations.
    pub references: Vec<Vec<Found>>,
    /// For each offset, its `depends_on`.
    pub depends_on: Vec<Vec<DependsOn>>,
    /// For each argument of each call, what it names, in this module.
    pub arguments: HashMap<Name, HashMap<Name, Vec<Found>>>,
    /// For each provider block, what it names.
    pub providers: Vec<Vec<Found>>,
    variables: HashMap<Name, u32>,
    locals: HashMap<Name, u32>,
    outputs: HashMap<Name, u32>,
    resources: HashMap<ResourceAddr, u32>,
    calls: HashMap<Name, u32>,
}

impl Shape {
    /// Reads the shape of a module.
    pub fn of(module: &Module) -> Shape {
        let mut shape = Shape::default();
        for (name, variable) in &module.variables {
            let rules = variable.validations.iter().flat_map(|rule| [&rule.condition, &rule.error_message]);
            let found = rules.flat_map(|expr| references(expr)).collect();
            let at = shape.push(Slot::Variable(name.clone()), found, Vec::new());
            shape.variables.insert(name.clone(), at);
        }
        for (name, local) in &module.locals {
            let at = shape.push(Slot::Local(name.clone()), references(&local.expr), Vec::new());
            shape.locals.insert(name.clone(), at);
        }
        for (name, output) in &module.outputs {
            let mut found = references(&output.value);
            for rule in &output.preconditions {
                found.extend(references(&rule.condition));
                found.extend(references(&rule.error_message));
            }
            let at = shape.push(Slot::Output(name.clone()), found, output.depends_on.clone());
            shape.outputs.insert(name.clone(), at);
        }
        for (addr, resource) in &module.resources {
            let at =
                shape.push(Slot::Resource(addr.clone()), resource_references(resource), resource.depends_on.clone());
            shape.blocks[at as usize] = Some(resource.clone());
            shape.resources.insert(addr.clone(), at);
        }
        for (name, call) in &module.calls {
            let repetition = call.count.iter().chain(&call.for_each).chain(&call.enabled);
            let found = repetition.flat_map(|expr| references(expr)).collect();
            let at = shape.push(Slot::Call(name.clone()), found, call.depends_on.clone());
            shape.push(Slot::End(name.clone()), Vec::new(), Vec::new());
            shape.calls.insert(name.clone(), at);
            let arguments = call.arguments.iter();
            let arguments =
                arguments.map(|argument| (argument.name.text.clone(), references(&argument.expr))).collect();
            shape.arguments.insert(name.clone(), arguments);
        }
        shape.providers = module.providers.iter().map(|provider| references_in(&provider.body)).collect();
        shape
    }

    fn push(&mut self, slot: Slot, found: Vec<Found>, depends_on: Vec<DependsOn>) -> u32 {
        self.slots.push(slot);
        self.blocks.push(None);
        self.references.push(found);
        self.depends_on.push(depends_on);
        self.slots.len() as u32 - 1
    }

    /// How many nodes the module has.
    pub fn len(&self) -> u32 {
        self.slots.len() as u32
    }

    /// Whether the module is empty.
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// The offset of a variable.
    pub fn variable(&self, name: &str) -> Option<u32> {
        self.variables.get(name).copied()
    }

    /// The offset of a local value.
    pub fn local(&self, name: &str) -> Option<u32> {
        self.locals.get(name).copied()
    }

    /// The offset of an output.
    pub fn output(&self, name: &str) -> Option<u32> {
        self.outputs.get(name).copied()
    }

    /// The offset of a resource or data block.
    pub fn resource(&self, addr: &ResourceAddr) -> Option<u32> {
        self.resources.get(addr).copied()
    }

    /// The offset of the beginning of a call; its end follows it.
    pub fn call(&self, name: &str) -> Option<u32> {
        self.calls.get(name).copied()
    }
}

fn resource_references(resource: &Resource) -> Vec<Found> {
    let mut found = references_in(&resource.body);
    let lifecycle = &resource.lifecycle;
    let rules = lifecycle.preconditions.iter().chain(&lifecycle.postconditions);
    let expressions = resource
        .count
        .iter()
        .chain(&resource.for_each)
        .chain(&resource.enabled)
        .chain(&lifecycle.create_before_destroy)
        .chain(&lifecycle.prevent_destroy)
        .chain(lifecycle.replace_triggered_by.iter().map(|trigger| &trigger.expr))
        .chain(rules.flat_map(|rule| [&rule.condition, &rule.error_message]));
    found.extend(expressions.flat_map(|expr| references(expr)));
    found.extend(provision_references(resource));
    found
}

/// What the provisioners need that run when an object was made. Those that run before it is destroyed need nothing but it.
fn provision_references(resource: &Resource) -> impl Iterator<Item = Found> {
    let provision = &resource.provision;
    let making = || provision.at(When::Create);
    let outer = provision.connection.iter().filter(move |_| making().next().is_some());
    let bodies = making().flat_map(|one| [Some(&one.body), one.connection.as_ref()]).flatten();
    let own = Reference::Resource(resource.addr.clone());
    // By its own name a block means the object that was made, which is there by then.
    bodies.chain(outer).flat_map(references_in).filter(move |found| found.reference != own)
}
