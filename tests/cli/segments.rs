//! What only becomes known while an apply runs: segments that keep to what was approved and segments that do not, and objects
//! whose provider is configured by something that is new, updated, replaced or deleted.

use serde_json::Value as Json;

use super::program::Program;
use crate::ssh::sshd::{Sshd, user};

/// The keys of one block are an attribute of another: what is to be done with it is known when that one is done.
fn keys(names: &str, more: &str) -> Vec<(&'static str, String)> {
    let project = "project { name = \"later\" }\nlayer \"a\" { source = \"a\" }\nlayer \"b\" { source = \"b\" }\n";
    let names = format!(
        "resource \"terraform_data\" \"names\" {{\n  input = \"{names}\"\n}}\noutput \"names\" {{\n  value = terraform_data.names.output\n}}\n"
    );
    let each = format!(
        "resource \"terraform_data\" \"each\" {{\n  for_each = toset(split(\",\", layer.a.names))\n  input    = each.key\n  {more}\n}}\n"
    );
    vec![("infra.hcl", project.to_owned()), ("a/main.tf", names), ("b/main.tf", each)]
}

fn program(files: &[(&str, String)]) -> Program {
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
    Program::with(&files)
}

fn rewrite(program: &Program, files: &[(&str, String)]) {
    for (path, text) in files {
        program.write(path, text);
    }
}

#[test]
fn new_keys_are_what_was_approved_and_the_apply_goes_on() {
    let program = program(&keys("x,y", ""));
    let planned = program.ok(&["plan"]);
    assert!(planned.contains("layer.b.terraform_data.each[*] will be created"), "{planned}");
    program.ok(&["plan", "-out=p"]);
    let applied = program.ok(&["apply", "p"]);
    assert!(applied.contains("With what became known, the rest is planned"), "{applied}");
    assert_eq!(program.ok(&["state", "list"]).lines().count(), 3);
    assert_eq!(program.call(&["plan", "-detailed-exitcode"]).code, 0);
}

#[test]
fn a_removal_that_nobody_approved_ends_the_run_with_three() {
    let program = program(&keys("x,y", ""));
    program.ok(&["apply", "-auto-approve"]);
    rewrite(&program, &keys("x,z", ""));
    let planned = program.ok(&["plan"]);
    assert!(!planned.contains("will be destroyed"), "nothing is known of a removal yet: {planned}");

    let applied = program.call(&["apply", "-auto-approve"]);
    assert_eq!(applied.code, 3, "{}{}", applied.out, applied.err);
    for part in [
        "Error: Rest differs from what was approved",
        "- layer.b.terraform_data.each[\"y\"] (delete)",
        "everything done before is in state",
        "infra plan",
        "infra apply",
    ] {
        assert!(applied.err.contains(part), "{part:?} in {}", applied.err);
    }
    assert!(!applied.err.contains("each[\"z\"]"), "what was approved is no difference: {}", applied.err);
    assert!(applied.out.contains("each[\"y\"] will be destroyed"), "the rest is shown: {}", applied.out);
    // What was approved is done and in state, what was not is untouched, and the lock is free.
    let listed = program.ok(&["state", "list"]);
    assert!(
        listed.contains("each[\"x\"]") && listed.contains("each[\"y\"]") && !listed.contains("each[\"z\"]"),
        "{listed}"
    );
    assert_eq!(program.ok(&["output", "-json"]).matches("x,z").count(), 1);

    // The next run shows it from the beginning, asks about it, and goes on.
    let rest = program.ok(&["plan"]);
    assert!(rest.contains("Plan: 1 to add, 0 to change, 1 to destroy."), "{rest}");
    let applied = program.ok(&["apply", "-auto-approve"]);
    assert!(applied.contains("Apply complete! Resources: 1 added, 0 changed, 1 destroyed."), "{applied}");
    assert_eq!(program.call(&["plan", "-detailed-exitcode"]).code, 0);
}

#[test]
fn events_say_that_the_rest_differs() {
    let program = program(&keys("x,y", ""));
    program.ok(&["apply", "-auto-approve"]);
    rewrite(&program, &keys("x", ""));
    let applied = program.call(&["apply", "-auto-approve", "-json"]);
    assert_eq!(applied.code, 3);
    let lines: Vec<Json> = applied.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let said = lines.iter().find(|line| line["type"] == "diagnostic").unwrap();
    assert_eq!(said["diagnostic"]["summary"], "Rest differs from what was approved");
    assert!(said["diagnostic"]["detail"].as_str().unwrap().contains("each[\"y\"]"), "{said}");
}

#[test]
fn a_saved_plan_covers_only_what_it_lists() {
    let program = program(&keys("x", "triggers_replace = \"1\""));
    program.ok(&["apply", "-auto-approve"]);
    // The same keys, and another argument: with the keys unknown, the plan says only that copies may be made.
    rewrite(&program, &keys("x,y", "triggers_replace = \"2\""));
    program.ok(&["plan", "-out=p"]);
    let applied = program.call(&["apply", "p"]);
    assert_eq!(applied.code, 3, "{}{}", applied.out, applied.err);
    assert!(applied.err.contains("each[\"x\"] (delete then create)"), "{}", applied.err);
    assert!(!applied.err.contains("each[\"y\"]"), "{}", applied.err);
    assert!(program.ok(&["apply", "-auto-approve"]).contains("2 added, 0 changed, 1 destroyed"));

    // An update is not among them either.
    rewrite(
        &program,
        &keys("y,x", "triggers_replace = \"2\"")
            .into_iter()
            .map(|(p, t)| (p, t.replace("= each.key", "= \"${each.key}!\"")))
            .collect::<Vec<_>>(),
    );
    program.ok(&["plan", "-out=p"]);
    let applied = program.call(&["apply", "p"]);
    assert_eq!(applied.code, 3, "{}{}", applied.out, applied.err);
    assert!(applied.err.contains("~ layer.b.terraform_data.each[\"x\"] (update)"), "{}", applied.err);
    // -auto-approve covers creates and updates that become known.
    rewrite(&program, &keys("x,y,z", "triggers_replace = \"2\""));
    assert!(program.ok(&["apply", "-auto-approve"]).contains("1 added, 1 changed, 0 destroyed"));
}

/// A provider for files on a host; where the host is comes from a resource of the layer below.
struct Host {
    program: Program,
    old: Sshd,
    new: Sshd,
    file: std::path::PathBuf,
}

impl Host {
    fn start() -> Option<Host> {
        let (old, new) = (Sshd::start()?, Sshd::start()?);
        let file = old.path("made");
        let project = format!(
            "project {{ name = \"hosted\" }}\nprovider \"ssh\" {{\n  host = \"127.0.0.1\"\n  port = layer.a.port\n  user = {:?}\n  sudo = \
             false\n  private_key = file(\"key\")\n  known_hosts = \"known_hosts\"\n}}\nlayer \"a\" {{ source = \"a\" }}\nlayer \"b\" {{ \
             source = \"b\" }}\n",
            user()
        );
        let below = "variable \"port\" {}\nvariable \"generation\" {\n  default = 1\n}\nvariable \"there\" {\n  default = true\n}\n\
             variable \"ground\" {\n  default = 1\n}\nresource \"terraform_data\" \"ground\" {\n  triggers_replace = \
             var.ground\n}\nresource \"terraform_data\" \"host\" {\n  count = var.there ? 1 : 0\n  input = var.port\n  \
             triggers_replace = var.generation\n  depends_on = [terraform_data.ground]\n}\noutput \"port\" {\n  value = try(terraform_data.host[0].output, null)\n}\n";
        let above = format!(
            "variable \"there\" {{\n  default = true\n}}\nvariable \"content\" {{\n  default = \"one\"\n}}\nresource \"ssh_file\" \"f\" {{\n  \
             count = var.there ? 1 : 0\n  path = {:?}\n  content = var.content\n}}\n",
            file.to_str().unwrap()
        );
        let keys = [&old, &new].map(|host| host.text("user.pub")).concat();
        let known =
            [&old, &new].map(|host| format!("[127.0.0.1]:{} {}", host.port, host.text("host_ed25519.pub"))).concat();
        std::fs::write(new.path("authorized_keys"), keys).unwrap();
        let program = program(&[
            ("infra.hcl", project),
            ("a/main.tf", below.to_owned()),
            ("b/main.tf", above),
            ("key", old.text("user")),
            ("known_hosts", known),
        ]);
        Some(Host { program, old, new, file })
    }

    /// Calls the program with the host that is meant and other variables.
    fn call(&self, args: &[&str], host: &Sshd, vars: &[&str]) -> super::program::Answer {
        let port = format!("port={}", host.port);
        let given = [port.as_str()].into_iter().chain(vars.iter().copied()).flat_map(|var| ["-var", var]);
        self.program.call(&args.iter().copied().chain(given).collect::<Vec<_>>())
    }

    #[track_caller]
    fn ok(&self, args: &[&str], host: &Sshd, vars: &[&str]) -> String {
        let answer = self.call(args, host, vars);
        assert_eq!(answer.code, 0, "{}{}", answer.out, answer.err);
        answer.out
    }

    fn content(&self) -> Option<String> {
        std::fs::read_to_string(&self.file).ok()
    }

    #[track_caller]
    fn is_settled(&self, host: &Sshd, vars: &[&str]) {
        let answer = self.call(&["plan", "-detailed-exitcode"], host, vars);
        assert_eq!(answer.code, 0, "{}{}", answer.out, answer.err);
    }
}

/// The texts come in this order.
#[track_caller]
fn in_order(text: &str, parts: &[&str]) {
    let mut rest = text;
    for part in parts {
        let at = rest.find(part).unwrap_or_else(|| panic!("{part:?} is not there, or too early:\n{text}"));
        rest = &rest[at + part.len()..];
    }
}

const APPLY: &[&str] = &["apply", "-auto-approve"];

#[test]
fn objects_of_a_host_that_is_new_or_goes_follow_it_in_order() {
    let Some(host) = Host::start() else { return };
    let planned = host.ok(&["plan"], &host.old, &[]);
    assert!(planned.contains("1 of them pending on layer.a.port"), "{planned}");
    let applied = host.ok(APPLY, &host.old, &[]);
    in_order(
        &applied,
        &[
            "layer.a.terraform_data.host[0]: Creation complete",
            "With what became known",
            "layer.b.ssh_file.f[0]: Creating...",
            "layer.b.ssh_file.f[0]: Creation complete",
        ],
    );
    assert_eq!(host.content().as_deref(), Some("one"));
    host.is_settled(&host.old, &[]);

    // All of it at once: the file goes while there is a host to ask.
    let gone = host.ok(&["destroy", "-auto-approve"], &host.old, &[]);
    in_order(
        &gone,
        &[
            "layer.b.ssh_file.f[0]: Destroying...",
            "layer.b.ssh_file.f[0]: Destruction complete",
            "layer.a.terraform_data.host[0]: Destroying...",
            "Destroy complete! Resources: 3 destroyed.",
        ],
    );
    assert_eq!(host.content(), None);
    assert_eq!(host.program.ok(&["state", "list"]), "");
}

#[test]
fn objects_of_a_host_that_is_updated_in_place_are_changed_through_the_new_one() {
    let Some(host) = Host::start() else { return };
    host.ok(APPLY, &host.old, &[]);
    assert_eq!(host.new.logins(), 0);
    let vars = ["content=two", "ground=2"];
    let planned = host.ok(&["plan"], &host.new, &vars);
    assert!(planned.contains("Plan: 1 to add, 2 to change, 1 to destroy."), "{planned}");
    assert!(!planned.contains("pending") && !planned.contains("lost"), "{planned}");
    assert_eq!(host.new.logins(), 0, "the plan asked what was there");
    let applied = host.ok(APPLY, &host.new, &vars);
    in_order(
        &applied,
        &["layer.a.terraform_data.host[0]: Modifications complete", "layer.b.ssh_file.f[0]: Modifying..."],
    );
    assert_eq!(host.content().as_deref(), Some("two"));
    assert!(host.new.logins() > 0, "the change went to the host that is there now");
    host.is_settled(&host.new, &vars);
}

#[test]
fn objects_of_a_host_that_is_replaced_are_lost_with_it_and_made_again() {
    let Some(host) = Host::start() else { return };
    host.ok(APPLY, &host.old, &[]);
    let vars = ["generation=2"];
    let planned = host.ok(&["plan"], &host.new, &vars);
    in_order(
        &planned,
        &[
            "layer.a.terraform_data.host[0] must be replaced",
            "layer.b.ssh_file.f[0] is lost with layer.a.terraform_data.host[0]",
            "Lost with layer.a",
        ],
    );
    // Whoever did not accept that loses nothing.
    let before = super::bad_input::files(&host.program.path("state"));
    let refused = host.call(APPLY, &host.new, &vars);
    assert_eq!(refused.code, 1, "{}{}", refused.out, refused.err);
    for part in
        ["Error: Objects would be lost", "layer.a.terraform_data.host[0]", "layer.b.ssh_file.f[0]", "-accept-loss"]
    {
        assert!(refused.err.contains(part), "{part:?} in {}", refused.err);
    }
    assert_eq!(super::bad_input::files(&host.program.path("state")), before);
    assert_eq!(host.new.logins(), 0);

    std::fs::remove_file(&host.file).unwrap(); // as the host that it was on
    let applied = host.ok(&["apply", "-auto-approve", "-accept-loss"], &host.new, &vars);
    in_order(
        &applied,
        &[
            "layer.a.terraform_data.host[0]: Destroying...",
            "layer.a.terraform_data.host[0]: Creation complete",
            "With what became known",
            "layer.b.ssh_file.f[0]: Creating...",
            "layer.b.ssh_file.f[0]: Creation complete",
        ],
    );
    assert_eq!(host.content().as_deref(), Some("one"));
    assert!(host.new.logins() > 0);
    host.is_settled(&host.new, &vars);
    assert_eq!(host.program.ok(&["state", "list"]).lines().count(), 3);
}

#[test]
fn objects_of_a_host_that_is_deleted_are_forgotten_with_it() {
    let Some(host) = Host::start() else { return };
    host.ok(APPLY, &host.old, &[]);
    let vars = ["there=false"];
    let planned = host.ok(&["plan"], &host.old, &vars);
    in_order(
        &planned,
        &[
            "layer.b.ssh_file.f[0] is lost with layer.a.terraform_data.host[0]",
            "not described any more",
            "Lost with layer.a",
        ],
    );
    assert!(planned.contains("layer.a.terraform_data.host[0] will be destroyed"), "{planned}");
    let refused = host.call(APPLY, &host.old, &vars);
    assert_eq!(refused.code, 1, "{}{}", refused.out, refused.err);
    assert!(refused.err.contains("Error: Objects would be lost"), "{}", refused.err);
    assert_eq!(host.program.ok(&["state", "list"]).lines().count(), 3);

    let before = host.old.logins();
    host.ok(&["apply", "-auto-approve", "-accept-loss"], &host.old, &vars);
    assert_eq!(host.program.ok(&["state", "list"]), "layer.a.terraform_data.ground\n");
    assert_eq!(host.old.logins(), before, "what goes with its host is not asked for");
    host.is_settled(&host.old, &vars);
}
