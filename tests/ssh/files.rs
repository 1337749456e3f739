use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use infra::client::ssh::{Client, FileError, Upload};

use super::sshd::{Sshd, user};

fn upload(path: &std::path::Path, content: impl Into<Vec<u8>>, mode: u32) -> Upload {
    Upload {
        path: path.to_str().unwrap().to_owned(),
        content: content.into(),
        mode,
        owner: None,
        make_directories: true,
        sudo: false,
        timeout: Duration::from_secs(60),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn files_go_there_and_back() {
    let Some(sshd) = Sshd::start() else { return };
    let client = Client::new(sshd.target());
    let path = sshd.path("made/it's here/a file");
    let name = path.to_str().unwrap();
    for (content, mode) in [(b"one\n\0two".to_vec(), 0o644), (Vec::new(), 0o600), (vec![7; 3 << 20], 0o755)] {
        client.upload(&upload(&path, content.clone(), mode)).await.unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), content);
        let found = client.download(name, 4 << 20, false).await.unwrap().unwrap();
        assert!(found.content == content);
        assert_eq!((found.mode, found.owner), (mode, user()));
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o7777, mode);
    }
    let owned = Upload { owner: Some(user()), ..upload(&path, "owned", 0o640) };
    client.upload(&owned).await.unwrap();
    // Nothing lies beside it.
    assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    client.remove(name, false).await.unwrap();
    client.remove(name, false).await.unwrap();
    assert!(client.download(name, 10, false).await.unwrap().is_none());
    assert!(client.download("/no/such/folder/file", 10, false).await.unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_host_refuses_is_told() {
    let Some(sshd) = Sshd::start() else { return };
    let client = Client::new(sshd.target());
    let folder = sshd.path("");
    let name = folder.to_str().unwrap().trim_end_matches('/');
    assert!(matches!(
        client.upload(&upload(std::path::Path::new(name), "x", 0o644)).await,
        Err(FileError::Directory { .. })
    ));
    assert!(matches!(client.download(name, 10, false).await, Err(FileError::Directory { .. })));
    assert!(matches!(client.remove(name, false).await, Err(FileError::Directory { .. })));

    let file = sshd.path("file");
    std::fs::write(&file, "0123456789").unwrap();
    let limited = client.download(file.to_str().unwrap(), 9, false).await;
    assert!(matches!(limited, Err(FileError::TooLarge { limit: 9, .. })));
    assert!(client.download(file.to_str().unwrap(), 10, false).await.is_ok());

    let below_file = upload(&file.join("x"), "x", 0o644);
    let refused = client.upload(&below_file).await;
    assert!(matches!(&refused, Err(FileError::Refused { said, .. }) if !said.is_empty()), "{refused:?}");
    let strange = Upload { owner: Some("no-such-user".into()), ..upload(&file, "new", 0o644) };
    assert!(matches!(client.upload(&strange).await, Err(FileError::Refused { .. })));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "0123456789", "a refused upload leaves the former file");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transfer_that_breaks_leaves_the_former_file() {
    let Some(sshd) = Sshd::start() else { return };
    let client = Client::new(sshd.target());
    let path = sshd.path("big");
    std::fs::write(&path, "former").unwrap();
    let pid = client.run(infra::client::ssh::Exec::script("echo $PPID")).await.unwrap().text();
    // The idle session is taken again; its server is killed while the content is on its way.
    let big = upload(&path, vec![1; 128 << 20], 0o644);
    let sending = client.upload(&big);
    let killing = async {
        loop {
            tokio::time::sleep(Duration::from_millis(5)).await;
            let begun = std::fs::read_dir(sshd.path("")).unwrap().flatten().any(|entry| {
                entry.file_name().to_string_lossy().starts_with(".infra-")
                    && entry.metadata().is_ok_and(|found| found.len() > 0)
            });
            if begun {
                break;
            }
        }
        assert!(std::process::Command::new("kill").args(["-9", pid.trim()]).status().unwrap().success());
    };
    let (sent, ()) = tokio::join!(sending, killing);
    assert!(matches!(sent, Err(FileError::Ssh(_))), "{sent:?}");
    // The shell on the host sees the end of its input only now; it must not take that for the end of the content.
    for _ in 0..500 {
        let left = std::fs::read_dir(sshd.path(""))
            .unwrap()
            .flatten()
            .filter(|entry| entry.file_name().to_string_lossy().starts_with(".infra-"));
        if left.count() == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "former");
}
