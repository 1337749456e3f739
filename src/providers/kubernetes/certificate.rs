//! Certificates that the cluster signs: a request is made, approved where that is asked for, and waited for. The certificate is in state
//! (or is open, as an ephemeral resource); the request in the cluster only leads to it, and the cluster deletes it after a while.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::configured::Cluster;
use super::identity::Place;
use super::special::{block, text, texts};
use super::{FIELD_MANAGER, timeouts, typed, waits};
use crate::client::kube::types::{Json, Kind, find};
use crate::client::kube::{Apply, KubeError, Readiness};
use crate::diag::{Diagnostics, Outcome};
use crate::provider::{Applied, ApplyRequest, Now, OpenRequest, Opened, Progress, SilentProgress};
use crate::schema::{Attribute, Block, NestedBlock, Nesting, Schema};
use crate::value::{Type, Value};

/// The ephemeral resource type.
pub const KIND: &str = "kubernetes_certificate_signing_request_v1";

/// How long a certificate is waited for unless `timeouts` says otherwise.
const LIMIT: Duration = Duration::from_secs(300);

/// The schema of the ephemeral resource.
pub fn ephemeral_schema() -> Schema {
    let metadata = Block::new([("name", Attribute::required(Type::String))]);
    let spec = Block::new([
        ("expiration_seconds", Attribute::optional(Type::Number)),
        ("request", Attribute::required(Type::String)),
        ("signer_name", Attribute::required(Type::String)),
        ("usages", Attribute::optional(Type::list(Type::String))),
    ]);
    let block = Block::new([
        ("auto_approve", Attribute::optional(Type::Bool)),
        ("certificate", Attribute::optional_computed(Type::String)),
    ]);
    let single = |block| NestedBlock::new(Nesting::Single, block);
    Schema::new(block.with_blocks([("metadata", single(metadata)), ("spec", single(spec))]))
}

/// A request to sign.
struct Wanted {
    name: String,
    body: Json,
    approve: bool,
    limit: Duration,
}

impl Wanted {
    fn of(value: &Value, kind: &Kind, nonce: &str) -> Wanted {
        let meta = block(value, "metadata");
        let of_meta = |name: &str| meta.map(|meta| text(meta, name)).unwrap_or_default();
        let name = match of_meta("name") {
            "" => typed::generated_name(of_meta("generate_name"), nonce),
            name => name.to_owned(),
        };
        let mut body = json!({
            "apiVersion": kind.api_version(),
            "kind": kind.kind,
            "metadata": { "name": name },
            "spec": {},
        });
        for part in ["labels", "annotations"] {
            let map = texts(meta.and_then(|meta| meta.get(part)));
            if map.as_object().is_some_and(|map| !map.is_empty()) {
                body["metadata"][part] = map;
            }
        }
        if let Some(spec) = block(value, "spec") {
            body["spec"]["request"] = json!(STANDARD.encode(text(spec, "request")));
            if !text(spec, "signer_name").is_empty() {
                body["spec"]["signerName"] = json!(text(spec, "signer_name"));
            }
            if let Some(usages) = spec.get("usages").and_then(Value::as_items) {
                body["spec"]["usages"] = usages.iter().filter_map(Value::as_str).collect();
            }
            let seconds = spec.get("expiration_seconds").and_then(Value::as_number).and_then(|one| one.as_i64());
            if let Some(seconds) = seconds {
                body["spec"]["expirationSeconds"] = json!(seconds);
            }
        }
        let approve = value.get("auto_approve").and_then(Value::as_bool).unwrap_or(true);
        Wanted { name, body, approve, limit: timeouts::timeout(value, "create").unwrap_or(LIMIT) }
    }
}

/// Makes a certificate and keeps it in state.
pub async fn create(cluster: &Cluster, request: ApplyRequest, progress: &dyn Progress) -> Applied {
    let version = if request.kind == KIND { "certificates.k8s.io/v1" } else { "certificates.k8s.io/v1beta1" };
    let Some(kind) = find(version, "CertificateSigningRequest") else { return Applied::failed(Diagnostics::none()) };
    let wanted = Wanted::of(&request.planned, kind, &request.nonce);
    match signed(cluster, kind, &wanted, progress).await {
        Ok(object) => {
            let Value::Object(entries) = &request.planned else { return Applied::is(request.planned) };
            let entries = entries.clone().with("id", Value::string(wanted.name.as_str()));
            let entries = entries.with("certificate", Value::string(certificate(&object)));
            let meta = entries.get("metadata").map(|meta| with_meta(meta, &object)).unwrap_or_default();
            Applied::is(Value::Object(entries.with("metadata", meta)))
        }
        Err(said) => Applied { now: Now::Unchanged, said },
    }
}

/// What the server made of the request's metadata, where the plan left it open.
fn with_meta(meta: &Value, object: &Json) -> Value {
    let Value::List(list) = meta else { return meta.clone() };
    let items = list.items.iter().map(|item| {
        let Value::Object(entries) = item else { return item.clone() };
        let found = &object["metadata"];
        Value::Object(entries.map_values(|name, part| match name.as_str() {
            _ if part.is_known() => part.clone(),
            "name" => Value::string(found["name"].as_str().unwrap_or_default()),
            "uid" => Value::string(found["uid"].as_str().unwrap_or_default()),
            "resource_version" => Value::string(found["resourceVersion"].as_str().unwrap_or_default()),
            _ => Value::int(found["generation"].as_i64().unwrap_or(0)),
        }))
    });
    Value::list(list.element.clone(), items.collect())
}

/// Makes a certificate for this run.
pub async fn open(cluster: &Cluster, request: OpenRequest) -> Outcome<Opened> {
    let Some(kind) = find("certificates.k8s.io/v1", "CertificateSigningRequest") else {
        return crate::provider::unknown_kind(&request.kind);
    };
    let wanted = Wanted::of(&request.config, kind, "");
    match signed(cluster, kind, &wanted, &SilentProgress).await {
        Ok(object) => {
            let Value::Object(entries) = request.config else { return crate::provider::unknown_kind(KIND) };
            let entries = entries.with("certificate", Value::string(certificate(&object)));
            Outcome::ok(Opened { value: Value::Object(entries), private: Vec::new() })
        }
        Err(said) => Outcome::fail(said),
    }
}

/// The request, when its certificate is there.
async fn signed(cluster: &Cluster, kind: &Kind, wanted: &Wanted, progress: &dyn Progress) -> Result<Json, Diagnostics> {
    let place = Place { namespace: None, name: wanted.name.clone() };
    let title = place.title(kind);
    let told = |error: KubeError, doing: &str| Diagnostics::from(error.diagnostic(&format!("{doing} {title}")));
    // A request of this name that is there already is another one: its certificate is for another key.
    match cluster.kube.get(kind, None, &wanted.name).await {
        Ok(None) => {}
        Ok(Some(_)) => return Err(told(KubeError::Exists(format!("{title} is there already")), "create")),
        Err(error) => return Err(told(error, "create")),
    }
    let how = Apply { manager: FIELD_MANAGER, force: false, dry_run: false };
    let made = cluster.kube.apply(kind, &wanted.body, &how).await.map_err(|error| told(error, "create"))?;
    if wanted.approve {
        let approval = json!({
            "type": "Approved",
            "status": "True",
            "reason": "TerraformAutoApprove",
            "message": "This CertificateSigningRequest was auto-approved by Terraform",
        });
        cluster.kube.approve(kind, &wanted.name, &approval).await.map_err(|error| told(error, "approve"))?;
    }
    let waited = waits::until(cluster, kind, &place, made, wanted.limit, progress, &issued).await;
    if waited.said.has_errors() { Err(waited.said) } else { Ok(waited.object) }
}

fn issued(object: &Json) -> Readiness {
    let conditions = object["status"]["conditions"].as_array();
    let has = |kind: &str| conditions.into_iter().flatten().find(|one| one["type"] == kind);
    for kind in ["Denied", "Failed"] {
        if let Some(condition) = has(kind) {
            return Readiness::Failed(format!("{kind}: {}", condition["message"].as_str().unwrap_or_default()));
        }
    }
    if has("Approved").is_none() {
        return Readiness::Waiting("the request is not approved".to_owned());
    }
    if certificate(object).is_empty() {
        return Readiness::Waiting("the certificate is not issued".to_owned());
    }
    Readiness::Ready
}

fn certificate(object: &Json) -> String {
    let text = object["status"]["certificate"].as_str().unwrap_or_default();
    String::from_utf8(STANDARD.decode(text).unwrap_or_default()).unwrap_or_default()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::value::from_json;

    #[test]
    fn a_request_has_what_is_configured() {
        let kind = find("certificates.k8s.io/v1", "CertificateSigningRequest").unwrap();
        let config = |rest: &str| {
            let text = format!(
                r#"{{"metadata":[{{"name":"a","labels":{{"b":"c"}}}}],"spec":[{{"request":"PEM","signer_name":"example.com/s","usages":["client auth"]{rest}}}]}}"#
            );
            from_json(text.as_bytes()).unwrap()
        };
        let wanted = Wanted::of(&config(r#","expiration_seconds":600"#), kind, "");
        let spec = json!({ "request": "UEVN", "signerName": "example.com/s", "usages": ["client auth"], "expirationSeconds": 600 });
        assert_eq!(wanted.body["spec"], spec);
        assert_eq!(wanted.body["metadata"], json!({ "name": "a", "labels": { "b": "c" } }));
        assert!(wanted.approve);
        assert_eq!(wanted.limit, LIMIT);
        let single = from_json(br#"{"metadata":{"name":"a"},"spec":{"request":"PEM"},"auto_approve":false}"#).unwrap();
        let wanted = Wanted::of(&single, kind, "");
        assert_eq!((wanted.name.as_str(), wanted.approve), ("a", false));
        assert_eq!(wanted.body["spec"], json!({ "request": "UEVN" }));
    }

    #[test]
    fn a_certificate_is_waited_for() {
        let object = |kind: &str, certificate: &str| json!({ "status": { "conditions": [{ "type": kind, "message": "no" }], "certificate": certificate } });
        assert_eq!(issued(&json!({})), Readiness::Waiting("the request is not approved".into()));
        assert_eq!(issued(&object("Approved", "")), Readiness::Waiting("the certificate is not issued".into()));
        assert_eq!(issued(&object("Approved", "UEVN")), Readiness::Ready);
        assert_eq!(issued(&object("Denied", "")), Readiness::Failed("Denied: no".into()));
    }
}
