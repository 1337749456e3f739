//! Blocks of a module, in plain mode.

use super::*;
use crate::addr::{Mode, ResourceAddr};
use crate::config::{IgnoreChanges, StateSettings};
use crate::lang::eval::Reference;
use crate::value::Path;

#[test]
fn a_folder_is_read_into_the_model() {
    let text = r#"
terraform {
  required_version = ">= 1.5"
  required_providers {
    random = { source = "hashicorp/random", version = "~> 3.0" }
    aws    = { source = "example.com/team/aws", configuration_aliases = [aws.east] }
  }
}
provider "random" {}
variable "size" {
  type        = number
  default     = 3
  description = "how many"
  sensitive   = true
  nullable    = false
  validation {
    condition     = var.size > 0
    error_message = "too small"
  }
}
locals {
  a = var.size + 1
  b = "x"
}
resource "terraform_data" "a" {
  count      = var.size
  input      = local.a
  depends_on = [terraform_data.b, module.m]
  lifecycle {
    create_before_destroy = true
    prevent_destroy       = false
    ignore_changes        = [input, tags["k"], spec[0].n]
    replace_triggered_by  = [terraform_data.b]
    precondition {
      condition     = local.b == "x"
      error_message = "no"
    }
  }
}
resource "terraform_data" "b" {
  provider = aws.east
  for_each = toset(["x"])
  lifecycle {
    ignore_changes = all
  }
}
data "null_data_source" "d" {
  inputs = {}
}
module "m" {
  source    = "./m"
  name      = "n"
  providers = { aws = aws.east }
}
output "o" {
  value     = module.m.name
  sensitive = true
}
"#;
    let options = options(&[
        ("main.tf", text),
        (
            "m/main.tf",
            "terraform {\n  required_providers {\n    aws = { source = \"example.com/team/aws\" }\n  }\n}\nvariable \"name\" {}\noutput \"name\" {\n  value = var.name\n}\n",
        ),
    ]);
    let (config, said) = loaded(&options);
    assert!(said.is_empty(), "{said}");
    assert!(config.is_plain() && !config.prefixes_layers());
    let root = &config.layers[0].root;
    let size = &root.variables["size"];
    assert_eq!((size.sensitive, size.nullable, size.validations.len()), (true, false, 1));
    assert_eq!(size.description.as_deref(), Some("how many"));
    assert_eq!(root.locals.len(), 2);
    let a = &root.resources[&ResourceAddr::managed("terraform_data", "a")];
    assert!(a.count.is_some() && a.for_each.is_none());
    assert_eq!(a.body.attributes.iter().map(|x| x.name.text.as_str()).collect::<Vec<_>>(), ["input"]);
    assert!(a.body.blocks.is_empty());
    let named: Vec<String> = a.depends_on.iter().map(|target| target.target.to_string()).collect();
    assert_eq!(named, ["terraform_data.b", "module.m"]);
    assert!(matches!(&a.depends_on[1].target, Reference::Module { output: None, .. }));
    assert_eq!(a.provider.local.as_str(), "terraform");
    let IgnoreChanges::Paths(paths) = &a.lifecycle.ignore_changes else { panic!("paths are ignored") };
    assert_eq!(paths.iter().map(Path::to_string).collect::<Vec<_>>(), ["input", "tags[\"k\"]", "spec[0].n"]);
    assert_eq!((a.lifecycle.replace_triggered_by.len(), a.lifecycle.preconditions.len()), (1, 1));
    let b = &root.resources[&ResourceAddr::managed("terraform_data", "b")];
    assert_eq!((b.provider.local.as_str(), b.provider.alias.as_deref()), ("aws", Some("east")));
    assert_eq!(b.lifecycle.ignore_changes, IgnoreChanges::All);
    assert!(root.resources.keys().any(|addr| addr.mode == Mode::Data));
    let call = &root.calls["m"];
    assert_eq!(call.arguments.len(), 1);
    assert_eq!(call.module.dir, std::path::Path::new("/p/m"));
    assert_eq!(root.provider_source("aws").to_string(), "example.com/team/aws");
    assert_eq!(root.provider_source("null").to_string(), "registry.terraform.io/hashicorp/null");
    assert_eq!(config.layers[0].state, StateSettings::Local { path: "/p/terraform.tfstate".into() });
}

/// One file with one mistake.
fn wrong(text: &str, expect: &str) {
    check(&options(&[("main.tf", text)]), expect);
}

#[test]
fn names_are_used_once() {
    let twice = |text: &str, expect: &str| {
        check(&options(&[("a.tf", text), ("b.tf", text), ("m/x.tf", "")]), expect);
    };
    twice(
        "resource \"terraform_data\" \"a\" {\n}\n",
        "
Error: Duplicate resource \"terraform_data\" configuration
  on b.tf line 1, in resource \"terraform_data\" \"a\":
  1: resource \"terraform_data\" \"a\" {  [resource \"terraform_data\" \"a\"]
A terraform_data resource named \"a\" was already declared at a.tf:1,1-30. Resource names must be unique per type in each module.
",
    );
    twice(
        "data \"http\" \"a\" {\n}\n",
        "
Error: Duplicate data \"http\" configuration
  on b.tf line 1, in data \"http\" \"a\":
  1: data \"http\" \"a\" {  [data \"http\" \"a\"]
A http data resource named \"a\" was already declared at a.tf:1,1-16. Resource names must be unique per type in each module.
",
    );
    twice(
        "variable \"v\" {\n}\n",
        "
Error: Duplicate variable declaration
  on b.tf line 1, in variable \"v\":
  1: variable \"v\" {  [variable \"v\"]
A variable named \"v\" was already declared at a.tf:1,1-13. Variable names must be unique within a module.
",
    );
    twice(
        "locals {\n  l = 1\n}\n",
        "
Error: Duplicate local value definition
  on b.tf line 2, in locals:
  2:   l = 1  [l]
A local value named \"l\" was already defined at a.tf:2,3-8. Local value names must be unique within a module.
",
    );
    twice(
        "output \"o\" {\n  value = 1\n}\n",
        "
Error: Duplicate output definition
  on b.tf line 1, in output \"o\":
  1: output \"o\" {  [output \"o\"]
An output named \"o\" was already defined at a.tf:1,1-11. Output names must be unique within a module.
",
    );
    twice(
        "module \"m\" {\n  source = \"./m\"\n}\n",
        "
Error: Duplicate module call
  on b.tf line 1, in module \"m\":
  1: module \"m\" {  [module \"m\"]
A module call named \"m\" was already defined at a.tf:1,1-11. Module calls must have unique names within a module.
",
    );
    twice(
        "provider \"aws\" {\n  alias = \"east\"\n}\n",
        "
Error: Duplicate provider configuration
  on b.tf line 1, in provider \"aws\":
  1: provider \"aws\" {  [provider \"aws\"]
A provider configuration for \"aws\" with alias \"east\" was already given at a.tf:1,1-15. Each configuration for the same provider must have a distinct alias.
",
    );
    twice(
        "provider \"aws\" {\n}\n",
        "
Error: Duplicate provider configuration
  on b.tf line 1, in provider \"aws\":
  1: provider \"aws\" {  [provider \"aws\"]
A default (non-aliased) provider configuration for \"aws\" was already given at a.tf:1,1-15. If multiple configurations are required, set the \"alias\" argument for alternative configurations.
",
    );
    twice(
        "terraform {\n  required_providers {\n  }\n}\n",
        "
Error: Duplicate required providers configuration
  on b.tf line 2, in terraform:
  2:   required_providers {  [required_providers]
A module may have only one required providers configuration. The required providers were previously configured at a.tf:2,3-21.
",
    );
}

#[test]
fn names_are_names() {
    wrong(
        "resource \"terraform_data\" \"a b\" {\n}\n",
        "
Error: Invalid resource name
  on main.tf line 1, in resource \"terraform_data\" \"a b\":
  1: resource \"terraform_data\" \"a b\" {  [\"a b\"]
A name must start with a letter or underscore and may contain only letters, digits, underscores, and dashes.
",
    );
    wrong(
        "variable \"count\" {\n}\n",
        "
Error: Invalid variable name
  on main.tf line 1, in variable \"count\":
  1: variable \"count\" {  [\"count\"]
The variable name \"count\" is reserved due to its special meaning inside module blocks.
",
    );
    wrong(
        "resource \"terraform_data\" {\n}\n",
        "
Error: Missing name for resource
  on main.tf line 1, in resource \"terraform_data\":
  1: resource \"terraform_data\" {  [{]
All resource blocks must have 2 labels (type, name).
",
    );
    wrong(
        "variable \"a\" \"b\" {\n}\n",
        "
Error: Extraneous label for variable
  on main.tf line 1, in variable \"a\" \"b\":
  1: variable \"a\" \"b\" {  [\"b\"]
Only 1 label (name) is expected for variable blocks.
",
    );
}

#[test]
fn what_does_not_belong_is_said_with_what_was_meant() {
    wrong(
        "resuorce \"terraform_data\" \"a\" {\n}\n",
        "
Error: Unsupported block type
  on main.tf line 1, in resuorce \"terraform_data\" \"a\":
  1: resuorce \"terraform_data\" \"a\" {  [resuorce]
Blocks of type \"resuorce\" are not expected here. Did you mean \"resource\"?
",
    );
    wrong(
        "variable \"v\" {\n  defualt = 1\n}\n",
        "
Error: Unsupported argument
  on main.tf line 2, in variable \"v\":
  2:   defualt = 1  [defualt]
An argument named \"defualt\" is not expected here. Did you mean \"default\"?
",
    );
    wrong(
        "output \"o\" {\n}\n",
        "
Error: Missing required argument
  on main.tf line 1, in output \"o\":
  1: output \"o\" {  [{]
The argument \"value\" is required, but no definition was found.
",
    );
    wrong(
        "variable \"v\" {\n  validation = 1\n}\n",
        "
Error: Unsupported argument
  on main.tf line 2, in variable \"v\":
  2:   validation = 1  [validation]
An argument named \"validation\" is not expected here. Did you mean to define a block of type \"validation\"?
",
    );
    wrong(
        "resource \"terraform_data\" \"a\" {\n  lifecycle {\n    prevent_destory = true\n  }\n}\n",
        "
Error: Unsupported argument
  on main.tf line 3, in lifecycle:
  3:     prevent_destory = true  [prevent_destory]
An argument named \"prevent_destory\" is not expected here. Did you mean \"prevent_destroy\"?
",
    );
    wrong(
        "resource \"terraform_data\" \"a\" {\n  count    = 1\n  for_each = {}\n}\n",
        "
Error: Invalid combination of \"count\" and \"for_each\"
  on main.tf line 3, in resource \"terraform_data\" \"a\":
  3:   for_each = {}  [for_each]
The \"count\" and \"for_each\" meta-arguments are mutually-exclusive, only one should be used to be explicit about the number of resources to be created.
",
    );
    wrong(
        "variable \"v\" {\n  default = var.w\n}\n",
        "
Error: Variables not allowed
  on main.tf line 2, in variable \"v\":
  2:   default = var.w  [var]
Variables may not be used here.
",
    );
    wrong(
        "variable \"v\" {\n  type    = list(number)\n  default = [\"x\"]\n}\nvariable \"w\" {\n  nullable = false\n  default  = null\n}\n",
        "
Error: Invalid default value for variable
  on main.tf line 3, in variable \"v\":
  3:   default = [\"x\"]  [[\"x\"]]
This default value is not compatible with the variable's type constraint: [0]: a number is required.
Error: Invalid default value for variable
  on main.tf line 7, in variable \"w\":
  7:   default  = null  [null]
A variable that is not nullable cannot have null as its default.
",
    );
    wrong(
        "resource \"terraform_data\" \"a\" {\n  depends_on = [\"x\"]\n}\n",
        "
Error: Invalid depends_on reference
  on main.tf line 2, in resource \"terraform_data\" \"a\":
  2:   depends_on = [\"x\"]  [\"x\"]
References in depends_on must name a whole resource, module or other object, such as terraform_data.a or module.b, and not an attribute of one.
",
    );
    wrong(
        "terraform {\n  required_version = \"< 1.0\"\n}\n",
        "
Error: Unsupported Terraform Core version
  on main.tf line 2, in terraform:
  2:   required_version = \"< 1.0\"  [required_version = \"< 1.0\"]
This configuration asks for Terraform < 1.0, which no version admits whose language this is: Terraform 1.11 to 1.15. To proceed, change required_version, or use a version of Terraform that it admits.
",
    );
    wrong(
        "terraform {\n  required_providers {\n    a = { source = \"a/b/c/d\" }\n  }\n}\n",
        "
Error: Invalid provider source string
  on main.tf line 3, in terraform:
  3:     a = { source = \"a/b/c/d\" }  [\"a/b/c/d\"]
\"a/b/c/d\" is not a provider source such as \"hashicorp/random\" or \"registry.example.com/team/name\".
",
    );
}

#[test]
fn what_cannot_be_done_yet_is_refused_by_name() {
    for (text, what) in [
        ("terraform {\n  cloud {\n  }\n}\n", "The block type \"cloud\""),
        ("terraform {\n  encryption {\n  }\n}\n", "The block type \"encryption\""),
    ] {
        let said = load(&options(&[("main.tf", text)])).said;
        let found: Vec<_> = said.iter().map(|d| (d.summary.as_str(), d.detail.clone())).collect();
        let detail = format!("{what} is part of the language, but this version cannot do it yet.");
        assert_eq!(found, [("Not supported yet", detail)], "{text}");
    }
}

#[test]
fn modules_are_followed_once_and_never_in_circles() {
    let child = "variable \"name\" {}\n";
    let root = "module \"a\" {\n  source = \"./m\"\n}\nmodule \"b\" {\n  source = \"./x/../m\"\n}\n";
    let (config, _) = loaded(&options(&[("main.tf", root), ("m/main.tf", child)]));
    let calls = &config.layers[0].root.calls;
    assert!(Arc::ptr_eq(&calls["a"].module, &calls["b"].module));

    let call = |source: &str| format!("module \"x\" {{\n  source = \"{source}\"\n}}\n");
    check(
        &options(&[("main.tf", &call("./m")), ("m/main.tf", &call("../n")), ("n/main.tf", &call("../m"))]),
        "
Error: Cycle of module calls
  on n/main.tf line 2, in module \"x\":
  2:   source = \"../m\"  [\"../m\"]
Modules call each other in a circle, without end: m → n → m.
",
    );
    check(
        &options(&[("main.tf", &call("./nowhere"))]),
        "
Error: Unreadable module directory
  on main.tf line 2, in module \"x\":
  2:   source = \"./nowhere\"  [\"./nowhere\"]
The folder nowhere of module \"x\" cannot be read: no such file. Correct \"source\", or put the module there.
",
    );
    check(
        &options(&[("main.tf", &call("hashicorp/consul/aws"))]),
        "
Error: Module not installed
  on main.tf line 1, in module \"x\":
  1: module \"x\" {  [module \"x\"]
This module is not there yet. Run infra init to install all modules that this configuration needs.
",
    );
    let repeated = "module \"x\" {\n  source = \"./m\"\n  count  = 2\n}\n";
    check(
        &options(&[("main.tf", repeated), ("m/main.tf", "provider \"aws\" {\n  region = \"x\"\n}\n")]),
        "
Error: Module is incompatible with count, for_each, and depends_on
  on main.tf line 1, in module \"x\":
  1: module \"x\" {  [module \"x\"]
The module has provider configurations of its own, and so can neither be called with count or for_each nor have depends_on. Pass providers to it with the providers argument instead.
",
    );
}

#[test]
fn a_folder_without_configuration_is_an_error_unless_everything_is_destroyed() {
    let mut options = options(&[("readme.md", "")]);
    check(
        &options,
        "
Error: No configuration files
This folder has no configuration files (.tf), and there is no infra.hcl here or above. Planning without a configuration would mark everything for destruction. If that is what you want, run destroy, which does not require any configuration files.
",
    );
    options.may_be_empty = true;
    let (config, _) = loaded(&options);
    assert!(config.layers[0].root.resources.is_empty());
}

#[test]
fn syntax_errors_of_all_files_are_said() {
    let said = load(&options(&[("a.tf", "x y z\n"), ("b.tf", "locals {\n")])).said;
    let files: Vec<u32> = said.iter().filter_map(|d| d.subject).map(|span| span.file.0).collect();
    assert!(files.contains(&0) && files.contains(&1), "{said}");
}

#[test]
fn overrides_replace_arguments_and_blocks() {
    let base = "variable \"v\" {\n  default = 1\n  type = number\n}\nresource \"a_b\" \"c\" {\n  x = 1\n  y = 2\n  n {\n    p = 1\n  }\n  n {\n  }\n}\nlocals {\n  l = 1\n}\n";
    let over = "variable \"v\" {\n  default = 2\n}\nresource \"a_b\" \"c\" {\n  x = 3\n  n {\n    p = 9\n  }\n}\nlocals {\n  l = 5\n}\n";
    let (config, _) = loaded(&options(&[("main.tf", base), ("x_override.tf", over)]));
    let root = &config.layers[0].root;
    let text =
        |expr: &crate::lang::syntax::ast::Expr| config.sources.get(expr.span.file).unwrap().slice(expr.span).to_owned();
    assert_eq!(text(root.variables["v"].default.as_ref().unwrap()), "2");
    assert_eq!(text(&root.locals["l"].expr), "5");
    let body = &root.resources[&ResourceAddr::managed("a_b", "c")].body;
    assert_eq!((text(&body.attributes[0].expr), text(&body.attributes[1].expr)), ("3".into(), "2".into()));
    assert_eq!(body.blocks.len(), 1);
    check(
        &options(&[("main.tf", ""), ("override.tf", "output \"o\" {\n  value = 1\n}\n")]),
        "
Error: Missing base output definition to override
  on override.tf line 1:
  1: output \"o\" {  [output \"o\"]
There is no output named \"o\" in the primary configuration files. An override file can only override what is defined there.
",
    );
}

#[test]
fn many_large_files_are_read_in_their_order() {
    let local = |from: usize| (from..from + 6000).map(|at| format!("  l{at} = \"{at}\"\n")).collect::<String>();
    let locals = |from| format!("locals {{\n{}}}\n", local(from));
    let (a, b, c) = (locals(0), locals(6000), locals(12_000));
    assert!(a.len() + b.len() + c.len() > 1 << 18);
    let (config, said) = loaded(&options(&[("c.tf", &c), ("a.tf", &a), ("b.tf", &b)]));
    assert!(said.is_empty());
    assert_eq!(config.layers[0].root.locals.len(), 18_000);
    // Whoever is done first, what is said about them comes in the order of their names.
    let wrong = format!("locals {{\n{}", local(6000));
    let files = [("a.tf", "x y z"), ("b.tf", &wrong), ("c.tf", &c), ("d.tf", &a), ("e.tf", "=")];
    let said = crate::config::load(&options(&files)).said;
    let summaries: Vec<&str> = said.iter().map(|diagnostic| diagnostic.summary.as_str()).collect();
    let expect = ["Invalid block definition", "Unclosed configuration block", "Argument or block definition required"];
    assert_eq!(summaries, expect);
}
