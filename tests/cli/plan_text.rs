//! Plan text is line for line Terraform's where both say the same.
//!
//! `plan_text/NAME.json` is what `terraform show -json` said of a plan and `plan_text/NAME.txt` what it printed; the whole
//! document is compared field by field, and where ours differs `plan_text/document.rs` says why.
//! `plan_text/regenerate.py` makes them (the `typed_*` ones come from a provider with nested blocks, its schema inside).

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path as FilePath;
use std::sync::Arc;

use infra::addr::{DeposedKey, LayerName, ModuleAddr, Name, ProviderConfigAddr, ProviderSource, parse_instance};
use infra::change::{Action, Change, Reason};
use infra::diag::Outcome;
use infra::plan::{LayerPlan, OutputChange, PhasePlan, Plan, PlanMode, PlannedChange};
use infra::provider::{Boxed, Configured, Limits, Provider, ProviderSchema};
use infra::schema::{Attribute, Block, NestedBlock, Nesting, Presence, Schema};
use infra::value::{Path, Step, Type, Value, from_json, from_json_typed, type_from_json};
use infra::view::{self, Style};
use serde_json::Value as Json;

mod document;

use super::program::{Program, without_ids};

/// A provider that knows schemas only.
struct Schemas(ProviderSchema);

impl Provider for Schemas {
    fn schema(&self) -> &ProviderSchema {
        &self.0
    }
    fn upgrade(&self, _: &str, _: u64, _: &str) -> Outcome<Value> {
        unreachable!("plans are drawn without asking providers")
    }
    fn configure(&self, _: Value) -> Boxed<'_, Outcome<Arc<dyn Configured>>> {
        unreachable!("plans are drawn without asking providers")
    }
    fn limits(&self) -> Limits {
        Limits::LOCAL
    }
}

#[test]
fn plans_read_like_terraforms() {
    let mut failed = Vec::new();
    for path in cases() {
        let document: Json = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let expect = std::fs::read_to_string(path.with_extension("txt")).unwrap();
        let (got, expect) = (body(&view::plan(&read_plan(&document), Style::PLAIN)), without_warnings(&expect));
        if got != expect {
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            let diff = similar::TextDiff::from_lines(&expect, &got).unified_diff().to_string();
            failed.push(format!("=== {name}\n{diff}"));
        }
    }
    assert!(failed.is_empty(), "{} plans differ (- terraform, + ours):\n{}", failed.len(), failed.join("\n"));
}

#[test]
fn json_plans_say_what_terraforms_say() {
    let mut failed = Vec::new();
    for path in cases() {
        let document: Json = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let ours = view::plan_json(&read_plan(&document));
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let mut compare = |what: &str, expect: &Json, got: &Json| {
            // Typed cases are cut down to the attributes they need, nulls included. The others have types that the document
            // does not say, and are looked at below.
            if !name.starts_with("typed_") && !name.starts_with("json_") && expect != got {
                failed.push(format!("{name}: {what}\n  terraform {expect}\n  ours      {got}"));
            }
        };
        let expect = document["resource_changes"].as_array().unwrap();
        let got = ours["resource_changes"].as_array().cloned().unwrap_or_default();
        assert_eq!(expect.len(), got.len(), "{name}");
        for (expect, got) in expect.iter().zip(&got) {
            for key in
                ["address", "mode", "type", "name", "index", "module_address", "action_reason", "previous_address"]
            {
                compare(key, &expect[key], &got[key]);
            }
            for key in expect["change"].as_object().unwrap().keys() {
                let (mut expect, mut got) = (expect["change"][key].clone(), got["change"][key].clone());
                if key == "after_sensitive" {
                    // The type of an unknown value is not in the document that the plan was read from.
                    for side in [&mut expect, &mut got] {
                        if let Some(side) = side.as_object_mut() {
                            side.remove("output");
                        }
                    }
                }
                compare(key, &expect, &got);
            }
        }
        for (output, change) in document["output_changes"].as_object().unwrap() {
            for key in ["actions", "before", "after", "after_unknown"] {
                compare(key, &change[key], &ours["output_changes"][output][key]);
            }
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

/// What of the recorded cases the engine cannot plan yet, by name.
const SKIPPED: &[&str] = &[
    // A command: taint.
    "replace_tainted",
    // Data sources of backends.
    "read_later",
    "read_dependency",
];

/// What the engine itself plans, from the configurations that the goldens were made from: the text, and the whole document.
#[test]
fn the_engine_plans_like_terraform() {
    let mut failed = Vec::new();
    let mut used = BTreeSet::new();
    for path in cases() {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let document: Json = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let Some(after) = document["after"].as_str().filter(|_| !SKIPPED.contains(&name.as_str())) else { continue };
        let program = Program::with(&[]);
        for (path, text) in document["files"].as_object().unwrap() {
            program.write(path, text.as_str().unwrap());
        }
        if let Some(before) = document["before"].as_str() {
            program.write("main.tf", before);
            program.ok(&["apply", "-auto-approve"]);
        }
        program.write("main.tf", after);
        let args = document["args"].as_array().unwrap().iter().map(|arg| arg.as_str().unwrap());
        let got = program.call(&["plan", "-out=p"].into_iter().chain(args).collect::<Vec<_>>());
        let expect = without_ids(&without_warnings(&std::fs::read_to_string(path.with_extension("txt")).unwrap()));
        let shown = if got.code == 0 { without_ids(&body(&got.out)) } else { format!("{}{}", got.out, got.err) };
        if shown != expect {
            let diff = similar::TextDiff::from_lines(&expect, &shown).unified_diff().to_string();
            failed.push(format!("=== {name}\n{diff}"));
        }
        if got.code != 0 {
            continue;
        }
        let ours: Json = serde_json::from_str(&program.ok(&["show", "-json", "p"])).unwrap();
        let different = document::differences(&name, &document, &ours, &mut used);
        if !different.is_empty() {
            failed.push(format!("=== {name}, JSON\n{}", different.join("\n")));
        }
    }
    assert!(failed.is_empty(), "{} plans differ (- terraform, + ours):\n{}", failed.len(), failed.join("\n"));
    document::all_are_used(&used);
}

fn cases() -> Vec<std::path::PathBuf> {
    let folder = FilePath::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/plan_text");
    let entries = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let mut cases: Vec<_> = entries.filter(|path| path.extension().is_some_and(|ending| ending == "json")).collect();
    cases.sort();
    assert!(cases.len() > 80, "the golden plans were not found");
    cases
}

/// The part of our text that describes changes.
fn body(text: &str) -> String {
    if let Some(line) = text.lines().find(|line| line.starts_with("No changes.")) {
        return format!("{line}\n");
    }
    let lines: Vec<&str> = text.lines().collect();
    let legend = lines.iter().position(|line| line.ends_with(" will perform the following actions:"));
    let start = match legend {
        Some(legend) => legend + 1,
        None => lines.iter().position(|line| line.starts_with("Changes to Outputs:")).unwrap(),
    };
    let end = lines
        .iter()
        .position(|line| ["You can apply this plan", "───", "Warning: "].iter().any(|start| line.starts_with(start)))
        .unwrap_or(lines.len());
    without_warnings(&format!("{}\n", lines[start..end].join("\n").trim_matches('\n')))
}

/// Terraform's sentences about values that become sensitive are its own; ours stand in the same places.
fn without_warnings(text: &str) -> String {
    let mut out = String::new();
    let mut inside = false;
    for line in text.lines() {
        let trimmed = line.trim_start();
        inside =
            trimmed.starts_with("# Warning:") || inside && trimmed.starts_with("# ") && !trimmed.starts_with("# (");
        if !inside {
            out.push_str(line.trim_end());
            out.push('\n');
        }
    }
    out.replace("will no longer be managed by Terraform,", "will no longer be managed by infra,")
}

fn read_plan(document: &Json) -> Plan {
    let provider: Arc<dyn Provider> = Arc::new(Schemas(schemas(document)));
    let types: BTreeMap<String, Type> = document["types"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, ty)| (name.clone(), type_from_json(ty.to_string().as_bytes()).unwrap()))
        .collect();
    let changes =
        document["resource_changes"].as_array().unwrap().iter().map(|change| planned(change, &provider, &types));
    let outputs = document["output_changes"].as_object().unwrap().iter().map(|(name, change)| {
        let sensitive = change["before_sensitive"] == true || change["after_sensitive"] == true;
        let open = |json: &Json| from_json(json.to_string().as_bytes()).unwrap();
        OutputChange {
            layer: LayerName::plain(),
            name: Name::from(name.as_str()),
            action: action(&change["actions"]),
            before: open(&change["before"]),
            after: unknowns(open(&change["after"]), &change["after_unknown"], None),
            sensitive,
        }
    });
    Plan {
        invocations: Vec::new(),
        checks: Vec::new(),
        asserts: true,
        mode: match document["mode"].as_str().unwrap() {
            "destroy" => PlanMode::Destroy,
            "refresh-only" => PlanMode::RefreshOnly,
            _ => PlanMode::Normal,
        },
        timestamp: jiff::Timestamp::UNIX_EPOCH,
        layers: vec![LayerPlan {
            name: LayerName::plain(),
            location: "terraform.tfstate".into(),
            serial: 1,
            lineage: String::new(),
            objects: 0,
        }],
        phases: vec![PhasePlan { name: Name::from(""), gates: Vec::new() }],
        changes: changes.collect(),
        drift: Vec::new(),
        outputs: outputs.collect(),
        complete: true,
        errored: false,
        targets: Vec::new(),
        prefixes_layers: false,
        segment: None,
    }
}

fn planned(json: &Json, provider: &Arc<dyn Provider>, types: &BTreeMap<String, Type>) -> PlannedChange {
    let change = &json["change"];
    let kind = json["type"].as_str().unwrap();
    let data = json["mode"] == "data";
    let schema = provider.schema();
    let schema = if data { &schema.data[kind] } else { &schema.resources[kind] };
    let addr = |text: &Json| parse_instance(&LayerName::plain(), text.as_str().unwrap()).unwrap();
    let side = |json: &Json| object(json, &schema.block, types);
    let paths = change["replace_paths"].as_array().cloned().unwrap_or_default();
    let module = ModuleAddr::root();
    PlannedChange {
        change: Change {
            addr: addr(&json["address"]),
            deposed: json["deposed"].as_str().map(|key| DeposedKey(key.into())),
            previous: json.get("previous_address").map(addr),
            action: action(&change["actions"]),
            reason: json["action_reason"].as_str().and_then(reason),
            before: sensitive(side(&change["before"]), &change["before_sensitive"]),
            after: sensitive(
                unknowns(side(&change["after"]), &change["after_unknown"], Some(&schema.block)),
                &change["after_sensitive"],
            ),
            replace_paths: paths.iter().map(path).collect(),
            importing: change["importing"]["id"].as_str().map(str::to_owned),
            generated: None,
            provider: ProviderConfigAddr {
                layer: None,
                module,
                source: ProviderSource::builtin(),
                alias: None,
                key: None,
            },
        },
        phase: 0,
        pending: None,
        lost_with: None,
        provider_type: provider.clone(),
        private: Vec::new(),
        work: Default::default(),
    }
}

fn action(json: &Json) -> Action {
    let names: Vec<&str> = json.as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    let all = [
        Action::NoOp,
        Action::Create,
        Action::Read,
        Action::Update,
        Action::Delete,
        Action::DeleteThenCreate,
        Action::CreateThenDelete,
        Action::Forget,
    ];
    all.into_iter().find(|action| action.json_names() == names).unwrap()
}

fn reason(name: &str) -> Option<Reason> {
    let all = [
        Reason::ReplaceBecauseTainted,
        Reason::ReplaceBecauseCannotUpdate,
        Reason::ReplaceByRequest,
        Reason::ReplaceByTriggers,
        Reason::DeleteBecauseNoResourceConfig,
        Reason::DeleteBecauseNoModule,
        Reason::DeleteBecauseEachKey,
        Reason::DeleteBecauseCountIndex,
        Reason::DeleteBecauseWrongRepetition,
        Reason::DeleteBecauseNoMoveTarget,
        Reason::DeleteDeposed,
        Reason::ReadBecauseConfigUnknown,
        Reason::ReadBecauseDependencyPending,
        Reason::ReadBecauseCheckNested,
    ];
    Some(all.into_iter().find(|reason| reason.json_name() == name).unwrap_or_else(|| panic!("reason {name}")))
}

fn path(json: &Json) -> Path {
    let step = |(at, step): (usize, &Json)| match step {
        Json::String(name) if at == 0 => Step::Attribute(name.as_str().into()),
        Json::String(name) => Step::Key(name.as_str().into()),
        number => Step::Index(number.as_u64().unwrap() as usize),
    };
    json.as_array().unwrap().iter().enumerate().map(step).collect()
}

/// An object of a JSON plan, read by the schema; content of open type by what it looks like or by the case's own types.
fn object(json: &Json, block: &Block, types: &BTreeMap<String, Type>) -> Value {
    if json.is_null() {
        return Value::NULL;
    }
    let attributes = block.attributes.iter().map(|(name, attribute)| {
        let text = json[name.as_str()].to_string();
        let ty = if attribute.ty == Type::Any { types.get(name.as_str()) } else { Some(&attribute.ty) };
        let value = match ty {
            Some(ty) => from_json_typed(text.as_bytes(), ty).unwrap(),
            None => from_json(text.as_bytes()).unwrap(),
        };
        (name.clone(), value)
    });
    let blocks = block.blocks.iter().map(|(name, nested)| {
        let value = match &json[name.as_str()] {
            Json::Null => Value::Null(nested.ty()),
            Json::Array(items) => {
                let items = items.iter().map(|item| object(item, &nested.block, types)).collect();
                match nested.nesting {
                    Nesting::Set => Value::set(nested.block.ty(), items),
                    _ => Value::list(nested.block.ty(), items),
                }
            }
            other => object(other, &nested.block, types),
        };
        (name.clone(), value)
    });
    Value::object(attributes.chain(blocks).collect::<Vec<_>>())
}

/// Puts unknown values where `after_unknown` says so.
fn unknowns(value: Value, unknown: &Json, block: Option<&Block>) -> Value {
    match unknown {
        Json::Bool(true) => Value::unknown(value.ty()),
        Json::Object(parts) => {
            let Some(entries) = value.as_entries() else { return value };
            let mut entries = entries.clone();
            for (name, part) in parts {
                let present = entries.get(name).cloned().unwrap_or(Value::NULL);
                let inner = block.and_then(|block| block.nested(name)).map(|nested| &nested.block);
                if entries.contains_key(name) || contains_true(part) {
                    entries = entries.with(name.as_str(), unknowns(present, part, inner));
                }
            }
            match value {
                Value::Map(mapping) => Value::map(mapping.element.clone(), entries),
                _ => Value::Object(entries),
            }
        }
        Json::Array(parts) => {
            let rebuilt = |items: &[Value]| -> Vec<Value> {
                items.iter().zip(parts).map(|(item, part)| unknowns(item.clone(), part, block)).collect()
            };
            match &value {
                Value::List(sequence) => Value::list(sequence.element.clone(), rebuilt(&sequence.items)),
                Value::Set(sequence) => Value::set(sequence.element.clone(), rebuilt(&sequence.items)),
                Value::Tuple(items) => Value::tuple(rebuilt(items)),
                _ => value,
            }
        }
        _ => value,
    }
}

fn contains_true(json: &Json) -> bool {
    match json {
        Json::Bool(value) => *value,
        Json::Array(items) => items.iter().any(contains_true),
        Json::Object(entries) => entries.values().any(contains_true),
        _ => false,
    }
}

/// Puts marks where `before_sensitive` or `after_sensitive` says so.
fn sensitive(value: Value, marks: &Json) -> Value {
    let mut paths = Vec::new();
    collect(marks, &mut Path::root(), &mut paths);
    let paths: Vec<_> = paths.into_iter().map(|path| (path, infra::value::Marks::SENSITIVE)).collect();
    value.mark_paths(&paths)
}

fn collect(marks: &Json, path: &mut Path, found: &mut Vec<Path>) {
    match marks {
        Json::Bool(true) => found.push(path.clone()),
        Json::Object(parts) => {
            for (name, part) in parts {
                path.inside(Step::Attribute(name.as_str().into()), |path| collect(part, path, found));
            }
        }
        Json::Array(parts) => {
            for (at, part) in parts.iter().enumerate() {
                path.inside(Step::Index(at), |path| collect(part, path, found));
            }
        }
        _ => {}
    }
}

/// The schemas of a case: those it carries, else those of the built-in provider.
fn schemas(document: &Json) -> ProviderSchema {
    let leak = |name: &str| -> &'static str { Box::leak(name.to_owned().into_boxed_str()) };
    let mut schema = ProviderSchema::default();
    if let Some(carried) = document["schemas"].as_object() {
        for (kind, block) in carried {
            schema.resources.insert(leak(kind), Schema::new(read_block(block)));
        }
        return schema;
    }
    let open = || Attribute::new(Type::Any, Presence::Optional);
    let data = [
        ("id", Attribute::new(Type::String, Presence::Computed)),
        ("input", open()),
        ("output", Attribute::new(Type::Any, Presence::Computed)),
        ("triggers_replace", open()),
    ];
    schema.resources.insert("terraform_data", Schema::new(Block::new(data)));
    let remote = [
        ("backend", Attribute::new(Type::String, Presence::Required)),
        ("config", open()),
        ("defaults", open()),
        ("outputs", Attribute::new(Type::Any, Presence::Computed)),
        ("workspace", Attribute::new(Type::String, Presence::Optional)),
    ];
    schema.data.insert("terraform_remote_state", Schema::new(Block::new(remote)));
    schema
}

fn read_block(json: &Json) -> Block {
    let attributes = json["attributes"].as_object().into_iter().flatten().map(|(name, attribute)| {
        let ty = type_from_json(attribute["type"].to_string().as_bytes()).unwrap();
        let made = Attribute::new(ty, Presence::OptionalComputed);
        (name.as_str(), if attribute["sensitive"] == true { made.sensitive() } else { made })
    });
    let blocks = json["block_types"].as_object().into_iter().flatten().map(|(name, nested)| {
        let nesting = match nested["nesting_mode"].as_str().unwrap() {
            "list" => Nesting::List,
            "set" => Nesting::Set,
            "map" => Nesting::Map,
            _ => Nesting::Single,
        };
        (name.as_str(), NestedBlock::new(nesting, read_block(&nested["block"])))
    });
    Block::new(attributes).with_blocks(blocks)
}
