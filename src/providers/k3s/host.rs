//! What there is of k3s on a host.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::client::ssh::{Exec, ExecOutput, Host, SshError};
use crate::diag::Diagnostic;
use crate::value::Value;

use super::{kubeconfig, text, with};

/// Beside k3s's own configuration, so that its uninstall script takes it along: `installing ID` or `installed ID`.
pub(super) const NOTE: &str = "/etc/rancher/k3s/infra";

/// One line a fact; contents in base64, so that a line is a line.
const LOOK: &str = r#"
PATH=$PATH:/usr/local/bin
[ -e /usr/local/bin/k3s ] && echo binary=yes
[ -e /usr/local/bin/k3s-uninstall.sh ] && echo uninstall=yes
[ -e /etc/systemd/system/k3s.service ] || [ -e /etc/init.d/k3s ] && echo service=yes
if command -v systemctl >/dev/null 2>&1; then
  systemctl is-active --quiet k3s && echo active=yes
elif command -v rc-service >/dev/null 2>&1; then
  rc-service k3s status >/dev/null 2>&1 && echo active=yes
fi
version=$(k3s --version 2>/dev/null | sed -n '1s/^k3s version \([^ ]*\).*/\1/p')
[ -n "$version" ] && echo "version=$version"
show() { [ -r "$2" ] && echo "$1=$(base64 < "$2" | tr -d '\n')"; }
show kubeconfig /etc/rancher/k3s/k3s.yaml
show token /var/lib/rancher/k3s/server/node-token
show note /etc/rancher/k3s/infra
echo end=yes
"#;

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) binary: bool,
    pub(super) uninstall: bool,
    pub(super) service: bool,
    pub(super) active: bool,
    pub(super) version: Option<String>,
    kubeconfig: Option<String>,
    token: Option<String>,
    /// See [`NOTE`].
    pub(super) note: Option<String>,
}

/// Looks.
pub(super) async fn look(host: &Host) -> Result<Found, Diagnostic> {
    let output = run(host, Exec::script(LOOK)).await.map_err(|error| error.diagnostic())?;
    let text = output.text();
    let mut found = Found::default();
    let mut whole = false;
    for (name, value) in text.lines().filter_map(|line| line.split_once('=')) {
        let content = || STANDARD.decode(value).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        match name {
            "binary" => found.binary = true,
            "uninstall" => found.uninstall = true,
            "service" => found.service = true,
            "active" => found.active = true,
            "version" => found.version = Some(value.to_owned()),
            "kubeconfig" => found.kubeconfig = content(),
            "token" => found.token = content().map(|token| token.trim().to_owned()),
            "note" => found.note = content().map(|note| note.trim().to_owned()),
            "end" => whole = true,
            _ => {}
        }
    }
    if whole {
        return Ok(found);
    }
    // Nothing found must never be taken for nothing there: sudo may have refused, the host may have no shell we know.
    let detail = format!(
        "{} did not answer as expected (exit code {}): {}",
        host.client.target().place(),
        output.code,
        output.tail(3)
    );
    Err(Diagnostic::error(
        "Cannot look for k3s on the host",
        format!("{}.{}", detail.trim_end_matches('.'), sudo_advice(host)),
    ))
}

impl Found {
    /// Whether there is anything of k3s.
    pub(super) fn installed(&self) -> bool {
        self.binary || self.service || self.kubeconfig.is_some()
    }

    /// Whether it serves.
    pub(super) fn complete(&self) -> bool {
        self.binary && self.active && self.kubeconfig.is_some()
    }

    /// The object with what was found.
    pub(super) fn describe(&self, host: &Host, object: &Value) -> Value {
        let target = host.client.target();
        let endpoint = text(object, "api_endpoint").unwrap_or(&target.host);
        let string = |text: Option<String>| text.map_or(Value::Null(crate::value::Type::String), Value::from);
        let config =
            self.kubeconfig.as_ref().map(|config| kubeconfig::rewrite(config, endpoint, text(object, "cluster_name")));
        let id = text(object, "id").unwrap_or(&target.host).to_owned();
        with(
            object,
            [
                ("kubeconfig", string(config)),
                ("node_token", string(self.token.clone())),
                ("installed_version", string(self.version.clone())),
                ("running", self.active.into()),
                ("id", id.into()),
            ],
        )
    }
}

/// Runs a command as root.
pub(super) async fn run(host: &Host, exec: Exec) -> Result<ExecOutput, SshError> {
    host.client.run(exec.sudo(host.sudo)).await
}

/// What to do when root's work is refused.
pub(super) fn sudo_advice(host: &Host) -> String {
    if host.sudo {
        let user = &host.client.target().user;
        format!(" Root's work is done through \"sudo -n\": {user} must be allowed to use sudo without a password.")
    } else {
        String::new()
    }
}
