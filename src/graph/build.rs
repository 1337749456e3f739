//! From configuration to graph.

use std::sync::Arc;

use foldhash::{HashMap, HashMapExt, HashSet, HashSetExt};

use crate::addr::{LayerName, ModuleAddr, Name};
use crate::config::{ActionBlock, Config, Module, Resource};
use crate::diag::{Diagnostic, Diagnostics, Outcome, Span};
use crate::lang::decode::references_in;
use crate::lang::eval::{Found, Reference};

use super::provider::Providers;
use super::undeclared::undeclared;
use super::{Graph, Keyed, ModuleId, ModuleNode, Node, NodeId, Owner, ProviderId, Shape, Slot, cycle, phases};

/// Builds the graph. Every undeclared name, cycle and edge against layers or phases is said, not the first one only. Beside
/// errors about names there is a graph all the same, so that what else is wrong can be found.
pub fn build(config: &Config) -> Outcome<Graph> {
    let mut builder = Builder {
        config,
        graph: Graph::default(),
        shapes: HashMap::new(),
        deprecated: HashSet::new(),
        said: Diagnostics::none(),
    };
    builder.graph.layers = config.layers.iter().map(|layer| layer.name.clone()).collect();
    for (index, layer) in config.layers.iter().enumerate() {
        let root = builder.add_module(index, ModuleAddr::root(), &layer.root, None);
        builder.graph.roots.push(root);
    }
    let mut providers = Providers::new(config);
    builder.add_edges(&mut providers);
    let Builder { mut graph, mut said, .. } = builder;
    let cycles = cycle::sort(&mut graph);
    if cycles.has_errors() {
        said.append(cycles);
        return Outcome::fail(said);
    }
    graph.faulty = said.has_errors();
    if graph.faulty {
        graph.phase = vec![0; graph.nodes.len()];
    } else {
        said.append(phases::assign(config, &mut graph));
        if said.has_errors() {
            return Outcome::fail(said);
        }
    }
    Outcome::with(graph, said)
}

fn module_is_root(graph: &Graph, id: ModuleId) -> bool {
    graph.module(id).caller.is_none()
}

/// All outputs of a layer.
fn outputs_of(graph: &Graph, layer: usize) -> impl Iterator<Item = NodeId> {
    let root = graph.roots[layer];
    let node = graph.module(root);
    node.module.outputs.keys().filter_map(|name| node.shape.output(name)).map(move |offset| graph.at(root, offset))
}

/// What the arguments of an action name.
fn action_references(action: &ActionBlock) -> Vec<Found> {
    let repetition = action.count.iter().chain(&action.for_each);
    let mut found = references_in(&action.config);
    found.extend(repetition.flat_map(|expr| crate::lang::eval::references(expr)));
    found
}

struct Builder<'a> {
    config: &'a Config,
    graph: Graph,
    /// Shapes by the address of the shared module, and whether its errors have been said already.
    shapes: HashMap<*const Module, Arc<Shape>>,
    /// The deprecated outputs that somebody was told of: who uses it, the call, the output.
    deprecated: HashSet<(ModuleId, Name, Name)>,
    said: Diagnostics,
}

impl Builder<'_> {
    fn add_module(
        &mut self,
        layer: usize,
        addr: ModuleAddr,
        module: &Arc<Module>,
        caller: Option<(ModuleId, Name)>,
    ) -> ModuleId {
        let shape = self.shapes.entry(Arc::as_ptr(module)).or_insert_with(|| Arc::new(Shape::of(module))).clone();
        let id = ModuleId(self.graph.modules.len() as u32);
        let base = NodeId(self.graph.nodes.len() as u32);
        for slot in &shape.slots {
            let node = match slot {
                Slot::Variable(name) => Node::Variable(id, name.clone()),
                Slot::Local(name) => Node::Local(id, name.clone()),
                Slot::Output(name) => Node::Output(id, name.clone()),
                Slot::Resource(addr) => match addr.mode {
                    crate::addr::Mode::Data => Node::Data(id, addr.clone()),
                    crate::addr::Mode::Ephemeral => Node::Ephemeral(id, addr.clone()),
                    crate::addr::Mode::Managed => Node::Resource(id, addr.clone()),
                },
                Slot::Call(name) => Node::ModuleCall(id, name.clone()),
                Slot::End(name) => Node::ModuleEnd(id, name.clone()),
            };
            self.graph.nodes.push(node);
            self.graph.needs.push(Vec::new());
        }
        self.graph.modules.push(ModuleNode {
            layer,
            addr: addr.clone(),
            module: module.clone(),
            shape,
            base,
            caller,
            children: HashMap::new(),
        });
        for (name, call) in &module.calls {
            let child = self.add_module(layer, addr.child(name), &call.module, Some((id, name.clone())));
            self.graph.modules[id.index()].children.insert(name.clone(), child);
        }
        id
    }

    fn add_edges(&mut self, providers: &mut Providers) {
        // The offsets of what is broken in a folder, which the errors of its first call tell.
        let mut checked: HashMap<*const Module, Vec<u32>> = HashMap::new();
        for index in 0..self.graph.modules.len() {
            let id = ModuleId(index as u32);
            let (shape, module) = (self.graph.modules[index].shape.clone(), self.graph.modules[index].module.clone());
            // What is wrong inside a folder is said for its first call only.
            let known = checked.get(&Arc::as_ptr(&module)).cloned();
            let first = known.is_none();
            let mut broken = known.unwrap_or_default();
            let base = self.graph.modules[index].base.0;
            self.graph.broken.extend(broken.iter().map(|offset| NodeId(base + offset)));
            for offset in 0..shape.len() {
                let node = self.graph.at(id, offset);
                let mut needs = Vec::new();
                let said = self.said.0.len();
                for found in &shape.references[offset as usize] {
                    self.edge(id, found, first, &mut needs);
                }
                for dependency in &shape.depends_on[offset as usize] {
                    // A block that names itself here waits for nothing, as under Terraform.
                    if matches!(&shape.slots[offset as usize], Slot::Resource(own) if dependency.target == Reference::Resource(own.clone()))
                    {
                        continue;
                    }
                    self.depends_on(id, &dependency.target, dependency.span, first, &mut needs);
                }
                match &shape.slots[offset as usize] {
                    Slot::Variable(name) => {
                        // Validations name the variable itself: they are checked when it has its value.
                        needs.retain(|need| *need != node);
                        self.argument_edges(id, name, &mut needs);
                    }
                    Slot::Resource(_) => {
                        let Some(resource) = &shape.blocks[offset as usize] else { continue };
                        if module_is_root(&self.graph, id)
                            && let Some(lower) = self.config.layer_read_by(self.graph.module(id).layer, resource)
                        {
                            self.graph.remote.insert(node, lower);
                            needs.extend(outputs_of(&self.graph, lower));
                        }
                        match providers.resolve(&mut self.graph, id, &resource.provider) {
                            Ok((provider, keyed)) => {
                                needs.push(self.graph.providers[provider.index()].node);
                                self.graph.provider_of.insert(node, provider);
                                if let Some(keyed) = keyed {
                                    self.keyed_edges(id, &keyed, first, &mut needs);
                                    self.graph.keyed.insert(node, keyed);
                                }
                            }
                            Err(diagnostic) => {
                                self.said.push(diagnostic.or_at(Some(resource.block.header)));
                            }
                        }
                        self.trigger_edges(id, resource, first, providers, &mut needs);
                        needs.extend(self.own_call(id));
                    }
                    Slot::Call(name) => {
                        needs.extend(self.own_call(id));
                        if first {
                            self.check_arguments(id, name);
                        }
                    }
                    Slot::End(name) => {
                        let child = &self.graph.modules[self.graph.modules[index].children[name].index()];
                        needs.push(NodeId(node.0 - 1));
                        // What a check reads is read at the very end, and nothing waits for that.
                        let waits = |offset: &u32| match &child.shape.slots[*offset as usize] {
                            Slot::Resource(addr) => {
                                child.module.resources.get(addr).is_none_or(|one| one.check.is_none())
                            }
                            _ => true,
                        };
                        let own = (0..child.shape.len()).filter(waits);
                        needs.extend(own.map(|offset| NodeId(child.base.0 + offset)));
                    }
                    Slot::Local(_) | Slot::Output(_) => needs.extend(self.own_call(id)),
                }
                for diagnostic in &mut self.said.0[said..] {
                    diagnostic.within.get_or_insert_with(|| shape.slots[offset as usize].header());
                }
                if self.said.0[said..].iter().any(Diagnostic::is_error) && !broken.contains(&offset) {
                    self.graph.broken.push(node);
                    broken.push(offset);
                }
                self.set_needs(node, needs);
            }
            checked.insert(Arc::as_ptr(&module), broken);
            self.check_blocks(id, &module, first);
            self.add_actions(id, &module, first, providers);
            for block in 0..module.providers.len() {
                providers.declare(&mut self.graph, Owner::Module(id), block);
            }
        }
        self.import_edges();
        for block in 0..self.config.shared_providers.len() {
            providers.declare(&mut self.graph, Owner::Project, block);
        }
        for index in 0..self.graph.providers.len() {
            self.provider_edges(ProviderId(index as u32));
        }
    }

    /// What chooses among the configurations of a provider block waits for all of them, and for what the key is made of.
    fn keyed_edges(&mut self, id: ModuleId, keyed: &Keyed, first: bool, needs: &mut Vec<NodeId>) {
        needs.extend(keyed.by_key.values().map(|id| self.graph.providers[id.index()].node));
        let caller = keyed.call.and_then(|call| Some(self.graph.module(call).caller.as_ref()?.0));
        for found in crate::lang::eval::references(&keyed.key) {
            self.edge(caller.unwrap_or(id), &found, first, needs);
        }
    }

    /// Assertions are evaluated last and need no edges; what they name has to be there, and is kept.
    fn check_blocks(&mut self, id: ModuleId, module: &Module, first: bool) {
        for block in &module.checks {
            let said = self.said.0.len();
            let mut needs = Vec::new();
            let exprs = block.asserts.iter().flat_map(|rule| [&rule.condition, &rule.error_message]);
            for found in exprs.flat_map(|expr| crate::lang::eval::references(expr)) {
                self.edge_within(id, &found, first, &mut needs, Some(&block.name));
            }
            let data = block.data.as_ref().and_then(|data| self.graph.module(id).shape.resource(data));
            needs.extend(data.map(|offset| self.graph.at(id, offset)));
            self.graph.check_needs.insert((id, block.name.clone()), needs);
            for diagnostic in &mut self.said.0[said..] {
                diagnostic.within.get_or_insert_with(|| format!("check {:?}", block.name.as_str()));
            }
        }
    }

    /// Actions have no nodes: nothing depends on them. What they need is kept for whoever invokes them.
    fn add_actions(&mut self, id: ModuleId, module: &Module, first: bool, providers: &mut Providers) {
        for (addr, action) in &module.actions {
            let said = self.said.0.len();
            let mut needs = Vec::new();
            for found in action_references(action) {
                self.edge(id, &found, first, &mut needs);
            }
            match providers.resolve(&mut self.graph, id, &action.provider) {
                Ok((provider, keyed)) => {
                    needs.push(self.graph.providers[provider.index()].node);
                    if let Some(keyed) = keyed {
                        self.keyed_edges(id, &keyed, first, &mut needs);
                        self.graph.keyed_actions.insert((id, addr.clone()), keyed);
                    }
                    self.graph.actions.insert((id, addr.clone()), (provider, needs));
                }
                Err(diagnostic) => self.said.push(diagnostic.or_at(Some(action.span))),
            }
            for diagnostic in &mut self.said.0[said..] {
                let within = format!("action {:?} {:?}", addr.kind.as_str(), addr.name.as_str());
                diagnostic.within.get_or_insert(within);
            }
        }
    }

    /// What a resource that invokes actions waits for: their providers, the conditions, and what those need that come before it.
    fn trigger_edges(
        &mut self,
        id: ModuleId,
        resource: &Resource,
        first: bool,
        providers: &mut Providers,
        needs: &mut Vec<NodeId>,
    ) {
        let module = self.graph.module(id).module.clone();
        for trigger in &resource.lifecycle.action_triggers {
            for found in trigger.condition.iter().flat_map(|condition| crate::lang::eval::references(condition)) {
                self.edge(id, &found, first, needs);
            }
            for named in &trigger.actions {
                let Some(action) = module.actions.get(&named.addr) else {
                    if first {
                        let detail = format!("There is no block for {} in this module.", named.addr);
                        self.said.push(Diagnostic::error("Reference to undeclared action", detail).at(named.span));
                    }
                    continue;
                };
                if let Ok((provider, keyed)) = providers.resolve(&mut self.graph, id, &action.provider) {
                    needs.push(self.graph.providers[provider.index()].node);
                    if let Some(keyed) = keyed {
                        self.keyed_edges(id, &keyed, false, needs);
                    }
                }
                if trigger.events.iter().any(|event| event.is_before()) {
                    for found in action_references(action) {
                        self.edge(id, &found, false, needs);
                    }
                }
            }
        }
    }

    /// What an `import` block looks at comes before the resource that it is for.
    fn import_edges(&mut self) {
        for index in 0..self.graph.modules.len() {
            let id = ModuleId(index as u32);
            let module = self.graph.modules[index].module.clone();
            for (position, import) in module.imports.iter().enumerate() {
                if !module_is_root(&self.graph, id) {
                    let detail =
                        "Import blocks belong into the root module: only there it is certain which object is meant.";
                    self.said.push(Diagnostic::error("Invalid import configuration", detail).at(import.span));
                    continue;
                }
                let Some(target) = self.import_target(id, import) else {
                    let detail = format!(
                        "There is no block for {}, so that nothing says what the object should be. Write the resource block \
                         first, or let infra plan -generate-config-out=FILE write one: it does for import blocks without \
                         for_each whose address is that of a resource in the root module, without a key.",
                        import.to.resource
                    );
                    let summary = "Configuration for import target does not exist";
                    self.said.push(Diagnostic::error(summary, detail).at(import.to_span).within("import"));
                    continue;
                };
                let generated = self.graph.resource(target).is_some_and(|(_, resource)| resource.generated);
                if let Some(provider) = import.provider.as_ref().filter(|_| !generated) {
                    let detail = "The provider argument is for import blocks whose resource block is generated. There is one \
                                  already: it says itself which provider configuration it uses.";
                    let wrong = Diagnostic::error("Invalid import provider argument", detail).or_at(provider.span);
                    self.said.push(wrong.within("import"));
                }
                let own = std::mem::take(&mut self.graph.needs[target.index()]);
                let mut needs = own.clone();
                let found_by = import.id.as_deref().into_iter().chain(import.identity.as_deref());
                let exprs = found_by.chain(import.for_each.as_deref()).chain(import.to.keys());
                for found in exprs.flat_map(crate::lang::eval::references) {
                    self.edge(id, &found, true, &mut needs);
                }
                let only = needs[own.len()..].iter().copied().filter(|need| !own.contains(need)).collect::<Vec<_>>();
                self.graph.import_needs.entry(target).or_default().extend(only);
                self.set_needs(target, needs);
                self.graph.imports.entry(target).or_default().push((id, position));
            }
        }
    }

    fn import_target(&self, root: ModuleId, import: &crate::config::Import) -> Option<NodeId> {
        let mut module = root;
        for (name, _) in &import.to.modules {
            module = *self.graph.module(module).children.get(name)?;
        }
        Some(self.graph.at(module, self.graph.module(module).shape.resource(&import.to.resource)?))
    }

    fn provider_edges(&mut self, id: ProviderId) {
        let provider = &self.graph.providers[id.index()];
        let (node, owner, block) = (provider.node, provider.owner, provider.block);
        let mut needs = Vec::new();
        match (owner, block) {
            (_, None) => {}
            (Owner::Module(module), Some(block)) => {
                for found in &self.graph.module(module).shape.clone().providers[block] {
                    self.edge(module, found, true, &mut needs);
                }
                needs.extend(self.own_call(module));
            }
            (Owner::Project, Some(block)) => {
                for found in references_in(&self.config.shared_providers[block].body) {
                    self.project_edge(id, &found, &mut needs);
                }
            }
        }
        self.set_needs(node, needs);
    }

    fn set_needs(&mut self, node: NodeId, mut needs: Vec<NodeId>) {
        needs.sort_unstable();
        needs.dedup();
        self.graph.needs[node.index()] = needs;
    }

    fn own_call(&self, module: ModuleId) -> Option<NodeId> {
        let (caller, name) = self.graph.module(module).caller.as_ref()?;
        let offset = self.graph.module(*caller).shape.call(name)?;
        Some(self.graph.at(*caller, offset))
    }

    /// The value of a called module's variable comes from the call's argument, in the caller.
    fn argument_edges(&mut self, module: ModuleId, variable: &Name, needs: &mut Vec<NodeId>) {
        let Some((caller, call)) = self.graph.module(module).caller.clone() else { return };
        needs.extend(self.own_call(module));
        let shape = self.graph.module(caller).shape.clone();
        for found in shape.arguments.get(&call).and_then(|arguments| arguments.get(variable)).into_iter().flatten() {
            // Undeclared names are said where the caller's own nodes are checked.
            self.edge(caller, found, false, needs);
        }
    }

    fn check_arguments(&mut self, caller: ModuleId, name: &Name) {
        let module = self.graph.module(caller).module.clone();
        let Some(call) = module.calls.get(name) else { return };
        let within = format!("module {:?}", name.as_str());
        for argument in &call.arguments {
            if !call.module.variables.contains_key(&argument.name.text) {
                let names = call.module.variables.keys().map(Name::as_str);
                let name = argument.name.text.as_str();
                let hint = crate::diag::did_you_mean(name, names);
                let error = if call.is_json {
                    let detail = format!("No argument or block type is named {name:?}.{hint}");
                    Diagnostic::error("Extraneous JSON object property", detail)
                } else {
                    let detail = format!("An argument named {name:?} is not expected here.{hint}");
                    Diagnostic::error("Unsupported argument", detail)
                };
                self.said.push(error.at(argument.name.span).within(&within));
            }
            for found in &self.graph.module(caller).shape.clone().arguments[name][&argument.name.text] {
                self.edge(caller, found, true, &mut Vec::new());
            }
        }
        for (variable, declared) in &call.module.variables {
            if declared.default.is_none() && !call.arguments.iter().any(|argument| argument.name.text == *variable) {
                self.said.push(
                    Diagnostic::error(
                        "Missing required argument",
                        format!("The argument {:?} is required, but no definition was found.", variable.as_str()),
                    )
                    .at(call.missing)
                    .within(&within),
                );
            }
        }
    }

    /// The nodes that a reference of a module's block needs.
    fn edge(&mut self, module: ModuleId, found: &Found, say: bool, needs: &mut Vec<NodeId>) {
        self.edge_within(module, found, say, needs, None);
    }

    /// Tells once of each deprecated output that is used, and where first; without an output, all of them are.
    fn deprecated(&mut self, module: ModuleId, call: &Name, child: ModuleId, output: Option<&Name>, span: Span) {
        let child = self.graph.module(child).module.clone();
        let used = child.outputs.values().filter(|one| output.is_none_or(|output| one.name == *output));
        for (name, why) in used.filter_map(|one| Some((&one.name, one.deprecated.as_ref()?))) {
            if self.deprecated.insert((module, call.clone(), name.clone())) {
                let detail = format!("This value is derived from module.{call}.{name}, which is deprecated:\n{why}");
                self.said.push(Diagnostic::warning("Value derived from a deprecated source", detail).at(span));
            }
        }
    }

    /// The same for what stands in a `check` block, which sees its own data block.
    fn edge_within(
        &mut self,
        module: ModuleId,
        found: &Found,
        say: bool,
        needs: &mut Vec<NodeId>,
        check: Option<&Name>,
    ) {
        let node = self.graph.module(module);
        if let Reference::Resource(addr) = &found.reference
            && let Some(owner) = node.module.resources.get(addr).and_then(|resource| resource.check.as_ref())
            && check != Some(owner)
        {
            if say {
                let detail = format!(
                    "{addr} belongs to check {:?}: nothing outside of that block can use it. Write the data block by itself \
                     to use it elsewhere.",
                    owner.as_str()
                );
                self.said.push(Diagnostic::error("Reference to scoped resource", detail).at(found.span));
            }
            return;
        }
        let (shape, layer) = (node.shape.clone(), node.layer);
        let target = match &found.reference {
            Reference::Var(name) => shape.variable(name),
            Reference::Local(name) => shape.local(name),
            Reference::Resource(addr) => shape.resource(addr),
            Reference::Module { name, output } => {
                if let (Some(call), Some(child)) = (shape.call(name), node.children.get(name)) {
                    needs.push(self.graph.at(module, call));
                    let child = *child;
                    if say {
                        self.deprecated(module, name, child, output.as_ref(), found.span);
                    }
                    let inner = self.graph.module(child).shape.clone();
                    match output.as_ref().map(|output| inner.output(output)) {
                        Some(Some(offset)) => needs.push(self.graph.at(child, offset)),
                        // Without a single output, or with one that does not exist (evaluation says so), all of them.
                        Some(None) | None => {
                            let outputs = self.graph.module(child).module.outputs.keys();
                            needs.extend(
                                outputs.filter_map(|name| inner.output(name)).map(|at| self.graph.at(child, at)),
                            );
                        }
                    }
                    return;
                }
                None
            }
            Reference::Layer { .. } => {
                match self.layer_output(found, Some(layer)) {
                    Ok(node) => needs.extend(node),
                    Err(diagnostic) if say => self.said.push(diagnostic),
                    Err(_) => {}
                }
                return;
            }
            // Names that belong to the block or to the run need no other node; whether they may stand here shows when
            // they are evaluated.
            Reference::EachKey
            | Reference::EachValue
            | Reference::CountIndex
            | Reference::SelfObject
            | Reference::PathModule
            | Reference::PathRoot
            | Reference::PathCwd
            | Reference::Terraform(_) => return,
            Reference::Bare(_) => None,
        };
        match target {
            Some(offset) => needs.push(self.graph.at(module, offset)),
            None if say => {
                let diagnostic = undeclared(self.config, &self.graph, module, found);
                self.said.push(diagnostic);
            }
            None => {}
        }
    }

    fn depends_on(&mut self, module: ModuleId, target: &Reference, span: Span, say: bool, needs: &mut Vec<NodeId>) {
        if let Reference::Module { name, output: None } = target
            && let Some(call) = self.graph.module(module).shape.call(name)
        {
            // The end of the call, which follows its beginning.
            needs.push(self.graph.at(module, call + 1));
            return;
        }
        self.edge(module, &Found { reference: target.clone(), span }, say, needs);
    }

    fn project_edge(&mut self, provider: ProviderId, found: &Found, needs: &mut Vec<NodeId>) {
        match &found.reference {
            Reference::Layer { layer, .. } => match self.layer_output(found, None) {
                Ok(node) => needs.extend(node),
                // One for the environments, in a run of the global layers.
                Err(_) if self.config.is_above(layer) && !self.is_used(provider) => {}
                Err(diagnostic) => self.said.push(diagnostic),
            },
            Reference::Bare(name) if *name == "environment" => {}
            other => self.said.push(
                Diagnostic::error(
                    "Invalid reference in the project file",
                    format!(
                        "{other} cannot be used here. Providers and gates of the project file see env(\"NAME\"), \
                         environment.name and the outputs of layers, such as layer.NAME.OUTPUT."
                    ),
                )
                .at(found.span),
            ),
        }
    }

    fn is_used(&self, provider: ProviderId) -> bool {
        let actions = self.graph.actions.values().map(|(used, _)| used);
        self.graph.provider_of.values().chain(actions).any(|used| *used == provider)
    }

    /// The output node of `layer.X.Y`, as seen from a layer (or, with `None`, from the project file). `None` for the output of
    /// a global layer, which is stored before a run of an environment begins.
    fn layer_output(&self, found: &Found, from: Option<usize>) -> Result<Option<NodeId>, Diagnostic> {
        let Reference::Layer { layer, output } = &found.reference else {
            return Err(Diagnostic::error("Invalid reference", "").at(found.span));
        };
        let undeclared = |module: &Module| {
            let hint = crate::diag::did_you_mean(output, module.outputs.keys().map(Name::as_str));
            let detail = format!("Layer {layer} has no output named {:?}.{hint}", output.as_str());
            Diagnostic::error("Reference to undeclared output value", detail).at(found.span)
        };
        if let Some(global) = self.config.global_layer(layer) {
            return if global.root.outputs.contains_key(output) { Ok(None) } else { Err(undeclared(&global.root)) };
        }
        if self.config.is_above(layer) {
            let detail = format!(
                "Layer {layer} exists once per environment, and what exists once for all environments can use the outputs of global \
                 layers only. Give the value as a variable of the global layer, or give layer {layer} the same scope."
            );
            return Err(Diagnostic::error("Reference from a global layer", detail).at(found.span));
        }
        let Some(index) = self.graph.layers.iter().position(|name| name == layer) else {
            let hint = crate::diag::did_you_mean(layer.as_str(), self.graph.layers.iter().map(|name| name.as_str()));
            let alone = self.config.layers.iter().all(|layer| layer.name == LayerName::plain());
            let detail = if self.config.is_plain() && !alone {
                format!(
                    "The outputs of other layers are given by the test: override_layer {{ target = layer.{layer}, outputs = {{ \
                     {output} = … }} }}, each argument on a line of its own.{hint}"
                )
            } else if self.config.is_plain() {
                "Layers exist in a project only, and there is no infra.hcl above this folder.".to_owned()
            } else {
                format!("The project has no layer named {:?}.{hint}", layer.as_str())
            };
            return Err(Diagnostic::error("Reference to undeclared layer", detail).at(found.span));
        };
        if let Some(from) = from.filter(|from| *from <= index) {
            let own = &self.graph.layers[from];
            let detail = if from == index {
                format!("Inside layer {own} its own values are named directly, without \"layer.{own}.\".")
            } else {
                format!(
                    "Layer {own} comes before layer {layer} in the project file, and a layer may only use the outputs of \
                     earlier layers. Move what needs {} into layer {layer} or a later one, or pass the value the other way.",
                    found.reference
                )
            };
            return Err(Diagnostic::error("Upward layer reference", detail).at(found.span));
        }
        let root = self.graph.roots[index];
        match self.graph.module(root).shape.output(output) {
            Some(offset) => Ok(Some(self.graph.at(root, offset))),
            None => Err(undeclared(&self.graph.module(root).module)),
        }
    }
}
