//! Secrets of the type `kubernetes.io/service-account-token` get the token of the account that they name, and go with it.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::json;

use crate::client::kube::types::Json;
use crate::sandbox::store::{Object, State};
use crate::sandbox::write::remove_now;

const NAME: &str = "kubernetes.io/service-account.name";
const UID: &str = "kubernetes.io/service-account.uid";

/// A token with these claims. It has the form of a real one, and is signed by nobody.
pub fn unsigned(claims: &Json) -> String {
    let part = |json: &Json| URL_SAFE_NO_PAD.encode(json.to_string());
    let header = json!({ "alg": "none", "kid": "sandbox" });
    format!("{}.{}.{}", part(&header), part(claims), URL_SAFE_NO_PAD.encode("sandbox"))
}

/// Whether a secret is one for a token.
pub(super) fn is_token(secret: &Json) -> bool {
    secret["type"] == "kubernetes.io/service-account-token"
}

/// Whether it is for the token of this account.
pub(super) fn names_account(secret: &Json, account: &str) -> bool {
    is_token(secret) && secret["metadata"]["annotations"][NAME] == account
}

/// Fills in a secret's token, or takes the secret away when there is no such account.
pub(super) fn secret(state: &mut State, secret: &Object) {
    let object = secret.json();
    if !is_token(object) || secret.is_terminating() {
        return;
    }
    let annotations = &object["metadata"]["annotations"];
    let name = annotations[NAME].as_str().unwrap_or_default();
    let account =
        state.find("serviceaccounts", &secret.key.namespace, name).filter(|account| !account.is_terminating());
    let wanted = annotations[UID].as_str().filter(|uid| !uid.is_empty());
    let Some(account) = account.filter(|account| wanted.is_none_or(|uid| uid == account.uid)) else {
        return remove_now(state, &secret.key);
    };
    if wanted.is_some() && object["data"]["token"].is_string() {
        return;
    }
    let uid = account.uid.to_string();
    let mut filled = (**object).clone();
    if !filled["data"].is_object() {
        filled["data"] = json!({});
    }
    filled["data"]["token"] = json!(STANDARD.encode(token(secret, name, &uid)));
    filled["data"]["namespace"] = json!(STANDARD.encode(&*secret.key.namespace));
    // The sandbox has no certificate of its own.
    filled["data"]["ca.crt"] = json!("");
    filled["metadata"]["annotations"][UID] = json!(uid);
    state.put(secret.key.clone(), filled);
}

fn token(secret: &Object, account: &str, uid: &str) -> String {
    let namespace = &*secret.key.namespace;
    unsigned(&json!({
        "iss": "kubernetes/serviceaccount",
        "kubernetes.io/serviceaccount/namespace": namespace,
        "kubernetes.io/serviceaccount/secret.name": &*secret.key.name,
        "kubernetes.io/serviceaccount/service-account.name": account,
        "kubernetes.io/serviceaccount/service-account.uid": uid,
        "sub": format!("system:serviceaccount:{namespace}:{account}"),
    }))
}
