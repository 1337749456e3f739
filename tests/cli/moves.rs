//! Objects that move from layer to layer, and objects that are taken in hand: `state mv`, `state rm`, `taint`, `import`.

use super::program::Program;

const PROJECT: &str = r#"
project { name = "moves" }
layer "low" { source = "low" }
layer "high" { source = "high" }
"#;

const OBJECT: &str = r#"
resource "terraform_data" "a" {
  input = 1
}
"#;

const MOVED: &str = r#"
resource "terraform_data" "b" {
  input = 1
}
moved {
  from = layer.low.terraform_data.a
  to   = layer.high.terraform_data.b
}
"#;

/// A project whose object was made in its lower layer and is written in the higher one now.
fn moved() -> Program {
    let program = Program::with(&[("infra.hcl", PROJECT), ("low/main.tf", OBJECT), ("high/main.tf", "")]);
    program.ok(&["apply", "-auto-approve"]);
    program.write("low/main.tf", "");
    program.write("high/main.tf", MOVED);
    program
}

/// The state files of a project, by layer.
fn state(program: &Program, layer: &str) -> std::path::PathBuf {
    let name = super::program::names(&program.path("state"))
        .into_iter()
        .find(|name| name.starts_with(layer) && name.ends_with(".tfstate"))
        .unwrap();
    program.path("state").join(name)
}

#[test]
fn an_object_moves_to_another_layer_as_it_is() {
    let program = moved();
    let before = program.ok(&["state", "show", "layer.low.terraform_data.a"]);
    let planned = program.call(&["plan", "-detailed-exitcode"]);
    assert_eq!(planned.code, 2, "{}", planned.err);
    assert!(
        planned.out.contains("# layer.low.terraform_data.a has moved to layer.high.terraform_data.b"),
        "{}",
        planned.out
    );
    assert!(planned.out.contains("Plan: 0 to add, 0 to change, 0 to destroy."), "{}", planned.out);
    program.ok(&["apply", "-auto-approve"]);
    assert_eq!(program.ok(&["state", "list"]), "layer.high.terraform_data.b\n");
    let after = program.ok(&["state", "show", "layer.high.terraform_data.b"]);
    let id = |text: &str| text.lines().find(|line| line.trim_start().starts_with("id ")).unwrap().to_owned();
    assert_eq!(id(&before), id(&after));
    assert_eq!(program.call(&["plan", "-detailed-exitcode"]).code, 0);
}

#[test]
fn a_move_that_was_cut_short_between_two_layers_is_finished() {
    let program = moved();
    let low = state(&program, "low");
    let kept = std::fs::read(&low).unwrap();
    program.ok(&["apply", "-auto-approve"]);
    // As after a crash that came between the two states: the object is in both.
    std::fs::write(&low, kept).unwrap();
    assert_eq!(program.ok(&["state", "list"]).lines().count(), 2);
    let planned = program.ok(&["plan"]);
    assert!(!planned.contains("destroy"), "{planned}");
    program.ok(&["apply", "-auto-approve"]);
    assert_eq!(program.ok(&["state", "list"]), "layer.high.terraform_data.b\n");
}

#[test]
fn a_chain_of_moves_over_three_layers_that_was_cut_short_is_finished() {
    let project = "project { name = \"chain\" }\nlayer \"a\" { source = \"a\" }\nlayer \"b\" { source = \"b\" }\n\
                   layer \"c\" { source = \"c\" }\n";
    let object = |name: &str| format!("resource \"terraform_data\" \"{name}\" {{\n  input = 1\n}}\n");
    let moved = |from: &str, to: &str| {
        let address = |at: &str| format!("layer.{}.terraform_data.{}", &at[..1], &at[2..]);
        format!("moved {{\n  from = {}\n  to   = {}\n}}\n", address(from), address(to))
    };
    // The object is made in the first layer, or has come as far as the second one in a run before.
    for (start, at) in [("a", "x"), ("b", "y")] {
        for cut in [false, true] {
            let program =
                Program::with(&[("infra.hcl", project), ("a/main.tf", ""), ("b/main.tf", ""), ("c/main.tf", "")]);
            program.write(&format!("{start}/main.tf"), &object(at));
            program.ok(&["apply", "-auto-approve"]);
            let id = |address: &str| {
                let shown = program.ok(&["state", "show", address]);
                shown.lines().find(|line| line.trim_start().starts_with("id ")).unwrap().to_owned()
            };
            let before = id(&format!("layer.{start}.terraform_data.{at}"));
            program.write(&format!("{start}/main.tf"), "");
            program.write("c/main.tf", &(object("z") + &moved("a.x", "b.y") + &moved("b.y", "c.z")));
            let left = state(&program, &format!("{start}-"));
            let kept = std::fs::read(&left).unwrap();
            program.ok(&["apply", "-auto-approve"]);
            if cut {
                // As after a crash that came before the layer that it leaves was written: the object is in both.
                std::fs::write(&left, kept).unwrap();
                assert_eq!(program.ok(&["state", "list"]).lines().count(), 2);
            }
            let planned = program.ok(&["plan"]);
            assert!(!planned.contains("will be destroyed") && !planned.contains("will be created"), "{planned}");
            program.ok(&["apply", "-auto-approve"]);
            assert_eq!(program.ok(&["state", "list"]), "layer.c.terraform_data.z\n");
            assert_eq!(id("layer.c.terraform_data.z"), before);
            assert_eq!(program.call(&["plan", "-detailed-exitcode"]).code, 0);
        }
    }
}

#[test]
fn nothing_is_destroyed_for_a_move_whose_place_is_taken() {
    let program = Program::with(&[
        ("infra.hcl", PROJECT),
        ("low/main.tf", OBJECT),
        ("high/main.tf", "resource \"terraform_data\" \"b\" {\n  input = 1\n}\n"),
    ]);
    program.ok(&["apply", "-auto-approve"]);
    program.write("low/main.tf", "");
    program.write("high/main.tf", MOVED);
    let planned = program.call(&["plan"]);
    assert_eq!(planned.code, 1);
    assert!(planned.err.contains("Error: Objects in both layers"), "{}", planned.err);
}

#[test]
fn a_move_between_layers_needs_both_of_them() {
    let program = moved();
    for layer in ["low", "high"] {
        let planned = program.call(&["plan", "-layer", layer]);
        assert_eq!(planned.code, 1, "{}", planned.out);
        assert!(planned.err.contains("Moved resource instances excluded by targeting"), "{}", planned.err);
    }
}

#[test]
fn layers_that_do_not_exist_and_modules_that_name_layers_are_refused() {
    let program = moved();
    program.write("high/main.tf", &MOVED.replace("layer.low", "layer.lowest"));
    let planned = program.call(&["plan"]);
    assert!(planned.err.contains("Error: Unknown layer"), "{}", planned.err);
    program.write("high/main.tf", "module \"m\" { source = \"./m\" }\n");
    program.write("high/m/main.tf", MOVED);
    let planned = program.call(&["plan"]);
    assert!(planned.err.contains("Error: Invalid address"), "{}", planned.err);
}

#[test]
fn objects_are_moved_and_forgotten_by_hand() {
    let program = Program::with(&[("infra.hcl", PROJECT), ("low/main.tf", OBJECT), ("high/main.tf", OBJECT)]);
    program.ok(&["apply", "-auto-approve"]);
    let said = program.ok(&["state", "rm", "layer.high.terraform_data.a"]);
    assert_eq!(said, "Removed layer.high.terraform_data.a\nSuccessfully removed 1 resource instance(s).\n");
    let said =
        program.ok(&["state", "mv", "layer.low.terraform_data.a", "layer.high.module.m[\"k\"].terraform_data.c"]);
    assert!(said.contains("Successfully moved 1 object(s)."), "{said}");
    assert_eq!(program.ok(&["state", "list"]), "layer.high.module.m[\"k\"].terraform_data.c\n");
    let said = program.ok(&["state", "mv", "layer.high.module.m", "layer.low.module.n"]);
    assert!(said.contains(r#"Move "layer.high.module.m[\"k\"].terraform_data.c""#), "{said}");
    assert_eq!(program.ok(&["state", "list"]), "layer.low.module.n[\"k\"].terraform_data.c\n");
    for wrong in [["state", "rm", "terraform_data.none"], ["state", "mv", "terraform_data.none"]] {
        let arguments: Vec<&str> =
            if wrong[1] == "mv" { [&wrong[..], &["terraform_data.b"]].concat() } else { wrong.to_vec() };
        let said = program.call(&arguments);
        assert_eq!(said.code, 1, "{}", said.out);
        assert!(said.err.contains(if wrong[1] == "mv" { "Invalid source" } else { "Invalid target" }), "{}", said.err);
    }
}

#[test]
fn a_taken_place_is_not_moved_to_by_hand() {
    let program = Program::with(&[("main.tf", &format!("{OBJECT}{}", OBJECT.replace("\"a\"", "\"b\"")))]);
    program.ok(&["apply", "-auto-approve"]);
    let said = program.call(&["state", "mv", "terraform_data.a", "terraform_data.b"]);
    assert_eq!(said.code, 1);
    assert!(said.err.contains("terraform_data.b"), "{}", said.err);
    assert_eq!(program.ok(&["state", "list"]).lines().count(), 2);
}

#[test]
fn a_tainted_object_is_replaced_unless_it_is_untainted() {
    let program = Program::with(&[("main.tf", OBJECT)]);
    program.ok(&["apply", "-auto-approve"]);
    let said = program.ok(&["taint", "terraform_data.a"]);
    assert_eq!(said, "Resource instance terraform_data.a has been marked as tainted.\n");
    assert!(program.ok(&["plan"]).contains("terraform_data.a is tainted, so must be replaced"));
    let said = program.ok(&["untaint", "terraform_data.a"]);
    assert_eq!(said, "Resource instance terraform_data.a has been successfully untainted.\n");
    assert_eq!(program.call(&["plan", "-detailed-exitcode"]).code, 0);
    assert_eq!(program.call(&["untaint", "terraform_data.a"]).code, 1);
}

#[test]
fn an_object_is_imported_by_its_id() {
    let program = Program::with(&[("infra.hcl", PROJECT), ("low/main.tf", OBJECT), ("high/main.tf", "")]);
    let said = program.ok(&["import", "layer.low.terraform_data.a", "made-long-ago"]);
    assert!(said.contains("layer.low.terraform_data.a: Imported from ID \"made-long-ago\"."), "{said}");
    assert!(program.ok(&["plan"]).contains("Plan: 0 to add, 1 to change, 0 to destroy."));
    for (address, summary) in [
        ("layer.low.terraform_data.a", "Resource already managed"),
        ("layer.low.terraform_data.none", "onfiguration"),
        ("layer.none.terraform_data.a", "Unknown layer"),
        ("layer.low", "Invalid import address"),
        ("terraform_data.a", "Which layer?"),
    ] {
        let said = program.call(&["import", address, "x"]);
        assert_eq!(said.code, 1, "{address}: {}", said.out);
        assert!(said.err.contains(summary), "{address}: {}", said.err);
    }
    assert_eq!(program.ok(&["state", "list"]), "layer.low.terraform_data.a\n");
}

#[test]
fn an_import_of_what_the_provider_does_not_know_fails() {
    let main = "resource \"random_integer\" \"n\" {\n  min = 1\n  max = 3\n}\n";
    let program = Program::with(&[("main.tf", main)]);
    let said = program.call(&["import", "random_integer.n", "no number"]);
    assert_eq!(said.code, 1);
    assert!(said.err.contains("RESULT,MIN,MAX"), "{}", said.err);
    program.ok(&["import", "random_integer.n", "2,1,3"]);
    assert_eq!(program.call(&["plan", "-detailed-exitcode"]).code, 0);
}

const NULL: &str = r#"
resource "null_resource" "a" {
  count    = 2
  triggers = { key = "x" }
}
resource "null_resource" "plain" {}
resource "terraform_data" "user" {
  input = null_resource.a[0].id
}
"#;

const DATA: &str = r#"
resource "terraform_data" "b" {
  count            = 2
  triggers_replace = { key = "x" }
}
resource "terraform_data" "plain" {}
resource "terraform_data" "user" {
  input = terraform_data.b[0].id
}
moved {
  from = null_resource.a
  to   = terraform_data.b
}
moved {
  from = null_resource.plain
  to   = terraform_data.plain
}
"#;

/// As since Terraform 1.9: nothing is replaced, ids stay, triggers become those of the replacement.
#[test]
fn a_null_resource_becomes_terraform_data() {
    let program = Program::with(&[("main.tf", NULL)]);
    program.ok(&["apply", "-auto-approve"]);
    let before = program.ok(&["state", "show", "null_resource.a[1]"]);
    program.write("main.tf", DATA);
    let plan = program.ok(&["plan", "-out=p"]);
    assert!(plan.contains("# null_resource.a[1] has moved to terraform_data.b[1]"), "{plan}");
    assert!(plan.contains("Plan: 0 to add, 0 to change, 0 to destroy."), "{plan}");
    program.ok(&["apply", "p"]);
    let after = program.ok(&["state", "show", "terraform_data.b[1]"]);
    let id = |text: &str| text.lines().find_map(|line| line.trim().strip_prefix("id").map(str::to_owned)).unwrap();
    assert_eq!(id(&before).trim(), id(&after).trim());
    assert!(after.contains("triggers_replace"), "{after}");
    assert!(program.ok(&["plan"]).contains("No changes"));
    let state = std::fs::read_to_string(program.path("terraform.tfstate")).unwrap();
    assert!(!state.contains("null") || !state.contains("hashicorp/null"), "{state}");
    program.write("main.tf", &DATA.replace("key = \"x\"", "key = \"y\""));
    assert!(
        program.ok(&["plan"]).contains("2 to add, 1 to change, 2 to destroy")
            || program.ok(&["plan"]).contains("2 to destroy")
    );
}

#[test]
fn other_moves_between_types_are_refused() {
    let program = Program::with(&[("main.tf", "resource \"terraform_data\" \"a\" {}\n")]);
    program.ok(&["apply", "-auto-approve"]);
    let text = "resource \"null_resource\" \"b\" {}\nmoved {\n  from = terraform_data.a\n  to   = null_resource.b\n}\n";
    program.write("main.tf", text);
    let refused = program.call(&["plan"]);
    assert!(refused.code == 1 && refused.err.contains("Unsupported `moved` across resource types"), "{}", refused.err);
    program.write("main.tf", "moved {\n  from = data.http.a\n  to   = terraform_data.b\n}\n");
    let refused = program.call(&["plan"]);
    assert!(refused.code == 1 && refused.err.contains("Invalid \"moved\" addresses"), "{}", refused.err);
}
