//! The configuration in a JSON plan: what is written, with expressions as far as their text tells.
//!
//! In a project of several layers each layer stands as a module call `layer.NAME` of the root module, as in the other parts.

use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use crate::addr::{Mode, Name};
use crate::config::{ModuleCall, Output, Provisioner, Resource, Variable};
use crate::graph::{Graph, ModuleId, Owner, ProviderId};
use crate::lang::decode::constant;
use crate::lang::syntax::ast::Body;
use crate::plan::{Plan, Segment};
use crate::value::{Value, convert};

use super::expression::{attributes, body, depends_on, expression, repetition};
use crate::view::values::json_of;

/// The whole configuration.
pub(super) fn configuration(plan: &Plan, segment: &Segment) -> Json {
    let writer = Writer { segment, graph: &segment.graph, prefixes_layers: plan.prefixes_layers };
    let mut json = Map::new();
    let providers = writer.providers();
    if !providers.is_empty() {
        json.insert("provider_config".into(), Json::Object(providers));
    }
    json.insert("root_module".into(), writer.root());
    Json::Object(json)
}

/// The values of root variables, defaults included. Like Terraform's document it holds sensitive ones too.
pub(super) fn variables(plan: &Plan, segment: &Segment) -> Map<String, Json> {
    let graph = &segment.graph;
    let mut all = Map::new();
    for root in &graph.roots {
        let node = graph.module(*root);
        let Some(copy) = segment.world.copies_of(*root).first() else { continue };
        for (name, variable) in &node.module.variables {
            // What was given stands there as it was given, what was not with its default; of an ephemeral one only that is told.
            let given = || segment.config.layers[node.layer].assigned(variable)?.value;
            let planned = || node.shape.variable(name).and_then(|offset| segment.world.get(*copy, offset)).cloned();
            let value = match &variable.default {
                Some(default) if variable.ephemeral => crate::lang::decode::constant(default).value,
                None if variable.ephemeral => None,
                Some(_) | None => given().or_else(planned),
            };
            let Some(value) = value.filter(Value::is_known) else { continue };
            let label = if plan.prefixes_layers {
                format!("layer.{}.{name}", graph.layers[node.layer])
            } else {
                name.to_string()
            };
            all.insert(label, json!({"value": json_of(&value)}));
        }
    }
    all
}

struct Writer<'a> {
    segment: &'a Segment,
    graph: &'a Graph,
    prefixes_layers: bool,
}

impl Writer<'_> {
    fn root(&self) -> Json {
        if !self.prefixes_layers {
            return self.graph.roots.first().map_or_else(|| json!({}), |root| self.module(*root));
        }
        let calls = self.graph.roots.iter().map(|root| {
            let layer = self.graph.module(*root).layer;
            let dir = &self.segment.config.layers[layer].dir;
            let source = match &self.segment.config.project {
                Some(project) => crate::config::relative(dir, &project.dir).display().to_string(),
                None => dir.display().to_string(),
            };
            (format!("layer.{}", self.graph.layers[layer]), json!({"source": source, "module": self.module(*root)}))
        });
        json!({"module_calls": calls.collect::<Map<_, _>>()})
    }

    fn module(&self, id: ModuleId) -> Json {
        let content = &self.graph.module(id).module;
        let mut json = Map::new();
        let mut put = |name: &str, entries: Map<String, Json>| {
            if !entries.is_empty() {
                json.insert(name.into(), Json::Object(entries));
            }
        };
        put("outputs", content.outputs.iter().map(|(name, one)| (name.to_string(), output(one))).collect());
        let mut resources: Vec<&Resource> = content.resources.values().map(Arc::as_ref).collect();
        resources.sort_by_key(|resource| (resource.addr.mode != Mode::Managed, resource.addr.to_string()));
        if !resources.is_empty() {
            json.insert("resources".into(), resources.iter().map(|one| self.resource(id, one)).collect());
        }
        let mut put = |name: &str, entries: Map<String, Json>| {
            if !entries.is_empty() {
                json.insert(name.into(), Json::Object(entries));
            }
        };
        put("module_calls", content.calls.iter().map(|(name, call)| (name.to_string(), self.call(id, call))).collect());
        put("variables", content.variables.iter().map(|(name, one)| (name.to_string(), variable(one))).collect());
        Json::Object(json)
    }

    fn call(&self, caller: ModuleId, call: &ModuleCall) -> Json {
        let mut json = Map::new();
        json.insert("source".into(), json!(call.source));
        if let Some(version) = &call.version_constraint {
            json.insert("version_constraint".into(), json!(version));
        }
        let arguments = attributes(call.arguments.iter());
        if !arguments.is_empty() {
            json.insert("expressions".into(), Json::Object(arguments));
        }
        repetition(&mut json, "count_expression", call.count.as_deref());
        repetition(&mut json, "for_each_expression", call.for_each.as_deref());
        if let Some(module) = self.graph.module(caller).children.get(&call.name) {
            json.insert("module".into(), self.module(*module));
        }
        depends_on(&mut json, &call.depends_on);
        Json::Object(json)
    }

    fn resource(&self, module: ModuleId, resource: &Resource) -> Json {
        let addr = &resource.addr;
        let mode = super::mode(addr.mode);
        let mut json = Map::new();
        json.insert("address".into(), json!(addr.to_string()));
        json.insert("mode".into(), json!(mode));
        json.insert("type".into(), json!(addr.kind.as_str()));
        json.insert("name".into(), json!(addr.name.as_str()));
        let offset = self.graph.module(module).shape.resource(addr);
        let provider = offset.and_then(|at| self.graph.provider_of.get(&self.graph.at(module, at)));
        if let Some(provider) = provider {
            json.insert("provider_config_key".into(), json!(self.provider_key(*provider)));
        }
        let slot = provider.and_then(|id| self.segment.providers.get(id.index()));
        let schema = slot.and_then(|slot| {
            let schema = slot.kind.schema();
            let kinds = match addr.mode {
                Mode::Managed => &schema.resources,
                Mode::Data => &schema.data,
                Mode::Ephemeral => &schema.ephemeral,
            };
            kinds.get(addr.kind.as_str())
        });
        let provisioners: Vec<Json> = resource.provision.provisioners.iter().map(provisioner).collect();
        if !provisioners.is_empty() {
            json.insert("provisioners".into(), json!(provisioners));
        }
        if let Some(schema) = schema {
            let written = body(&resource.body, &schema.block);
            if !written.is_empty() {
                json.insert("expressions".into(), Json::Object(written));
            }
            json.insert("schema_version".into(), json!(schema.version));
        }
        repetition(&mut json, "count_expression", resource.count.as_deref());
        repetition(&mut json, "for_each_expression", resource.for_each.as_deref());
        depends_on(&mut json, &resource.depends_on);
        Json::Object(json)
    }

    fn providers(&self) -> Map<String, Json> {
        let one = |index: usize| {
            let id = ProviderId(index as u32);
            (self.provider_key(id), self.provider(id))
        };
        (0..self.graph.providers.len()).map(one).collect()
    }

    /// The local name of a provider configuration where it is written or would be, with its alias.
    fn provider_name(&self, id: ProviderId) -> Name {
        let node = &self.graph.providers[id.index()];
        let (written, required) = match node.owner {
            Owner::Project => (node.block.map(|at| self.segment.config.shared_providers[at].local.clone()), None),
            Owner::Module(module) => {
                let content = &self.graph.module(module).module;
                let mut required = content.required_providers.iter();
                let required = required.find(|(_, one)| one.source.is_same(&node.addr.source));
                (node.block.map(|at| content.providers[at].local.clone()), required.map(|(local, _)| local.clone()))
            }
        };
        written.or(required).unwrap_or_else(|| node.addr.source.kind.clone())
    }

    fn provider_key(&self, id: ProviderId) -> String {
        let node = &self.graph.providers[id.index()];
        let mut key = self.provider_name(id).to_string();
        if let Some(alias) = &node.addr.alias {
            key = format!("{key}.{alias}");
        }
        match self.provider_module(id) {
            Some(module) => format!("{module}:{key}"),
            None => key,
        }
    }

    /// The module that a provider configuration belongs to; `None` for that of the document's root.
    fn provider_module(&self, id: ProviderId) -> Option<String> {
        let Owner::Module(module) = self.graph.providers[id.index()].owner else { return None };
        let node = self.graph.module(module);
        match (self.prefixes_layers, node.addr.is_root()) {
            (false, true) => None,
            (false, false) => Some(node.addr.to_string()),
            (true, true) => Some(format!("layer.{}", self.graph.layers[node.layer])),
            (true, false) => Some(format!("layer.{}.{}", self.graph.layers[node.layer], node.addr)),
        }
    }

    fn provider(&self, id: ProviderId) -> Json {
        let node = &self.graph.providers[id.index()];
        let mut json = Map::new();
        json.insert("name".into(), json!(self.provider_name(id).as_str()));
        json.insert("full_name".into(), json!(node.addr.source.to_string()));
        if let Some(alias) = &node.addr.alias {
            json.insert("alias".into(), json!(alias.as_str()));
        }
        if let Some(module) = self.provider_module(id) {
            json.insert("module_address".into(), json!(module));
        }
        if let Owner::Module(module) = node.owner {
            let required = self.graph.module(module).module.required_providers.values();
            let mut required = required.filter(|one| one.source.is_same(&node.addr.source));
            if let Some(version) = required.find_map(|one| one.version.as_ref()) {
                json.insert("version_constraint".into(), json!(version));
            }
        }
        let slot = self.segment.providers.get(id.index());
        if let (Some(written), Some(slot)) = (self.provider_body(id), slot) {
            let written = body(written, &slot.kind.schema().config.block);
            if !written.is_empty() {
                json.insert("expressions".into(), Json::Object(written));
            }
        }
        Json::Object(json)
    }

    fn provider_body(&self, id: ProviderId) -> Option<&Body> {
        let node = &self.graph.providers[id.index()];
        let block = node.block?;
        Some(match node.owner {
            Owner::Project => &self.segment.config.shared_providers[block].body,
            Owner::Module(module) => &self.graph.module(module).module.providers[block].body,
        })
    }
}

fn provisioner(provisioner: &Provisioner) -> Json {
    let mut json = json!({"type": provisioner.kind.as_str()});
    if let Some(schema) = crate::provision::schema(&provisioner.kind) {
        json["expressions"] = Json::Object(body(&provisioner.body, schema));
    }
    json
}

fn output(output: &Output) -> Json {
    let mut json = Map::new();
    if output.sensitive {
        json.insert("sensitive".into(), json!(true));
    }
    if output.ephemeral {
        json.insert("ephemeral".into(), json!(true));
    }
    json.insert("expression".into(), expression(&output.value));
    depends_on(&mut json, &output.depends_on);
    if let Some(description) = &output.description {
        json.insert("description".into(), json!(description));
    }
    Json::Object(json)
}

fn variable(variable: &Variable) -> Json {
    let mut json = Map::new();
    if let Some(default) = variable.default.as_deref().and_then(|default| constant(default).value) {
        let default = variable.defaults.apply(&default);
        json.insert("default".into(), json_of(&convert(&default, &variable.ty).unwrap_or(default)));
    }
    if let Some(description) = &variable.description {
        json.insert("description".into(), json!(description));
    }
    if variable.sensitive {
        json.insert("sensitive".into(), json!(true));
    }
    Json::Object(json)
}
