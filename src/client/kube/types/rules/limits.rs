//! Rules of quotas, limits, autoscalers and schedules.

use serde_json::json;

use super::super::{Json, quantity};
use super::{FieldErrors, formats, is_set, items, join, text};

/// Resources that need no prefix.
const STANDARD: [&str; 21] = [
    "cpu",
    "memory",
    "ephemeral-storage",
    "storage",
    "requests.cpu",
    "requests.memory",
    "requests.ephemeral-storage",
    "requests.storage",
    "limits.cpu",
    "limits.memory",
    "limits.ephemeral-storage",
    "pods",
    "services",
    "replicationcontrollers",
    "resourcequotas",
    "secrets",
    "configmaps",
    "persistentvolumeclaims",
    "services.nodeports",
    "services.loadbalancers",
    "count",
];

/// Resources that a container can ask for without a prefix.
pub const OF_CONTAINERS: [&str; 3] = ["cpu", "memory", "ephemeral-storage"];

/// The name of a resource: one that is known, or one with a prefix.
pub fn resource(name: &str, path: &str, standard: &[&str], out: &mut FieldErrors) {
    if let Some(why) = formats::qualified(name) {
        out.invalid(path, &json!(name), &why);
    } else if !name.contains('/') && !standard.contains(&name) && !name.starts_with("hugepages-") {
        out.invalid(path, &json!(name), "must be a standard resource type or fully qualified");
    }
}

fn amount(value: &Json) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Whether it is a whole number of units.
pub fn is_whole(value: &Json) -> bool {
    let canonical = quantity::canonical(&amount(value)).unwrap_or_default();
    !canonical.ends_with(['n', 'u', 'm'])
}

/// One limit of a LimitRange.
pub fn limits(limit: &Json, path: &str, out: &mut FieldErrors) {
    let kind = text(&limit["type"]);
    if kind.is_empty() {
        return;
    }
    if let Some(why) = formats::qualified(kind) {
        out.invalid(join(path, "type"), &limit["type"], &why);
    } else if !matches!(kind, "Pod" | "Container" | "PersistentVolumeClaim") && !kind.contains('/') {
        out.invalid(join(path, "type"), &limit["type"], "must be a standard limit type or fully qualified");
    }
    if kind == "Pod" {
        for field in ["default", "defaultRequest"] {
            if is_set(&limit[field]) {
                out.forbidden(join(path, field), "may not be specified when `type` is 'Pod'");
            }
        }
    }
    let sized = |part: &str| !limit[part]["storage"].is_null();
    if kind == "PersistentVolumeClaim" && !sized("min") && !sized("max") {
        let why = "either minimum or maximum storage value is required, but neither was provided";
        out.required(join(path, "limits"), why);
    }
    let pairs = [
        ("min", "max", "min"),
        ("defaultRequest", "max", "default request"),
        ("default", "max", "default"),
        ("defaultRequest", "default", "default request"),
    ];
    for (low, high, words) in pairs {
        for (name, value) in limit[low].as_object().into_iter().flatten() {
            let most = &limit[high][name];
            if !most.is_null() && quantity::compare(&amount(value), &amount(most)) == Some(std::cmp::Ordering::Greater)
            {
                let field = format!("{}[{name}]", join(path, low));
                let bound = if high == "max" { "max" } else { "default limit" };
                let why = format!("{words} value {} is greater than {bound} value {}", amount(value), amount(most));
                out.invalid(field, value, &why);
            }
        }
    }
}

/// A ResourceQuota.
pub fn quota(spec: &Json, path: &str, out: &mut FieldErrors) {
    for (name, value) in spec["hard"].as_object().into_iter().flatten() {
        let field = format!("{}[{name}]", join(path, "hard"));
        resource(name, &field, &STANDARD, out);
        if formats::qualified(name).is_none() && !name.contains('/') && !STANDARD.contains(&name.as_str()) {
            out.invalid(field.clone(), &json!(name), "must be a standard resource for quota");
        }
        let counted = !name.contains("cpu") && !name.contains("memory") && !name.contains("storage");
        if !quantity::is_not_negative(&amount(value)) {
            out.invalid(field, value, "must be greater than or equal to 0");
        } else if counted && !is_whole(value) {
            out.invalid(field, value, "must be an integer");
        }
    }
    let scopes = items(&spec["scopes"]);
    let known = [
        "Terminating",
        "NotTerminating",
        "BestEffort",
        "NotBestEffort",
        "PriorityClass",
        "CrossNamespacePodAffinity",
        "VolumeAttributesClass",
    ];
    let has = |name: &str| scopes.iter().any(|scope| scope == name);
    if scopes.iter().any(|scope| !known.iter().any(|one| scope == one)) {
        out.invalid(join(path, "scopes"), &spec["scopes"], "unsupported scope");
    }
    if has("BestEffort") && has("NotBestEffort") || has("Terminating") && has("NotTerminating") {
        out.invalid(join(path, "scopes"), &spec["scopes"], "conflicting scopes");
    }
}

/// The spec of an autoscaler.
pub fn scaler(spec: &Json, path: &str, out: &mut FieldErrors) {
    let (least, most) = (&spec["minReplicas"], &spec["maxReplicas"]);
    if let Some(most_count) = most.as_i64()
        && most_count < least.as_i64().unwrap_or(1)
    {
        out.invalid(join(path, "maxReplicas"), most, "must be greater than or equal to `minReplicas`");
    }
    let scalable = ["Object", "External"];
    let metrics = items(&spec["metrics"]);
    if least == 0 && !metrics.iter().any(|metric| scalable.iter().any(|kind| metric["type"] == *kind)) {
        let why = "must specify at least one Object or External metric to support scaling to zero replicas";
        out.forbidden(join(path, "metrics"), why);
    }
    let target = &spec["scaleTargetRef"];
    let core = ["ReplicationController", "Pod"];
    if !target.is_null() && !is_set(&target["apiVersion"]) && !core.iter().any(|kind| target["kind"] == *kind) {
        let field = join(path, "scaleTargetRef.apiVersion");
        if out.completeness == super::Completeness::Whole {
            out.invalid(field, &json!(""), "apiVersion must specify API group");
        }
    }
}

/// One metric of an autoscaler.
pub fn metric(metric: &Json, path: &str, out: &mut FieldErrors) {
    let sources = [
        ("Object", "object"),
        ("Pods", "pods"),
        ("Resource", "resource"),
        ("ContainerResource", "containerResource"),
        ("External", "external"),
    ];
    let kind = text(&metric["type"]);
    let Some((_, source)) = sources.iter().find(|(name, _)| *name == kind) else {
        if !kind.is_empty() {
            let names = ["ContainerResource", "External", "Object", "Pods", "Resource"];
            out.unsupported(join(path, "type"), &metric["type"], &names);
        }
        return;
    };
    if metric[*source].is_null() {
        return out.required(join(path, source), "must populate information for the given metric source");
    }
    let target = &metric[*source]["target"];
    if *source == "resource" && target["averageUtilization"].is_null() && target["averageValue"].is_null() {
        let why = "must set either a target raw value or a target utilization";
        out.required(join(path, "resource.target.averageUtilization"), why);
    }
    if target["averageUtilization"].as_i64().is_some_and(|share| share < 1) {
        let field = join(path, &format!("{source}.target.averageUtilization"));
        out.invalid(field, &target["averageUtilization"], "must be greater than 0");
    }
}

/// A PodDisruptionBudget.
pub fn budget(spec: &Json, path: &str, out: &mut FieldErrors) {
    let (available, unavailable) = (&spec["minAvailable"], &spec["maxUnavailable"]);
    if !available.is_null() && !unavailable.is_null() {
        let shown = json!({ "MinAvailable": available, "Selector": spec["selector"], "MaxUnavailable": unavailable,
            "UnhealthyPodEvictionPolicy": spec["unhealthyPodEvictionPolicy"] });
        out.invalid(path, &shown, "minAvailable and maxUnavailable cannot be both set");
    }
}

/// A schedule: five fields, or a word such as `@daily`.
pub fn cron(schedule: &str) -> Option<String> {
    if schedule.contains("TZ=") {
        return Some("cannot use TZ or CRON_TZ in schedule, use timeZone field instead".to_owned());
    }
    if schedule.starts_with('@') {
        let words = ["@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"];
        let good = words.contains(&schedule) || schedule.starts_with("@every ");
        return (!good).then(|| format!("unrecognized descriptor: {schedule}"));
    }
    let fields: Vec<&str> = schedule.split_whitespace().collect();
    if fields.len() != 5 {
        let found = fields.len();
        return Some(format!("expected exactly 5 fields, found {found}: [{}]", fields.join(" ")));
    }
    let months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    let days = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
    let bounds: [(u32, u32, &[&str]); 5] = [(0, 59, &[]), (0, 23, &[]), (1, 31, &[]), (1, 12, &months), (0, 6, &days)];
    let all = fields.iter().zip(bounds);
    all.flat_map(|(field, bounds)| field.split(',').map(move |part| (part, bounds)))
        .find_map(|(part, bounds)| cron_part(part, bounds))
}

fn cron_part(part: &str, (low, high, names): (u32, u32, &[&str])) -> Option<String> {
    let (span, step) = part.split_once('/').map_or((part, None), |(span, step)| (span, Some(step)));
    let value = |text: &str| {
        let name = names.iter().position(|name| name.eq_ignore_ascii_case(text));
        let number = name.and_then(|at| u32::try_from(at).ok()).map(|at| at + low).or_else(|| text.parse::<u32>().ok());
        number.ok_or_else(|| format!("failed to parse int from {text}: strconv.Atoi: parsing {text:?}: invalid syntax"))
    };
    let check = || {
        if let Some(step) = step
            && value(step)? == 0
        {
            return Err(format!("step of range should be a positive number: {part}"));
        }
        if span == "*" || span == "?" {
            return Ok(());
        }
        let (first, last) = span.split_once('-').map_or((span, span), |both| both);
        let (first, last) = (value(first)?, value(last)?);
        if first < low {
            return Err(format!("beginning of range ({first}) below minimum ({low}): {part}"));
        }
        if last > high {
            return Err(format!("end of range ({last}) above maximum ({high}): {part}"));
        }
        if first > last {
            return Err(format!("beginning of range ({first}) beyond end of range ({last}): {part}"));
        }
        Ok(())
    };
    check().err()
}
