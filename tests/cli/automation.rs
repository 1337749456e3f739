//! What is left unsaid: hints where a program decides what comes next, advice that only `validate` gives, the layer of a folder alone.

use super::program::Program;

const CONFIG: &str = r#"
resource "terraform_data" "a" {
  input = { a = 1, a = 2 }
}
output "o" { value = { x = 1, x = 3 } }
"#;

#[test]
fn in_automation_nothing_says_which_command_comes_next() {
    let calls: &[(&[&str], &str)] = &[
        (&["init"], "infra plan"),
        (&["plan"], "infra apply"),
        (&["plan", "-out=p"], "infra apply \"p\""),
        (&["import", "terraform_data.a", "x"], "infra plan"),
    ];
    for (value, hints) in [(None, true), (Some(""), true), (Some("1"), false), (Some("0"), false), (Some("no"), false)]
    {
        let mut program = Program::with(&[("main.tf", CONFIG)]);
        if let Some(value) = value {
            program = program.env("TF_IN_AUTOMATION", value);
        }
        for (args, hint) in calls {
            let out = program.ok(args);
            assert_eq!(out.contains(hint), hints, "{value:?} {args:?}\n{out}");
        }
        assert!(program.has("p"));
    }
}

#[test]
fn a_key_that_is_written_twice_is_told_by_validate_alone() {
    let program = Program::with(&[("main.tf", CONFIG)]);
    for args in [&["plan"][..], &["plan", "-json"], &["apply", "-auto-approve"], &["show"], &["output"], &["init"]] {
        let answer = program.call(args);
        assert!(!format!("{}{}", answer.out, answer.err).contains("written twice"), "{args:?}: {}", answer.out);
    }
    assert!(program.ok(&["validate"]).contains("Warning: Attribute written twice"));
    assert!(program.ok(&["validate", "-json"]).contains("\"warning_count\": 2"));
}

#[test]
fn the_layer_of_a_folder_alone_is_never_named() {
    let program = Program::with(&[("main.tf", CONFIG)]);
    program.ok(&["apply", "-auto-approve"]);
    program.ok(&["plan", "-replace=terraform_data.a", "-out=p"]);
    program.ok(&["apply", "-auto-approve", "-replace=terraform_data.a", "-json"]);
    let calls: &[(&[&str], i32)] = &[
        (&["apply", "p"], 1),
        (&["show", "-json", "p"], 0),
        (&["plan", "-json", "-target=terraform_data.a"], 0),
        (&["plan", "-layer=other"], 1),
        (&["state", "list", "-layer=other"], 1),
        (&["force-unlock", "-force", "some-id"], 1),
        (&["import", "terraform_data.a", "x"], 1),
        (&["import", "terraform_data.z", "x"], 1),
        (&["taint", "terraform_data.z"], 1),
        (&["untaint", "terraform_data.a"], 1),
        (&["state", "mv", "terraform_data.z", "terraform_data.y"], 1),
        (&["state", "settle", "-exists", "terraform_data.a"], 1),
        (&["destroy", "-auto-approve", "-json"], 0),
    ];
    for (args, code) in calls {
        let answer = program.call(args);
        let text = format!("{}{}", answer.out, answer.err);
        assert_eq!(answer.code, *code, "{args:?}\n{text}");
        for name in ["layer.root", "layer root", "layers are: root", "layer \"root\""] {
            assert!(!text.contains(name), "{args:?}\n{text}");
        }
    }
}
