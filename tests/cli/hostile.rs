//! Files that were made to exhaust the program: it says what is wrong with them, soon, and neither crashes nor hangs.

use std::time::{Duration, Instant};

use super::program::{Answer, Program};

const MANY: usize = 1_000_000;

/// Arrays in arrays, a million of them.
fn deep() -> String {
    format!("{}{}", "[".repeat(MANY), "]".repeat(MANY))
}

/// Calls the program, which must end by itself with 1 and say `expect`.
fn refuses(files: &[(&str, &str)], arguments: &[&str], expect: &str) {
    let program = Program::with(files);
    let began = Instant::now();
    let Answer { code, out, err } = program.call(arguments);
    let took = began.elapsed();
    // A crash has no code.
    let head = |text: &str| text.chars().take(2000).collect::<String>();
    assert_eq!(code, 1, "{arguments:?}: {}\n{}", head(&out), head(&err));
    assert!(err.contains(expect), "{expect:?} is not in {}", head(&err));
    assert!(err.len() < 100_000, "{} bytes are said", err.len());
    assert!(took < Duration::from_secs(30), "{took:?}");
}

#[test]
fn states_that_are_nested_without_end_are_refused() {
    let state = |outputs: &str, resources: &str, rest: &str| {
        format!(
            "{{\"version\":4,\"terraform_version\":\"1.11.4\",\"serial\":1,\"lineage\":\"l\",\"outputs\":{{{outputs}}},\
             \"resources\":[{resources}],\"check_results\":null{rest}}}"
        )
    };
    let resource = |fields: &str| {
        format!(
            "{{\"mode\":\"managed\",\"type\":\"terraform_data\",\"name\":\"a\",\"provider\":\
             \"provider[\\\"terraform.io/builtin/terraform\\\"]\",\"instances\":[{{\"schema_version\":0,{fields}}}]}}"
        )
    };
    let deep = deep();
    for state in [
        state("", &resource(&format!("\"attributes\":{{\"input\":{deep}}}")), ""),
        state("", &resource(&format!("\"index_key\":{deep},\"attributes\":{{}}")), ""),
        state("", &resource(&format!("\"attributes\":{{}},\"sensitive_attributes\":{deep}")), ""),
        state("", &resource(&format!("\"attributes\":{{}},\"identity\":{deep}")), ""),
        state(&format!("\"o\":{{\"value\":{deep},\"type\":\"dynamic\"}}"), "", ""),
        state(
            &format!("\"o\":{{\"value\":null,\"type\":{}\"string\"{}}}", "[\"list\",".repeat(MANY), "]".repeat(MANY)),
            "",
            "",
        ),
        state("", "", &format!(",\"more\":{deep}")),
    ] {
        let files = [("main.tf", "resource \"terraform_data\" \"a\" {}\n"), ("terraform.tfstate", &*state)];
        refuses(&files, &["plan"], "terraform.tfstate");
    }
}

#[test]
fn plan_files_that_are_nested_without_end_are_refused() {
    let plan = format!("{{\"format\":\"infra saved plan 2\",\"load\":{}}}", deep());
    let files = [("main.tf", "locals {}\n"), ("p", &*plan)];
    refuses(&files, &["show", "p"], "Failed to read the given file as a state or plan file");
    refuses(&files, &["apply", "p"], "Failed to load \"p\" as a plan file");
}

#[test]
fn configuration_that_is_nested_without_end_is_refused() {
    let deep = deep();
    let variable = "variable \"a\" {}\n";
    let native = format!("a = {deep}\n");
    let json = format!("{{\"a\": {deep}}}");
    let main = format!("{{\"locals\": {{\"a\": {deep}}}}}");
    refuses(&[("main.tf", variable), ("terraform.tfvars", &native)], &["plan"], "Nested too deeply");
    refuses(&[("main.tf", variable), ("terraform.tfvars.json", &json)], &["plan"], "Nested too deeply");
    refuses(&[("main.tf.json", &main)], &["validate"], "Nested too deeply");
    refuses(&[("main.tf", &format!("locals {{\n  {native}}}\n"))], &["validate"], "Nested too deeply");
    let decoded = "output \"a\" { value = jsondecode(file(\"deep.json\")) }\n";
    refuses(&[("main.tf", decoded), ("deep.json", &deep)], &["plan"], "Error in function call");
    let decoded = "output \"a\" { value = yamldecode(file(\"deep.json\")) }\n";
    refuses(&[("main.tf", decoded), ("deep.json", &deep)], &["plan"], "Error in function call");
}

#[test]
fn values_that_grow_without_end_are_refused() {
    let doubled: String = (1..60).map(|n| format!("  a{n} = [local.a{0}, local.a{0}]\n", n - 1)).collect();
    let doubled = format!("locals {{\n  a0 = [\"x\"]\n{doubled}}}\n");
    refuses(&[("main.tf", &doubled)], &["plan"], "Expression too large");
    let nested: String = (1..2000).map(|n| format!("  a{n} = [local.a{}]\n", n - 1)).collect();
    let nested = format!("locals {{\n  a0 = [\"x\"]\n{nested}}}\n");
    refuses(&[("main.tf", &nested)], &["plan"], "Value nested too deeply");
    let loops = "locals { a = [for a in range(1000) : [for b in range(1000) : [for c in range(1000) : a + b + c]]] }\n";
    refuses(&[("main.tf", loops)], &["plan"], "Expression too large");
    let text =
        "locals { a = join(\"\", [for a in range(1000) : format(\"%60000s\", a)])\n b = join(local.a, range(1000)) }\n";
    refuses(&[("main.tf", text)], &["plan"], "Error: ");
}
