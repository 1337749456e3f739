//! `k3s_server` on a bare host. The host and everything on our side are real; its install script puts a stand-in for the k3s
//! binary there (tests/lab/k3s-stand-in), which runs a real API server.

use infra::change::Action;
use infra::client::Secret;
use infra::client::kube::{Settings, connect};
use infra::provider::{Now, ReadResult, Recovered};
use infra::value::Value;

use super::driver::{Driver, Heard, done};
use crate::lab;

async fn driver(host: &lab::host::Host) -> Driver {
    let given = [
        ("user", "root".into()),
        ("private_key", std::fs::read_to_string(&host.private_key).unwrap().into()),
        ("known_hosts", host.known_hosts.to_str().unwrap().into()),
    ];
    Driver::new("k3s", "k3s_server", &given).await
}

fn given(host: &lab::host::Host, more: &[(&'static str, Value)]) -> Vec<(&'static str, Value)> {
    let script = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lab/k3s-stand-in/install.sh");
    let mut all: Vec<(&str, Value)> =
        vec![("host", host.address.to_string().into()), ("install_script", script.to_str().unwrap().into())];
    all.extend_from_slice(more);
    all
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap()
}

/// The API answers to the kubeconfig from here.
async fn answers(object: &Value) {
    let config_raw = Some(Secret::new(text(object, "kubeconfig")));
    let kube = connect(&Settings { config_raw, ..Settings::default() }).await.unwrap();
    kube.ready().await.unwrap();
    kube.identity().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_lives_on_a_bare_host() {
    let Some(host) = lab::host() else { return };
    let driver = driver(&host).await;
    let plain = given(&host, &[]);

    // A version that cannot be had: nothing is left that would be taken for a server, and the next create goes on.
    let wrong = given(&host, &[("version", "v1.0.0+k3s1".into())]);
    let planned = driver.plan(&Value::NULL, &wrong).await.value;
    let failed = driver.apply(Action::Create, &Value::NULL, planned, "first", &Heard::default()).await;
    assert!(matches!(failed.now, Now::Unchanged));
    let said = failed.said.to_string();
    assert!(said.contains("k3s was not installed") && said.contains("version v1.0.0+k3s1 cannot be had"), "{said}");
    assert!(matches!(driver.recover(&wrong, "first").await, Recovered::Absent));

    let heard = Heard::default();
    let planned = driver.plan(&Value::NULL, &plain).await.value;
    let object = done(driver.apply(Action::Create, &Value::NULL, planned, "second", &heard).await);
    let heard = heard.0.into_inner().unwrap();
    assert!(heard.iter().any(|line| line.contains("installing v1.34.4+k3s1")), "{heard:?}");
    assert_eq!((text(&object, "installed_version"), object.get("running")), ("v1.34.4+k3s1", Some(&true.into())));
    assert!(text(&object, "kubeconfig").contains(&format!("server: https://{}:6443", host.address)));
    answers(&object).await;
    assert_eq!(driver.found(&object).await, object);
    assert_eq!(driver.plan(&object, &plain).await.value, object);

    // What a crash leaves: the result is lost, the note on the host proves whose it is.
    assert!(matches!(driver.recover(&plain, "second").await, Recovered::Found { value, .. } if value == object));
    assert!(matches!(driver.recover(&plain, "other").await, Recovered::CannotTell(_)));
    let planned = driver.plan(&Value::NULL, &plain).await.value;
    let taken = driver.apply(Action::Create, &Value::NULL, planned, "other", &Heard::default()).await;
    assert!(taken.said.to_string().contains("k3s is installed on the host already"), "{}", taken.said);
    let imported = driver.import(&host.address.to_string()).await.value.unwrap();
    assert_eq!(text(&imported[0].value, "kubeconfig"), text(&object, "kubeconfig"));

    // A create that was cut off in the middle goes on.
    let (code, said) =
        host.run("echo installing third > /etc/rancher/k3s/infra; systemctl stop k3s; rm /usr/local/bin/k3s");
    assert_eq!(code, 0, "{said}");
    assert!(matches!(driver.recover(&plain, "third").await, Recovered::Absent));
    let object = driver.create(&plain, "third").await;
    answers(&object).await;

    // A server that was stopped is drift, and is started again.
    assert_eq!(host.run("systemctl stop k3s").0, 0);
    let stopped = driver.found(&object).await;
    assert_eq!(stopped.get("running"), Some(&false.into()));
    let named = given(&host, &[("cluster_name", "staging".into()), ("tls_san", list(&["api.internal"]))]);
    let object = driver.update(&stopped, &named).await;
    assert!(text(&object, "kubeconfig").contains("current-context: staging"));
    answers(&object).await;
    let (_, unit) = host.run("cat /etc/systemd/system/k3s.service");
    assert!(unit.contains(&format!("--tls-san={} --tls-san=api.internal", host.address)), "{unit}");

    driver.delete(&object).await;
    assert!(matches!(driver.read(&object).await, ReadResult::Absent));
    assert!(matches!(driver.recover(&named, "third").await, Recovered::Absent));
    driver.delete(&object).await;
}

fn list(items: &[&str]) -> Value {
    Value::list(infra::value::Type::String, items.iter().map(|item| Value::from(*item)).collect())
}
