//! Reading what Terraform wrote, writing what it reads, and refusing the rest.

use super::{FormatError, read, write};
use crate::addr::{DeposedKey, LayerName, parse_instance};
use crate::state::model::{Slot, State, Status};
use crate::value::{Path, Step};

/// Written by Terraform 1.11.4 (resources of many kinds), then given what newer versions and OpenTofu add: identities,
/// `skip_destroy`, a deposed object, a field of another program.
const TERRAFORM: &str = include_str!("testdata/terraform-1.11.tfstate");

fn layer() -> LayerName {
    LayerName::from("data")
}

fn written(state: &State) -> String {
    let mut bytes = Vec::new();
    write(state, &mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

fn json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap()
}

/// A state with these resources.
fn with(resources: &str) -> String {
    format!("{{\"version\": 4, \"serial\": 1, \"lineage\": \"l\", \"resources\": [{resources}]}}")
}

/// One resource with these instances.
fn instances(instances: &str) -> String {
    with(&format!(
        "{{\"mode\": \"managed\", \"type\": \"t\", \"name\": \"n\", \"provider\": \"provider[\\\"a/b/c\\\"]\", \"instances\": [{instances}]}}"
    ))
}

#[test]
fn everything_of_a_terraform_state_is_there() {
    let state = read(&layer(), TERRAFORM.as_bytes()).unwrap();
    assert_eq!((state.serial, state.lineage.len(), state.written_by.as_str()), (8, 36, "1.11.4"));
    assert_eq!((state.resources().count(), state.object_count(), state.outputs.len()), (6, 9, 2));
    assert!(state.outputs["o"].sensitive && !state.outputs["p"].sensitive);
    assert_eq!(state.outputs["p"].value.get("a").and_then(|a| a.as_str()), Some("<b>&\u{2028}é"));
    assert!(state.check_results.as_deref().unwrap().contains("{\"object_kind\":\"check\""));

    let at = |text: &str| parse_instance(&layer(), text).unwrap();
    let tainted = state.object(&at("terraform_data.b")).unwrap();
    assert_eq!((tainted.status, tainted.create_before_destroy, tainted.schema_version), (Status::Tainted, true, 0));
    assert_eq!(tainted.dependencies[0].to_string(), "terraform_data.a");
    let deposed = Slot { addr: at("terraform_data.b"), deposed: Some(DeposedKey("1f2e3d4c".into())) };
    let deposed = state.at(&deposed).unwrap();
    assert_eq!(deposed.private, &b"{\"schema_version\":\"1\"}"[..]);
    assert_eq!(
        (deposed.identity.as_deref(), deposed.identity_schema_version),
        (Some("{\"id\":\"4efbb507\"}"), Some(0))
    );
    assert_eq!(deposed.foreign, [("skip_destroy".into(), "true".into())]);

    let sensitive = &state.object(&at("terraform_data.a[0]")).unwrap().sensitive;
    let path: Path =
        [Step::Attribute("input".into()), Step::Attribute("t".into()), Step::Index(1)].into_iter().collect();
    assert!(sensitive.contains(&path), "{sensitive:?}");
    let page = state.object(&at("module.m[0].module.n.data.http.page[\"k\\\"ey\"]")).unwrap();
    assert_eq!(&*page.attributes, "{\"id\":null,\"huge\":123456789012345678901234567890.5}");
    assert_eq!(page.sensitive[0].to_string(), "map[\"k\"]");
    let provider = |text| state.provider(&at(text)).unwrap().to_string();
    assert_eq!(provider("terraform_data.a[0]"), "provider[\"registry.opentofu.org/hashicorp/null\"].other");
    assert_eq!(
        provider("module.m[0].module.n.data.http.page[\"x\"]"),
        "module.m.provider[\"registry.terraform.io/hashicorp/http\"]"
    );
}

#[test]
fn what_is_read_is_written_again() {
    let state = read(&layer(), TERRAFORM.as_bytes()).unwrap();
    let text = written(&state);
    assert_eq!(read(&layer(), text.as_bytes()).unwrap(), state);
    // The same JSON, but for the order of resources and fields, and an absent "private".
    let (mut ours, mut theirs) = (json(&text), json(TERRAFORM));
    for document in [&mut ours, &mut theirs] {
        let resources = document["resources"].as_array_mut().unwrap();
        resources.sort_by_key(|resource| format!("{} {} {}", resource["module"], resource["mode"], resource["name"]));
    }
    for (name, value) in theirs.as_object().unwrap() {
        match value.as_array() {
            Some(items) if name == "resources" => {
                for (index, item) in items.iter().enumerate() {
                    assert_eq!(ours[name][index], *item);
                }
            }
            _ => assert_eq!(ours[name], *value),
        }
    }
    assert_eq!(ours, theirs);
}

#[test]
fn an_empty_state_looks_like_terraforms() {
    let mut state = State::empty(layer());
    state.lineage = "0-1".into();
    state.serial = 1;
    let text = written(&state);
    assert_eq!(text.matches("\n").count(), 9);
    assert!(text.contains("\"outputs\": {},\n  \"resources\": [],\n  \"check_results\": null\n}\n"), "{text}");
    assert_eq!(read(&layer(), text.as_bytes()).unwrap(), state);
}

#[test]
fn dependencies_on_other_layers_are_not_stored() {
    let state = read(&layer(), instances("{\"attributes\": {}, \"dependencies\": [\"t.own\"]}").as_bytes()).unwrap();
    let placed = state.objects().next().unwrap();
    let mut object = (**placed.object).clone();
    let mut other = object.dependencies[0].clone();
    other.layer = LayerName::from("bootstrap");
    object.dependencies = [object.dependencies[0].clone(), other].into();
    let slot = Slot::current(placed.addr(&layer()));
    let provider = placed.provider.clone();
    let mut state = state.clone();
    state.put(&slot, &provider, std::sync::Arc::new(object));
    assert!(written(&state).contains("\"dependencies\": [\"t.own\"]"));
}

#[test]
fn input_that_cannot_be_used_is_named() {
    let check = |input: &str, expect: &str| {
        let error = read(&layer(), input.as_bytes()).unwrap_err();
        assert!(error.to_string().contains(expect), "{input}: {error}");
    };
    check("", "not a state file");
    check("\u{0}\u{0}\u{0}", "not a state file");
    check("[]", "not a state file");
    check("{}", "no \"version\"");
    check("{\"version\": 4, \"serial\": -1}", "not a state file");
    check("{\"version\": 4, \"serial\": 1", "not a state file");
    check("{\"version\": \"4\"}", "not a state file");
    check("{\"version\": 5, \"terraform_version\": \"2.0.0\"}", "format version 5, written by version 2.0.0");
    check("{\"version\": 5, \"resources\": {\"changed\": true}}", "format version 5");
    check("{\"version\": 3, \"modules\": []}", "Terraform 0.12 or later");
    check("{\"serial\": 1, \"lineage\": \"\", \"encrypted_data\": \"x\", \"encryption_version\": \"v0\"}", "OpenTofu");
    check(&instances("{\"attributes\": []}"), "t.n: its \"attributes\" are not an object");
    check(&instances("{}"), "not an object");
    check(&instances("{\"attributes_flat\": {\"id\": \"1\"}}"), "Terraform 0.11");
    check(&instances("{\"attributes\": {}}, {\"attributes\": {}}"), "t.n stands in it twice");
    check(
        &instances("{\"index_key\": 1, \"attributes\": {}}, {\"index_key\": 1, \"attributes\": {}}"),
        "t.n[1] stands",
    );
    check(&instances("{\"deposed\": \"x\", \"attributes\": {}}, {\"deposed\": \"x\", \"attributes\": {}}"), "twice");
    check(&instances("{\"index_key\": 1.5, \"attributes\": {}}"), "whole number");
    check(&instances("{\"index_key\": {}, \"attributes\": {}}"), "whole number");
    check(&instances("{\"status\": \"odd\", \"attributes\": {}}"), "\"odd\" is not a status");
    check(&instances("{\"private\": \"%\", \"attributes\": {}}"), "base64");
    check(
        &instances("{\"sensitive_attributes\": [[{\"type\": \"x\", \"value\": 1}]], \"attributes\": {}}"),
        "not paths",
    );
    check(&instances("{\"dependencies\": [\"..\"], \"attributes\": {}}"), "not the address of a resource");
    check(&instances(&format!("{{\"attributes\": {{\"a\": {}1{}}}}}", "[".repeat(3000), "]".repeat(3000))), "nested");
    let resource = "{\"mode\": \"managed\", \"type\": \"t\", \"name\": \"n\", \"provider\": \"provider[\\\"a/b/c\\\"]\", \"instances\": [{\"attributes\": {}}]}";
    check(&with(&format!("{resource}, {resource}")), "t.n stands in it twice");
    check(&with(&resource.replace("managed", "list")), "\"list\" is not a mode");
    check(&with(&resource.replace("provider[", "provider")), "not the address of a provider");
    check(&with(&resource.replace("\"type\": \"t\"", "\"type\": \"\"")), "lacks a \"type\"");
    check(&with(&resource.replace("\"mode\"", "\"module\": \"modul.x\", \"mode\"")), "not the address of a module");
    let outputs = |text: &str| format!("{{\"version\": 4, \"outputs\": {{{text}}}}}");
    check(&outputs("\"o\": {\"value\": 1, \"type\": \"what\"}"), "output \"o\"");
    check(&outputs("\"o\": {\"value\": \"x\", \"type\": \"number\"}"), "output \"o\"");
    check(
        &outputs("\"o\": {\"value\": 1, \"type\": \"number\"}, \"o\": {\"value\": 2, \"type\": \"number\"}"),
        "twice",
    );
}

#[test]
fn nothing_secret_stands_in_errors_or_debug_output() {
    let text = instances("{\"attributes\": {\"password\": \"hunter2\"}, \"private\": \"aHVudGVyMg==\"}");
    let state = read(&layer(), text.as_bytes()).unwrap();
    assert!(!format!("{state:?}").contains("hunter2"));
    let torn = &text[..text.len() - 20];
    assert!(!format!("{:?}", read(&layer(), torn.as_bytes()).unwrap_err()).contains("hunter2"));
}

#[test]
fn nulls_and_old_habits_are_read() {
    let text = instances(
        "{\"index_key\": null, \"status\": \"\", \"deposed\": \"\", \"attributes\": {}, \"private\": null, \
         \"sensitive_attributes\": null, \"dependencies\": null, \"identity\": null, \"depends_on\": [\"x.y\"]}",
    );
    let state = read(&layer(), text.as_bytes()).unwrap();
    assert_eq!(state.object_count(), 1);
    // A resource whose instances are gone says nothing.
    assert!(read(&layer(), instances("").as_bytes()).unwrap().is_empty());
    assert!(matches!(read(&layer(), b"{\"version\": 4, \"outputs\": null}"), Ok(state) if state.is_empty()));
    assert!(matches!(read(&layer(), b"{\"version\": null}"), Err(FormatError::NoVersion)));
}
