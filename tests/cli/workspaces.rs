//! `workspace` in a project, where workspaces are environments. Those of a single folder: `conformance/workspaces.rs`.

use super::program::Program;

fn project(environments: &str) -> Program {
    Program::with(&[
        ("infra.hcl", &format!("project {{ name = \"p\" }}\nlayer \"one\" {{\n  source = \"one\"\n}}\n{environments}")),
        ("one/main.tf", "output \"o\" { value = terraform.workspace }\n"),
    ])
}

#[test]
fn in_a_project_workspaces_are_environments() {
    let program = project("environment \"dev\" {}\nenvironment \"prod\" {}\n");
    assert_eq!(program.ok(&["workspace", "list"]), "  dev\n  prod\n\n");
    assert_eq!(program.ok(&["workspace", "list", "-env=dev"]), "* dev\n  prod\n\n");
    assert_eq!(program.ok(&["workspace", "show", "-env=prod"]), "prod\n");
    for (command, hint) in [("new", "Add an environment block"), ("delete", "infra destroy -env NAME")] {
        let answer = program.call(&["workspace", command, "dev", "-env=dev"]);
        assert_eq!(answer.code, 1);
        assert!(answer.err.contains("dev, prod") && answer.err.contains(hint), "{command}: {}", answer.err);
    }
    let program = project("").env("TF_WORKSPACE", "default");
    assert!(program.ok(&["workspace", "list"]).starts_with("* default\n"));
}

#[test]
fn the_graph_of_a_project_names_layers_and_can_be_mermaid() {
    let program = Program::with(&[
        (
            "infra.hcl",
            "project { name = \"p\" }\nlayer \"ground\" {\n  source = \"ground\"\n}\nlayer \"apps\" {\n  source = \"apps\"\n}\n",
        ),
        ("ground/main.tf", "resource \"terraform_data\" \"a\" {}\noutput \"id\" { value = terraform_data.a.id }\n"),
        ("apps/main.tf", "resource \"terraform_data\" \"b\" { input = layer.ground.id }\n"),
    ]);
    let dot = program.ok(&["graph"]);
    assert!(dot.contains("\"layer.apps.terraform_data.b\" -> \"layer.ground.terraform_data.a\";"), "{dot}");
    assert!(dot.contains("subgraph \"cluster_layer.apps\""), "{dot}");
    let mermaid = program.ok(&["graph", "-format=mermaid"]);
    assert_eq!(
        mermaid,
        "flowchart RL\n  subgraph s0[\"layer.apps\"]\n    n0[\"terraform_data.b\"]\n  end\n  subgraph s1[\"layer.ground\"]\n    \
         n1[\"terraform_data.a\"]\n  end\n  n0 --> n1\n"
    );
    assert!(program.ok(&["providers"]).contains("layer.ground\n└── provider[terraform.io/builtin/terraform]\n"));
}

#[test]
fn nothing_is_to_be_locked_or_mirrored() {
    let program =
        Program::with(&[("main.tf", "resource \"terraform_data\" \"a\" {}\n"), (".terraform.lock.hcl", "# kept\n")]);
    let locked = program.ok(&["providers", "lock", "-platform=linux_amd64"]);
    assert!(
        locked.contains("There is nothing to lock") && locked.contains("terraform.io/builtin/terraform"),
        "{locked}"
    );
    assert!(program.ok(&["providers", "mirror", "somewhere"]).contains("There is nothing to mirror"));
    assert_eq!(std::fs::read_to_string(program.path(".terraform.lock.hcl")).unwrap(), "# kept\n");
    assert!(!program.has("somewhere"));
}

#[test]
fn the_objects_of_a_provider_are_handed_to_another() {
    let program = Program::with(&[("main.tf", "resource \"null_resource\" \"a\" { count = 2 }\n")]);
    program.ok(&["apply", "-auto-approve"]);
    let (from, to) = ("registry.terraform.io/hashicorp/null", "registry.opentofu.org/hashicorp/null");
    let none = program.ok(&["state", "replace-provider", "hashicorp/random", to]);
    assert_eq!(none, "No matching resources found.\n");
    let refused = program.call(&["state", "replace-provider", from, to]);
    assert_eq!(refused.code, 1);
    assert!(
        refused.out.contains("  null_resource.a\n") && refused.out.contains("Nothing was changed."),
        "{}",
        refused.out
    );
    let done = program.ok(&["state", "replace-provider", "-auto-approve", from, to]);
    assert!(done.ends_with("Successfully replaced provider for 1 resources.\n"), "{done}");
    let state = std::fs::read_to_string(program.path("terraform.tfstate")).unwrap();
    assert!(state.contains(to) && !state.contains(from), "{state}");
    assert!(program.ok(&["plan"]).contains("No changes."));
}
