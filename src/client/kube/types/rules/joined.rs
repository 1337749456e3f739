//! Rules that join several fields: workloads, and objects that hold data.

use serde_json::json;

use super::super::{Json, quantity};
use super::{FieldErrors, formats, is_set, items, join, limits, network, pods, text};

/// Checks the value at a path.
pub type Joined = fn(&Json, &str, &mut FieldErrors);

/// A function by its name in the table.
pub fn find(name: &str) -> Option<Joined> {
    let functions: &[(&str, Joined)] = &[
        ("strategy", strategy),
        ("daemons", daemons),
        ("job", job),
        ("secret", secret),
        ("config_map", config_map),
        ("claim", claim),
        ("volume", volume),
        ("priority", priority),
        ("definition", definition),
        ("limits", limits::limits),
        ("quota", limits::quota),
        ("scaler", limits::scaler),
        ("metric", limits::metric),
        ("budget", limits::budget),
        ("service", network::service),
        ("backend", network::backend),
        ("peer", network::peer),
        ("policy_port", network::policy_port),
        ("rule", network::rule),
        ("subject", network::subject),
        ("cluster_subject", network::cluster_subject),
        ("pod", pods::pod),
        ("pod_volume", pods::volume),
        ("container", pods::container),
        ("resources", pods::resources),
        ("handler", pods::handler),
        ("headers", pods::headers),
        ("seccomp", pods::seccomp),
        ("toleration", pods::toleration),
        ("node_requirement", pods::node_requirement),
    ];
    functions.iter().find(|(known, _)| *known == name).map(|(_, function)| *function)
}

/// Keys and values of labels.
pub fn labels(value: &Json, path: &str, out: &mut FieldErrors) {
    for (key, value) in value.as_object().into_iter().flatten() {
        if let Some(why) = formats::qualified(key) {
            out.invalid(path, &json!(key), &why);
        }
        if let Some(why) = value.as_str().and_then(formats::label_value) {
            out.invalid(path, value, &why);
        }
    }
}

/// A selector of labels.
#[expect(clippy::collapsible_match, reason = "the last arm is for what no other names, not for what is right")]
pub fn selector(value: &Json, path: &str, out: &mut FieldErrors) {
    labels(&value["matchLabels"], &join(path, "matchLabels"), out);
    for (at, one) in items(&value["matchExpressions"]).iter().enumerate() {
        let path = format!("{}[{at}]", join(path, "matchExpressions"));
        match one["operator"].as_str() {
            None => {}
            Some("In" | "NotIn") => {
                if !is_set(&one["values"]) {
                    out.required(format!("{path}.values"), "must be specified when `operator` is 'In' or 'NotIn'");
                }
            }
            Some("Exists" | "DoesNotExist") => {
                if is_set(&one["values"]) {
                    let why = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
                    out.forbidden(format!("{path}.values"), why);
                }
            }
            Some(_) => out.invalid(format!("{path}.operator"), &one["operator"], "not a valid selector operator"),
        }
        if let Some(why) = one["key"].as_str().and_then(formats::qualified) {
            out.invalid(format!("{path}.key"), &one["key"], &why);
        }
    }
}

fn is_zero(value: &Json) -> bool {
    value == 0 || value == "0%"
}

fn strategy(spec: &Json, path: &str, out: &mut FieldErrors) {
    let strategy = &spec["strategy"];
    let path_of_strategy = join(path, "strategy");
    match strategy["type"].as_str() {
        None | Some("") => {}
        Some("Recreate") => {
            if !strategy["rollingUpdate"].is_null() {
                let why = "may not be specified when strategy `type` is 'Recreate'";
                out.forbidden(format!("{path_of_strategy}.rollingUpdate"), why);
            }
        }
        Some("RollingUpdate") => {
            let rolling = &strategy["rollingUpdate"];
            if is_zero(&rolling["maxSurge"]) && is_zero(&rolling["maxUnavailable"]) {
                let field = format!("{path_of_strategy}.rollingUpdate.maxUnavailable");
                out.invalid(field, &rolling["maxUnavailable"], "may not be 0 when `maxSurge` is 0");
            }
        }
        Some(kind) => {
            // The server shows its own structure here.
            let shown = json!({ "Type": kind, "RollingUpdate": null });
            out.unsupported(path_of_strategy, &shown, &["Recreate", "RollingUpdate"]);
        }
    }
    let deadline = &spec["progressDeadlineSeconds"];
    if let Some(seconds) = deadline.as_i64()
        && seconds <= spec["minReadySeconds"].as_i64().unwrap_or(0)
    {
        out.invalid(join(path, "progressDeadlineSeconds"), deadline, "must be greater than minReadySeconds");
    }
}

fn daemons(rolling: &Json, path: &str, out: &mut FieldErrors) {
    // Absent, `maxSurge` is 0.
    let no_surge = rolling["maxSurge"].is_null() || is_zero(&rolling["maxSurge"]);
    if is_zero(&rolling["maxUnavailable"]) && no_surge {
        out.required(format!("{path}.maxUnavailable"), "cannot be 0 when maxSurge is 0");
    }
}

fn job(spec: &Json, path: &str, out: &mut FieldErrors) {
    let limit = &spec["backoffLimitPerIndex"];
    if !limit.is_null() && spec["completionMode"] != "Indexed" {
        out.invalid(join(path, "backoffLimitPerIndex"), limit, "requires indexed completion mode");
    }
    let restart = &spec["template"]["spec"]["restartPolicy"];
    let field = join(path, "template.spec.restartPolicy");
    match restart.as_str() {
        None | Some("OnFailure" | "Never") => {}
        Some("" | "Always") => out.required(field, "valid values: \"OnFailure\", \"Never\""),
        Some(_) => out.unsupported(field, restart, &["OnFailure", "Never"]),
    }
}

fn secret(object: &Json, _: &str, out: &mut FieldErrors) {
    let data = |key: &str| !object["data"][key].is_null() || !object["stringData"][key].is_null();
    let needed: &[&str] = match text(&object["type"]) {
        "kubernetes.io/tls" => &["tls.crt", "tls.key"],
        "kubernetes.io/dockerconfigjson" => &[".dockerconfigjson"],
        "kubernetes.io/dockercfg" => &[".dockercfg"],
        "kubernetes.io/basic-auth" if !data("username") && !data("password") => &["username", "password"],
        "kubernetes.io/ssh-auth" => &["ssh-privatekey"],
        "kubernetes.io/service-account-token" => {
            let name = "kubernetes.io/service-account.name";
            if !is_set(&object["metadata"]["annotations"][name]) {
                out.required(format!("metadata.annotations[{name}]"), "");
            }
            &[]
        }
        _ => &[],
    };
    for key in needed {
        if !data(key) {
            out.required(format!("data[{key}]"), "");
        } else if key.starts_with(".docker")
            && let Some(why) = object["data"][key].as_str().and_then(not_json)
        {
            out.invalid(format!("data[{key}]"), &json!("<secret contents redacted>"), &why);
        }
    }
}

/// What is wrong with base64 that should hold JSON. Only the first character is ever shown.
fn not_json(encoded: &str) -> Option<String> {
    use base64::Engine as _;
    let bytes = base64::engine::general_purpose::STANDARD.decode(encoded).ok()?;
    if serde_json::from_slice::<Json>(&bytes).is_ok() {
        return None;
    }
    Some(match bytes.first() {
        None => "unexpected end of JSON input".to_owned(),
        Some(c) if !b"{[\"".contains(c) && c.is_ascii_graphic() => {
            format!("invalid character '{}' looking for beginning of value", char::from(*c))
        }
        Some(c) if c.is_ascii_control() => format!("invalid character '\\x{c:02x}' looking for beginning of value"),
        Some(_) => "invalid JSON".to_owned(),
    })
}

fn config_map(object: &Json, _: &str, out: &mut FieldErrors) {
    for (key, _) in object["data"].as_object().into_iter().flatten() {
        if !object["binaryData"][key].is_null() {
            out.invalid(format!("data[{key}]"), &json!(key), "duplicate of key present in binaryData");
        }
    }
}

fn claim(spec: &Json, path: &str, out: &mut FieldErrors) {
    let modes = items(&spec["accessModes"]);
    let allowed = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];
    for mode in modes.iter().filter(|mode| !allowed.iter().any(|one| *mode == one)) {
        out.unsupported(join(path, "accessModes"), mode, &allowed);
    }
    if modes.len() > 1 && modes.iter().any(|mode| mode == "ReadWriteOncePod") {
        out.forbidden(join(path, "accessModes"), "may not use ReadWriteOncePod with other access modes");
    }
    let size = &spec["resources"]["requests"]["storage"];
    let amount = size.as_str().map_or_else(|| size.to_string(), str::to_owned);
    if !size.is_null() && quantity::compare(&amount, "0").is_some_and(std::cmp::Ordering::is_le) {
        out.invalid(join(path, "resources[storage]"), size, "must be greater than zero");
    }
}

/// The fields of a volume's spec that are not what it lies on.
pub const VOLUME: [&str; 9] = [
    "accessModes",
    "capacity",
    "claimRef",
    "mountOptions",
    "nodeAffinity",
    "persistentVolumeReclaimPolicy",
    "storageClassName",
    "volumeAttributesClassName",
    "volumeMode",
];

fn volume(spec: &Json, path: &str, out: &mut FieldErrors) {
    if !is_set(&spec["accessModes"]) {
        out.required(join(path, "accessModes"), "");
    }
    let capacity = join(path, "capacity");
    match spec["capacity"].as_object() {
        Some(amounts) if amounts.len() == 1 && amounts.contains_key("storage") => {}
        found => {
            if found.is_none_or(serde_json::Map::is_empty) {
                out.required(capacity.clone(), "");
            }
            if !spec["capacity"].is_null() || out.completeness == super::Completeness::Whole {
                out.unsupported(capacity, &spec["capacity"], &["storage"]);
            }
        }
    }
    let sources = spec.as_object().into_iter().flatten();
    let sources: Vec<&String> =
        sources.filter(|(name, value)| !value.is_null() && !VOLUME.contains(&name.as_str())).map(|(n, _)| n).collect();
    if sources.is_empty() {
        out.required(path, "must specify a volume type");
    }
    for name in sources.iter().skip(1) {
        out.forbidden(join(path, name), "may not specify more than 1 volume type");
    }
    if sources.iter().any(|name| *name == "local") && spec["nodeAffinity"].is_null() {
        out.required(join(path, "nodeAffinity"), "Local volume requires node affinity");
    }
}

fn priority(object: &Json, _: &str, out: &mut FieldErrors) {
    let name = text(&object["metadata"]["name"]);
    let is_known = matches!(name, "system-node-critical" | "system-cluster-critical");
    if name.starts_with("system-") && !is_known {
        let why = format!(
            "priority class names with 'system-' prefix are reserved for system use only. error: {name} is not a known system priority class"
        );
        out.forbidden("metadata.name", &why);
    }
}

fn definition(object: &Json, _: &str, out: &mut FieldErrors) {
    let spec = &object["spec"];
    let group = text(&spec["group"]);
    let is_protected = ["k8s.io", "kubernetes.io"]
        .iter()
        .any(|domain| group.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.')));
    if is_protected && !is_set(&object["metadata"]["annotations"]["api-approved.kubernetes.io"]) {
        let why = "protected groups must have approval annotation \"api-approved.kubernetes.io\", see https://github.com/kubernetes/enhancements/pull/1111";
        out.required("metadata.annotations[api-approved.kubernetes.io]", why);
    }
    let versions = items(&spec["versions"]);
    for (at, version) in versions.iter().enumerate() {
        // A single version is shown where the first version of the API had it.
        let root = match versions {
            [_] => "spec.validation.openAPIV3Schema".to_owned(),
            _ => format!("spec.versions[{at}].schema.openAPIV3Schema"),
        };
        let schema = &version["schema"]["openAPIV3Schema"];
        if !schema.is_null() {
            structural(schema, &root, true, out);
        }
    }
}

/// In a structural schema every part says its type.
fn structural(schema: &Json, path: &str, is_root: bool, out: &mut FieldErrors) {
    let typed = is_set(&schema["type"])
        || schema["x-kubernetes-int-or-string"] == true
        || schema["x-kubernetes-preserve-unknown-fields"] == true;
    for (name, inner) in schema["properties"].as_object().into_iter().flatten() {
        structural(inner, &format!("{path}.properties[{name}]"), false, out);
    }
    for part in ["items", "additionalProperties"] {
        if schema[part].is_object() {
            structural(&schema[part], &format!("{path}.{part}"), false, out);
        }
    }
    if !typed {
        let place = if is_root { "at the root" } else { "for specified object fields" };
        out.required(format!("{path}.type"), &format!("must not be empty {place}"));
    }
}
