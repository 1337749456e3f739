//! State files by flags, and states that are pushed.

use serde_json::Value as Json;

use super::program::{Program, names};

const MAIN: &str = "resource \"terraform_data\" \"a\" { input = 1 }\n";

fn state(program: &Program, path: &str) -> Json {
    serde_json::from_slice(&std::fs::read(program.path(path)).unwrap()).unwrap()
}

#[test]
fn the_former_state_is_kept_beside_the_new_one() {
    let program = Program::with(&[("main.tf", MAIN)]);
    program.ok(&["apply", "-auto-approve"]);
    assert_eq!(names(&program.path("")), ["main.tf", "terraform.tfstate"]);
    program.ok(&["apply", "-auto-approve"]);
    assert!(!program.has("terraform.tfstate.backup"), "nothing has changed");
    let first = state(&program, "terraform.tfstate");
    program.ok(&["taint", "terraform_data.a"]);
    assert_eq!(state(&program, "terraform.tfstate.backup"), first);
    let tainted = state(&program, "terraform.tfstate");
    program.ok(&["apply", "-auto-approve", "-backup=b"]);
    assert_eq!((state(&program, "b"), state(&program, "terraform.tfstate.backup")), (tainted, first));
    program.ok(&["destroy", "-auto-approve", "-backup=-"]);
    assert_eq!(names(&program.path("")), ["b", "main.tf", "terraform.tfstate", "terraform.tfstate.backup"]);
}

#[test]
fn a_state_is_read_from_one_file_and_written_to_another() {
    let program = Program::with(&[("main.tf", MAIN)]);
    program.ok(&["apply", "-auto-approve", "-state=x"]);
    let first = state(&program, "x");
    program.write("main.tf", "resource \"terraform_data\" \"a\" { input = 2 }\n");
    let declined = program.call(&["apply", "-state=x", "-state-out=y"]);
    assert_eq!(declined.code, 1);
    assert!(!program.has("y"), "nobody has agreed");
    program.ok(&["apply", "-auto-approve", "-state=x", "-state-out=y"]);
    assert_eq!(state(&program, "x"), first);
    assert_eq!(state(&program, "y")["resources"][0]["instances"][0]["attributes"]["input"]["value"], 2);
    assert_eq!(state(&program, "y.backup"), first);
    assert!(!program.has("terraform.tfstate"));
}

#[test]
fn an_object_moves_from_one_file_to_another() {
    let program = Program::with(&[("main.tf", MAIN)]);
    program.ok(&["apply", "-auto-approve"]);
    let first = state(&program, "terraform.tfstate");
    let moved = program.ok(&["state", "mv", "-state-out=w", "-backup=b", "terraform_data.a", "terraform_data.b"]);
    assert_eq!(moved, "Move \"terraform_data.a\" to \"terraform_data.b\"\nSuccessfully moved 1 object(s).\n");
    assert_eq!(state(&program, "b"), first);
    assert_eq!(program.ok(&["state", "list", "-state=w"]), "terraform_data.b\n");
    assert_eq!(state(&program, "terraform.tfstate")["resources"].as_array().unwrap().len(), 0);
    // Its place has to be free.
    program.ok(&["apply", "-auto-approve"]);
    assert_eq!(program.call(&["state", "mv", "-state-out=w", "terraform_data.a", "terraform_data.b"]).code, 1);
    assert_eq!(program.ok(&["state", "list"]), "terraform_data.a\n");
}

#[test]
fn what_a_file_of_state_out_held_is_kept() {
    let program = Program::with(&[("main.tf", MAIN)]);
    program.ok(&["apply", "-auto-approve", "-state=foreign"]);
    program.ok(&["apply", "-auto-approve"]);
    let foreign = state(&program, "foreign");
    program.write("main.tf", "resource \"terraform_data\" \"a\" { input = 2 }\n");
    assert_eq!(program.call(&["apply", "-state-out=foreign"]).code, 1, "nobody has agreed");
    assert_eq!(state(&program, "foreign"), foreign);
    program.ok(&["apply", "-auto-approve", "-state-out=foreign"]);
    assert_eq!(state(&program, "foreign.backup"), foreign);
    assert_ne!(state(&program, "foreign")["lineage"], foreign["lineage"]);
    program.write("broken", "{ broken");
    super::bad_input::fails(&program, &["apply", "-auto-approve", "-state-out=broken"], &["State cannot be read"]);
    assert_eq!(std::fs::read_to_string(program.path("broken")).unwrap(), "{ broken");
}

#[test]
fn a_file_that_a_run_holds_is_not_written_by_another_command() {
    let slow = "resource \"terraform_data\" \"slow\" {\n  provisioner \"local-exec\" {\n    command = \"echo begun; while [ -e main.tf -a ! -e go ]; do sleep 0.05; done\"\n  }\n}\n";
    let program = Program::with(&[("main.tf", MAIN), ("other/main.tf", slow)]);
    program.ok(&["apply", "-auto-approve", "-state=mine"]);
    let held = ["-chdir=other", "apply", "-auto-approve", "-state=../held"];
    let mut child = super::locks::run(&program, program.command(&held));
    for args in [
        &["apply", "-auto-approve", "-state=mine", "-state-out=held"][..],
        &["state", "mv", "-state=mine", "-state-out=held", "terraform_data.a", "terraform_data.b"],
    ] {
        super::bad_input::fails(&program, args, &["Error acquiring the state lock"]);
    }
    program.write("other/go", "");
    assert!(child.wait().unwrap().success());
    assert_eq!(program.ok(&["state", "list", "-state=held"]), "terraform_data.slow\n");
    assert_eq!(program.ok(&["state", "list", "-state=mine"]), "terraform_data.a\n");
}

#[test]
fn one_file_under_two_names_is_one_state() {
    let program = Program::with(&[("main.tf", MAIN)]);
    program.ok(&["apply", "-auto-approve"]);
    std::os::unix::fs::symlink("terraform.tfstate", program.path("link")).unwrap();
    let mut now = "terraform_data.a".to_owned();
    for (at, out) in ["./terraform.tfstate", "terraform.tfstate", "link"].into_iter().enumerate() {
        let next = format!("terraform_data.n{at}");
        program.ok(&["state", "mv", &format!("-state-out={out}"), &now, &next]);
        assert_eq!(program.ok(&["state", "list"]), format!("{next}\n"), "{out}");
        now = next;
    }
}

#[test]
fn an_import_takes_its_configuration_and_its_state_from_elsewhere() {
    let program = Program::with(&[("c/main.tf", "resource \"random_id\" \"a\" { byte_length = 2 }\n")]);
    program.ok(&["import", "-input=false", "-parallelism=3", "-config=c", "-state=s", "random_id.a", "p-9hUg"]);
    assert_eq!(program.ok(&["state", "list", "-state=s"]), "random_id.a\n");
    program.ok(&["import", "-config=c", "random_id.a", "p-9hUg"]);
    assert!(program.has("terraform.tfstate") && !program.has("c/terraform.tfstate"));
}

fn pushed(program: &Program, change: impl Fn(&mut Json), flags: &[&str]) -> (i32, String) {
    let mut document: Json = serde_json::from_str(&program.ok(&["state", "pull"])).unwrap();
    change(&mut document);
    program.write("pushed", &document.to_string());
    let answer = program.call(&[&["state", "push"], flags, &["pushed"]].concat());
    (answer.code, answer.err)
}

#[test]
fn a_state_is_pushed_unless_a_newer_one_is_there() {
    let program = Program::with(&[("main.tf", MAIN)]);
    program.ok(&["apply", "-auto-approve"]);
    let serial = state(&program, "terraform.tfstate")["serial"].as_u64().unwrap();
    let refused = |change: &dyn Fn(&mut Json), why: &str| {
        let (code, err) = pushed(&program, change, &[]);
        assert!(code == 1 && err.contains(&format!("Failed to write state: {why}")), "{err}");
    };
    assert_eq!(pushed(&program, |_| {}, &[]).0, 0);
    assert!(!program.has("terraform.tfstate.backup"), "it was there already");
    refused(
        &|state| state["serial"] = 0.into(),
        &format!("cannot import state with serial 0 over newer state with serial {serial}"),
    );
    refused(
        &|state| state["lineage"] = "other".into(),
        "cannot import state with lineage \"other\" over unrelated state with lineage",
    );
    let drop = |state: &mut Json| state["resources"] = Json::Array(Vec::new());
    refused(
        &drop,
        &format!(
            "cannot overwrite existing state with serial {serial} with a different state that has the same serial"
        ),
    );
    assert_eq!(program.ok(&["state", "list"]), "terraform_data.a\n");
    assert_eq!(pushed(&program, drop, &["-force", "-lock=false", "-ignore-remote-version"]).0, 0);
    assert_eq!(state(&program, "terraform.tfstate")["serial"], serial + 1);
    assert!(program.has("terraform.tfstate.backup"));
    assert_eq!(pushed(&program, |state| state["serial"] = 40.into(), &[]).0, 0);
    assert_eq!(state(&program, "terraform.tfstate")["serial"], 40);
    let nothing = program.call(&["state", "push", "nothing"]);
    assert!(nothing.code == 1 && nothing.err.contains("open nothing: "), "{}", nothing.err);
    program.write("pushed", "{}");
    let none = program.call(&["state", "push", "pushed"]);
    assert!(none.code == 1 && none.err.contains("Error reading source state \"pushed\""), "{}", none.err);
}

#[test]
fn each_layer_of_a_project_has_a_state_to_push() {
    let program = Program::with(&[
        (
            "infra.hcl",
            "project { name = \"p\" }\nlayer \"one\" {\n  source = \"one\"\n}\nlayer \"two\" {\n  source = \"two\"\n}\n",
        ),
        ("one/main.tf", MAIN),
        ("two/main.tf", MAIN),
    ]);
    program.ok(&["apply", "-auto-approve"]);
    program.write("pushed", &program.ok(&["state", "pull", "-layer=one"]).replace("\"serial\": ", "\"serial\": 7"));
    let which = program.call(&["state", "push", "pushed"]);
    assert!(which.code == 1 && which.err.contains("Which layer?"), "{}", which.err);
    let other = program.call(&["state", "push", "-layer=two", "pushed"]);
    assert!(other.code == 1 && other.err.contains("over unrelated state"), "{}", other.err);
    program.ok(&["state", "push", "-layer=one", "pushed"]);
    let serial = state(&program, "state/one-default.tfstate")["serial"].to_string();
    assert!(serial.starts_with('7'), "{serial}");
}

#[test]
fn state_is_looked_at_without_a_configuration_that_loads() {
    let program = Program::with(&[("main.tf", MAIN)]);
    program.ok(&["apply", "-auto-approve"]);
    program
        .write("main.tf", "module \"m\" { source = \"./none\" }\nresource \"x\" {}\noutput \"o\" { value = nobody }\n");
    assert_eq!(program.call(&["plan"]).code, 1);
    for _ in 0..2 {
        assert_eq!(program.ok(&["state", "list"]), "terraform_data.a\n");
        assert!(program.ok(&["show"]).contains("terraform_data"));
        program.ok(&["output"]);
        program.ok(&["workspace", "list"]);
        assert_eq!(program.ok(&["workspace", "show"]), "default\n");
        program.ok(&["state", "show", "terraform_data.a"]);
        assert!(program.ok(&["providers", "schema", "-json"]).contains("terraform.io/builtin/terraform"));
        program.ok(&["taint", "terraform_data.a"]);
        std::fs::remove_file(program.path("main.tf")).ok();
    }
}
