//! Modules from elsewhere, beside the real `terraform`: what is installed where, what is planned with it, and how what is wrong is
//! called.
//!
//! `modules/cases.txt`: `=== NAME` begins a case, `@ NAME=VALUE` sets a variable of the environment; then comes main.tf, `--- PATH`
//! begins another file, and `> COMMAND` runs a command. DIR and WEB stand for a folder with repositories and archives, and for
//! a server of them. `modules/answers.json` is what terraform answered (1.11.4): `just conformance` records anew and compares.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use regex::Regex;
use serde_json::{Value as Json, json};
use sha2::Digest as _;

use super::known::modules::KNOWN;
use super::peer::Peer;

#[test]
fn modules_are_installed_as_under_terraform() {
    let recorded: BTreeMap<String, Vec<Json>> = serde_json::from_str(&fs::read_to_string(answers()).unwrap()).unwrap();
    let got = play_all(&Peer::infra());
    assert!(got.keys().eq(recorded.keys()), "record them with `just conformance`");
    let mut failed = Vec::new();
    for (name, got) in &got {
        for (at, (got, expect)) in got.iter().zip(&recorded[name]).enumerate() {
            let known = KNOWN.iter().any(|known| (known.0, known.1) == (name.as_str(), at + 1));
            match (got == expect, known) {
                (false, false) => failed.push(format!("{name}, {}\n  terraform: {expect}\n  infra:     {got}", at + 1)),
                (true, true) => failed.push(format!("{name}, {}: no difference any more", at + 1)),
                (true, false) | (false, true) => {}
            }
        }
    }
    assert!(failed.is_empty(), "{} differences:\n{}", failed.len(), failed.join("\n"));
}

#[test]
#[ignore = "records the answers of terraform: just conformance"]
fn record_modules() {
    let text = serde_json::to_string_pretty(&play_all(&Peer::terraform())).unwrap() + "\n";
    if !fs::read_to_string(answers()).is_ok_and(|recorded| recorded == text) {
        println!("recorded {}", answers().display());
        fs::write(answers(), text).unwrap();
    }
}

fn here() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance/modules")
}

fn answers() -> PathBuf {
    here().join("answers.json")
}

fn play_all(peer: &Peer) -> BTreeMap<String, Vec<Json>> {
    let world = World::new();
    let text = format!("\n{}", fs::read_to_string(here().join("cases.txt")).unwrap());
    let cases = text.split("\n=== ").skip(1).map(|case| {
        let (name, body) = case.split_once('\n').unwrap();
        (name.to_owned(), play(peer, &world, body))
    });
    cases.collect()
}

/// Plays a case; the answer to every command.
fn play(peer: &Peer, world: &World, body: &str) -> Vec<Json> {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path();
    fs::write(folder.join("terraformrc"), world.terraformrc()).unwrap();
    let mut env = vec![("INFRA_MODULE_MIRROR".to_owned(), world.path("mirror"))];
    let mut answers = Vec::new();
    let mut file = "main.tf".to_owned();
    let mut texts: BTreeMap<String, String> = BTreeMap::new();
    for line in body.lines() {
        match line.split_at_checked(2) {
            Some(("@ ", set)) => {
                env.extend(set.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned())))
            }
            Some(("> ", command)) => {
                for (path, text) in std::mem::take(&mut texts) {
                    fs::create_dir_all(folder.join(&path).parent().unwrap()).unwrap();
                    fs::write(folder.join(&path), world.filled(&text)).unwrap();
                }
                answers.extend(call(peer, world, folder, &env, command));
            }
            Some(("--", _)) => file = line[4..].to_owned(),
            _ => *texts.entry(file.clone()).or_default() += &format!("{line}\n"),
        }
    }
    answers
}

fn call(peer: &Peer, world: &World, folder: &Path, env: &[(String, String)], command: &str) -> Option<Json> {
    let words: Vec<&str> = command.split(' ').collect();
    if words[0] == "rm" {
        fs::remove_dir_all(folder.join(words[1])).unwrap();
        return None;
    }
    let mut arguments = [&words[..], &["-no-color"]].concat();
    if words[0] == "plan" {
        arguments.push("-out=p");
    }
    let output = peer.run_with(folder, &arguments, env);
    let errors = String::from_utf8(output.stderr).unwrap();
    let heading = Regex::new(r"(?m)^Error: (.*)\n(?:\n +on (\S+) line (\d+))?").unwrap();
    let place = |found: &regex::Captures<'_>| match found.get(2) {
        Some(file) => format!("{} ({}:{})", &found[1], file.as_str(), &found[3]),
        None => found[1].to_owned(),
    };
    let mut said: Vec<String> = heading.captures_iter(&errors).map(|found| place(&found)).collect();
    said.sort();
    said.dedup();
    let mut answer = json!({ "command": command, "code": output.status.code(), "errors": said });
    if words[0] == "plan" && said.is_empty() {
        let document = peer.run_with(folder, &["show", "-json", "p"], env);
        let document: Json = serde_json::from_slice(&document.stdout).unwrap();
        let changes = document["resource_changes"].as_array().into_iter().flatten();
        let changes = changes.map(|change| json!([change["address"], change["change"]["after"]["input"]]));
        answer["changes"] = changes.collect();
        answer["outputs"] = document["planned_values"]["outputs"].clone();
        let calls = document["configuration"]["root_module"]["module_calls"].as_object().into_iter().flatten();
        let calls = calls.map(|(name, call)| (name.clone(), json!([call["source"], call["version_constraint"]])));
        answer["calls"] = Json::Object(calls.collect());
    }
    if matches!(words[0], "init" | "get") && said.is_empty() {
        let data = env.iter().find(|(name, _)| name == "TF_DATA_DIR").map_or(".terraform", |(_, dir)| dir.as_str());
        let manifest = fs::read(folder.join(data).join("modules/modules.json")).unwrap_or_else(|_| b"null".to_vec());
        answer["modules"] = serde_json::from_slice(&manifest).unwrap();
    }
    Some(serde_json::from_str(&world.emptied(&answer.to_string())).unwrap())
}

/// Repositories, archives, and a server.
struct World {
    dir: tempfile::TempDir,
    port: u16,
    sum: String,
}

const MAIN: &str = "output \"said\" {\n  value = \"SAID\"\n}\n";

impl World {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        repository(&dir.path().join("repo"));
        let archives = Archives::new("here");
        let sum = sha2::Sha256::digest(&archives.zip).iter().map(|byte| format!("{byte:02x}")).collect();
        let thing = dir.path().join("mirror/registry.terraform.io/acme/thing/aws");
        fs::create_dir_all(&thing).unwrap();
        for version in ["1.0.0", "1.0.7", "1.2.0", "1.10.0", "2.0.0-beta"] {
            fs::write(thing.join(format!("{version}.tar.gz")), Archives::new(version).targz).unwrap();
        }
        let port = serve(archives, dir.path().to_owned());
        World { dir, port, sum }
    }

    fn path(&self, name: &str) -> String {
        self.dir.path().join(name).to_string_lossy().into_owned()
    }

    fn web(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Terraform asks the server in the stead of the public registry.
    fn terraformrc(&self) -> String {
        let services = format!("{{ \"modules.v1\" = \"http://{}/registry/\" }}", self.web());
        format!("host \"registry.terraform.io\" {{\n  services = {services}\n}}\n")
    }

    fn filled(&self, text: &str) -> String {
        text.replace("DIR", &self.path("")[..self.path("").len() - 1])
            .replace("WEB", &self.web())
            .replace("SUM", &self.sum)
    }

    fn emptied(&self, text: &str) -> String {
        text.replace(&self.path("")[..self.path("").len() - 1], "DIR")
            .replace(&self.web(), "WEB")
            .replace(&self.sum, "SUM")
    }
}

/// A module that calls another one of its package, with tags, a branch, and a folder that leads out.
fn repository(at: &Path) {
    let write = |path: &str, text: &str| {
        let path = at.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    let git = |arguments: &[&str]| {
        let identity = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "init.defaultBranch=main"];
        let mut command = Command::new("git");
        command.args(identity).args(arguments).current_dir(at).env("GIT_CONFIG_GLOBAL", "/dev/null");
        assert!(command.output().unwrap().status.success(), "git {arguments:?}");
    };
    let commit = |said: &str| {
        write(
            "main.tf",
            &format!(
                "{}\noutput \"path\" {{\n  value = path.module\n}}\n\nmodule \"sub\" {{\n  source = \"./modules/sub\"\n}}\n",
                MAIN.replace("SAID", said)
            ),
        );
        write("modules/sub/main.tf", &format!("resource \"terraform_data\" \"a\" {{\n  input = \"{said}\"\n}}\n"));
        git(&["add", "-A"]);
        git(&["commit", "-q", "-m", said]);
    };
    write("deep/main.tf", "module \"out\" {\n  source = \"../modules/sub\"\n}\n");
    write("escapes/main.tf", "module \"out\" {\n  source = \"../../elsewhere\"\n}\n");
    git(&["init", "-q"]);
    commit("one");
    git(&["tag", "v1.0.0"]);
    git(&["checkout", "-q", "-b", "side"]);
    commit("side");
    git(&["checkout", "-q", "main"]);
    commit("two");
    git(&["tag", "v2.0.0"]);
    commit("three");
}

/// One module, packed in two ways.
struct Archives {
    zip: Vec<u8>,
    targz: Vec<u8>,
}

impl Archives {
    fn new(said: &str) -> Self {
        let files = [
            ("main.tf", MAIN.replace("SAID", said)),
            ("inner/main.tf", MAIN.replace("SAID", &format!("{said}, inner"))),
        ];
        let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        let gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        let mut tar = tar::Builder::new(gzip);
        for (name, text) in &files {
            let stored = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
            zip.start_file(*name, stored).unwrap();
            zip.write_all(text.as_bytes()).unwrap();
            let mut header = tar::Header::new_gnu();
            header.set_size(text.len() as u64);
            header.set_mode(0o644);
            header.set_cksum();
            tar.append_data(&mut header, name, text.as_bytes()).unwrap();
        }
        Archives { zip: zip.finish().unwrap().into_inner(), targz: tar.into_inner().unwrap().finish().unwrap() }
    }
}

/// Serves archives, pages that lead to them, and the mirror by the protocol of registries, as long as this process runs.
fn serve(archives: Archives, dir: PathBuf) -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let archives = Arc::new(archives);
    let web = format!("http://127.0.0.1:{port}");
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let (archives, dir, web) = (archives.clone(), dir.clone(), web.clone());
            std::thread::spawn(move || {
                let mut request = Vec::new();
                let mut buffer = [0; 1024];
                while !request.windows(4).any(|end| end == b"\r\n\r\n") {
                    match stream.read(&mut buffer) {
                        Ok(count @ 1..) => request.extend_from_slice(&buffer[..count]),
                        _ => return,
                    }
                }
                let request = String::from_utf8_lossy(&request).into_owned();
                let mut words = request.split(' ');
                let (method, path) = (words.next().unwrap(), words.next().unwrap().split('?').next().unwrap());
                let (status, header, body) = answer(path, &archives, &dir, &web);
                let head = format!(
                    "HTTP/1.1 {status} X\r\n{header}content-length: {}\r\nconnection: close\r\n\r\n",
                    body.len()
                );
                stream.write_all(head.as_bytes()).ok();
                if method != "HEAD" {
                    stream.write_all(&body).ok();
                }
            });
        }
    });
    port
}

fn answer(path: &str, archives: &Archives, dir: &Path, web: &str) -> (u16, String, Vec<u8>) {
    let leads = |to: &str| (200, format!("X-Terraform-Get: {to}\r\n"), Vec::new());
    let found = |body: &[u8]| (200, String::new(), body.to_vec());
    if let Some(rest) = path.strip_prefix("/registry/") {
        let thing = dir.join("mirror/registry.terraform.io");
        if let Some(name) = rest.strip_suffix("/versions").filter(|name| thing.join(name).is_dir()) {
            let names =
                fs::read_dir(thing.join(name)).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
            let versions: Vec<Json> =
                names.map(|name| json!({ "version": name.trim_end_matches(".tar.gz") })).collect();
            let (status, _, body) = found(json!({ "modules": [{ "versions": versions }] }).to_string().as_bytes());
            return (status, "content-type: application/json\r\n".to_owned(), body);
        }
        return match rest.strip_suffix("/download") {
            Some(name) => (204, format!("X-Terraform-Get: /mirror/{name}.tar.gz\r\n"), Vec::new()),
            None => (404, String::new(), Vec::new()),
        };
    }
    if let Some(rest) = path.strip_prefix("/mirror/") {
        return found(&fs::read(dir.join("mirror/registry.terraform.io").join(rest)).unwrap());
    }
    match path {
        "/mod.zip" | "/blob" => found(&archives.zip),
        "/mod.tar.gz" | "/mod.tgz" => found(&archives.targz),
        "/header" => leads(&format!("{web}/mod.zip")),
        "/headerinner" => leads(&format!("{web}/mod.zip//inner")),
        "/meta" => {
            let page = format!(
                "<html><head><meta name=\"terraform-get\" content=\"git::file://{}/repo\"></head></html>",
                dir.display()
            );
            found(page.as_bytes())
        }
        "/silent" => found(b"<html></html>"),
        "/damaged.zip" => found(b"no archive"),
        _ => (404, String::new(), Vec::new()),
    }
}
