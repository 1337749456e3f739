//! MinIO: a real S3 server with conditional writes.

use std::net::TcpStream;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region, RequestChecksumCalculation};
use aws_smithy_http_client::Builder;

use super::process::{Program, Running, folder, start_on_free_ports};
use super::{Need, apart, available, free_port, shared, tool};

pub struct Minio {
    /// `http://127.0.0.1:PORT`
    pub endpoint: String,
    pub access_key: String,
    pub secret_key: String,
    _server: Running,
}

/// The server that all tests share; each test makes a bucket of its own in it.
pub fn minio() -> Option<&'static Minio> {
    static SHARED: OnceLock<Result<Minio, String>> = OnceLock::new();
    shared(&SHARED, "MinIO", &[Need::Tool("minio")], Minio::start)
}

/// A server of the test's own, for tests that stop it.
pub fn own_minio() -> Option<Minio> {
    available("MinIO", &[Need::Tool("minio")]).then(|| std::thread::spawn(Minio::start).join().unwrap())
}

impl Minio {
    fn start() -> Self {
        start_on_free_ports(|| {
            let folder = folder("minio");
            let (access_key, secret_key) = ("lab-access".to_owned(), "lab-secret-key".to_owned());
            let address = format!("127.0.0.1:{}", free_port());
            let mut server = Program::new(tool("minio").unwrap())
                .args(["server", "--quiet", "--address", &address])
                .args(["--console-address", &format!("127.0.0.1:{}", free_port())])
                .args([folder.join("data"), "--certs-dir".into(), folder.join("certs")])
                .env("HOME", &folder)
                .env("MINIO_ROOT_USER", &access_key)
                .env("MINIO_ROOT_PASSWORD", &secret_key)
                .env("MINIO_BROWSER", "off")
                .env("MINIO_UPDATE", "off")
                .start(folder.join("log"));
            let minio =
                |server| Self { endpoint: format!("http://{address}"), access_key, secret_key, _server: server };
            if !server.wait_until(Duration::from_secs(60), || TcpStream::connect(&address).is_ok()) {
                return Err(server.said());
            }
            let minio = minio(server);
            // It listens before it can serve.
            apart(async {
                let client = minio.client();
                let started = std::time::Instant::now();
                while let Err(error) = client.list_buckets().send().await {
                    assert!(started.elapsed() < Duration::from_secs(60), "MinIO does not serve: {error:?}");
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            });
            Ok(minio)
        })
    }

    /// A client for the calling test; it belongs to that test's runtime.
    pub fn client(&self) -> aws_sdk_s3::Client {
        let config = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .endpoint_url(&self.endpoint)
            .credentials_provider(Credentials::new(&self.access_key, &self.secret_key, None, None, "lab"))
            .force_path_style(true)
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
            .http_client(Builder::new().build_http())
            .build();
        aws_sdk_s3::Client::from_conf(config)
    }

    /// Makes a bucket that no other test uses, and says its name.
    pub fn bucket(&self) -> String {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let name = format!("lab-{}", NEXT.fetch_add(1, Ordering::Relaxed));
        apart(async { self.client().create_bucket().bucket(&name).send().await }).unwrap();
        name
    }
}
