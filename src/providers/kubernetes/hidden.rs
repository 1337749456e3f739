//! What of a live object is not shown: keys and elements that the cluster adds for itself, and those that the provider's configuration
//! leaves to others. The provider of Terraform leaves out the same, so that neither plans to take them away.

use regex::RegexSet;

use super::INTENT;
use crate::client::kube::types::Json;
use crate::diag::Diagnostic;
use crate::value::Value;

/// Labels and annotations that the provider's configuration leaves to others.
#[derive(Debug, Default)]
pub struct Ignored {
    labels: RegexSet,
    annotations: RegexSet,
}

impl Ignored {
    /// Reads `ignore_labels` and `ignore_annotations`.
    ///
    /// # Errors
    /// A pattern that cannot be read.
    pub fn of(config: &Value) -> Result<Ignored, Diagnostic> {
        let patterns = |name: &str| {
            let items = config.get(name).and_then(Value::as_items).unwrap_or_default().iter();
            RegexSet::new(items.filter_map(Value::as_str)).map_err(|error| {
                Diagnostic::error(
                    "Invalid regular expression",
                    format!(
                        "A pattern of the provider's `{name}` cannot be read: {error}. Correct it, or leave it out."
                    ),
                )
            })
        };
        Ok(Ignored { labels: patterns("ignore_labels")?, annotations: patterns("ignore_annotations")? })
    }
}

/// Where in an object a reader is, as far as it decides what is hidden.
#[derive(Clone, Copy)]
pub struct Spot<'a> {
    kind: &'a str,
    /// Patterns count in the metadata of the object only, not in that of a template.
    ignored: Option<&'a Ignored>,
    depth: usize,
    /// The block that it stands in; empty at the top.
    block: &'a str,
    /// Whether what means the same stays in the form that state has it in.
    keeps_form: bool,
}

impl<'a> Spot<'a> {
    /// At the top of an object.
    pub fn top(kind: &'a str, ignored: Option<&'a Ignored>) -> Self {
        Spot { kind, ignored, depth: 0, block: "", keeps_form: false }
    }

    /// The same for an object that is looked at again.
    pub fn keeping_form(self) -> Self {
        Spot { keeps_form: true, ..self }
    }

    /// Whether what means the same stays in the form that state has it in, rather than in that of the API.
    pub fn keeps_form(self) -> bool {
        self.keeps_form
    }

    /// In a block of the present one.
    pub fn inside(self, block: &'a str) -> Self {
        Spot { depth: self.depth + 1, block, ..self }
    }

    /// Whether a key that state does not have shows in the map of an attribute.
    pub fn shows_key(self, attribute: &str, key: &str) -> bool {
        let is_job = matches!(self.kind, "Job" | "CronJob");
        if is_job && matches!(attribute, "labels" | "match_labels") && GENERATED.contains(&key) {
            return false;
        }
        if self.depth != 1 || self.block != "metadata" {
            return true;
        }
        let patterns = match attribute {
            "labels" => self.ignored.map(|ignored| &ignored.labels),
            "annotations" => self.ignored.map(|ignored| &ignored.annotations),
            _ => return true,
        };
        !is_internal(key) && !patterns.is_some_and(|patterns| patterns.is_match(key))
    }

    /// Whether a block that is empty in the API says nothing. Elsewhere it means something, such as an `emptyDir` or a selector of all.
    pub fn drops_empty(self, block: &str) -> bool {
        match block {
            "security_context" | "dns_config" => self.block == "spec",
            // The server writes it into every webhook.
            "object_selector" => true,
            "affinity" | "node_affinity" | "pod_affinity" | "pod_anti_affinity" => true,
            _ => false,
        }
    }

    /// Whether an element of a list in the API shows; `block` is what the list is called in configuration.
    pub fn shows_element(self, block: &str, element: &Json) -> bool {
        let text = |field: &str| element[field].as_str().unwrap_or_default();
        match block {
            "volume" | "volume_mount" => !is_token_volume(text("name")),
            // The admission of pods adds them; in a template they are somebody's.
            "toleration" if self.kind == "Pod" => !BUILT_IN_TAINTS.contains(&text("key")),
            _ => true,
        }
    }
}

/// Labels by which the Job controller knows its pods.
const GENERATED: [&str; 4] =
    ["batch.kubernetes.io/controller-uid", "batch.kubernetes.io/job-name", "controller-uid", "job-name"];

/// Taints that every pod is made to tolerate for a while.
const BUILT_IN_TAINTS: [&str; 7] = [
    "node.kubernetes.io/not-ready",
    "node.kubernetes.io/unreachable",
    "node.kubernetes.io/unschedulable",
    "node.kubernetes.io/memory-pressure",
    "node.kubernetes.io/disk-pressure",
    "node.kubernetes.io/network-unavailable",
    "node.kubernetes.io/pid-pressure",
];

/// Volumes with the token of a service account, which admission puts into pods.
fn is_token_volume(name: &str) -> bool {
    let random =
        |text: &str| text.len() == 5 && text.bytes().all(|one| one.is_ascii_lowercase() || one.is_ascii_digit());
    name.starts_with("kube-api-access") || name.rsplit_once("-token-").is_some_and(|(_, tail)| random(tail))
}

/// Labels and annotations that Kubernetes and this program set for themselves.
fn is_internal(key: &str) -> bool {
    let host = key.split_once('/').map_or(key, |(host, _)| host);
    // What applications and load balancers are told under these names comes from users.
    let told = matches!(host, "app.kubernetes.io" | "service.beta.kubernetes.io");
    // A DaemonSet counts its own template.
    let marks = ["deprecated.daemonset.template.generation", INTENT];
    host.ends_with("kubernetes.io") && !told || marks.contains(&key)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::value::Type;

    #[test]
    fn what_kubernetes_sets_for_itself_is_left_to_it() {
        let texts = |texts: &[&str]| Value::list(Type::String, texts.iter().map(|text| Value::from(*text)).collect());
        let config = Value::object([
            ("ignore_labels", texts(&["^team$"])),
            ("ignore_annotations", texts(&["cattle\\.io", "^own/"])),
        ]);
        let ignored = Ignored::of(&config).unwrap();
        let root = Spot::top("Deployment", Some(&ignored));
        let job = Spot::top("Job", Some(&ignored));
        for (spot, attribute, key, expect) in [
            (root, "data", "kubernetes.io/x", true),
            (root.inside("metadata"), "labels", "who", true),
            (root.inside("metadata"), "labels", "team", false),
            (root.inside("metadata"), "labels", "teams", true),
            (root.inside("metadata"), "annotations", "team", true),
            (root.inside("metadata"), "annotations", "field.cattle.io/projectId", false),
            (root.inside("metadata"), "labels", "kubernetes.io/metadata.name", false),
            (root.inside("metadata"), "annotations", "deployment.kubernetes.io/revision", false),
            (root.inside("metadata"), "annotations", "pv.kubernetes.io/bind-completed", false),
            (root.inside("metadata"), "labels", "app.kubernetes.io/name", true),
            (root.inside("metadata"), "annotations", "service.beta.kubernetes.io/x", true),
            (root.inside("metadata"), "labels", "example.com/kubernetes.io", true),
            (root.inside("metadata"), "annotations", INTENT, false),
            // Patterns and names of the cluster count in the object's own metadata; a template is ours.
            (root.inside("spec").inside("template").inside("metadata"), "labels", "team", true),
            (root.inside("spec").inside("template").inside("metadata"), "annotations", "kubectl.kubernetes.io/x", true),
            (root.inside("spec").inside("template").inside("metadata"), "labels", "job-name", true),
            (job.inside("spec").inside("template").inside("metadata"), "labels", "job-name", false),
            (job.inside("spec").inside("selector"), "match_labels", "controller-uid", false),
        ] {
            assert_eq!(spot.shows_key(attribute, key), expect, "{attribute} {key}");
        }
        let broken = Value::object([("ignore_labels", texts(&["("]))]);
        assert_eq!(Ignored::of(&broken).unwrap_err().summary, "Invalid regular expression");
    }

    #[test]
    fn what_admission_puts_into_pods_is_left_to_it() {
        let (pod, deployment) = (Spot::top("Pod", None), Spot::top("Deployment", None));
        for (spot, block, element, expect) in [
            (pod, "volume", json!({ "name": "kube-api-access-x7k2p" }), false),
            (pod, "volume", json!({ "name": "default-token-x7k2p" }), false),
            (pod, "volume", json!({ "name": "my-token-storage" }), true),
            (pod, "volume_mount", json!({ "name": "kube-api-access-x7k2p", "mountPath": "/var/run" }), false),
            (pod, "toleration", json!({ "key": "node.kubernetes.io/not-ready" }), false),
            (deployment, "toleration", json!({ "key": "node.kubernetes.io/not-ready" }), true),
            (deployment, "container", json!({ "name": "kube-api-access-x7k2p" }), true),
        ] {
            assert_eq!(spot.shows_element(block, &element), expect, "{block} {element}");
        }
    }
}
