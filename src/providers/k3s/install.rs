//! Installing, upgrading and removing k3s by its own scripts.

use std::time::Duration;

use tokio::time::Instant;

use crate::client::http::{Client, HttpError, Question};
use crate::client::retry::Retry;
use crate::client::ssh::{Exec, Host, SshError, quote};
use crate::client::tls::Trust;
use crate::client::{Secret, reason};
use crate::diag::{Diagnostic, Diagnostics};
use crate::event::Stop;
use crate::provider::{Applied, ApplyRequest, Now, Progress, Recovered};
use crate::text::duration;
use crate::value::Value;

use super::host::{Found, NOTE, look, run, sudo_advice};
use super::kubeconfig::host_of;
use super::schema::{SCRIPT, installs};
use super::{text, words};

/// Time for installing and coming up together, unless the configuration says otherwise.
const TIMEOUT: Duration = Duration::from_secs(600);
/// How long a host that does not answer yet is waited for: a new one may still be booting.
const BOOT: Duration = Duration::from_secs(120);
/// The pause between two looks at a server that comes up.
const PAUSE: Duration = Duration::from_secs(1);

/// Installs k3s and waits until its API is ready.
pub(super) async fn create(host: &Host, request: &ApplyRequest, progress: &dyn Progress) -> Applied {
    if let Err(said) = reach(host, progress).await {
        return Applied::failed(said);
    }
    let found = match look(host).await {
        Ok(found) => found,
        Err(said) => return Applied::failed(said),
    };
    if found.installed() && !found.note.as_deref().is_some_and(|note| note.starts_with("installing ")) {
        return Applied::failed(taken(host, &found));
    }
    install(host, &request.planned, Some(&request.nonce), progress).await
}

/// Runs the install script again where that is needed, else only describes.
pub(super) async fn update(host: &Host, request: &ApplyRequest, progress: &dyn Progress) -> Applied {
    if installs(&request.prior, &request.planned) {
        return install(host, &request.planned, None, progress).await;
    }
    match look(host).await {
        Ok(found) => Applied::is(found.describe(host, &request.planned)),
        Err(said) => Applied::failed(said),
    }
}

/// Runs k3s's uninstall script.
pub(super) async fn remove(host: &Host, progress: &dyn Progress) -> Applied {
    let found = match look(host).await {
        Ok(found) => found,
        Err(said) => return Applied::failed(said),
    };
    if !found.installed() {
        return Applied::gone();
    }
    let place = host.client.target().place();
    if !found.uninstall {
        let detail = format!(
            "{place} has k3s, but no /usr/local/bin/k3s-uninstall.sh. Remove k3s there by hand, then apply again."
        );
        return Applied::failed(Diagnostic::error("k3s cannot be uninstalled", detail));
    }
    progress.waiting("uninstalling k3s");
    let exec = Exec::script("/usr/local/bin/k3s-uninstall.sh").sudo(host.sudo).timeout(TIMEOUT);
    let heard = |line: &str| progress.waiting(line);
    let said = match host.client.run_heard(exec, &heard).await {
        Err(error) => return cut_off(&error),
        Ok(output) => format!("exit code {}:\n{}", output.code, indented(&output.tail(10))),
    };
    // What counts is what is left, not how the script ended.
    match look(host).await {
        Ok(left) if !left.installed() => Applied::gone(),
        Ok(_) => {
            let detail = format!("k3s-uninstall.sh on {place} ended with {said}\nPart of k3s is still there.");
            Applied { now: Now::Unchanged, said: Diagnostic::error("k3s was not uninstalled", detail).into() }
        }
        Err(said) => Applied { now: Now::Unclear, said: said.into() },
    }
}

/// After a crash: the note on the host says whether the installation is the one of this call.
pub(super) async fn recover(host: &Host, nonce: &str, planned: &Value) -> Recovered {
    let found = match look(host).await {
        Ok(found) => found,
        Err(said) => return Recovered::CannotTell(said.detail),
    };
    let ours = |note: &str| note.split_once(' ').is_some_and(|(_, id)| id == nonce);
    match &found.note {
        _ if !found.installed() => Recovered::Absent,
        Some(note) if ours(note) && found.complete() => {
            Recovered::Found { value: found.describe(host, planned), private: Vec::new(), complete: true }
        }
        // Ours and half done: a new create goes on with it.
        Some(note) if ours(note) && note.starts_with("installing ") => Recovered::Absent,
        _ => {
            let address = host.client.target().address();
            Recovered::CannotTell(format!("there is k3s on {address}, and nothing proves that this run installed it"))
        }
    }
}

/// Connects; a host that does not answer yet is tried for a while.
async fn reach(host: &Host, progress: &dyn Progress) -> Result<(), Diagnostic> {
    let address = host.client.target().address();
    let begun = Instant::now();
    loop {
        progress.waiting(&format!("connecting to {address}"));
        match host.client.connect().await {
            Ok(()) => return Ok(()),
            Err(error) if error.is_transient() && begun.elapsed() < BOOT && !progress.stopped() => {
                progress.waiting(&error.to_string());
                Stop::pause(PAUSE).await;
            }
            Err(error) => return Err(error.diagnostic()),
        }
    }
}

fn taken(host: &Host, found: &Found) -> Diagnostic {
    let version = found.version.as_deref().unwrap_or("of unknown version");
    let whose = match &found.note {
        Some(_) => "It was installed by infra, for an object that this state does not have.",
        None => "It was not installed by infra.",
    };
    let address = host.client.target().address();
    Diagnostic::error(
        "k3s is installed on the host already",
        format!(
            "There is k3s {version} on {address}. {whose} Import it to manage it from here (the id is the host), or remove it with k3s-uninstall.sh."
        ),
    )
}

/// Runs the script, waits, describes. A new installation is noted on the host under its `id`.
async fn install(host: &Host, planned: &Value, id: Option<&str>, progress: &dyn Progress) -> Applied {
    let deadline = Instant::now() + text(planned, "timeout").and_then(duration::parse).unwrap_or(TIMEOUT);
    progress.waiting("fetching the install script");
    let script = match fetch(text(planned, "install_script").unwrap_or(SCRIPT)).await {
        Ok(script) => script,
        Err(said) => return Applied::failed(said),
    };
    if let Some(id) = id
        && let Err(applied) = note(host, "installing", id).await
    {
        return applied;
    }
    progress.waiting("running the install script");
    let exec = command(host, planned, script).timeout(deadline.saturating_duration_since(Instant::now()));
    let heard = |line: &str| progress.waiting(line);
    match host.client.run_heard(exec, &heard).await {
        Err(error) => return cut_off(&error),
        Ok(output) if !output.succeeded() => {
            let said =
                format!("the install script ended with exit code {}:\n{}", output.code, indented(&output.tail(15)));
            return failed(host, "k3s was not installed", &said);
        }
        Ok(_) => {}
    }
    if let Err(applied) = wait(host, deadline, progress).await {
        return applied;
    }
    if let Some(id) = id
        && let Err(applied) = note(host, "installed", id).await
    {
        return applied;
    }
    match look(host).await {
        Ok(found) => Applied::is(found.describe(host, planned)),
        Err(said) => Applied { now: Now::Unclear, said: said.into() },
    }
}

/// The text of the install script, from the web or from a file of this machine.
async fn fetch(place: &str) -> Result<Vec<u8>, Diagnostic> {
    if !place.contains("://") {
        return std::fs::read(place)
            .map_err(|error| Diagnostic::error("Install script cannot be read", format!("{place}: {error}.")));
    }
    let failed = |said: String| {
        let advice = "Check the address and this machine's way to it, or set install_script to a file.";
        Diagnostic::error("Install script cannot be fetched", format!("{place}: {said}. {advice}"))
    };
    let client = Client::new(&Trust::default(), true).map_err(|error| failed(reason(&error)))?;
    let retry = Retry { tries: 4, first_pause: Duration::from_secs(1), longest_pause: Duration::from_secs(5) };
    let answer =
        retry.run(HttpError::is_transient, || client.send(Question { limit: 4 << 20, ..Question::get(place) })).await;
    let answer = answer.map_err(|error| failed(reason(&error)))?;
    if answer.status != 200 {
        return Err(failed(format!("status {}", answer.status)));
    }
    Ok(answer.body.to_vec())
}

/// Runs the script from a file of its own: given by standard input, programs that it starts could read the rest of it.
fn command(host: &Host, planned: &Value, script: Vec<u8>) -> Exec {
    let mut arguments = vec!["server".to_owned()];
    let target = host.client.target();
    let endpoint = text(planned, "api_endpoint").map(host_of);
    let mut names: Vec<&str> = Vec::new();
    for name in [Some(target.host.as_str()), endpoint].into_iter().flatten().chain(words(planned, "tls_san")) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    arguments.extend(names.into_iter().map(|name| format!("--tls-san={name}")));
    arguments.extend(words(planned, "server_args").into_iter().map(str::to_owned));
    let arguments: Vec<String> = arguments.iter().map(|argument| quote(argument)).collect();
    let length = script.len();
    let line = format!(
        "set -eu\n\
         t=$(mktemp)\n\
         trap 'rm -f -- \"$t\"' EXIT\n\
         cat > \"$t\"\n\
         n=$(wc -c < \"$t\")\n\
         [ \"$n\" -eq {length} ] || {{ echo \"only $n of {length} bytes of the install script arrived\" >&2; exit 1; }}\n\
         sh \"$t\" {} < /dev/null\n",
        arguments.join(" ")
    );
    let mut exec = Exec::script(line).stdin(script).sudo(host.sudo);
    match text(planned, "version") {
        Some(version) => exec = exec.env("INSTALL_K3S_VERSION", Secret::new(version)),
        None => exec = exec.env("INSTALL_K3S_CHANNEL", Secret::new(text(planned, "channel").unwrap_or("stable"))),
    }
    if let Some(token) = text(planned, "cluster_token") {
        exec = exec.env("K3S_TOKEN", Secret::new(token));
    }
    for (name, value) in planned.get("environment").and_then(Value::as_entries).into_iter().flatten() {
        exec = exec.env(name.as_str(), Secret::new(value.as_str().unwrap_or_default()));
    }
    exec
}

/// Waits until the API server says that it is ready.
async fn wait(host: &Host, deadline: Instant, progress: &dyn Progress) -> Result<(), Applied> {
    const READY: &str = "PATH=$PATH:/usr/local/bin\n[ -s /etc/rancher/k3s/k3s.yaml ] && k3s kubectl get --raw /readyz";
    loop {
        let stopped = || SshError::Stopped { place: host.client.target().place() };
        let asked = tokio::select! {
            asked = run(host, Exec::script(READY).timeout(Duration::from_secs(30))) => asked,
            () = Stop::here() => Err(stopped()),
        };
        let said = match asked {
            Ok(output) if output.succeeded() && output.text().trim() == "ok" => return Ok(()),
            Ok(output) => output.tail(1),
            Err(error @ SshError::Stopped { .. }) => return Err(cut_off(&error)),
            Err(error) => error.to_string(),
        };
        if progress.stopped() {
            return Err(cut_off(&stopped()));
        }
        if Instant::now() >= deadline {
            let log = run(host, Exec::script("journalctl -u k3s -n 15 --no-pager -o cat 2>/dev/null")).await;
            let log = log.map(|output| indented(&output.text())).unwrap_or_default();
            let said =
                format!("its API server did not become ready in time: {said}\nThe service's log ends with:\n{log}");
            return Err(failed(host, "k3s did not come up", &said));
        }
        progress.waiting(&match said.trim() {
            "" => "waiting for the API server".to_owned(),
            said => format!("waiting for the API server: {said}"),
        });
        Stop::pause(PAUSE).await;
    }
}

/// Writes down on the host whose installation it is and how far.
async fn note(host: &Host, state: &str, id: &str) -> Result<(), Applied> {
    let script = format!(
        "set -eu\numask 077\nmkdir -p /etc/rancher/k3s\nprintf '%s\\n' {} > {NOTE}.new\nsync {NOTE}.new 2>/dev/null || sync\nmv -f {NOTE}.new {NOTE}",
        quote(&format!("{state} {id}"))
    );
    match run(host, Exec::script(script)).await {
        Ok(output) if output.succeeded() => Ok(()),
        Ok(output) => {
            let detail = format!("On {}: {}.{}", host.client.target().place(), output.tail(3), sudo_advice(host));
            Err(Applied::failed(Diagnostic::error("Root's work is refused", detail)))
        }
        Err(error) => Err(cut_off(&error)),
    }
}

/// The installation failed while we were there to see it; it can be gone on with.
fn failed(host: &Host, summary: &str, said: &str) -> Applied {
    let place = host.client.target().place();
    let advice = "What was installed so far stays on the host; the next apply goes on from there, and k3s-uninstall.sh removes it.";
    Applied::failed(Diagnostics::from(Diagnostic::error(summary, format!("On {place}, {said}\n{advice}"))))
}

/// The connection ended before the work did.
fn cut_off(error: &SshError) -> Applied {
    let now = if error.may_have_acted() { Now::Unclear } else { Now::Unchanged };
    Applied { now, said: error.diagnostic().into() }
}

fn indented(text: &str) -> String {
    text.trim_end().lines().map(|line| format!("  | {line}")).collect::<Vec<_>>().join("\n")
}
