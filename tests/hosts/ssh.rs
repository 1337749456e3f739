//! `ssh_file` and `ssh_command`.

use infra::change::Action;
use infra::provider::{Now, ReadResult, Recovered};
use infra::value::{Entries, Path, Type, Value};

use super::driver::{Driver, Heard};
use crate::ssh::sshd::{Sshd, user};

async fn driver(sshd: &Sshd, kind: &'static str) -> Driver {
    let given = [
        ("host", "127.0.0.1".into()),
        ("port", Value::int(i64::from(sshd.port))),
        ("user", user().into()),
        ("private_key", sshd.text("user").into()),
        ("host_key", sshd.text("host_ed25519.pub").into()),
        ("sudo", false.into()),
    ];
    Driver::new("ssh", kind, &given).await
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_lives_on_the_host() {
    let Some(sshd) = Sshd::start() else { return };
    let driver = driver(&sshd, "ssh_file").await;
    let path = sshd.path("etc/app.conf");
    let given = |content: &str| vec![("path", Value::from(path.to_str().unwrap())), ("content", content.into())];

    let planned = driver.plan(&Value::NULL, &given("one")).await.value;
    assert_eq!(text(&planned, "mode"), "0644");
    assert_eq!(text(&planned, "content_sha256"), "7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed");
    assert!(matches!(driver.recover(&given("one"), "n").await, Recovered::Absent));
    let object = driver.create(&given("one"), "n").await;
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "one");
    assert_eq!(driver.found(&object).await, object);
    assert_eq!(driver.plan(&object, &given("one")).await.value, object);
    assert!(matches!(driver.recover(&given("one"), "n").await, Recovered::Found { value, .. } if value == object));

    // Somebody changes it: the drift is found and put right.
    std::fs::write(&path, "other").unwrap();
    let drifted = driver.found(&object).await;
    assert_eq!(text(&drifted, "content"), "other");
    assert!(matches!(driver.recover(&given("one"), "n").await, Recovered::Absent));
    let object = driver.update(&drifted, &given("one")).await;
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "one");

    let mut changed = given("two");
    changed.extend([("mode", "0600".into()), ("owner", user().into())]);
    let object = driver.update(&object, &changed).await;
    assert_eq!(driver.found(&object).await, object);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "two");

    let moved = driver.plan(&object, &[("path", "/elsewhere".into()), ("content", "two".into())]).await;
    assert_eq!(moved.replace, [Path::attribute("path")]);

    let imported = driver.import(path.to_str().unwrap()).await.value.unwrap();
    assert_eq!((text(&imported[0].value, "content"), text(&imported[0].value, "mode")), ("two", "0600"));

    driver.delete(&object).await;
    assert!(!path.exists());
    assert!(matches!(driver.read(&object).await, ReadResult::Absent));
    driver.delete(&object).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_changes_shows_in_the_plan() {
    let Some(sshd) = Sshd::start() else { return };
    let driver = driver(&sshd, "ssh_file").await;
    let (path, source) = (sshd.path("target"), sshd.path("source"));
    std::fs::write(&source, "one").unwrap();
    let given = [("path", path.to_str().unwrap().into()), ("source", source.to_str().unwrap().into())];
    let object = driver.create(&given, "n").await;
    assert_eq!(driver.plan(&object, &given).await.value, object);
    std::fs::write(&source, "two").unwrap();
    let planned = driver.plan(&object, &given).await.value;
    assert_ne!(planned, object);
    // It changes once more between plan and apply: what was approved is no longer what would be done.
    std::fs::write(&source, "three").unwrap();
    let applied = driver.apply(Action::Update, &object, planned, "", &Heard::default()).await;
    assert!(matches!(applied.now, Now::Unchanged) && applied.said.has_errors());
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "one");
    driver.update(&object, &given).await;
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "three");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_cannot_be_reached_is_not_an_absent_file() {
    let Some(sshd) = Sshd::start() else { return };
    let working = driver(&sshd, "ssh_file").await;
    let path = sshd.path("file");
    let given = [("path", Value::from(path.to_str().unwrap())), ("content", "x".into())];
    let object = working.create(&given, "n").await;
    let wrong_key = Driver::new(
        "ssh",
        "ssh_file",
        &[
            ("host", "127.0.0.1".into()),
            ("port", Value::int(i64::from(sshd.port))),
            ("user", user().into()),
            ("private_key", sshd.text("user").into()),
            ("host_key", sshd.text("stranger.pub").into()),
        ],
    )
    .await;
    let ReadResult::Unreachable(said) = wrong_key.read(&object).await else { panic!("it must not be absent") };
    assert!(said.to_string().contains("Host key changed"), "{said}");
    let applied = wrong_key.apply(Action::Delete, &object, Value::NULL, "", &Heard::default()).await;
    assert!(matches!(applied.now, Now::Unchanged));
    assert!(path.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_make_change_and_remove() {
    let Some(sshd) = Sshd::start() else { return };
    let driver = driver(&sshd, "ssh_command").await;
    let made = sshd.path("made");
    let file = made.to_str().unwrap();
    let environment = |value: &str| Value::map(Type::String, Entries::from_iter([("WHAT".into(), value.into())]));
    let given = |what: &str| {
        vec![
            ("create", Value::from(format!("echo working >&2; echo \"$WHAT\" > {file}; echo made \"$WHAT\""))),
            ("update", format!("echo again \"$WHAT\" | tee {file}").into()),
            ("read", format!("test -e {file}").into()),
            ("delete", format!("rm {file}").into()),
            ("environment", environment(what)),
        ]
    };
    assert!(matches!(driver.recover(&given("one"), "n").await, Recovered::Absent));
    let heard = Heard::default();
    let planned = driver.plan(&Value::NULL, &given("one")).await.value;
    let applied = driver.apply(Action::Create, &Value::NULL, planned, "nonce", &heard).await;
    let object = super::driver::done(applied);
    assert_eq!((text(&object, "stdout"), text(&object, "id")), ("made one\n", "nonce"));
    let mut heard = heard.0.into_inner().unwrap();
    heard.sort();
    assert_eq!(heard, ["made one", "working"]);
    assert_eq!(driver.found(&object).await, object);
    assert_eq!(driver.plan(&object, &given("one")).await.value, object);
    assert!(matches!(driver.recover(&given("one"), "n").await, Recovered::CannotTell(_)));

    let object = driver.update(&object, &given("two")).await;
    assert_eq!(
        (text(&object, "stdout"), std::fs::read_to_string(&made).unwrap().as_str()),
        ("again two\n", "again two\n")
    );
    let without_update: Vec<_> = given("three").into_iter().filter(|(name, _)| *name != "update").collect();
    assert_eq!(driver.plan(&object, &without_update).await.replace, [Path::attribute("environment")]);

    driver.delete(&object).await;
    assert!(matches!(driver.read(&object).await, ReadResult::Absent));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_fails_says_what_it_said() {
    let Some(sshd) = Sshd::start() else { return };
    let driver = driver(&sshd, "ssh_command").await;
    let fail = async |given: &[(&str, Value)]| {
        let planned = driver.plan(&Value::NULL, given).await.value;
        driver.apply(Action::Create, &Value::NULL, planned, "n", &Heard::default()).await
    };
    let failed = fail(&[("create", "echo no room left >&2; exit 7".into())]).await;
    assert!(matches!(failed.now, Now::Unchanged));
    let said = failed.said.to_string();
    assert!(said.contains("exit code 7") && said.contains("| no room left"), "{said}");
    // Nobody knows what became of it.
    let late = fail(&[("create", "sleep 60".into()), ("timeout", "300ms".into())]).await;
    assert!(matches!(late.now, Now::Unclear), "{}", late.said);
    let lost = fail(&[("create", "kill -9 $PPID; sleep 60".into())]).await;
    assert!(matches!(lost.now, Now::Unclear), "{}", lost.said);
}
