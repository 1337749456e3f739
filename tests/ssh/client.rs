use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use infra::client::Secret;
use infra::client::ssh::{Client, Exec, HostKeys, Login, SshError, Target};

use super::sshd::Sshd;

async fn connect(target: Target) -> Result<(), SshError> {
    Client::new(target).connect().await
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_commands() {
    let Some(sshd) = Sshd::start() else { return };
    let client = Client::new(sshd.target());
    let check = async |exec: Exec, code: i32, stdout: &str, stderr: &str| {
        let output = client.run(exec).await.unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert_eq!((output.code, text(&output.stdout), text(&output.stderr)), (code, stdout.into(), stderr.into()));
    };
    check(Exec::argv(&["printf", "%s|", "a b", "$HOME", "it's"]), 0, "a b|$HOME|it's|", "").await;
    check(Exec::script("echo out; echo err >&2; exit 3"), 3, "out\n", "err\n").await;
    check(Exec::script("kill -TERM $$"), 143, "", "").await;
    check(Exec::script("echo \"$A\"; cat").env("A", Secret::new("s3cr\net")).stdin("in"), 0, "s3cr\net\nin", "").await;
    check(Exec::script("exec <&-; true").stdin(vec![b'x'; 1 << 20]), 0, "", "").await;
    // Nothing on standard output for a while, then something on standard error.
    check(Exec::script("sleep 0.5; echo late >&2"), 0, "", "late\n").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn moves_much_data_both_ways_at_once() {
    let Some(sshd) = Sshd::start() else { return };
    let client = Client::new(sshd.target());
    let sent: Vec<u8> = (0..8u32 << 20).map(|index| (index.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let begun = Instant::now();
    let output = client.run(Exec::argv(&["cat"]).stdin(sent.clone()).limit(16 << 20)).await.unwrap();
    assert!(output.stdout == sent, "{} of {} bytes came back", output.stdout.len(), sent.len());
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
    let bounded = client.run(Exec::argv(&["cat"]).stdin(sent).limit(1000)).await.unwrap();
    assert_eq!((bounded.stdout.len(), bounded.truncated), (1000, true));
}

#[tokio::test(flavor = "multi_thread")]
async fn reports_lines_while_the_command_runs() {
    let Some(sshd) = Sshd::start() else { return };
    let client = Client::new(sshd.target());
    let (sender, mut lines) = tokio::sync::mpsc::unbounded_channel();
    // The command waits for a file that is made only once its first line was heard.
    let go = sshd.path("go");
    let script = format!("echo ready; while ! [ -e {0} ]; do sleep 0.05; done; echo gone", go.display());
    let running = tokio::spawn(async move { client.run(Exec::script(script).report(sender)).await });
    assert_eq!(lines.recv().await.unwrap().text, "ready");
    std::fs::write(go, "").unwrap();
    assert_eq!(lines.recv().await.unwrap().text, "gone");
    assert!(running.await.unwrap().unwrap().succeeded());
}

#[tokio::test(flavor = "multi_thread")]
async fn several_commands_run_at_once() {
    let Some(sshd) = Sshd::start() else { return };
    let client = Client::new(sshd.target());
    // Each of the first two waits for what the other one does.
    let folder = sshd.path("");
    let wait = |mine: &str, other: &str| {
        Exec::script(format!("cd {}; touch {mine}; while ! [ -e {other} ]; do sleep 0.05; done", folder.display()))
    };
    let (a, b) = tokio::join!(client.run(wait("a", "b")), client.run(wait("b", "a")));
    assert!(a.unwrap().succeeded() && b.unwrap().succeeded());
    let many = futures::future::join_all((0..12).map(|index| client.run(Exec::script(format!("echo {index}"))))).await;
    for (index, output) in many.into_iter().enumerate() {
        assert_eq!(output.unwrap().text(), format!("{index}\n"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn host_keys_are_judged_before_anything_else() {
    let Some(sshd) = Sshd::start() else { return };
    let (ed, rsa) = (sshd.text("host_ed25519.pub"), sshd.text("host_rsa.pub"));
    let with = |host_keys: HostKeys| Target { host_keys, ..sshd.target() };
    let line = |key: &str| format!("[127.0.0.1]:{} {key}", sshd.port);

    for known in [
        HostKeys::of_host(&ed).unwrap(),
        HostKeys::of_host(&rsa).unwrap(),
        HostKeys::known_hosts(&line(&ed)).unwrap(),
        HostKeys::known_hosts(&line(&rsa)).unwrap(),
    ] {
        connect(with(known)).await.unwrap();
    }

    let unknown = connect(with(HostKeys::known_hosts(&format!("elsewhere {ed}")).unwrap())).await.unwrap_err();
    let SshError::HostKeyUnknown { kind, fingerprint, .. } = &unknown else { panic!("{unknown:?}") };
    let public = sshd.path(&format!("host_{}.pub", kind.trim_start_matches("ssh-")));
    let listed = Command::new("ssh-keygen").arg("-lf").arg(public).output().unwrap();
    assert!(String::from_utf8_lossy(&listed.stdout).contains(fingerprint.as_str()), "{fingerprint}");
    // The advice works: the fingerprint that was shown is accepted as host_key.
    connect(with(HostKeys::of_host(fingerprint).unwrap())).await.unwrap();

    let changed = connect(with(HostKeys::known_hosts(&line(&sshd.text("stranger.pub"))).unwrap())).await.unwrap_err();
    assert!(matches!(changed, SshError::HostKeyChanged { .. }), "{changed:?}");
    let revoked = format!("{}\n@revoked * {ed}", line(&ed));
    let revoked = connect(with(HostKeys::known_hosts(&revoked).unwrap())).await.unwrap_err();
    assert!(matches!(revoked, SshError::HostKeyRevoked { .. }), "{revoked:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_in_by_every_kind_of_key() {
    let Some(sshd) = Sshd::start() else { return };
    let with = |logins: Vec<Login>| Target { logins, ..sshd.target() };
    for key in ["user", "user_rsa", "user_ecdsa"] {
        connect(with(vec![sshd.login(key)])).await.unwrap_or_else(|error| panic!("{key}: {error:?}"));
    }
    // A key that is refused does not keep the next one from being tried.
    connect(with(vec![sshd.login("stranger"), sshd.login("user")])).await.unwrap();

    let locked = |passphrase: Option<&str>| Login::Key {
        key: Secret::new(sshd.text("user_locked")),
        passphrase: passphrase.map(Secret::new),
        certificate: None,
    };
    connect(with(vec![locked(Some("open sesame"))])).await.unwrap();
    let wrong = connect(with(vec![locked(Some("close sesame"))])).await.unwrap_err();
    assert!(matches!(wrong, SshError::Key { .. }) && !format!("{wrong:?} {wrong}").contains("sesame"), "{wrong:?}");
    let none = connect(with(vec![locked(None)])).await.unwrap_err();
    assert!(matches!(none, SshError::Key { .. }), "{none:?}");

    for text in ["", "~/.ssh/id_rsa", &sshd.text("user.pub"), "-----BEGIN OPENSSH PRIVATE KEY-----\nnonsense\n"] {
        let error = connect(with(vec![Login::Key { key: Secret::new(text), passphrase: None, certificate: None }]))
            .await
            .unwrap_err();
        assert!(matches!(error, SshError::Key { .. }), "{text:?}: {error:?}");
    }
    let refused =
        connect(with(vec![sshd.login("stranger"), Login::Password(Secret::new("hunter2"))])).await.unwrap_err();
    let SshError::Login { tried, accepted, .. } = &refused else { panic!("{refused:?}") };
    assert_eq!((tried.join(", ").as_str(), accepted.as_str()), ("private key, password", "publickey"));
    assert!(!refused.diagnostic().detail.contains("hunter2"));
    assert!(matches!(connect(with(vec![])).await.unwrap_err(), SshError::NoLogin { .. }));
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_in_by_an_agent() {
    let Some(sshd) = Sshd::start() else { return };
    let socket = sshd.path("agent");
    let mut agent = Command::new("ssh-agent").args(["-D", "-a"]).arg(&socket).stdout(Stdio::null()).spawn().unwrap();
    while !socket.exists() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let add = |key: &str| {
        let mut command = Command::new("ssh-add");
        command.arg("-q").arg(sshd.path(key)).env("SSH_AUTH_SOCK", &socket).stderr(Stdio::null());
        assert!(command.status().unwrap().success());
    };
    add("stranger");
    let target = Target { logins: vec![Login::Agent(socket.clone())], ..sshd.target() };
    let refused = connect(target.clone()).await.unwrap_err();
    assert!(matches!(refused, SshError::Login { .. }), "{refused:?}");
    add("user");
    let accepted = connect(target).await;
    agent.kill().unwrap();
    agent.wait().unwrap();
    accepted.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn hosts_that_do_not_answer_are_told_apart() {
    let Some(sshd) = Sshd::start() else { return };
    let at = |port: u16| Target { port, connect_timeout: Duration::from_millis(500), ..sshd.target() };
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let silent = connect(at(port)).await.unwrap_err();
    assert!(matches!(silent, SshError::Timeout { step: "shaking hands", .. }), "{silent:?}");
    assert!(silent.is_transient());

    std::thread::spawn(move || {
        while let Ok((mut stream, _)) = listener.accept() {
            let _ = std::io::Write::write_all(&mut stream, b"HTTP/1.1 400 Bad Request\r\n\r\n");
        }
    });
    let other = connect(at(port)).await.unwrap_err();
    assert!(matches!(other, SshError::Handshake { .. } | SshError::Timeout { .. }), "{other:?}");

    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    assert!(matches!(connect(at(free)).await.unwrap_err(), SshError::Refused { .. }));
    let nowhere = Target { host: "no-such-host.invalid".into(), ..at(22) };
    assert!(matches!(connect(nowhere).await.unwrap_err(), SshError::Resolve { .. }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_takes_too_long_is_given_up() {
    let Some(sshd) = Sshd::start() else { return };
    let client = Client::new(sshd.target());
    let late = client.run(Exec::script("sleep 60").timeout(Duration::from_millis(300))).await.unwrap_err();
    assert!(matches!(late, SshError::Command { .. }), "{late:?}");
    assert_eq!(client.run(Exec::script("echo on")).await.unwrap().text(), "on\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_connection_is_told_and_replaced() {
    let Some(sshd) = Sshd::start() else { return };
    let client = Client::new(sshd.target());
    // The parent of a command's shell is the process of sshd that serves this connection.
    let lost = client.run(Exec::script("kill -9 $PPID; sleep 60")).await.unwrap_err();
    assert!(matches!(lost, SshError::Lost { .. }), "{lost:?}");
    assert_eq!(client.run(Exec::script("echo on")).await.unwrap().text(), "on\n");
    // The same while the session lies idle: the next command does not notice.
    let parent = client.run(Exec::script("echo $PPID")).await.unwrap().text();
    assert!(Command::new("kill").args(["-9", parent.trim()]).status().unwrap().success());
    assert_eq!(client.run(Exec::script("echo on")).await.unwrap().text(), "on\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn stopping_ends_what_runs() {
    let Some(sshd) = Sshd::start() else { return };
    let client = Client::new(sshd.target());
    let (sender, mut lines) = tokio::sync::mpsc::unbounded_channel();
    let running = tokio::spawn({
        let client = client.clone();
        async move { client.run(Exec::script("echo ready; sleep 60").report(sender)).await }
    });
    lines.recv().await.unwrap();
    client.stop();
    let stopped = running.await.unwrap().unwrap_err();
    assert!(matches!(stopped, SshError::Stopped { .. }), "{stopped:?}");
    assert!(matches!(client.run(Exec::script("true")).await.unwrap_err(), SshError::Stopped { .. }));
}
