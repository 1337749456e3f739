#![expect(clippy::unwrap_used, reason = "tests")]

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;
use crate::event::{Event, Events};
use crate::value::{Entries, Type, Value};

/// Writes down what it hears, in a word each.
#[derive(Default)]
struct Heard(Mutex<Vec<String>>);

impl Events for Heard {
    fn emit(&self, event: Event) {
        self.0.lock().unwrap().push(match event {
            Event::GateStarted { gate, .. } => format!("started {gate}"),
            Event::GateWaiting { reason, .. } => format!("waiting: {reason}"),
            Event::GateEnded { failed, note, .. } => format!("ended {failed} {note}"),
            other => format!("{other:?}"),
        });
    }
}

fn arguments(kind: &str, given: &[(&str, Value)]) -> Value {
    let block = schema(kind).unwrap();
    for (name, _) in given {
        assert!(block.attribute(name).is_some(), "{kind} has no {name}");
    }
    Value::object(block.attributes.iter().map(|(name, attribute)| {
        let value = given.iter().find(|(key, _)| *key == name.as_str()).map(|(_, value)| value.clone());
        (name.clone(), value.unwrap_or(Value::Null(attribute.ty.clone())))
    }))
}

fn words(words: &[&str]) -> Value {
    Value::list(Type::String, words.iter().map(|word| Value::from(*word)).collect())
}

fn quick(timeout: u64, retries: Option<u32>) -> Timing {
    Timing { interval: Duration::from_millis(10), timeout: Duration::from_millis(timeout), retries }
}

async fn ask(
    kind: &str,
    given: &[(&str, Value)],
    timing: Timing,
    sandbox: bool,
) -> (Result<Report, String>, Vec<String>) {
    let heard = Heard::default();
    let arguments = arguments(kind, given);
    let spec = Spec { phase: "2", name: "g", kind, arguments: &arguments, timing, absent: &[] };
    let around = Around { cluster: &NoCluster, sandbox, events: &heard, stop: &|| false };
    let outcome = run(&spec, &around).await;
    let result = match outcome.value {
        Some(report) => Ok(report),
        None => Err(outcome.said.to_string()),
    };
    (result, heard.0.into_inner().unwrap())
}

/// Answers each request with the next status of the list, the last one for ever; gives its address.
async fn server(statuses: &'static [u16], body: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        let mut asked = 0;
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut buffer = [0; 4096];
            let _ = stream.read(&mut buffer).await;
            let status = statuses[asked.min(statuses.len() - 1)];
            asked += 1;
            let answer =
                format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len());
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    address
}

#[tokio::test]
async fn a_page_that_comes_up_passes() {
    let address = server(&[503, 503, 200], "all fine").await;
    let url = Value::from(format!("http://user:hunter2@{address}/health?token=hunter2"));
    let (passed, heard) = ask("http", &[("url", url), ("contains", "fine".into())], quick(20_000, None), false).await;
    assert_eq!(passed.unwrap().tries, 3);
    assert_eq!(heard, ["started g", "waiting: status 503: all fine", "ended false "]);
}

#[tokio::test]
async fn a_page_that_does_not_come_up_is_explained() {
    let address = server(&[200], "on fire").await;
    let url = || ("url", Value::from(format!("http://user:hunter2@{address}/health?token=hunter2")));
    for (given, part) in [
        (("status", Value::int(204)), "status 204 within 0.1s (3 tries; the last: status 200: on fire)"),
        (
            ("contains", "fine".into()),
            "the right body within 0.1s (3 tries; the last: status 200, but the body does not contain",
        ),
        (("body", "^f[a-z]+$".into()), "the body does not match \"^f[a-z]+$\""),
    ] {
        let headers = Value::map(Type::String, Entries::from_iter([("X-Token".into(), "hunter2".into())]));
        let (failed, heard) = ask("http", &[url(), given, ("headers", headers)], quick(10_000, Some(2)), false).await;
        let said = failed.unwrap_err();
        let said = said.replace("within 0s", "within 0.1s").replace("within 0.2s", "within 0.1s");
        assert!(said.contains("Gate failed: phase 2 \"g\"") && said.contains(part), "{said}");
        assert!(said.contains(&format!("GET {address}/health did not answer with")), "{said}");
        assert!(!format!("{said} {heard:?}").contains("hunter2"), "{said}");
    }
}

#[tokio::test]
async fn a_port_is_open_or_not() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (open, _) = ask("tcp", &[("address", address.as_str().into())], quick(5000, None), false).await;
    assert_eq!(open.unwrap().tries, 1);
    drop(listener);
    let (closed, _) = ask("tcp", &[("address", address.as_str().into())], quick(5000, Some(0)), false).await;
    let said = closed.unwrap_err();
    assert!(
        said.contains(&format!("Nothing accepted a connection at {address}")) && said.contains("1 try: "),
        "{said}"
    );
    assert!(said.contains("connection refused"), "{said}");
}

#[tokio::test]
async fn no_try_outlives_the_time_out() {
    // Accepts and never answers.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let begun = std::time::Instant::now();
    let (failed, _) = ask("http", &[("url", url.as_str().into())], quick(300, None), false).await;
    assert!(failed.unwrap_err().contains("no answer within"));
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn programs_pass_by_their_end_and_output() {
    let ok = ask(
        "command",
        &[("argv", words(&["echo", "all fine"])), ("contains", "fine".into())],
        quick(20_000, None),
        false,
    )
    .await;
    assert_eq!(ok.0.unwrap().tries, 1);
    for (argv, contains, part) in [
        (words(&["sh", "-c", "echo no good >&2; exit 3"]), Value::NULL, "The program sh did not end well"),
        (words(&["sh", "-c", "echo no good >&2; exit 3"]), Value::NULL, "exit code 3: no good"),
        (words(&["echo", "off"]), "fine".into(), "the output does not contain \"fine\""),
        (words(&["no-such-program"]), Value::NULL, "1 try: the program \"no-such-program\" was not found"),
    ] {
        let (failed, _) =
            ask("command", &[("argv", argv), ("contains", contains)], quick(20_000, Some(1)), false).await;
        let said = failed.unwrap_err();
        assert!(said.contains(part), "{said}");
    }
}

#[tokio::test]
async fn wrong_arguments_are_named_at_once() {
    for (kind, given, part) in [
        ("tcp", vec![], "one of address"),
        ("http", vec![("url", Value::from("nowhere"))], "url is no URL"),
        ("http", vec![("url", "http://a/".into()), ("body", "(".into())], "no regular expression"),
        ("postgresql", vec![("address", "db".into()), ("sslmode", "yes".into())], "sslmode is \"yes\""),
        ("postgresql", vec![("address", "db".into()), ("role", "leader".into())], "role is \"leader\""),
        ("redis", vec![("service", "redis".into())], "no service"),
        ("kubernetes", vec![], "either ready = true or an object"),
        ("kubernetes", vec![("kind", "Pod".into())], "both kind and name"),
        ("exec", vec![("command", words(&["true"]))], "either pod"),
        ("command", vec![("argv", words(&[]))], "argv must name a program"),
    ] {
        let (failed, _) = ask(kind, &given, Timing::default(), false).await;
        let said = failed.unwrap_err();
        assert!(said.contains("Invalid gate") && said.contains(part), "{said}");
    }
}

#[tokio::test]
async fn the_sandbox_checks_nothing_outside_of_the_cluster() {
    let (passed, heard) = ask("tcp", &[("address", "db:1".into())], Timing::default(), true).await;
    assert_eq!(passed.unwrap().note, "not checked");
    assert_eq!(heard, ["started g", "ended false not checked"]);
    let (failed, _) = ask("redis", &[("service", "data/redis".into())], Timing::default(), true).await;
    assert!(failed.unwrap_err().contains("No cluster to ask"));
}

#[tokio::test]
async fn stopping_ends_the_waiting() {
    let arguments = arguments("tcp", &[("address", "127.0.0.1:1".into())]);
    let (stopped, asked) = (AtomicBool::new(false), AtomicU32::new(0));
    let stop = || {
        // The user loses patience after a few looks.
        if asked.fetch_add(1, Ordering::Relaxed) > 3 {
            stopped.store(true, Ordering::Relaxed);
        }
        stopped.load(Ordering::Relaxed)
    };
    let heard = Heard::default();
    let timing = Timing { interval: Duration::from_secs(60), timeout: Duration::from_secs(600), retries: None };
    let spec = Spec { phase: "2", name: "g", kind: "tcp", arguments: &arguments, timing, absent: &[] };
    let around = Around { cluster: &NoCluster, sandbox: false, events: &heard, stop: &stop };
    let outcome = run(&spec, &around).await;
    assert!(outcome.said.to_string().contains("It was stopped after"), "{}", outcome.said);
}
