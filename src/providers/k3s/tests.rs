#![expect(clippy::unwrap_used, reason = "tests")]

use super::*;
use crate::schema::proposed;
use crate::value::{Path, Type};

fn config(given: &[(&str, Value)]) -> Value {
    let empty = schema::empty(&schema::server().block, "vps");
    let Value::Object(entries) =
        with(&empty, [("channel", Value::Null(Type::String)), ("install_script", Value::Null(Type::String))])
    else {
        panic!()
    };
    Value::Object(given.iter().fold(entries, |entries, (name, value)| entries.with(*name, value.clone())))
}

async fn plan(prior: &Value, config: Value) -> Planned {
    let provider = provider(&Settings::new());
    let configured = provider.configure(self::config(&[])).await.value.unwrap();
    let block = &provider.schema().resources["k3s_server"].block;
    let proposed = proposed(block, prior, &config);
    let request = PlanRequest { kind: "k3s_server".into(), prior: prior.clone(), proposed, config, private: vec![] };
    configured.plan(request).await.value.unwrap()
}

fn installed() -> Value {
    let made = [
        ("channel", "stable".into()),
        ("install_script", schema::SCRIPT.into()),
        ("kubeconfig", "k".into()),
        ("node_token", "t".into()),
        ("installed_version", "v1.34.4+k3s1".into()),
        ("running", true.into()),
        ("id", "vps".into()),
    ];
    with(&config(&[]), made)
}

#[tokio::test]
async fn a_new_server_has_defaults_and_unknowns() {
    let planned = plan(&Value::NULL, config(&[])).await.value;
    assert_eq!(text(&planned, "channel"), Some("stable"));
    assert_eq!(text(&planned, "install_script"), Some("https://get.k3s.io"));
    for name in ["kubeconfig", "node_token", "installed_version", "running", "id"] {
        assert!(!planned.get(name).unwrap().is_known(), "{name}");
    }
}

#[tokio::test]
async fn changes_do_what_they_must_and_no_more() {
    let check = async |prior: Value, given: &[(&str, Value)], unknown: &[&str], replace: &[&str]| {
        let planned = plan(&prior, config(given)).await;
        let found: Vec<&str> = schema::server()
            .block
            .attributes
            .iter()
            .map(|(name, _)| name.as_str().to_owned())
            .collect::<Vec<_>>()
            .into_iter()
            .filter_map(|name| {
                ["installed_version", "kubeconfig", "node_token", "running"].into_iter().find(|known| *known == name)
            })
            .filter(|name| !planned.value.get(name).unwrap().is_known())
            .collect();
        assert_eq!(found, unknown, "{given:?}");
        assert_eq!(planned.replace, replace.iter().map(|name| Path::attribute(*name)).collect::<Vec<_>>(), "{given:?}");
        planned.value
    };
    assert_eq!(check(installed(), &[], &[], &[]).await, installed());
    check(installed(), &[("port", Value::int(2222))], &[], &[]).await;
    check(installed(), &[("channel", "latest".into())], &["installed_version", "kubeconfig"], &[]).await;
    let upgraded = check(installed(), &[("version", "v1.35.0+k3s1".into())], &["kubeconfig"], &[]).await;
    assert_eq!(text(&upgraded, "installed_version"), Some("v1.35.0+k3s1"));
    check(
        installed(),
        &[("tls_san", Value::list(Type::String, vec!["a".into()]))],
        &["installed_version", "kubeconfig"],
        &[],
    )
    .await;
    check(installed(), &[("cluster_name", "staging".into())], &["kubeconfig"], &[]).await;
    check(installed(), &[("host", "other".into())], &[], &["host"]).await;
    check(installed(), &[("cluster_token", "s".into())], &[], &["cluster_token"]).await;
    let stopped = with(&installed(), [("running", false.into())]);
    let started = check(stopped, &[], &["installed_version", "kubeconfig"], &[]).await;
    assert_eq!(started.get("running"), Some(&Value::from(true)));
}

#[test]
fn wrong_arguments_are_named() {
    let provider = provider(&Settings::new());
    let check = |given: (&'static str, Value), part: &str| {
        let said = provider.validate("k3s_server", false, &config(&[given])).to_string();
        assert!(said.contains(part), "{said}");
    };
    check(("version", "1.34".into()), "version is \"1.34\"");
    check(("timeout", "long".into()), "timeout is \"long\"");
    check(("port", Value::int(70_000)), "port is 70000");
    check(("host_key", "AAAA".into()), "host_key cannot be used");
}
