//! Commands one after the other in a folder, with drift in between, beside the real `terraform` (and, for what only OpenTofu has,
//! `tofu`): exit codes, everything printed that is not prose, and how errors are called.
//!
//! `commands/NAME.txt` is a case: `--- file PATH` begins a file, `--- remove PATH` removes one, `--- set ADDRESS ATTRIBUTE VALUE` changes
//! what the local state has of an object (which is how the world drifts under a provider that compares the two), `--- run ARGUMENTS` runs a
//! command, `--- serve PATH` writes the kubeconfig of a cluster (the sandbox; a real API server when terraform is asked).
//! `commands/NAME.json` holds what terraform answered to each. Those in `opentofu/commands` are answered by tofu. `just conformance`
//! records anew; the real program finds the providers time and kubernetes, built from source, in the mirror folder that
//! INFRA_PROVIDER_MIRROR names, and in place of null a stand-in with the schema of its null_resource.

use std::path::{Path, PathBuf};

use infra::sandbox::{Sandbox, Server, Timing, serve};
use regex::Regex;
use serde_json::{Value as Json, json};

use super::corpus::{at_once, texts};
use super::known::commands::KNOWN;
use super::peer::{Peer, without_ids};
use super::spoken::{document, spoken, summaries};

#[test]
fn commands_answer_as_under_terraform() {
    let mut failed = Vec::new();
    let steps = compare("commands", &mut failed) + compare("opentofu/commands", &mut failed);
    assert!(
        failed.is_empty(),
        "{} of {steps} differ (- the real program, + infra):\n{}",
        failed.len(),
        failed.join("\n")
    );
    assert!(steps >= 450 || std::env::var_os("INFRA_CORPUS").is_some(), "{steps} steps");
}

/// Says what differs in the cases of a folder; how many steps there were.
fn compare(folder: &str, failed: &mut Vec<String>) -> usize {
    let mut steps = 0;
    let paths = texts(folder);
    let name = |path: &PathBuf| path.file_stem().unwrap().to_string_lossy().into_owned();
    let named: Vec<(String, PathBuf)> = paths.into_iter().map(|path| (name(&path), path)).collect();
    let mut answers = at_once(&named, |case| &case.0, |case| play(&case.1, &Peer::infra()).into());
    for (name, path) in named {
        let recorded = std::fs::read_to_string(path.with_extension("json")).unwrap_or_else(|_| "[]".to_owned());
        let expect: Vec<Json> = serde_json::from_str(&recorded).unwrap();
        let got: Vec<Json> = serde_json::from_value(answers.remove(&name).unwrap()).unwrap();
        assert_eq!(got.len(), expect.len(), "{name}: record it with `just conformance`");
        steps += got.len();
        for (step, (got, expect)) in got.iter().zip(&expect).enumerate() {
            let known = KNOWN.iter().any(|known| (known.0, known.1) == (name.as_str(), step + 1));
            match (got == expect, known) {
                (false, false) => {
                    failed.push(format!("=== {name}, step {}: {}{}", step + 1, got["run"], differences(expect, got)));
                }
                (true, true) => failed.push(format!("{name}, step {}: no difference any more", step + 1)),
                (true, false) | (false, true) => {}
            }
        }
    }
    steps
}

/// What differs, line by line.
fn differences(expect: &Json, got: &Json) -> String {
    let text = |answer: &Json| serde_json::to_string_pretty(answer).unwrap() + "\n";
    let diff = similar::TextDiff::from_lines(&text(expect), &text(got)).unified_diff().context_radius(2).to_string();
    format!("\n{diff}")
}

#[test]
#[ignore = "records the answers of terraform and tofu: just conformance"]
fn record_commands() {
    if std::env::var_os("INFRA_PROVIDER_MIRROR").is_none() {
        return println!("not recorded: INFRA_PROVIDER_MIRROR names no folder with the providers it needs");
    }
    record("commands", &Peer::terraform());
    match std::process::Command::new("tofu").arg("version").output() {
        Ok(_) => record("opentofu/commands", &Peer::tofu()),
        Err(_) => println!("tofu is not on the PATH: its answers stay as they are"),
    }
}

fn record(folder: &str, peer: &Peer) {
    let only = std::env::var("INFRA_CORPUS").unwrap_or_default();
    for path in texts(folder).into_iter().filter(|path| path.to_string_lossy().contains(&only)) {
        if std::fs::read_to_string(&path).unwrap().contains("\n--- serve ") && crate::lab::kube().is_none() {
            println!("not recorded, for want of an API server: {}", path.display());
            continue;
        }
        let text = serde_json::to_string_pretty(&play(&path, peer)).unwrap() + "\n";
        let file = path.with_extension("json");
        if !std::fs::read_to_string(&file).is_ok_and(|recorded| recorded == text) {
            println!("recorded {}", file.display());
            std::fs::write(file, text).unwrap();
        }
    }
}

/// The answers to every step of a case.
fn play(case: &Path, peer: &Peer) -> Vec<Json> {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path();
    let mirror = std::env::var("INFRA_PROVIDER_MIRROR").unwrap_or_default();
    let settings = format!("provider_installation {{\n  filesystem_mirror {{\n    path = {mirror:?}\n  }}\n}}\n");
    std::fs::write(folder.join("terraformrc"), if mirror.is_empty() { String::new() } else { settings }).unwrap();
    let text = format!("\n{}", std::fs::read_to_string(case).unwrap());
    let mut world = None;
    let (mut answers, mut prepared) = (Vec::new(), !peer.installs);
    for part in text.split("\n--- ").skip(1) {
        let (head, body) = part.split_once('\n').unwrap_or((part, ""));
        let (verb, rest) = head.split_once(' ').unwrap();
        match verb {
            "file" => {
                let path = folder.join(rest);
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(path, format!("{}\n", body.trim_end_matches('\n'))).unwrap();
                prepared &= !peer.installs;
            }
            "serve" => {
                let kubeconfig = match peer.installs {
                    // The sandbox does not speak what the real provider does.
                    true => crate::lab::kube().unwrap().kubeconfig.clone(),
                    false => world.get_or_insert_with(|| World::open(folder)).server.endpoint.kubeconfig(),
                };
                std::fs::write(folder.join(rest), kubeconfig).unwrap();
            }
            "remove" => std::fs::remove_file(folder.join(rest)).unwrap(),
            "set" => set(&folder.join("terraform.tfstate"), rest),
            "run" => {
                if !prepared {
                    peer.run(folder, &["init", "-input=false"]);
                    prepared = true;
                }
                answers.push(step(peer, folder, rest));
            }
            other => panic!("{}: {other:?}", case.display()),
        }
    }
    drop(world);
    answers
}

/// A Kubernetes API for a case: the sandbox, in this process.
struct World {
    server: Server,
    _sandbox: Sandbox,
    _runtime: tokio::runtime::Runtime,
}

impl World {
    fn open(folder: &Path) -> World {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let (sandbox, server) = runtime.block_on(async {
            let sandbox = Sandbox::open(&folder.join("world"), Timing::default()).await.unwrap();
            let server = serve(&sandbox, 0).await.unwrap();
            (sandbox, server)
        });
        World { server, _sandbox: sandbox, _runtime: runtime }
    }
}

/// `[MODULE.]TYPE.NAME[INDEX] ATTRIBUTE VALUE`: changes what state has; the index counts the instances of the resource.
fn set(state: &Path, words: &str) {
    let mut words = words.splitn(3, ' ');
    let (address, attribute, value) = (words.next().unwrap(), words.next().unwrap(), words.next().unwrap());
    let (address, index) = match address.strip_suffix(']').and_then(|address| address.rsplit_once('[')) {
        Some((address, index)) => (address, index.parse().unwrap()),
        None => (address, 0),
    };
    let mut parts = address.rsplitn(3, '.');
    let (name, kind, module) = (parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap_or_default());
    let mut document: Json = serde_json::from_slice(&std::fs::read(state).unwrap()).unwrap();
    let resources = document["resources"].as_array_mut().unwrap();
    let is_it = |one: &&mut Json| {
        one["type"] == kind && one["name"] == name && one["module"].as_str().unwrap_or_default() == module
    };
    let resource = resources.iter_mut().find(is_it).unwrap();
    resource["instances"][index]["attributes"][attribute] = serde_json::from_str(value).unwrap();
    std::fs::write(state, document.to_string()).unwrap();
}

/// Runs a command; words are separated by blanks, apostrophes hold them together.
fn step(peer: &Peer, folder: &Path, command: &str) -> Json {
    let word = Regex::new(r"'([^']*)'|(\S+)").unwrap();
    let words = word.captures_iter(command);
    let words: Vec<String> =
        words.map(|word| word.get(1).or_else(|| word.get(2)).map_or("", |found| found.as_str()).to_owned()).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let output = peer.run(folder, &words);
    let (out, err) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    let place = folder.to_string_lossy();
    let out = out.replace(&*place, "DIR");
    let answer = json!({
        "run": command,
        "code": output.status.code(),
        "out": document(&out).unwrap_or_else(|| spoken(words[0], &out).into()),
        "errors": summaries(&err.replace(&*place, "DIR")),
    });
    without_ids(&answer)
}
