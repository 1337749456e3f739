//! Values of variables: precedence, expressions, what is unknown to everybody.

use super::*;
use crate::value::Type;

const VARIABLES: &str =
    "variable \"a\" {\n  type = string\n}\nvariable \"n\" {\n  type = list(number)\n}\nvariable \"u\" {\n}\n";

#[test]
fn the_strongest_assignment_counts() {
    let files = [
        ("main.tf", VARIABLES),
        ("terraform.tfvars", "a = \"file\"\n"),
        ("x.auto.tfvars", "a = \"auto\"\n"),
        ("y.auto.tfvars", "a = \"later\"\n"),
        ("more.tfvars", "a = \"more\"\n"),
    ];
    let check = |env: bool, from: usize, given: Vec<Given>, expect: &str| {
        let mut options = options(&files[..from]);
        if env {
            options.process_env.insert("TF_VAR_a".into(), "env".into());
        }
        options.given = given;
        let (config, _) = loaded(&options);
        assert_eq!(value(&config, "a"), Ok(Some(Value::from(expect))));
    };
    check(true, 1, vec![], "env");
    check(true, 2, vec![], "file");
    check(true, 3, vec![], "auto");
    check(true, 4, vec![], "later");
    check(true, 5, vec![var_file("more.tfvars")], "more");
    check(true, 5, vec![var_file("more.tfvars"), var("a", "cli")], "cli");
    check(true, 5, vec![var("a", "cli"), var_file("more.tfvars")], "more");
}

#[test]
fn texts_are_expressions_where_the_type_is_no_text() {
    let mut options = options(&[("main.tf", VARIABLES)]);
    options.given = vec![var("a", "[1]"), var("n", "[1, 1 + 1]"), var("u", "true")];
    let (config, _) = loaded(&options);
    assert_eq!(value(&config, "a"), Ok(Some(Value::from("[1]"))));
    assert_eq!(value(&config, "n"), Ok(Some(Value::tuple([Value::int(1), Value::int(2)]))));
    assert_eq!(value(&config, "u"), Ok(Some(Value::from("true"))));
    options.given = vec![var("n", "[1")];
    let (config, _) = loaded(&options);
    assert!(value(&config, "n").unwrap_err().contains("on <value for var.n> line 1"));
}

#[test]
fn assignments_name_each_other_and_the_environment() {
    let infra = project("environment \"dev\" {\n  var_files = [\"envs/dev.tfvars\"]\n}\n");
    let tfvars = "prefix = upper(\"x\")\na = \"api-${prefix}.${BUCKET}-${env(\"BUCKET\")}\"\nn = [1]\nu = UNSET\n";
    let mut options = options(&[("infra.hcl", &infra), ("a/main.tf", VARIABLES), ("envs/dev.tfvars", tfvars)]);
    options.environment = Some("dev".into());
    options.process_env.insert("BUCKET".into(), "b".into());
    let (config, said) = loaded(&options);
    // `prefix` is declared by no layer, but `a` uses it.
    assert!(said.is_empty(), "{said}");
    assert_eq!(value(&config, "a"), Ok(Some(Value::from("api-X.b-b"))));
    let expect = "
Error: Environment variable not set
  on envs/dev.tfvars line 4:
  4: u = UNSET  [UNSET]
The environment variable UNSET is not set.
";
    assert_eq!(value(&config, "u").unwrap_err().trim(), expect.trim());
    // An assignment that is overridden is never evaluated.
    options.given = vec![var("u", "x")];
    let (config, _) = loaded(&options);
    assert_eq!(value(&config, "u"), Ok(Some(Value::from("x"))));
}

#[test]
fn unknown_names_and_cycles_are_said_when_the_value_is_read() {
    let check = |tfvars: &str, expect: &str| {
        let mut options = options(&[("main.tf", VARIABLES), ("x.tfvars", tfvars)]);
        options.given = vec![var_file("x.tfvars")];
        let (config, _) = loaded(&options);
        assert_eq!(value(&config, "a").unwrap_err().trim(), expect.trim());
    };
    check(
        "prefix = 1\na = prefx\n",
        "
Error: Unknown name in an assignment
  on x.tfvars line 2:
  2: a = prefx  [prefx]
There is no assignment named \"prefx\" in this variable set, and the project file lists no such environment variable in project { env = […] }. Did you mean \"prefix\"?
",
    );
    check(
        "a = u\nu = \"${a}\"\n",
        "
Error: Cycle of assignments
  on x.tfvars line 2:
  2: u = \"${a}\"  [a]
These assignments need each other: a → u → a.
",
    );
}

#[test]
fn files_are_read_by_assignments() {
    let mut options =
        options(&[("main.tf", VARIABLES), ("key", "secret"), ("terraform.tfvars", "a = file(\"key\")\n")]);
    options.given = vec![var("n", "[]")];
    let (config, _) = loaded(&options);
    assert_eq!(value(&config, "a"), Ok(Some(Value::from("secret"))));
    assert_eq!(
        format!("{:?}", config.layers[0].assignments),
        "{\"a\": File(\"/p/terraform.tfvars\"), \"n\": CommandLine}"
    );
}

#[test]
fn the_template_that_people_start_from_loads_as_it_is() {
    let template = r#"
vps_host        = "203.0.113.10"
vps_user        = "root"
ssh_port        = 22
ssh_private_key = file("~/.ssh/id_rsa")

cluster_name = "truealpha-staging"
k3s_channel  = "stable"
api_endpoint = "api-${DOMAIN_PREFIX}.${BASE_DOMAIN}"

environment   = "staging"
base_domain   = "example.org"
domain_prefix = "x-staging"
"#;
    let infra = "project {\n  name = \"x\"\n  env = [\"DOMAIN_PREFIX\", \"BASE_DOMAIN\"]\n}\nlayer \"a\" {\n  source = \"a\"\n}\nenvironment \"staging\" {\n  var_files = [\"envs/staging.tfvars\"]\n}\n";
    let names = [
        "vps_host",
        "vps_user",
        "ssh_port",
        "ssh_private_key",
        "cluster_name",
        "k3s_channel",
        "api_endpoint",
        "environment",
        "base_domain",
        "domain_prefix",
    ];
    let declared: String = names.iter().map(|name| format!("variable \"{name}\" {{\n}}\n")).collect();
    let files = [("infra.hcl", infra), ("a/main.tf", &declared), ("envs/staging.tfvars", template)];
    let mut options = options(&files);
    let captured = files.iter().fold(Captured::default(), |all, (path, text)| all.with(format!("/p/{path}"), *text));
    let captured = Captured { home: Some("/h".into()), ..captured.with("/h/.ssh/id_rsa", "KEY") };
    options.files = Arc::new(captured);
    options.environment = Some("staging".into());
    options.process_env.extend([("DOMAIN_PREFIX".into(), "p".into()), ("BASE_DOMAIN".into(), "d.org".into())]);
    let (config, said) = loaded(&options);
    assert!(said.is_empty(), "{said}");
    assert_eq!(value(&config, "ssh_private_key"), Ok(Some(Value::from("KEY"))));
    assert_eq!(value(&config, "api_endpoint"), Ok(Some(Value::from("api-p.d.org"))));
    assert_eq!(value(&config, "ssh_port"), Ok(Some(Value::int(22))));
}

#[test]
fn assignments_that_nobody_declares_are_said() {
    let mut plain = options(&[("main.tf", VARIABLES), ("terraform.tfvars", "aa = 1\n")]);
    plain.process_env.insert("TF_VAR_other".into(), "x".into());
    check(
        &plain,
        "
Warning: Value for undeclared variable
  on terraform.tfvars line 1:
  1: aa = 1  [aa]
The root module does not declare a variable named \"aa\" but a value was found in file \"terraform.tfvars\". If you meant to use this value, add a \"variable\" block to the configuration.

To silence these warnings, use TF_VAR_... environment variables to provide certain \"global\" settings to all configurations in your organization. To reduce the verbosity of these warnings, use the -compact-warnings option.
",
    );
    let mut plain = options(&[("main.tf", VARIABLES)]);
    plain.given = vec![var("size", "1")];
    check(
        &plain,
        "
Error: Value for undeclared variable
A variable named \"size\" was assigned on the command line, but the root module does not declare a variable of that name. To use this value, add a \"variable\" block to the configuration.
",
    );
    let infra = project("layer \"b\" {\n  source = \"b\"\n}\n");
    let mut two =
        options(&[("infra.hcl", &infra), ("a/main.tf", VARIABLES), ("b/main.tf", "variable \"only_b\" {\n}\n")]);
    two.given = vec![var("only_b", "1"), var("a", "1"), var("nobody", "1")];
    check(
        &two,
        "
Warning: Value for undeclared variable
A value is assigned to \"nobody\", but no layer declares a variable of that name.
",
    );
}

#[test]
fn many_that_nobody_declares_are_summed_up() {
    let count = |plain: &[(&str, &str)], given: Vec<Given>| {
        let mut options = options(plain);
        options.given = given;
        let said = load(&options).said;
        said.iter().map(|one| (one.summary.clone(), one.detail.clone())).collect::<Vec<_>>()
    };
    let more = |others: usize| {
        let detail = format!(
            "In addition to the other similar warnings shown, {others} other variable(s) defined without being declared."
        );
        ("Values for undeclared variables".to_owned(), detail)
    };
    let main = ("main.tf", "");
    assert_eq!(count(&[main, ("terraform.tfvars", "q1 = 1\nq2 = 2\n")], vec![]).len(), 2);
    let three = count(&[main, ("terraform.tfvars", "q1 = 1\nq2 = 2\n"), ("z.auto.tfvars", "q3 = 1\n")], vec![]);
    assert_eq!((three.len(), &three[2]), (3, &more(1)));
    assert!(three[0].1.contains("\"q1\"") && three[1].1.contains("\"q2\""));
    let given = (1..=5).map(|number| var(&format!("q{number}"), "1")).collect();
    assert_eq!(count(&[main], given).len(), 5, "on the command line each is an error");
    let infra = project("");
    let project = [("infra.hcl", infra.as_str()), ("a/main.tf", "")];
    let given = (1..=5).map(|number| var(&format!("q{number}"), "1")).collect();
    let project = count(&project, given);
    assert_eq!((project.len(), &project[2]), (3, &more(3)));
}

#[test]
fn files_of_variables_hold_assignments_only() {
    let mut options = options(&[("main.tf", VARIABLES), ("x.tfvars", "variable \"a\" {\n}\n")]);
    options.given = vec![var_file("x.tfvars")];
    check(
        &options,
        "
Error: Variable declaration in .tfvars file
  on x.tfvars line 1:
  1: variable \"a\" {  [variable \"a\"]
A variables file gives values to variables, it does not declare them. Put this block into a .tf file, and write a = … here.
",
    );
    options.given = vec![var_file("nowhere.tfvars")];
    check(
        &options,
        "
Error: Failed to read variables file
Given variables file nowhere.tfvars does not exist: it is not in the working directory.
",
    );
}

#[test]
fn types_of_variables_are_read() {
    let text = "variable \"v\" {\n  type = object({ a = string, b = optional(number, 3) })\n}\n";
    let (config, _) = loaded(&options(&[("main.tf", text)]));
    let variable = &config.layers[0].root.variables["v"];
    let Type::Object(object) = &variable.ty else { panic!("{:?}", variable.ty) };
    assert!(object.get("b").unwrap().optional);
    assert!(!variable.defaults.is_empty() && !variable.text_is_string);
}
