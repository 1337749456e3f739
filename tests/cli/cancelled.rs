//! Calls that hang: they may end after the first signal, are given up at the second, and a third that nobody can hear loses nothing.

use rustix::process::Signal;

use super::program::Program;
use super::running::Running;
use super::stop::{APPLY, goes_on, provisioned, soon, status};
use crate::ssh::sshd::{Sshd, user};

/// A folder with a command for another machine that goes on until the test ends, or is told to.
fn hanging(sshd: &Sshd) -> Program {
    let program = Program::with(&[]);
    rustix::fs::mkfifoat(rustix::fs::CWD, program.path("begun"), 0o600.into()).unwrap();
    let folder = program.path("");
    let text = format!(
        r#"
        provider "ssh" {{
          host        = "127.0.0.1"
          port        = {}
          user        = {:?}
          private_key = file({:?})
          host_key    = file({:?})
        }}
        resource "terraform_data" "first" {{}}
        resource "ssh_command" "hangs" {{
          create     = "cd {folder}; echo > begun; while [ -d {folder} ] && [ ! -e go ]; do sleep 0.1; done; echo went && touch {folder}/done"
          read       = "test -e {folder}/done"
          depends_on = [terraform_data.first]
        }}
        resource "terraform_data" "last" {{ input = ssh_command.hangs.id }}
        "#,
        sshd.port,
        user(),
        sshd.path("user"),
        sshd.path("host_ed25519.pub"),
        folder = folder.display(),
    );
    program.write("main.tf", &text);
    program
}

/// An apply whose command has begun.
fn begun(program: &Program, args: &[&str]) -> Running {
    let running = Running::start(program, args);
    // Opening the pipe waits for whoever writes.
    std::fs::read(program.path("begun")).unwrap();
    std::fs::remove_file(program.path("begun")).unwrap();
    running
}

#[test]
fn a_call_ends_after_the_first_signal_and_is_given_up_at_the_second() {
    let Some(sshd) = Sshd::start() else { return };
    for (first, second) in [(Signal::INT, Signal::INT), (Signal::INT, Signal::TERM), (Signal::TERM, Signal::TERM)] {
        let program = hanging(&sshd);
        let mut running = begun(&program, APPLY);
        running.signal(first).until("Stopping operation...").signal(second);
        let ended = soon(running);
        assert!(ended.out.contains("Two interrupts received."), "{ended:?}");
        assert_eq!(program.ok(&["state", "list"]), "terraform_data.first\n");
        assert!(!program.has(".terraform.tfstate.lock.info"));
        // Its read command proves that it was not made.
        program.write("go", "");
        goes_on(&program, "Resources: 2 added, 0 changed, 0 destroyed.");

        let program = hanging(&sshd);
        let mut running = begun(&program, APPLY);
        running.signal(first).until("Stopping operation...");
        program.write("go", "");
        let ended = soon(running);
        assert!(ended.out.contains("ssh_command.hangs: Creation complete"), "{ended:?}");
        assert!(ended.out.contains("Stopped as asked. Done so far and in state: 2 added"), "{ended:?}");
        goes_on(&program, "Resources: 1 added, 0 changed, 0 destroyed.");
    }
}

#[test]
fn machines_read_why_a_run_ends_whose_calls_have_ended_well() {
    let Some(sshd) = Sshd::start() else { return };
    let program = hanging(&sshd);
    let mut running = begun(&program, &["apply", "-auto-approve", "-json"]);
    running.signal(Signal::INT).until("Stopping operation...");
    program.write("go", "");
    let ended = soon(running);
    assert!(ended.out.contains("\"type\":\"apply_complete\""), "{ended:?}");
    assert!(ended.out.contains("Error: execution halted") && ended.out.contains("2 added"), "{ended:?}");
}

#[test]
fn a_cancelled_job_loses_nothing_and_leaves_no_lock() {
    // What waits has ended, and is durable, before anything of it is told: the two signals that follow find that done.
    let block = "provisioner \"local-exec\" { command = \"echo waiting; sleep 1000\" }";
    let program = Program::with(&[("main.tf", &provisioned(block))]);
    let mut running = Running::start(&program, &["apply", "-auto-approve", "-json"]);
    running.until("(local-exec): waiting").signal(Signal::INT).until("apply_errored").signal(Signal::TERM);
    soon(running);
    assert_eq!(status(&program, "terraform_data").as_deref(), Some("tainted"));
    program.write("main.tf", &provisioned(""));
    goes_on(&program, "Resources: 2 added, 0 changed, 1 destroyed.");

    // A call that hangs through all of it: given up at the second signal, and the third finds nothing that it could lose.
    let Some(sshd) = Sshd::start() else { return };
    let program = hanging(&sshd);
    let mut running = begun(&program, APPLY);
    running.signal(Signal::INT).until("Stopping operation...");
    running.signal(Signal::TERM).until("Two interrupts received.").signal(Signal::KILL);
    assert_eq!(running.end().code, None);
    assert_eq!(program.ok(&["state", "list"]), "terraform_data.first\n");
    program.write("go", "");
    let rest = program.ok(APPLY);
    assert!(rest.contains("Resources: 2 added, 0 changed, 0 destroyed."), "{rest}");
}
