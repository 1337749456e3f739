//! Actions. No program of the version that has them is compared with: what is expected here is what public documentation says
//! (the pages "Invoke an action", "lifecycle", "Machine-readable output" of Terraform 1.14 and "local_command" of
//! hashicorp/local), and where that is silent, our own choice, which docs/language.md names.

use serde_json::{Value as Json, json};

use super::program::{Program, without_ids};

/// An action that writes its name into a file, and fails when a file of that name forbids it.
fn logs(name: &str, more: &str) -> String {
    format!(
        "action \"local_command\" \"{name}\" {{\n{more}\nconfig {{\ncommand = \"sh\"\n\
         arguments = [\"-c\", \"echo {name} $1 >> log; test ! -e no-{name}\", \"sh\"]\n}}\n}}\n"
    )
}

fn log(program: &Program) -> Vec<String> {
    let text = std::fs::read_to_string(program.path("log")).unwrap_or_default();
    text.lines().map(|line| line.trim().to_owned()).collect()
}

#[test]
fn the_example_of_the_local_provider_prints_what_its_page_shows() {
    let program = Program::with(&[
        ("example_script.sh", "#!/bin/bash\n\nDATA=$(</dev/stdin)\necho \"stdin: $DATA, args: $@\"\n"),
        (
            "main.tf",
            r#"
            resource "terraform_data" "test" {
              lifecycle {
                action_trigger {
                  events  = [after_create]
                  actions = [action.local_command.bash_example]
                }
              }
            }
            action "local_command" "bash_example" {
              config {
                command   = "bash"
                arguments = ["example_script.sh", "arg1", "arg2"]
                stdin = jsonencode({
                  "key1" : "value1"
                  "key2" : "value2"
                })
              }
            }
            "#,
        ),
    ]);
    let out = without_ids(&program.ok(&["apply", "-auto-approve"]));
    let expect = r#"Plan: 1 to add, 0 to change, 0 to destroy. Actions: 1 to invoke.
terraform_data.test: Creating...
terraform_data.test: Creation complete after 0s [id=00000000-0000-0000-0000-000000000000]
Action started: action.local_command.bash_example (triggered by terraform_data.test)
Action action.local_command.bash_example (triggered by terraform_data.test): 

stdin: {"key1":"value1","key2":"value2"}, args: arg1 arg2


Action complete: action.local_command.bash_example (triggered by terraform_data.test)

Apply complete! Resources: 1 added, 0 changed, 0 destroyed. Actions: 1 invoked.
"#;
    assert!(out.ends_with(expect), "{out}");
    // State knows nothing of it, and nothing changes any more.
    assert_eq!(program.ok(&["state", "list"]), "terraform_data.test\n");
    assert!(program.ok(&["plan"]).contains("No changes."));
}

const EVENTS: &str = r#"
    variable "input" { default = "a" }
    variable "replace" { default = "a" }
    resource "terraform_data" "a" {
      input            = var.input
      triggers_replace = var.replace
      lifecycle {
        action_trigger {
          events  = [before_create, before_update]
          actions = [action.local_command.first, action.local_command.second]
        }
        action_trigger {
          events  = [after_create]
          actions = [action.local_command.made]
        }
        action_trigger {
          events    = [after_update]
          condition = var.input != "quiet"
          actions   = [action.local_command.changed]
        }
      }
    }
    resource "terraform_data" "b" { input = terraform_data.a.id }
"#;

fn events() -> Program {
    let actions: String = ["first", "second", "made", "changed"].map(|name| logs(name, "")).concat();
    Program::with(&[("main.tf", &(EVENTS.to_owned() + &actions))])
}

#[test]
fn actions_run_before_and_after_in_their_order_and_by_event() {
    let program = events();
    let check = |arguments: &[&str], expect: &[&str]| {
        let _ = std::fs::remove_file(program.path("log"));
        program.ok(&[&["apply", "-auto-approve"], arguments].concat());
        assert_eq!(log(&program), expect, "{arguments:?}");
    };
    check(&[], &["first", "second", "made"]);
    check(&[], &[]);
    check(&["-var", "input=b"], &["first", "second", "changed"]);
    check(&["-var", "input=quiet"], &["first", "second"]);
    check(&["-var", "input=quiet", "-var", "replace=b"], &["first", "second", "made"]);
    check(&["-destroy"], &[]);
}

#[test]
fn an_action_that_fails_stops_what_follows_it_and_changes_no_object() {
    let program = events();
    program.write("no-first", "");
    let answer = program.call(&["apply", "-auto-approve"]);
    assert_eq!(answer.code, 1, "{}", answer.out);
    assert!(answer.err.contains("Command Execution Failed"), "{}", answer.err);
    assert!(answer.err.contains("with action.local_command.first"), "{}", answer.err);
    assert!(answer.err.contains("on main.tf line") && answer.err.contains("exit code 1"), "{}", answer.err);
    assert!(program.call(&["state", "list"]).err.contains("No state file was found!"));
    assert_eq!(log(&program), ["first"]);

    std::fs::remove_file(program.path("no-first")).unwrap();
    program.write("no-made", "");
    let answer = program.call(&["apply", "-auto-approve"]);
    assert_eq!(answer.code, 1, "{}", answer.out);
    assert_eq!(program.ok(&["state", "list"]), "terraform_data.a\nterraform_data.b\n");
    let state: Json = serde_json::from_str(&program.ok(&["state", "pull"])).unwrap();
    assert_eq!(state["resources"][0]["instances"][0]["status"], Json::Null);
    assert!(program.ok(&["plan"]).contains("No changes."));
}

#[test]
fn an_action_is_invoked_by_itself() {
    let text = "resource \"terraform_data\" \"a\" {}\n".to_owned() + &logs("one", "for_each = toset([\"x\", \"y\"])");
    let program = Program::with(&[
        ("m/main.tf", &logs("inner", "")),
        ("main.tf", &(text + "module \"m\" {\n source = \"./m\"\n count = 2\n}\n")),
    ]);
    let plan = program.ok(&["plan", "-invoke=action.local_command.one"]);
    assert!(plan.contains("# action.local_command.one[\"x\"]"), "{plan}");
    assert!(plan.contains("Plan: 0 to add, 0 to change, 0 to destroy. Actions: 2 to invoke."), "{plan}");
    assert_eq!(log(&program), [""; 0]);
    let out = program.ok(&["apply", "-auto-approve", "-invoke=action.local_command.one[\"y\"]"]);
    assert!(out.contains("Action started: action.local_command.one[\"y\"]\n"), "{out}");
    assert!(out.contains("Apply complete! Resources: 0 added, 0 changed, 0 destroyed. Actions: 1 invoked."), "{out}");
    program.ok(&["apply", "-auto-approve", "-invoke=module.m[1].action.local_command.inner"]);
    assert_eq!(log(&program), ["one", "inner"]);
    assert!(program.call(&["state", "list"]).err.contains("No state file was found!"));
    let answer = program.call(&["plan", "-invoke=action.local_command.two"]);
    assert!(answer.code == 1 && answer.err.contains("no action.local_command.two"), "{}", answer.err);
    let answer = program.call(&["plan", "-invoke=local_command.one"]);
    assert!(answer.code == 1 && answer.err.contains("an action is named like"), "{}", answer.err);
}

const KNOWN_LATER: &str = r#"
    resource "terraform_data" "a" {
      for_each = { k = "v" }
      input    = each.value
      lifecycle {
        action_trigger {
          events  = [after_create]
          actions = [action.local_command.tell[each.key]]
        }
      }
    }
    action "local_command" "tell" {
      for_each = { k = 1, l = 2 }
      config {
        command     = "sh"
        arguments   = ["-c", "echo $ID ${each.key}", null]
        environment = { ID = terraform_data.a["k"].id }
        stdin       = sensitive("hidden")
      }
    }
"#;

#[test]
fn what_is_not_known_when_planning_is_there_when_the_action_runs() {
    let program = Program::with(&[("main.tf", &KNOWN_LATER.replace("stdin       = sensitive(\"hidden\")", ""))]);
    let plan = program.ok(&["plan", "-out=p"]);
    let expect = "\n    Actions to be invoked after this change in order:\n\n    action \"local_command\" \"tell\" {\n        config {\n";
    assert!(plan.contains(expect), "{plan}");
    assert!(plan.contains("            environment = (known after apply)\n"), "{plan}");
    let out = without_ids(&program.ok(&["apply", "p"]));
    assert!(out.contains("\n00000000-0000-0000-0000-000000000000 k\n"), "{out}");
}

#[test]
fn a_machine_reads_which_actions_are_planned() {
    let program = Program::with(&[("main.tf", KNOWN_LATER)]);
    let stream = program.ok(&["plan", "-json", "-out=p"]);
    let events: Vec<Json> = stream.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let planned = events.iter().find(|event| event["type"] == "planned_action_invocation").unwrap();
    assert_eq!(planned["@message"], "planned action invocation: action.local_command.tell[\"k\"]");
    let expect = json!({
        "action_addr": {
            "addr": "action.local_command.tell[\"k\"]", "module": "", "action": "action.local_command.tell[\"k\"]",
            "implied_provider": "local", "action_type": "local_command", "action_name": "tell", "action_key": "k",
        },
        "lifecycle_trigger": {
            "triggering_resource": {
                "addr": "terraform_data.a[\"k\"]", "module": "", "resource": "terraform_data.a[\"k\"]",
                "implied_provider": "terraform", "resource_type": "terraform_data", "resource_name": "a",
                "resource_key": "k",
            },
            "triggering_event": "AfterCreate", "action_trigger_block_index": 0, "actions_list_index": 0,
            "on_failure": "ActionOnFailureHalt",
        },
    });
    assert_eq!(planned["invocation"], expect);
    let document: Json = serde_json::from_str(&program.ok(&["show", "-json", "p"])).unwrap();
    let one = &document["action_invocations"][0];
    assert_eq!(one["address"], "action.local_command.tell[\"k\"]");
    assert_eq!(one["config_values"]["command"], "sh");
    assert_eq!(one["config_sensitive"]["stdin"], true);
    assert_eq!(one["config_unknown"]["environment"]["ID"], true);
    assert_eq!(one["lifecycle_action_trigger"]["triggering_resource_address"], "terraform_data.a[\"k\"]");
    assert_eq!(document["action_invocations"].as_array().unwrap().len(), 1);
    // What an action with sensitive arguments says is not shown.
    let out = program.ok(&["apply", "p"]);
    assert!(out.contains("(output suppressed due to sensitive value in config)"), "{out}");
}

#[test]
fn actions_that_are_wrong_are_told_where_they_stand() {
    let check = |text: &str, line: usize, part: &str| {
        let program = Program::with(&[("main.tf", text)]);
        for command in ["plan", "validate"] {
            let answer = program.call(&[command, "-no-color"]);
            assert_eq!(answer.code, 1, "{text}\n{}", answer.out);
            assert!(answer.err.contains(part), "{text}\n{}", answer.err);
            assert!(answer.err.contains(&format!("on main.tf line {line}")), "{text}\n{}", answer.err);
        }
    };
    check("action \"local_command\" \"a\" {}\n", 1, "\"command\" is required");
    check("action \"local_command\" \"a\" {\nconfig {\ncommand = \"a\"\nzz = 1\n}\n}\n", 4, "Unsupported argument");
    check("action \"local_commnad\" \"a\" {\nconfig {\ncommand = \"a\"\n}\n}\n", 1, "Did you mean \"local_command\"?");
    check("action \"local_command\" \"a\" {\nconfig {\ncommand = var.v\n}\n}\n", 3, "undeclared input variable");
    let trigger = |inner: &str| {
        format!(
            "resource \"terraform_data\" \"a\" {{\nlifecycle {{\naction_trigger {{\n{inner}\n}}\n}}\n}}\n{}",
            logs("b", "")
        )
    };
    check(&trigger("events = [after_create]\nactions = [action.local_command.c]"), 5, "undeclared action");
    check(&trigger("events = [sometimes]\nactions = [action.local_command.b]"), 4, "before_create, after_create");
    check(&trigger("events = [after_create]\nactions = [local_command.b]"), 5, "An action is named like");
    check(&trigger("actions = [action.local_command.b]"), 3, "\"events\" is required");
    let circle = "resource \"terraform_data\" \"a\" {\nlifecycle {\naction_trigger {\nevents = [before_create]\n\
                  actions = [action.local_command.b]\n}\n}\n}\naction \"local_command\" \"b\" {\nconfig {\n\
                  command = terraform_data.a.id\n}\n}\n";
    let answer = Program::with(&[("main.tf", circle)]).call(&["plan"]);
    assert!(answer.code == 1 && answer.err.contains("terraform_data.a"), "{}", answer.err);
    let unknown =
        trigger("events = [after_create]\ncondition = terraform_data.z.id == \"\"\nactions = [action.local_command.b]");
    let answer = Program::with(&[("main.tf", &(unknown + "resource \"terraform_data\" \"z\" {}\n"))]).call(&["plan"]);
    assert!(answer.code == 1 && answer.err.contains("Whether the condition holds is known only"), "{}", answer.err);
}

#[test]
fn arguments_of_actions_hold_nothing_ephemeral() {
    let text = |argument: &str| {
        format!(
            "variable \"token\" {{\nephemeral = true\ndefault = \"abc\"\n}}\n\
             action \"local_command\" \"one\" {{\nconfig {{\ncommand = \"sh\"\n{argument}\n}}\n}}\n"
        )
    };
    for (argument, name) in [
        ("arguments = [\"-c\", var.token]", "arguments"),
        ("stdin = \"x ${var.token}\"", "stdin"),
        ("environment = { T = var.token }", "environment"),
    ] {
        let program = Program::with(&[("main.tf", &text(argument))]);
        for command in [&["plan"][..], &["plan", "-invoke=action.local_command.one"], &["validate"]] {
            let answer = program.call(command);
            assert_eq!(answer.code, 1, "{argument}: {}", answer.out);
            let expect = format!("Ephemeral values are not valid for \"{name}\"");
            assert!(answer.err.contains("Invalid use of ephemeral value"), "{argument}: {}", answer.err);
            assert!(
                answer.err.contains(&expect) && answer.err.contains("main.tf line 8"),
                "{argument}: {}",
                answer.err
            );
        }
    }
    Program::with(&[("main.tf", &text("stdin = ephemeralasnull(var.token)"))]).ok(&["plan"]);
}

#[test]
fn a_run_invokes_one_action_and_a_trigger_names_one_copy() {
    let two = logs("one", "") + &logs("two", "");
    let program = Program::with(&[("main.tf", &two)]);
    for command in ["plan", "apply"] {
        let answer = program.call(&[command, "-invoke=action.local_command.one", "-invoke=action.local_command.two"]);
        assert!(answer.code == 1 && answer.err.contains("-invoke can be given once"), "{}", answer.err);
    }
    let trigger = |named: &str, repeated: &str| {
        format!(
            "resource \"terraform_data\" \"a\" {{\nlifecycle {{\naction_trigger {{\nevents = [after_create]\n\
             actions = [{named}]\n}}\n}}\n}}\n{}",
            logs("b", repeated)
        )
    };
    for (repeated, key) in [("count = 2", "[0]"), ("for_each = toset([\"x\"])", "[\"x\"]"), ("count = 1", "[0]")] {
        let whole = Program::with(&[("main.tf", &trigger("action.local_command.b", repeated))]);
        for command in ["plan", "validate"] {
            let answer = whole.call(&[command]);
            assert!(
                answer.code == 1 && answer.err.contains("non-existent action instance"),
                "{repeated}: {}",
                answer.err
            );
            assert!(answer.err.contains("on main.tf line 5"), "{repeated}: {}", answer.err);
        }
        let one = Program::with(&[("main.tf", &trigger(&format!("action.local_command.b{key}"), repeated))]);
        assert!(one.ok(&["plan"]).contains("Actions: 1 to invoke."), "{repeated}");
    }
}

#[test]
fn each_copy_uses_the_provider_configuration_of_its_key() {
    let text = |more: &str| {
        format!(
            "variable \"all\" {{\ntype = set(string)\ndefault = [\"x\", \"y\"]\n}}\nprovider \"local\" {{\nalias = \"by\"\n\
             for_each = var.all\n}}\n{}{more}",
            logs("one", "for_each = toset([\"x\", \"y\"])\nprovider = local.by[each.key]")
        )
    };
    let trigger = "resource \"terraform_data\" \"a\" {\nlifecycle {\naction_trigger {\nevents = [after_create]\n\
                   actions = [action.local_command.one[\"x\"], action.local_command.one[\"y\"]]\n}\n}\n}\n";
    let program = Program::with(&[("main.tf", &text(trigger))]);
    assert!(program.ok(&["apply", "-auto-approve"]).contains("Actions: 2 invoked."));
    assert_eq!(log(&program).len(), 2);
    assert!(program.ok(&["apply", "-auto-approve", "-invoke=action.local_command.one[\"x\"]"]).contains("1 invoked"));
    assert_eq!(program.call(&["validate"]).code, 0);
    let refused = program.call(&["plan", "-var=all=[\"x\"]"]);
    assert!(refused.code == 1 && refused.err.contains("Provider instance not present"), "{}", refused.err);
}

#[test]
fn actions_take_their_places_among_the_calls() {
    let action = |name: &str, other: &str, script: &str| {
        format!(
            "resource \"terraform_data\" \"{name}\" {{\nlifecycle {{\naction_trigger {{\nevents = [after_create]\n\
             actions = [action.local_command.{name}]\n}}\n}}\n}}\n\
             action \"local_command\" \"{name}\" {{\nconfig {{\ncommand = \"sh\"\n\
             arguments = [\"-c\", \"{script}\", \"sh\", \"{name}\", \"{other}\"]\n}}\n}}\n"
        )
    };
    // One after the other: what one writes is never between the lines of another one.
    let script = "echo $1 >> log; echo $1 >> log";
    let text: String = ["a", "b", "c"].map(|name| action(name, "", script)).concat();
    let program = Program::with(&[("main.tf", &text)]);
    program.ok(&["apply", "-auto-approve", "-parallelism=1"]);
    let lines = log(&program);
    assert!(lines.len() == 6 && lines.chunks(2).all(|two| two[0] == two[1]), "{lines:?}");
    // Both at once: each waits until the other one has begun.
    let script = "touch in-$1; until test -e in-$2; do :; done";
    let text = action("a", "b", script) + &action("b", "a", script);
    let program = Program::with(&[("main.tf", &text)]);
    assert!(program.ok(&["apply", "-auto-approve", "-parallelism=2"]).contains("2 invoked"));
}
