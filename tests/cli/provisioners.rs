//! Provisioners as whole commands: what a crash and an interrupt leave, machine-readable output, and machines over SSH beside
//! the real `terraform`. What is said and done on this machine is compared in `tests/conformance/sequences/provisioners_*`.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value as Json;

use super::program::{Program, names};
use crate::conformance::peer::Peer;
use crate::ssh::sshd::{Sshd, user};

/// An object whose second provisioner waits for a file.
const WAITS: &str = r#"
    resource "terraform_data" "a" {
      provisioner "local-exec" { command = "echo made" }
      provisioner "local-exec" { command = "echo waiting; until [ -e go ]; do sleep 0.05; done; echo went" }
      provisioner "local-exec" { command = "echo last > last" }
    }
    resource "terraform_data" "b" { input = terraform_data.a.id }
"#;

fn is_tainted(program: &Program) -> bool {
    let state: Json = serde_json::from_str(&program.ok(&["state", "pull"])).unwrap();
    state["resources"][0]["instances"][0]["status"] == "tainted"
}

#[test]
fn a_run_that_is_killed_between_provisioners_leaves_a_tainted_object() {
    let program = Program::with(&[("main.tf", WAITS)]);
    let mut child = program.command(&["apply", "-auto-approve"]).stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.map(Result::unwrap).any(|line| line == "terraform_data.a (local-exec): waiting"));
    child.kill().unwrap();
    child.wait().unwrap();
    program.write("go", "");
    assert!(is_tainted(&program));
    let rest = program.ok(&["apply", "-auto-approve"]);
    assert!(rest.contains("is tainted, so must be replaced"), "{rest}");
    assert!(rest.contains("Resources: 2 added, 0 changed, 1 destroyed."), "{rest}");
    assert!(program.has("last") && !is_tainted(&program));
}

#[test]
fn a_machine_reads_when_provisioners_begin_speak_and_end() {
    let text = r#"
        resource "terraform_data" "a" {
          count = 1
          provisioner "local-exec" { command = "echo one" }
          provisioner "local-exec" {
            command    = "exit 3"
            on_failure = continue
          }
        }
    "#;
    let program = Program::with(&[("main.tf", text)]);
    let out = program.ok(&["apply", "-auto-approve", "-json"]);
    let events: Vec<Json> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let ours = events.iter().filter(|event| event["type"].as_str().unwrap().starts_with("provision"));
    let told: Vec<(&str, &str)> =
        ours.clone().map(|event| (event["type"].as_str().unwrap(), event["@message"].as_str().unwrap())).collect();
    let executing = |text: &str| format!("terraform_data.a[0]: (local-exec): Executing: [\"/bin/sh\" \"-c\" {text:?}]");
    let (first, second) = (executing("echo one"), executing("exit 3"));
    let expect = [
        ("provision_start", "terraform_data.a[0]: Provisioning with 'local-exec'..."),
        ("provision_progress", first.as_str()),
        ("provision_progress", "terraform_data.a[0]: (local-exec): one"),
        ("provision_complete", "terraform_data.a[0]: (local-exec) Provisioning complete"),
        ("provision_start", "terraform_data.a[0]: Provisioning with 'local-exec'..."),
        ("provision_progress", second.as_str()),
        ("provision_errored", "terraform_data.a[0]: (local-exec) Provisioning errored"),
    ];
    assert_eq!(told, expect);
    let progress = ours.clone().nth(2).unwrap();
    assert_eq!(progress["hook"]["output"], "one");
    assert_eq!(progress["hook"]["provisioner"], "local-exec");
    assert_eq!(progress["hook"]["resource"]["resource_key"], 0);
}

#[test]
fn paths_start_at_the_folder_of_the_layer() {
    let program = Program::with(&[
        (
            "infra.hcl",
            "project { name = \"p\" }\nlayer \"one\" { source = \"one\" }\nlayer \"two\" { source = \"two\" }",
        ),
        (
            "one/main.tf",
            "resource \"null_resource\" \"a\" {\n provisioner \"local-exec\" { command = \"pwd > here\" }\n}",
        ),
        ("two/main.tf", "resource \"null_resource\" \"a\" {}"),
    ]);
    let out = program.ok(&["apply", "-auto-approve"]);
    assert!(program.has("one/here"), "{out}");
    assert!(out.contains("layer.one.null_resource.a (local-exec): Executing"), "{out}");
}

/// Arguments that lead to the server. Of its two keys terraform asks for this one.
fn connection(sshd: &Sshd) -> String {
    format!(
        "host = \"127.0.0.1\"\nport = {}\nuser = {:?}\ntimeout = \"20s\"\nprivate_key = file({:?})\nhost_key = file({:?})\n",
        sshd.port,
        user(),
        sshd.path("user"),
        sshd.path("host_rsa.pub")
    )
}

/// Everything below a folder, with its mode and content.
fn tree(folder: &Path, prefix: &str) -> Vec<String> {
    let mut found = Vec::new();
    for name in names(folder) {
        let path = folder.join(&name);
        let metadata = std::fs::symlink_metadata(&path).unwrap();
        let mode = metadata.permissions().mode() & 0o7777;
        if metadata.is_dir() {
            found.push(format!("{prefix}{name}/ {mode:o}"));
            found.extend(tree(&path, &format!("{prefix}{name}/")));
        } else {
            found.push(format!("{prefix}{name} {mode:o} {:?}", std::fs::read_to_string(&path).unwrap()));
        }
    }
    found
}

/// Files and folders that are uploaded: from where, to where.
const UPLOADS: &[(&str, &str)] = &[
    ("s.sh", "plain"),
    ("s.sh", "existing/"),
    ("s.sh", "new/"),
    ("s.sh", "over"),
    ("s.sh", "a b"),
    ("src", "folder"),
    ("src", "slash/"),
    ("src", "other"),
    ("src/", "inside"),
    ("src/", "inside/"),
];

fn play(peer: &Peer, sshd: &Sshd) -> (Vec<String>, Vec<String>) {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path();
    let there = folder.join("there");
    for made in ["src/sub", "src/empty", "there/existing", "there/other", "there/inside"] {
        std::fs::create_dir_all(folder.join(made)).unwrap();
    }
    for (path, text) in [("src/a", "a\n"), ("src/sub/b", "b\n"), ("there/over", "old\n"), ("terraformrc", "")] {
        std::fs::write(folder.join(path), text).unwrap();
    }
    std::fs::write(folder.join("s.sh"), "echo \"script $# $PWD\"\necho to >&2 standard error\n").unwrap();
    let chmod = "chmod 755 src/a; chmod 600 src/sub/b there/over; ln -s sub src/link";
    assert!(Command::new("sh").args(["-c", chmod]).current_dir(folder).status().unwrap().success());
    let mut text = format!("locals {{ there = {there:?} }}\n");
    for (index, (from, to)) in UPLOADS.iter().enumerate() {
        // One after the other: two of them go to one place.
        let after = if index > 0 { format!("depends_on = [terraform_data.u{}]", index - 1) } else { String::new() };
        text += &format!(
            "resource \"terraform_data\" \"u{index}\" {{\n{after}\nconnection {{\n{}\n}}\nprovisioner \"file\" {{\n\
             source = {from:?}\ndestination = \"${{local.there}}/{to}\"\n}}\n}}\n",
            connection(sshd)
        );
    }
    text += &format!(
        "resource \"terraform_data\" \"r\" {{\nconnection {{\nhost = self.id\n{}\n}}\n\
         provisioner \"file\" {{\ncontent = \"text of ${{self.id == \"\"}}\"\ndestination = \"${{local.there}}/content\"\n}}\n\
         provisioner \"remote-exec\" {{\ninline = [\"echo inline; pwd\", \"false\", \"echo still\"]\n}}\n\
         provisioner \"remote-exec\" {{\nscripts = [\"s.sh\", \"s.sh\"]\n}}\n\
         provisioner \"remote-exec\" {{\ninline = [\"exit 3\"]\non_failure = continue\n}}\n\
         provisioner \"remote-exec\" {{\ninline = [\"#!/bin/sh -e\", \"echo $0; false\", \"echo never\"]\n\
         connection {{ script_path = \"${{local.there}}/it.sh\" }}\n}}\n}}\n",
        connection(sshd).replace("host = \"127.0.0.1\"\n", "").replace("host = self.id", "")
    )
    .replace("connection {\nhost = self.id\n", "connection {\nhost = self.id == \"\" ? \"\" : \"127.0.0.1\"\n");
    std::fs::write(folder.join("main.tf"), text).unwrap();
    if peer.installs {
        peer.run(folder, &["init"]);
    }
    let output = peer.run(folder, &["apply", "-auto-approve", "-no-color"]);
    let (out, err) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(output.status.code() == Some(1) && err.matches("Error: ").count() == 1, "{out}{err}");
    // What the connection looks like differs: our host keys are always checked.
    let told = out.lines().filter(|line| line.starts_with("terraform_data.r") && !line.contains("(remote-exec):   "));
    let told = told
        .filter(|line| !line.to_lowercase().contains("creat"))
        .map(|line| line.replace(folder.to_str().unwrap(), "HERE"));
    let mut told: Vec<String> = told.collect();
    told.extend(err.lines().filter(|line| line.contains("Process exited")).map(|_| "failed".to_owned()));
    let mut found = tree(&there, "");
    // The script that failed stays there under terraform; we take it away.
    found.retain(|line| !line.contains("it.sh"));
    (told, found)
}

#[test]
fn files_and_scripts_arrive_as_under_terraform() {
    let Some(sshd) = Sshd::start() else { return };
    let (told, found) = play(&Peer::infra(), &sshd);
    assert!(told.contains(&"terraform_data.r (remote-exec): to standard error".to_owned()), "{told:?}");
    assert!(told.contains(&"terraform_data.r (remote-exec): HERE/there/it.sh".to_owned()), "{told:?}");
    assert!(!told.iter().any(|line| line.contains("never")), "{told:?}");
    assert!(found.contains(&r#"folder/sub/b 644 "b\n""#.to_owned()), "{found:#?}");
    assert!(found.iter().any(|line| line.starts_with("over 600 \"echo")), "{found:#?}");
    if Command::new("terraform").arg("version").output().is_err() {
        eprintln!("skipped: no terraform to compare with");
        return;
    }
    let (told_there, found_there) = play(&Peer::terraform(), &sshd);
    assert_eq!(found, found_there);
    assert_eq!(told, told_there);
}

/// Runs `true` on the server, by a connection with these arguments; standard output and standard error.
fn reach(connection: &str) -> (i32, String) {
    let text = format!(
        "resource \"terraform_data\" \"a\" {{\nconnection {{\ntype = \"ssh\"\n{connection}\n}}\n\
         provisioner \"remote-exec\" {{ inline = [\"echo reached\"] }}\n}}\n"
    );
    let answer = Program::with(&[("main.tf", &text)]).call(&["apply", "-auto-approve", "-no-color"]);
    (answer.code, answer.out + &answer.err)
}

#[test]
fn the_way_may_lead_through_a_bastion() {
    let (Some(outer), Some(inner)) = (Sshd::start(), Sshd::start()) else { return };
    let bastion = format!(
        "bastion_host = \"127.0.0.1\"\nbastion_port = {}\nbastion_private_key = file({:?})\nbastion_host_key = file({:?})\n",
        outer.port,
        outer.path("user_ecdsa"),
        outer.path("host_ed25519.pub")
    );
    let (code, said) = reach(&(connection(&inner) + &bastion));
    assert!(code == 0 && said.contains("(remote-exec): reached"), "{said}");
    assert!(said.contains("Using configured bastion host..."), "{said}");
    assert!(outer.logins() > 0 && inner.logins() > 0);
    // A place that the bastion cannot reach, and a bastion whose key is another one.
    let short = |text: String| text.replace("timeout = \"20s\"", "timeout = \"1s\"");
    let (code, said) = reach(&short(connection(&inner).replace(&inner.port.to_string(), "1") + &bastion));
    assert!(code == 1 && said.contains("cannot connect to 127.0.0.1:1"), "{said}");
    let stranger =
        bastion.replace(outer.path("host_ed25519.pub").to_str().unwrap(), inner.path("user.pub").to_str().unwrap());
    let (code, said) = reach(&(connection(&inner) + &stranger));
    assert!(code == 1 && said.contains("Host key"), "{said}");
}

#[test]
fn a_host_is_believed_by_its_key_only() {
    let Some(sshd) = Sshd::start() else { return };
    let known = format!("host_key = file({:?})\n", sshd.path("host_rsa.pub"));
    let (code, said) = reach(&connection(&sshd).replace(&known, ""));
    assert!(code == 1 && said.contains("Host key unknown") && said.contains("ssh-keyscan"), "{said}");
    let other = format!("host_key = file({:?})\n", sshd.path("stranger.pub"));
    let (code, said) = reach(&connection(&sshd).replace(&known, &other));
    assert!(code == 1 && said.contains("Host key") && !said.contains("(remote-exec): reached"), "{said}");
}

#[test]
fn logins_that_fail_are_tried_again_until_time_is_over() {
    let Some(sshd) = Sshd::start() else { return };
    let stranger = connection(&sshd).replace("user\")\nhost_key", "stranger\")\nhost_key");
    let (code, said) = reach(&stranger.replace("timeout = \"20s\"", "timeout = \"2s\""));
    assert!(code == 1 && said.contains("timeout - last error: SSH login refused"), "{said}");
    assert!(said.matches("Connecting to remote host via SSH...").count() > 1, "{said}");
    // With a certificate the very same key is let in.
    let certificate = sshd.certificate("stranger");
    let (code, said) = reach(&format!("{stranger}certificate = {:?}\n", certificate.trim()));
    assert!(code == 0 && said.contains("Certificate: true"), "{said}");
}

#[test]
fn no_machine_is_touched_from_a_sandbox() {
    let program = Program::with(&[
        (
            "infra.hcl",
            "project { name = \"p\" }\nenvironment \"dev\" {\n  sandbox = true\n}\nlayer \"one\" { source = \"one\" }",
        ),
        (
            "one/main.tf",
            "resource \"null_resource\" \"a\" {\n connection { host = \"127.0.0.1\" }\n \
             provisioner \"remote-exec\" { inline = [\"true\"] }\n}",
        ),
    ]);
    let answer = program.call(&["apply", "-auto-approve", "-env", "dev"]);
    assert_eq!(answer.code, 1);
    assert!(answer.err.contains("Nothing outside of this machine is touched in a sandbox"), "{}", answer.err);
}

#[test]
fn a_bare_machine_is_provisioned_and_known_by_the_users_known_hosts() {
    let Some(host) = crate::lab::host::host() else { return };
    let text = format!(
        r#"
        resource "terraform_data" "machine" {{
          input = "{address}"
          connection {{
            host        = self.output
            private_key = file({key:?})
          }}
          provisioner "file" {{
            source      = "site"
            destination = "/srv"
          }}
          provisioner "remote-exec" {{
            inline = ["systemctl is-system-running --wait || true", "cat /srv/site/*/page", "hostname > /srv/name"]
          }}
          provisioner "remote-exec" {{
            when   = destroy
            inline = ["rm -r /srv/site", "echo left: $(ls /srv)"]
          }}
        }}
        "#,
        address = host.address,
        key = host.private_key,
    );
    let program = Program::with(&[("main.tf", &text), ("site/a/page", "one\n"), ("site/b/page", "two\n")]);
    let answer = program.call(&["apply", "-auto-approve"]);
    assert!(answer.code == 1 && answer.err.contains("Host key unknown"), "{}", answer.err);
    program.write(".ssh/known_hosts", &std::fs::read_to_string(&host.known_hosts).unwrap());
    let out = program.ok(&["apply", "-auto-approve"]);
    assert!(out.contains("(remote-exec): one\nterraform_data.machine (remote-exec): two\n"), "{out}");
    let out = program.ok(&["destroy", "-auto-approve"]);
    assert!(out.contains("(remote-exec): left: name\n"), "{out}");
}
