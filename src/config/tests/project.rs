//! The project file.

use super::*;

const LAYER: &str =
    "variable \"who\" {\n  default = 1\n}\noutput \"o\" {\n  value = 1\n}\nmodule \"m\" {\n  source = \"./m\"\n}\n";

/// A project of one layer with more lines.
fn wrong(lines: &str, expect: &str) {
    let infra = project(lines);
    check(&options(&[("infra.hcl", &infra), ("a/main.tf", LAYER), ("a/m/main.tf", "")]), expect);
}

#[test]
fn a_project_is_read_into_the_model() {
    let infra = project(
        r#"
layer "b" {
  source = "b"
}
environment "dev" {
  sandbox = true
}
provider "kubernetes" {
  config_raw = layer.a.o
}
phase "0.1" {
  include = [layer.a.module.m, layer.a]
  gate "api" {
    timeout = "5m"
    enabled = layer.a.o != null
    kubernetes {
      ready = true
    }
  }
}
phase "1" {
  include = [layer.b.terraform_data.x["k"]]
}
"#,
    );
    let mut options = options(&[("infra.hcl", &infra), ("a/main.tf", LAYER), ("a/m/main.tf", ""), ("b/main.tf", "")]);
    options.environment = Some("dev".into());
    let (config, said) = loaded(&options);
    assert!(said.is_empty(), "{said}");
    let file = config.project.as_ref().unwrap();
    assert_eq!((file.name.as_str(), file.dir.as_path()), ("x", std::path::Path::new("/p")));
    assert!(config.sandbox && config.prefixes_layers());
    assert_eq!(config.sandbox_dir, std::path::Path::new("/p/state/sandbox-dev"));
    assert_eq!(config.layers.iter().map(|layer| layer.name.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(config.shared_providers.len(), 1);
    let phases: Vec<_> = config.phases.iter().map(|phase| (phase.name.as_str(), phase.include.len())).collect();
    assert_eq!(phases, [("0.1", 2), ("1", 1)]);
    let included: Vec<_> =
        config.phases.iter().flat_map(|phase| &phase.include).map(|i| i.pattern.to_string()).collect();
    assert_eq!(included, ["layer.a.module.m", "layer.a", "layer.b.terraform_data.x[\"k\"]"]);
    let gate = &config.phases[0].gates[0];
    assert_eq!((gate.name.as_str(), gate.check.kind.text.as_str()), ("api", "kubernetes"));
    assert!(gate.enabled.is_some());
    assert_eq!(gate.timing.len(), 1);
}

#[test]
fn blocks_of_the_project_file_are_checked() {
    wrong(
        "enviroment \"dev\" {\n}\n",
        "
Error: Unsupported block type
  on infra.hcl line 8, in enviroment \"dev\":
  8: enviroment \"dev\" {  [enviroment]
Blocks of type \"enviroment\" are not expected in the project file. Did you mean \"environment\"?
",
    );
    wrong(
        "layer \"a\" {\n  source = \"b\"\n}\n",
        "
Error: Duplicate layer
  on infra.hcl line 8, in layer \"a\":
  8: layer \"a\" {  [layer \"a\"]
A block layer \"a\" was already written at infra.hcl:5,1-10.
",
    );
    wrong(
        "layer \"b\" {\n  source = \"./a\"\n}\n",
        "
Error: Duplicate layer source
  on infra.hcl line 9, in layer \"b\":
  9:   source = \"./a\"  [\"./a\"]
Layer \"a\" has the same source. Two layers cannot share a folder.
",
    );
    wrong(
        "layer \"b\" {\n  source = \"b\"\n}\n",
        "
Error: Layer without configuration
  on infra.hcl line 9:
  9:   source = \"b\"  [\"b\"]
The folder b of layer \"b\" has no configuration files (.tf).
",
    );
    wrong(
        "environment \"dev\" {\n  var_files = [\"envs/dev.tfvars\"]\n}\n",
        "
Error: Missing variables file
  on infra.hcl line 9, in environment \"dev\":
  9:   var_files = [\"envs/dev.tfvars\"]  [[\"envs/dev.tfvars\"]]
The file envs/dev.tfvars of environment \"dev\" does not exist or cannot be read.
Error: No environment chosen
This project has the environments dev. Choose one with -env NAME, with a -var-file that belongs to one, or for all commands to come with infra workspace select NAME.
",
    );
    check(
        &options(&[("infra.hcl", "layer \"a\" {\n  source = \"a\"\n}\n"), ("a/main.tf", "")]),
        "
Error: Missing project block
  on infra.hcl line 1:
  1: layer \"a\" {  [layer \"a\" {]
The project file needs a block such as project { name = \"blueprint\" }.
",
    );
}

#[test]
fn what_a_later_version_brings_is_refused_by_name() {
    let infra = project("phase \"1\" {\n  gate \"g\" {\n    vault {\n    }\n  }\n}\n");
    let said = load(&options(&[("infra.hcl", &infra), ("a/main.tf", LAYER), ("a/m/main.tf", "")])).said;
    let found: Vec<_> = said.iter().map(|d| (d.summary.as_str(), d.detail.as_str())).collect();
    let detail = "The block type \"vault\" is part of the language, but this version cannot do it yet.";
    assert_eq!(found, [("Not supported yet", detail)]);
}

#[test]
fn phases_include_addresses_of_layers_that_exist() {
    wrong(
        "phase \"1\" {\n  include = [layer.b.module.m, module.m, 1 + 1]\n}\n",
        "
Error: Reference to undeclared layer
  on infra.hcl line 9, in phase \"1\":
  9:   include = [layer.b.module.m, module.m, 1 + 1]  [layer.b.module.m]
The project has no layer named \"b\".
Error: Invalid include
  on infra.hcl line 9, in phase \"1\":
  9:   include = [layer.b.module.m, module.m, 1 + 1]  [module.m]
module.m does not say in which layer it is: write layer.NAME.module.m.
Error: Invalid address
  on infra.hcl line 9, in phase \"1\":
  9:   include = [layer.b.module.m, module.m, 1 + 1]  [1 + 1]
1 + 1 is not an address such as layer.data.module.postgresql: expected a name.
",
    );
}

#[test]
fn gates_hold_one_check_and_have_names_of_their_own() {
    wrong(
        "phase \"1\" {\n  gate \"g\" {\n  }\n}\n",
        "
Error: Gate without a check
  on infra.hcl line 9, in phase \"1\":
  9:   gate \"g\" {  [gate \"g\"]
A gate holds one block that says what is checked: tcp, http, postgresql, redis, kubernetes, exec, command.
",
    );
    wrong(
        "phase \"1\" {\n  gate \"g\" {\n    tcp {\n    }\n  }\n}\nphase \"2\" {\n  gate \"g\" {\n    tcp {\n    }\n  }\n}\n",
        "
Error: Duplicate gate
  on infra.hcl line 15, in phase \"2\":
  15:   gate \"g\" {  [gate \"g\"]
A gate named \"g\" was already written at infra.hcl:9,3-11. Names of gates are unique in a project.
",
    );
    wrong(
        "phase \"1\" {\n  gate \"g\" {\n    retires = 3\n    redis {\n      password = layer.a.pasword\n      service  = var.x\n    }\n  }\n}\n",
        "
Error: Unsupported argument
  on infra.hcl line 10, in gate \"g\":
  10:     retires = 3  [retires]
An argument named \"retires\" is not expected here. Did you mean \"retries\"?
Error: Reference to undeclared output value
  on infra.hcl line 12, in phase \"1\":
  12:       password = layer.a.pasword  [layer.a.pasword]
Layer a has no output named \"pasword\".
Error: Invalid reference in the project file
  on infra.hcl line 13, in phase \"1\":
  13:       service  = var.x  [var.x]
var.x cannot be used here: a gate sees env(\"NAME\"), environment.name and the outputs of layers, such as layer.NAME.OUTPUT.
",
    );
    wrong(
        "phase \"1\" {\n}\nphase \"1\" {\n}\n",
        "
Error: Duplicate phase
  on infra.hcl line 10, in phase \"1\":
  10: phase \"1\" {  [phase \"1\"]
A block phase \"1\" was already written at infra.hcl:8,1-10.
",
    );
}

#[test]
fn a_layers_own_backend_has_no_effect() {
    let infra = project("");
    check(
        &options(&[("infra.hcl", &infra), ("a/main.tf", "terraform {\n  backend \"s3\" {\n  }\n}\n")]),
        "
Warning: Backend configuration ignored
  on a/main.tf line 2:
  2:   backend \"s3\" {  [backend \"s3\"]
Where the state of a layer lies is told by the project's state block. The layer's own backend has no effect here.
",
    );
}

#[test]
fn paths_are_told_from_the_working_directory() {
    let infra = project("");
    let mut options = options(&[("infra.hcl", &infra), ("a/main.tf", "x = 1\n")]);
    options.working_dir = "/p/a".into();
    let drawn = draw(&load(&options).said, &options.sources);
    assert!(drawn.contains("on main.tf line 1:"), "{drawn}");
    options.files =
        Arc::new(Captured::default().with("/p/infra.hcl", format!("x = 1\n{infra}")).with("/p/a/main.tf", ""));
    options.sources = SourceMap::default();
    let drawn = draw(&load(&options).said, &options.sources);
    assert!(drawn.contains("on ../infra.hcl line 1:"), "{drawn}");
}
