//! The arguments of `k3s_server`, and what a change of each means.

use crate::client::ssh::attributes;
use crate::diag::Diagnostics;
use crate::provider::{PlanRequest, Planned, plan_by_schema};
use crate::schema::{Attribute, Block, Schema};
use crate::text::duration;
use crate::value::{Type, Value};

use super::{text, with};

/// Where the install script comes from unless the configuration says otherwise.
pub(super) const SCRIPT: &str = "https://get.k3s.io";
const CHANNEL: &str = "stable";

/// A change of any of these runs the install script again, which upgrades and restarts the service.
const INSTALLS: [&str; 6] = ["version", "channel", "server_args", "tls_san", "api_endpoint", "environment"];
/// A change of any of these gives another kubeconfig without touching the host.
const REWRITES: [&str; 1] = ["cluster_name"];

pub(super) fn server() -> Schema {
    let text = || Attribute::optional(Type::String);
    let texts = || Attribute::optional(Type::list(Type::String));
    let mut all = attributes();
    for (name, attribute) in &mut all {
        // On another host it is another cluster.
        attribute.replace = *name == "host";
    }
    all.extend([
        ("version", text()),
        ("channel", Attribute::optional_computed(Type::String)),
        ("install_script", Attribute::optional_computed(Type::String)),
        ("server_args", texts()),
        ("tls_san", texts()),
        ("api_endpoint", text()),
        ("cluster_name", text()),
        ("cluster_token", text().sensitive().replace()),
        ("environment", Attribute::optional(Type::map(Type::String)).sensitive()),
        ("timeout", text()),
        ("kubeconfig", Attribute::computed(Type::String).sensitive()),
        ("node_token", Attribute::computed(Type::String).sensitive()),
        ("installed_version", Attribute::computed(Type::String)),
        ("running", Attribute::computed(Type::Bool)),
        ("id", Attribute::computed(Type::String)),
    ]);
    Schema::new(Block::new(all))
}

pub(super) fn validate(config: &Value) -> Diagnostics {
    let mut said = Diagnostics::none();
    if let Some(text) = text(config, "timeout").filter(|text| duration::parse(text).is_none_or(|limit| limit.is_zero()))
    {
        said.error("Invalid duration", format!("timeout is {text:?}; a duration is written like \"90s\" or \"10m\"."));
    }
    if let Some(text) = text(config, "version").filter(|text| !text.starts_with('v')) {
        let detail = format!(
            "version is {text:?}; a version of k3s is written like \"v1.34.4+k3s1\". For the newest one set channel instead."
        );
        said.error("Invalid version of k3s", detail);
    }
    said
}

/// An object of which only the host is known.
pub(super) fn empty(block: &Block, host: &str) -> Value {
    let empty = Value::object(
        block.attributes.iter().map(|(name, attribute)| (name.clone(), Value::Null(attribute.ty.clone()))),
    );
    with(&empty, [("host", host.into()), ("channel", CHANNEL.into()), ("install_script", SCRIPT.into())])
}

pub(super) fn plan(block: &Block, request: PlanRequest) -> Planned {
    let prior = request.prior.clone();
    let default = |name: &str, value: &str| match request.proposed.get(name) {
        Some(given) if !given.is_null() => given.clone(),
        _ => Value::from(value),
    };
    // An argument that is taken out of the configuration is back at its default, not at its former value.
    let configured = |name: &str| request.config.get(name).is_some_and(|value| !value.is_null());
    let channel = if configured("channel") { default("channel", CHANNEL) } else { CHANNEL.into() };
    let script = if configured("install_script") { default("install_script", SCRIPT) } else { SCRIPT.into() };
    let proposed = with(&request.proposed, [("channel", channel), ("install_script", script)]);
    let mut planned = plan_by_schema(block, &PlanRequest { proposed, ..request });
    if prior.is_null() {
        return planned;
    }
    if installs(&prior, &planned.value) {
        let version = match text(&planned.value, "version") {
            Some(version) => version.into(),
            None => Value::unknown(Type::String),
        };
        planned.value = with(
            &planned.value,
            [("installed_version", version), ("running", true.into()), ("kubeconfig", Value::unknown(Type::String))],
        );
    } else if REWRITES.iter().any(|name| planned.value.get(name) != prior.get(name)) {
        planned.value = with(&planned.value, [("kubeconfig", Value::unknown(Type::String))]);
    }
    planned
}

/// Whether the install script has to run (again) to come from one object to the other.
pub(super) fn installs(prior: &Value, planned: &Value) -> bool {
    let wanted = text(planned, "version");
    INSTALLS.iter().any(|name| planned.get(name) != prior.get(name))
        || prior.get("running").and_then(Value::as_bool) == Some(false)
        || wanted.is_some_and(|wanted| text(prior, "installed_version") != Some(wanted))
}
