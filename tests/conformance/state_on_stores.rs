//! Whole states on every store: locked, written, killed, recovered, fought over.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use infra::addr::{
    InstanceKey, LayerName, ModuleAddr, ModuleInstance, ProviderConfigAddr, ProviderSource, ResourceAddr,
};
use infra::change::{Intent, Step};
use infra::state::store::{Condition, LocalStore, S3Store, Store};
use infra::state::{
    Commit, Lease, LeaseState, Lock, LockInfo, LockRequest, Object, OpenIntent, OutputState, Process, Record, Run,
    Settlement, Slot, StateError, StateHandle, format,
};
use infra::value::Value;
use tempfile::TempDir;

use super::stores::{Tested, settings, stores};
use crate::lab;

const KEY: &str = "k3s/data-dev.tfstate";

fn layer() -> LayerName {
    LayerName::from("data")
}

fn handle(store: &Arc<dyn Store>) -> StateHandle {
    StateHandle::new(store.clone(), KEY, layer())
}

fn run(id: &str) -> Run {
    Run {
        id: id.into(),
        who: "me@here".into(),
        operation: "apply".into(),
        started: format!("2026-11-21T14:02:11Z {id}"),
    }
}

fn slot(index: u64) -> Slot {
    let resource = ResourceAddr::managed("terraform_data", "a");
    Slot::current(resource.instance(layer(), ModuleInstance::root(), Some(InstanceKey::Int(index))))
}

fn provider() -> ProviderConfigAddr {
    ProviderConfigAddr {
        layer: Some(layer()),
        module: ModuleAddr::root(),
        source: ProviderSource::builtin(),
        alias: None,
        key: None,
    }
}

fn object(id: &str) -> Object {
    Object::new(0, format!("{{\"id\":\"{id}\",\"input\":null,\"output\":null,\"triggers_replace\":null}}"))
}

fn put(index: u64, id: &str) -> Record {
    Record::new().put(slot(index), provider(), Arc::new(object(id)))
}

fn intent(index: u64, nonce: &str, step: Step) -> OpenIntent {
    OpenIntent {
        intent: Intent {
            addr: slot(index).addr,
            deposed: None,
            step,
            nonce: nonce.into(),
            schema_version: 0,
            object: "{\"input\":null}".into(),
        },
        provider: provider(),
        dependencies: Arc::new([]),
        create_before_destroy: false,
        sensitive: Vec::new(),
    }
}

async fn begin(store: &Arc<dyn Store>, id: &str) -> Commit {
    handle(store).begin(None, run(id)).await.unwrap().0
}

async fn objects(store: &Arc<dyn Store>) -> Vec<String> {
    let view = handle(store).read().await.unwrap();
    view.state.objects().map(|placed| placed.object.attributes[7..8].to_owned()).collect()
}

#[tokio::test]
async fn a_run_that_just_ends_is_recovered_by_the_next() {
    for Tested { name, store, .. } in stores() {
        let commit = begin(&store, "r1").await;
        commit
            .append(Record::new().open(intent(0, "n0", Step::Create)).open(intent(1, "n1", Step::Create)))
            .await
            .unwrap();
        commit.append(put(0, "A").close("n0")).await.unwrap();
        commit.append(Record::new().open(intent(2, "n2", Step::Create))).await.unwrap();
        drop(commit);

        let (commit, view) = handle(&store).begin(None, run("r2")).await.unwrap();
        let recovered = view.recovered.clone().unwrap();
        assert_eq!((recovered.results, recovered.intents), (1, 2), "{name}");
        assert_eq!(recovered.runs, [run("r1")], "{name}");
        let [one, two] = &view.open[..] else { panic!("{name}: {:?}", view.open) };
        commit.append(one.settle(Settlement::Found(object("B")))).await.unwrap();
        assert_eq!(objects(&store).await, ["A", "B"], "{name}");
        let finished = commit.finish().await.unwrap();
        assert_eq!((finished.state.serial, finished.open.len()), (1, 1), "{name}: the other one stays uncertain");

        // It moves under each following snapshot until somebody settles it.
        let commit = begin(&store, "r3").await;
        assert_eq!(commit.open().await.unwrap(), std::slice::from_ref(two), "{name}");
        commit.append(put(5, "F")).await.unwrap();
        assert_eq!(commit.finish().await.unwrap().state.serial, 2, "{name}");
        let commit = begin(&store, "r4").await;
        commit.append(two.settle(Settlement::Absent)).await.unwrap();
        let finished = commit.finish().await.unwrap();
        assert_eq!((finished.state.serial, finished.written, finished.open.len()), (2, false, 0), "{name}");
        assert_eq!(objects(&store).await, ["A", "B", "F"], "{name}");
        assert_eq!(store.logs(KEY).await.unwrap(), [], "{name}");
    }
}

#[tokio::test]
async fn results_on_a_foreign_snapshot_are_kept_and_block() {
    for Tested { name, store, .. } in stores() {
        let commit = begin(&store, "r1").await;
        commit.append(put(0, "A")).await.unwrap();
        commit.finish().await.unwrap();
        let commit = begin(&store, "r2").await;
        commit.append(put(1, "B")).await.unwrap();

        // Terraform writes without looking.
        let (bytes, _) = store.get(KEY).await.unwrap().unwrap();
        let text = String::from_utf8(bytes.to_vec()).unwrap().replace("\"serial\": 1", "\"serial\": 2");
        store.put(KEY, Bytes::from(text), Condition::Always).await.unwrap();

        let error = commit.finish().await.unwrap_err();
        assert_eq!(error.diagnostic().summary, "State changed outside of this run", "{name}");
        let view = handle(&store).read().await.unwrap();
        assert_eq!((objects(&store).await, view.conflicts.len()), (vec!["A".to_owned()], 1), "{name}");
        let refused = handle(&store).begin(None, run("r3")).await.map(drop).unwrap_err();
        assert!(matches!(refused, StateError::Conflict { .. }), "{name}: {refused}");
        assert!(refused.diagnostic().detail.contains("me@here"), "{name}");

        let lock = handle(&store).lock(&LockRequest::new("me@here", "state settle")).await.unwrap();
        let finished = handle(&store).settle_conflicts(&lock, run("r4"), true).await.unwrap();
        assert_eq!(finished.state.serial, 3, "{name}");
        lock.release().await.unwrap();
        assert_eq!((objects(&store).await, store.logs(KEY).await.unwrap().len()), (vec!["A".into(), "B".into()], 0));
    }
}

#[tokio::test]
async fn a_run_that_lost_its_lock_is_shut_out_and_its_results_are_seen() {
    let Some(minio) = lab::minio() else { return };
    let store: Arc<dyn Store> = Arc::new(S3Store::new(&settings(minio, minio.bucket())).with_pause(Duration::ZERO));
    let late = begin(&store, "r1").await;
    late.append(put(0, "A")).await.unwrap();
    let commit = begin(&store, "r2").await;
    // The next run has taken over what was there; what the late one still adds is not lost, but it is not state either.
    late.append(put(1, "B")).await.unwrap();
    assert_eq!(objects(&store).await, ["A"]);
    assert_eq!(handle(&store).read().await.unwrap().conflicts.len(), 1);
    commit.append(put(2, "C")).await.unwrap();
    commit.finish().await.unwrap();
    assert!(late.finish().await.is_err());
    assert_eq!(objects(&store).await, ["A", "C"]);
    assert_eq!(handle(&store).read().await.unwrap().conflicts.len(), 1);
}

#[tokio::test]
async fn only_one_holds_the_lock() {
    for Tested { name, store, .. } in stores() {
        let request = LockRequest::new("ci@runner-7", "apply");
        let lock = handle(&store).lock(&request).await.unwrap();
        let holder = handle(&store).holder().await.unwrap().unwrap();
        assert_eq!((holder.id.as_str(), holder.command().as_str()), (lock.id(), "apply"), "{name}");
        let refused = handle(&store).lock(&LockRequest::new("me@here", "plan")).await.map(drop).unwrap_err();
        let said = refused.diagnostic();
        assert_eq!(said.summary, "Error acquiring the state lock", "{name}");
        for part in ["k3s/data-dev.tfstate is held by ci@runner-7 for \"apply\" since ", "It is alive: wait, or pass"] {
            assert!(said.detail.contains(part), "{name}: {}", said.detail);
        }
        // Waiting for it.
        let waiting = LockRequest { timeout: Duration::from_secs(20), ..request.clone() };
        let other = handle(&store);
        let waiting = tokio::spawn(async move { other.lock(&waiting).await });
        tokio::task::yield_now().await;
        let id = lock.id().to_owned();
        lock.release().await.unwrap();
        let lock = waiting.await.unwrap().unwrap();
        assert_ne!(lock.id(), id, "{name}");

        let wrong = handle(&store).force_unlock(&id).await.unwrap_err();
        assert!(wrong.to_string().contains(lock.id()), "{name}: {wrong}");
        lock.release().await.unwrap();
        assert_eq!(handle(&store).holder().await.unwrap(), None, "{name}");
        assert_eq!(store.list("k3s/").await.unwrap(), Vec::<String>::new(), "{name}: nothing is left");
    }
}

/// Requests whose clock the test moves.
fn clocked() -> (LockRequest, Arc<AtomicI64>) {
    let seconds = Arc::new(AtomicI64::new(1_795_269_731));
    let clock = seconds.clone();
    let mut request = LockRequest::new("ci@runner-7", "apply");
    request.clock = Arc::new(move || jiff::Timestamp::from_second(clock.load(Ordering::Relaxed)).unwrap());
    (request, seconds)
}

/// Takes the lock as a process that then ends without a word, as seen from a process that cannot look at it.
async fn abandon(store: &Arc<dyn Store>, request: &LockRequest, process: Process) {
    drop(handle(store).lock(&LockRequest { process, ..request.clone() }).await.unwrap());
}

#[tokio::test]
async fn leases_are_taken_over_by_their_rules() {
    let Some(minio) = lab::minio() else { return };
    let store: Arc<dyn Store> = Arc::new(S3Store::new(&settings(minio, minio.bucket())).with_pause(Duration::ZERO));
    let handle = handle(&store);
    let (request, seconds) = clocked();

    // On another machine: only when it has run out, and only after a yes.
    let elsewhere = Process { boot: "another".into(), ..Process::this() };
    abandon(&store, &request, elsewhere).await;
    let yes = LockRequest { take_over_expired: true, ..request.clone() };
    let refused = handle.lock(&yes).await.unwrap_err();
    assert!(refused.to_string().contains("lease renewed 0 s ago"), "{refused}");
    seconds.fetch_add(61, Ordering::Relaxed);
    let refused = handle.lock(&request).await.unwrap_err();
    assert!(refused.to_string().contains("since 14:02:11 UTC (1m ago)"), "{refused}");
    assert!(refused.to_string().contains("-take-over-expired"), "{refused}");
    let lock = handle.lock(&yes).await.unwrap();
    assert_eq!(lock.taken_from().map(|info| info.who.as_str()), Some("ci@runner-7"));
    lock.release().await.unwrap();

    // On this very boot: at once, when the process is gone.
    abandon(&store, &request, Process { start: 1, ..Process::this() }).await;
    let lock = handle.lock(&request).await.unwrap();
    assert!(lock.taken_from().is_some());
    drop(lock);
    let refused = handle.lock(&request).await.unwrap_err();
    assert!(matches!(refused, StateError::Locked(_)), "this process is alive");

    // By force.
    let id = handle.holder().await.unwrap().unwrap().id;
    handle.force_unlock(&id).await.unwrap();
    assert!(handle.force_unlock(&id).await.unwrap_err().to_string().contains("not locked"));

    // Terraform's lock has no lease: neither time nor a yes helps.
    let theirs = br#"{"ID":"9db590f1-0000","Operation":"OperationTypeApply","Info":"","Who":"a@b","Version":"1.11.4","Created":"2026-11-21T01:00:00.123456789Z","Path":"bucket/k3s/data-dev.tfstate"}"#;
    store.put(&format!("{KEY}.tflock"), Bytes::from_static(theirs), Condition::Absent).await.unwrap();
    seconds.fetch_add(100_000, Ordering::Relaxed);
    let refused = handle.lock(&yes).await.unwrap_err().to_string();
    assert!(
        refused.contains("Terraform 1.11.4") && refused.contains("force-unlock -layer data 9db590f1-0000"),
        "{refused}"
    );
    handle.force_unlock("9db590f1-0000").await.unwrap();
    handle.lock(&request).await.unwrap().release().await.unwrap();
}

/// Waits until the lease is in a state.
async fn until(lease: &Lease, state: LeaseState) {
    let mut watch = lease.watch();
    let change = watch.wait_for(|now| *now == state);
    tokio::time::timeout(Duration::from_secs(30), change).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_lease_is_renewed_and_its_loss_is_noticed() {
    let Some(minio) = lab::minio() else { return };
    let store: Arc<dyn Store> = Arc::new(S3Store::new(&settings(minio, minio.bucket())).with_pause(Duration::ZERO));
    // Long enough for a machine under load, short enough for a test: renewed after 1.5 s, doubtful after 4.
    let request = LockRequest { lease: Duration::from_secs(6), ..LockRequest::new("me@here", "apply") };
    let lock: Lock = handle(&store).lock(&request).await.unwrap();
    let lock_key = format!("{KEY}.tflock");
    let (first, _) = store.get(&lock_key).await.unwrap().unwrap();
    // After a renewal it is the same lock, and still ours.
    let renewed = loop {
        let (now, _) = store.get(&lock_key).await.unwrap().unwrap();
        if now != first {
            break now;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    let (first, renewed) = (LockInfo::decode(&first).unwrap(), LockInfo::decode(&renewed).unwrap());
    assert_eq!((&first.id, &first.created), (&renewed.id, &renewed.created));
    assert_ne!(first.lease.unwrap().renewed, renewed.lease.unwrap().renewed);
    assert!(lock.lease().may_start());

    let (commit, _) = handle(&store).begin(Some(&lock), run("r1")).await.unwrap();
    commit.append(put(0, "A")).await.unwrap();
    handle(&store).force_unlock(lock.id()).await.unwrap();
    until(lock.lease(), LeaseState::Lost).await;
    // Nothing new starts and no snapshot is written; what was running is still journaled.
    let intent = commit.append(Record::new().open(intent(1, "n1", Step::Create))).await;
    assert!(matches!(intent, Err(StateError::LeaseLost { .. })));
    commit.append(put(1, "B")).await.unwrap();
    assert!(matches!(commit.finish().await, Err(StateError::LeaseLost { .. })));
    assert!(store.get(KEY).await.unwrap().is_none());
    assert_eq!(objects(&store).await, ["A", "B"]);
    lock.release().await.unwrap();
}

#[tokio::test]
async fn a_store_that_no_longer_answers_puts_the_lease_in_doubt() {
    let Some(minio) = lab::minio::own_minio() else { return };
    let store: Arc<dyn Store> = Arc::new(S3Store::new(&settings(&minio, minio.bucket())).with_pause(Duration::ZERO));
    let request = LockRequest { lease: Duration::from_secs(3), ..LockRequest::new("me@here", "apply") };
    let lock = handle(&store).lock(&request).await.unwrap();
    assert_eq!(lock.lease().state(), LeaseState::Held);
    drop(minio);
    until(lock.lease(), LeaseState::Doubtful).await;
    assert!(!lock.lease().may_start());
}

#[tokio::test]
async fn notes_beside_a_state_are_fenced() {
    for Tested { name, store, .. } in stores() {
        let handle = handle(&store);
        let (mut meta, version) = handle.meta().await.unwrap();
        assert!(version.is_none(), "{name}");
        meta.identities.insert("provider[\"x/y/kubernetes\"]".into(), "uid-1".into());
        let first = handle.save_meta(&meta, None).await.unwrap();
        assert!(handle.save_meta(&meta, None).await.is_ok(), "{name}: the same again is one's own");
        meta.identities.clear();
        assert!(handle.save_meta(&meta, None).await.is_err(), "{name}");
        handle.save_meta(&meta, Some(&first)).await.unwrap();
        assert_eq!(handle.meta().await.unwrap().0, meta, "{name}");
        store.put(&format!("{KEY}.meta"), Bytes::from_static(b"{\"gates\": 3}"), Condition::Always).await.unwrap();
        assert_eq!(handle.meta().await.unwrap().0, infra::state::Meta::default(), "{name}: losing it is harmless");
    }
}

/// `terraform` with nothing of this machine's configuration; `None` where it is not installed.
fn terraform(folder: &TempDir, minio: Option<&lab::minio::Minio>) -> Option<Command> {
    let path = std::env::var_os("PATH")?;
    let mut programs = std::env::split_paths(&path).map(|folder| folder.join("terraform"));
    let Some(program) = programs.find(|path| path.is_file()) else {
        eprintln!("skipped: there is no terraform on the PATH");
        return None;
    };
    let empty = folder.path().join("empty.tfrc");
    std::fs::write(&empty, "").unwrap();
    let mut command = Command::new(program);
    command.current_dir(folder.path()).env("TF_CLI_CONFIG_FILE", empty).env("CHECKPOINT_DISABLE", "1");
    if let Some(minio) = minio {
        command.env("AWS_ACCESS_KEY_ID", &minio.access_key).env("AWS_SECRET_ACCESS_KEY", &minio.secret_key);
    }
    Some(command)
}

fn said(mut command: Command, arguments: &[&str]) -> (bool, String) {
    let output = command.args(arguments).output().unwrap();
    (output.status.success(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
}

#[tokio::test]
async fn terraform_reads_what_is_written_here_and_the_other_way_round() {
    let folder = TempDir::new().unwrap();
    let store: Arc<dyn Store> = Arc::new(LocalStore::new(folder.path()));
    let handle = StateHandle::new(store, "terraform.tfstate", LayerName::plain());
    let Some(show) = terraform(&folder, None) else { return };
    let commit = handle.begin(None, run("r1")).await.unwrap().0;
    commit.append(put(0, "A")).await.unwrap();
    let output = OutputState { value: Value::object([("a", Value::from("é \"q\" <&>"))]), sensitive: false };
    commit.append(Record::new().output("o", Some(output))).await.unwrap();
    let ours = commit.finish().await.unwrap().state;

    let configuration = "resource \"terraform_data\" \"a\" {\n  count = 1\n}\noutput \"o\" {\n  value = { a = \"é \\\"q\\\" <&>\" }\n}\n";
    std::fs::write(folder.path().join("main.tf"), configuration).unwrap();
    let (ok, text) = said(show, &["init"]);
    assert!(ok, "{text}");
    let (ok, text) = said(terraform(&folder, None).unwrap(), &["plan", "-detailed-exitcode", "-no-color"]);
    assert!(ok, "terraform sees changes in what was written here: {text}");
    let configuration = configuration.replace("count = 1", "count = 2");
    std::fs::write(folder.path().join("main.tf"), configuration).unwrap();
    let (ok, text) = said(terraform(&folder, None).unwrap(), &["apply", "-auto-approve", "-no-color"]);
    assert!(ok, "{text}");
    let theirs = handle.read().await.unwrap().state;
    assert_eq!((theirs.serial > ours.serial, &theirs.lineage), (true, &ours.lineage));
    assert_eq!((theirs.object_count(), &theirs.outputs), (2, &ours.outputs));
    assert_eq!(theirs.object(&slot(0).addr), ours.object(&slot(0).addr));
}

#[tokio::test]
async fn terraform_and_this_program_exclude_each_other() {
    let Some(minio) = lab::minio() else { return };
    let folder = TempDir::new().unwrap();
    let bucket = minio.bucket();
    let store: Arc<dyn Store> = Arc::new(S3Store::new(&settings(minio, bucket.clone())).with_pause(Duration::ZERO));
    let handle = StateHandle::new(store.clone(), KEY, LayerName::plain());
    let backend = format!(
        "terraform {{\n  backend \"s3\" {{\n    bucket = \"{bucket}\"\n    key = \"{KEY}\"\n    region = \"us-east-1\"\n    \
         endpoints = {{ s3 = \"{}\" }}\n    use_path_style = true\n    use_lockfile = true\n    skip_credentials_validation = true\n    \
         skip_requesting_account_id = true\n    skip_metadata_api_check = true\n    skip_region_validation = true\n    \
         skip_s3_checksum = true\n  }}\n}}\nresource \"terraform_data\" \"a\" {{\n  count = 1\n}}\n",
        minio.endpoint
    );
    std::fs::write(folder.path().join("main.tf"), backend).unwrap();
    let Some(init) = terraform(&folder, Some(minio)) else { return };
    let (ok, text) = said(init, &["init", "-no-color"]);
    assert!(ok, "{text}");

    let lock = handle.lock(&LockRequest::new("me@here", "apply")).await.unwrap();
    let apply = ["apply", "-auto-approve", "-no-color"];
    let (ok, text) = said(terraform(&folder, Some(minio)).unwrap(), &apply);
    assert!(!ok && text.contains("Error acquiring the state lock") && text.contains(lock.id()), "{text}");
    assert!(text.contains("me@here"), "terraform says who holds it: {text}");
    lock.release().await.unwrap();

    // Both write the same state in turn.
    let (ok, text) = said(terraform(&folder, Some(minio)).unwrap(), &apply);
    assert!(ok, "{text}");
    let lock = handle.lock(&LockRequest::new("me@here", "apply")).await.unwrap();
    let (commit, view) = handle.begin(Some(&lock), run("r1")).await.unwrap();
    assert_eq!(view.state.object_count(), 1);
    commit.append(put(1, "B")).await.unwrap();
    commit.finish().await.unwrap();
    lock.release().await.unwrap();
    let (ok, text) = said(terraform(&folder, Some(minio)).unwrap(), &["state", "list"]);
    assert!(ok && text.contains("terraform_data.a[1]"), "{text}");
    let (ok, text) = said(terraform(&folder, Some(minio)).unwrap(), &apply);
    assert!(ok && text.contains("1 destroyed"), "{text}");
    assert_eq!(handle.read().await.unwrap().state.object_count(), 1);
    let (bytes, _) = store.get(KEY).await.unwrap().unwrap();
    assert!(format::read(&LayerName::plain(), &bytes).is_ok());
}
