//! What every store promises, asked of each of them.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use infra::client::Secret;
use infra::client::s3::{S3Credentials, S3Settings};
use infra::state::store::{Condition, LocalStore, LogName, S3Store, Store, StoreError, probe, put_checked};
use tempfile::TempDir;

use crate::lab;
use crate::lab::minio::Minio;

/// A store to be tested; the folder that it lives in goes with it.
pub struct Tested {
    pub name: &'static str,
    pub store: Arc<dyn Store>,
    _folder: Option<TempDir>,
}

/// Each store there is; MinIO where the lab has it.
pub fn stores() -> Vec<Tested> {
    let folder = TempDir::new().unwrap();
    let local: Arc<dyn Store> = Arc::new(LocalStore::new(folder.path().join("state")));
    let mut stores = vec![Tested { name: "local", store: local, _folder: Some(folder) }];
    if let Some(minio) = lab::minio() {
        let store = Arc::new(S3Store::new(&settings(minio, minio.bucket())).with_pause(Duration::ZERO));
        stores.push(Tested { name: "s3", store, _folder: None });
    }
    stores
}

pub fn settings(minio: &Minio, bucket: String) -> S3Settings {
    S3Settings {
        bucket,
        region: "auto".into(),
        endpoint: Some(minio.endpoint.clone()),
        use_path_style: true,
        credentials: S3Credentials {
            access_key: minio.access_key.clone(),
            secret_key: Secret::new(&minio.secret_key),
            session_token: None,
        },
    }
}

fn json(text: &str) -> Bytes {
    Bytes::from(format!("{{\"a\": \"{text}\"}}\n"))
}

fn is_refused<T>(result: &Result<T, StoreError>) -> bool {
    matches!(result, Err(StoreError::Precondition { .. }))
}

#[tokio::test]
async fn writes_keep_their_conditions() {
    for Tested { name, store, .. } in stores() {
        let key = "k3s/data-dev.tfstate";
        assert!(store.get(key).await.unwrap().is_none(), "{name}");
        let one = store.put(key, json("1"), Condition::Absent).await.unwrap();
        assert_eq!(store.get(key).await.unwrap(), Some((json("1"), one.clone())), "{name}");
        assert!(is_refused(&store.put(key, json("2"), Condition::Absent).await), "{name}");
        let two = store.put(key, json("2"), Condition::Matches(one.clone())).await.unwrap();
        assert_ne!(one, two, "{name}");
        assert!(is_refused(&store.put(key, json("3"), Condition::Matches(one.clone())).await), "{name}");
        assert_eq!(store.get(key).await.unwrap(), Some((json("2"), two)), "{name}");
        let three = store.put(key, json("3"), Condition::Always).await.unwrap();
        // A shorter content leaves nothing of the longer one.
        store.put(key, Bytes::from_static(b"{}\n"), Condition::Matches(three)).await.unwrap();
        assert_eq!(store.get(key).await.unwrap().map(|(bytes, _)| bytes), Some(Bytes::from_static(b"{}\n")), "{name}");
        store.delete(key).await.unwrap();
        store.delete(key).await.unwrap();
        assert!(store.get(key).await.unwrap().is_none(), "{name}");
        assert!(
            is_refused(&store.put(key, json("4"), Condition::Matches(one)).await),
            "{name}: what is gone matches nothing"
        );
    }
}

#[tokio::test]
async fn a_refusal_of_ones_own_write_is_not_believed() {
    for Tested { name, store, .. } in stores() {
        // The answer to the first try was lost: the second one is refused.
        let first = store.put("k", json("mine"), Condition::Absent).await.unwrap();
        let again = put_checked(&*store, "k", json("mine"), Condition::Absent).await;
        assert_eq!(again.unwrap(), first, "{name}");
        assert!(is_refused(&put_checked(&*store, "k", json("other"), Condition::Absent).await), "{name}");
    }
}

#[tokio::test]
async fn keys_are_listed_copied_and_of_any_size() {
    for Tested { name, store, .. } in stores() {
        let large = json(&"x".repeat(9 << 20));
        for (key, bytes) in [("a/b c.tfstate", json("1")), ("a/b c.tfstate.meta", json("2")), ("a/é+%.tfstate", large)]
        {
            store.put(key, bytes.clone(), Condition::Absent).await.unwrap();
            store.copy(key, &format!("copies/{key}")).await.unwrap();
            assert!(
                store.get(&format!("copies/{key}")).await.unwrap().is_some_and(|(there, _)| there == bytes),
                "{name}"
            );
        }
        assert_eq!(store.list("a/b").await.unwrap(), ["a/b c.tfstate", "a/b c.tfstate.meta"], "{name}");
        assert_eq!(store.list("a/").await.unwrap().len(), 3, "{name}");
        assert_eq!(store.list("").await.unwrap().len(), 6, "{name}");
        assert_eq!(store.list_level("a/").await.unwrap(), store.list("a/").await.unwrap(), "{name}");
        assert_eq!(store.list_level("a/b").await.unwrap(), store.list("a/b").await.unwrap(), "{name}");
        let folders = store.list_level("copies/").await.unwrap();
        assert!(folders.iter().all(|folder| folder == "copies/a/"), "{name}: {folders:?}");
        assert_eq!(store.list("none/").await.unwrap(), Vec::<String>::new(), "{name}");
    }
}

#[tokio::test]
async fn logs_keep_their_pieces_in_order() {
    for Tested { name, store, .. } in stores() {
        let log = |serial, run: &str| LogName { key: "k/s.tfstate".into(), serial, run: run.into() };
        let read = async |log: &LogName| {
            let pieces = store.read_log(log).await.unwrap();
            pieces.iter().flat_map(|(_, bytes)| bytes.to_vec()).collect::<Vec<u8>>()
        };
        assert_eq!(store.logs("k/s.tfstate").await.unwrap(), [], "{name}");
        assert!(store.read_log(&log(7, "r1")).await.unwrap().is_empty(), "{name}");
        for piece in 0..30 {
            store.append(&log(7, "r1"), piece, Bytes::from(format!("{piece},"))).await.unwrap();
        }
        store.append(&log(12, "r-2"), 0, Bytes::from_static(b"x")).await.unwrap();
        assert_eq!(store.logs("k/s.tfstate").await.unwrap(), [log(7, "r1"), log(12, "r-2")], "{name}");
        assert_eq!(store.logs("k/s").await.unwrap(), [], "{name}");
        let expect: String = (0..30).map(|piece| format!("{piece},")).collect();
        assert_eq!(read(&log(7, "r1")).await, expect.as_bytes(), "{name}");
        store.delete_log(&log(7, "r1")).await.unwrap();
        store.delete_log(&log(7, "r1")).await.unwrap();
        assert_eq!(store.logs("k/s.tfstate").await.unwrap(), [log(12, "r-2")], "{name}");
        store.append(&log(7, "r1"), 0, Bytes::from_static(b"anew")).await.unwrap();
        assert_eq!(read(&log(7, "r1")).await, b"anew", "{name}");
    }
}

#[tokio::test]
async fn conditions_are_probed() {
    for Tested { name, store, .. } in stores() {
        probe(&*store, "k/s.tfstate").await.unwrap();
        assert_eq!(store.list("k/").await.unwrap(), Vec::<String>::new(), "{name}: the probe leaves nothing");
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_bucket_is_said() {
    let Some(minio) = lab::minio() else { return };
    let bucket = minio.bucket();
    let ask = async |settings: S3Settings| {
        let error = S3Store::new(&settings).get("k").await.unwrap_err();
        (error.diagnostic().summary, error)
    };
    let (summary, error) = ask(settings(minio, "no-such-bucket".into())).await;
    assert!(summary == "Bucket missing" && error.to_string().contains("no-such-bucket"), "{error}");

    let mut wrong = settings(minio, bucket.clone());
    wrong.credentials.secret_key = Secret::new("something else");
    let (summary, error) = ask(wrong).await;
    assert!(summary == "Access to state denied" && !error.to_string().contains("something else"), "{error}");
    let mut wrong = settings(minio, bucket.clone());
    wrong.credentials.access_key = "nobody".into();
    assert_eq!(ask(wrong).await.0, "Access to state denied");

    let mut wrong = settings(minio, bucket);
    wrong.endpoint = Some(format!("http://127.0.0.1:{}", lab::free_port()));
    let (summary, error) = ask(wrong).await;
    assert!(summary == "State store unreachable" && error.to_string().contains("refused"), "{error}");
}

#[tokio::test]
async fn local_files_belong_to_their_user_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = TempDir::new().unwrap();
    let store = LocalStore::new(folder.path().join("state"));
    store.put("k3s/a.tfstate", json("1"), Condition::Absent).await.unwrap();
    store.append(&LogName { key: "k3s/a.tfstate".into(), serial: 1, run: "r".into() }, 0, json("2")).await.unwrap();
    let mode = |path: &str| std::fs::metadata(folder.path().join(path)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("state"), mode("state/k3s"), mode("state/k3s/a.tfstate.journal")), (0o700, 0o700, 0o700));
    assert_eq!((mode("state/k3s/a.tfstate"), mode("state/k3s/a.tfstate.journal/0000000001-r")), (0o600, 0o600));

    // A file of terraform's that others may read is closed to them when it is written.
    let path = folder.path().join("state/open.tfstate");
    std::fs::write(&path, "{}").unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    store.put("open.tfstate", json("3"), Condition::Always).await.unwrap();
    assert_eq!(mode("state/open.tfstate"), 0o600);
}

#[tokio::test]
async fn a_torn_local_file_is_never_what_is_read() {
    let folder = TempDir::new().unwrap();
    let store = LocalStore::new(folder.path());
    let (old, new) = (json("old"), json("new and a good deal longer"));
    let path = folder.path().join("s.tfstate");
    let read = async || store.get("s.tfstate").await.unwrap().map(|(bytes, _)| bytes);
    for length in 0..=new.len() {
        // What a writer leaves that is killed while it writes in place: a beginning, beside the whole copy.
        std::fs::write(&path, &new[..length]).unwrap();
        std::fs::write(folder.path().join("s.tfstate.next"), &new).unwrap();
        assert_eq!(read().await, Some(new.clone()), "killed after {length} bytes");
    }
    // Killed before it began to write in place: nothing has been said about the new content yet.
    std::fs::write(&path, &old).unwrap();
    assert_eq!(read().await, Some(old.clone()));
    // Killed before the copy was whole.
    std::fs::remove_file(folder.path().join("s.tfstate.next")).unwrap();
    std::fs::write(folder.path().join("s.tfstate.next-draft"), &new[..4]).unwrap();
    assert_eq!(read().await, Some(old));
    store.put("s.tfstate", new.clone(), Condition::Always).await.unwrap();
    assert_eq!(read().await, Some(new));
    assert_eq!(store.list("").await.unwrap(), ["s.tfstate"]);
}
