//! Git repositories, by the `git` program.

use std::path::Path;
use std::time::Duration;

use crate::client::Secret;
use crate::client::process::{Run, run};

use super::error::FetchError;
use super::query::Address;

/// The transports that git may use. Others, `ext::` above all, run whatever the address says.
const TRANSPORTS: &str = "file:git:http:https:ssh";
/// The same for submodules of a repository that is not on this machine: its author has no business with files here.
const REMOTE_TRANSPORTS: &str = "git:http:https:ssh";

const LIMIT: Duration = Duration::from_secs(15 * 60);

/// Clones into `to`, which does not exist yet, and checks out what `?ref=` names.
pub async fn clone(url: &str, to: &Path) -> Result<(), FetchError> {
    let address = Address::take(url, &["ref", "depth", "sshkey"]);
    if address.argument("sshkey").is_some() {
        let detail = "\"sshkey\" in an address is not supported: a key in configuration is read by everybody. Let ssh find the \
                      key, by ~/.ssh/config or GIT_SSH_COMMAND";
        return Err(FetchError::Argument(detail.to_owned()));
    }
    let reference = address.argument("ref");
    let host = address.url.split_once("://").map_or(address.url.as_str(), |(_, rest)| rest);
    // A program that gets such a word as an argument takes it for an option.
    for (what, word) in [("address", Some(address.url.as_str())), ("host", Some(host)), ("ref", reference)] {
        if word.is_some_and(|word| word.starts_with('-')) {
            return Err(FetchError::Argument(format!("the {what} must not begin with a dash")));
        }
    }
    let depth = match address.argument("depth") {
        Some(text) => match text.parse::<u32>() {
            Ok(depth) if depth > 0 => Some(format!("--depth={depth}")),
            _ => return Err(FetchError::Argument(format!("{text:?} is no depth: it is a number above zero"))),
        },
        None => None,
    };
    let place = to.as_os_str().to_owned();
    let mut argv: Vec<std::ffi::OsString> = vec!["clone".into(), "--quiet".into()];
    if let Some(depth) = &depth {
        argv.push(depth.into());
        // A shallow copy holds one branch or tag only, so that it is chosen now.
        argv.extend(reference.map(|reference| format!("--branch={reference}").into()));
    }
    argv.extend(["--".into(), address.url.clone().into(), place.clone()]);
    git("clone", argv, TRANSPORTS).await?;
    if let (Some(reference), None) = (reference, depth) {
        git("checkout", in_place(&place, &["checkout", "--quiet", reference, "--"]), TRANSPORTS).await?;
    }
    let transports = if address.url.starts_with("file://") { TRANSPORTS } else { REMOTE_TRANSPORTS };
    if to.join(".gitmodules").is_file() {
        let update = in_place(&place, &["submodule", "--quiet", "update", "--init", "--recursive"]);
        git("submodule update", update, transports).await?;
    }
    Ok(())
}

fn in_place(place: &std::ffi::OsStr, arguments: &[&str]) -> Vec<std::ffi::OsString> {
    let mut argv = vec!["-C".into(), place.to_owned()];
    argv.extend(arguments.iter().map(Into::into));
    argv
}

async fn git(what: &'static str, arguments: Vec<std::ffi::OsString>, transports: &str) -> Result<(), FetchError> {
    // Hooks that a template folder puts into every new repository have no part in this.
    let mut argv: Vec<std::ffi::OsString> = ["git", "-c", "core.hooksPath=/dev/null"].map(Into::into).into();
    argv.extend(arguments);
    let own = |name: &str, value: &str| (name.to_owned(), Secret::new(value.to_owned()));
    let env = vec![own("GIT_ALLOW_PROTOCOL", transports), own("GIT_TERMINAL_PROMPT", "0")];
    // A repository that the caller works in is none of ours.
    let env_remove = ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"].map(str::to_owned).to_vec();
    let output = run(Run { timeout: Some(LIMIT), env, env_remove, ..Run::new(argv) }, &|_, _| {}).await?;
    if output.succeeded() {
        return Ok(());
    }
    Err(FetchError::Git { what, code: output.code, said: output.tail(5) })
}
