//! The whole story for real: the shipped staging environment on a bare systemd host, with state in a bucket.
//!
//! Real: the host and its sshd, MinIO, the API server with its controllers and scheduler, PostgreSQL with a replica, Redis,
//! and everything on our side. Stand-ins: the k3s binary with its install script, kwok's pods, and the web pages of programs
//! that cannot be had (`lab::web_stand_in`). The ports of pods lead to the real servers, so that gates connect for real.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::process::Stdio;

use k8s_openapi::api::core::v1::{ConfigMap, Service};
use kube::api::{DeleteParams, Patch, PatchParams};
use kube::{Api, Client};
use serde_json::json;

use super::program::{Answer, Program};
use super::projects::platform;
use crate::lab::{self, host::Host, kubernetes::client_for, minio::Minio, postgres::Postgres};

const PASSWORD: &str = "app-secret-of-staging";
const PLATFORM_PASSWORD: &str = "platform-secret-of-staging";

#[test]
fn staging_from_a_bare_host_to_four_layers() {
    let (Some(host), Some(minio)) = (lab::host(), lab::minio()) else { return };
    let (Some(primary), Some(redis)) = (lab::postgres(), lab::redis()) else { return };
    make_databases(primary);
    let replica = primary.replica();
    for (namespace, pod, port, server) in [
        ("platform", "postgresql-0", 5432, primary.port),
        ("data", "postgresql-0", 5432, primary.port),
        ("data", "postgresql-replica-0", 5432, replica.port),
        ("data", "redis-0", 6379, redis.port),
        ("data", "clickhouse-0", 8123, lab::web_stand_in()),
        ("observability", "signoz-0", 8080, lab::web_stand_in()),
    ] {
        host.lead_port(namespace, pod, port, server);
    }
    for (namespace, port) in [("observability", 3000), ("apps", 8080)] {
        host.lead_port(namespace, None, port, lab::web_stand_in());
    }
    let story = Story { program: staging(&host, minio, &redis.password) };

    let planned = story.ok("plan", &[]);
    assert!(planned.contains("k3s_server.this will be created"), "{planned}");
    assert!(planned.contains("pending layer.bootstrap.kubeconfig"), "{planned}");
    let all: usize = number_before(&planned, " to add");

    // Killed when the cluster is there and phase 1 has begun, and on again: nothing is made twice.
    let made = story.killed(&[], "layer.data.module.postgresql.module.primary.kubernetes_service");
    assert!(made.iter().any(|addr| addr.ends_with("k3s_server.this")), "{made:?}");
    let listed = story.listed();
    for addr in &made {
        assert!(listed.contains(addr), "{addr} was reported and is not in state");
    }
    let rest = story.call("apply", &["-auto-approve"]);
    assert_eq!(rest.code, 0, "{}{}", rest.out, rest.err);
    assert!(rest.out.contains("Apply complete!"), "{}", rest.out);
    assert!((rest.out.clone() + &rest.err).contains("Recovered "), "{}{}", rest.out, rest.err);
    assert!(!rest.out.contains("k3s_server.this: Creating"), "{}", rest.out);
    assert!(!rest.out.contains("simulated"), "{}", rest.out);
    assert_eq!(story.listed().len(), all);
    assert!(!story.program.has("state"), "state lies in the bucket");
    for secret in [PASSWORD, PLATFORM_PASSWORD, "PRIVATE KEY"] {
        assert!(!rest.out.contains(secret) && !rest.err.contains(secret) && !planned.contains(secret));
    }
    story.nothing_to_do(&[]);

    // Killed in the middle of a change, and on again.
    let small = &["-var", "infrastructure_scale=small"];
    story.killed(small, "module.infrastructure");
    let rest = story.call("apply", &[small, &["-auto-approve"][..]].concat());
    assert_eq!(rest.code, 0, "{}{}", rest.out, rest.err);
    story.nothing_to_do(small);

    // Somebody else's hand.
    let tier = async |patch: Option<&str>| {
        let services: Api<Service> = Api::namespaced(cluster(&host).await, "data");
        if let Some(tier) = patch {
            let patch = Patch::Merge(json!({ "metadata": { "labels": { "tier": tier } } }));
            services.patch("redis", &PatchParams::default(), &patch).await.unwrap();
        }
        services.get("redis").await.unwrap().metadata.labels.unwrap()["tier"].clone()
    };
    wait(async {
        assert_eq!(tier(Some("wrong")).await, "wrong");
        let maps: Api<ConfigMap> = Api::namespaced(cluster(&host).await, "apps");
        maps.delete("relay", &DeleteParams::default()).await.unwrap();
    });
    let drift = story.call("plan", &[small, &["-detailed-exitcode"][..]].concat());
    assert_eq!(drift.code, 2, "{}{}", drift.out, drift.err);
    assert!(drift.out.contains("Objects have changed outside of"), "{}", drift.out);
    assert!(drift.out.contains("Plan: 1 to add, 1 to change, 0 to destroy."), "{}", drift.out);
    story.ok("apply", &[small, &["-auto-approve"][..]].concat());
    story.nothing_to_do(small);
    assert_eq!(wait(tier(None)), "infrastructure");

    // One module alone, in whatever layer it is: the rest of what could be done is left.
    let edit = ["-var", "enable_postgres_replica=false", "-auto-approve", "-target", "module.postgresql"];
    let targeted = story.ok("apply", &edit);
    assert!(targeted.contains("Apply complete! Resources: 0 added, 1 changed, 5 destroyed."), "{targeted}");
    let left = story.ok("plan", &edit[..2]);
    assert!(
        left.contains("# layer.data.module.infrastructure") && !left.contains("# layer.data.module.postgresql"),
        "{left}"
    );

    let gone = story.ok("destroy", &["-auto-approve"]);
    assert!(gone.contains("Destroy complete!"), "{gone}");
    assert_eq!(story.listed(), Vec::<String>::new());
    let (_, left) = host.run("ls /usr/local/bin /etc/rancher; systemctl is-active k3s");
    assert!(!left.contains("k3s.yaml") && left.contains("inactive"), "{left}");
}

#[test]
fn the_other_environments_plan() {
    let ci = platform().ok(&["plan", "-env", "ci"]);
    assert!(ci.contains("Plan: ") && !ci.contains("pending"), "{ci}");
    assert!(!ci.contains("module.signoz"), "{ci}");

    let Some(minio) = lab::minio() else { return };
    for (environment, vault) in [("test", false), ("prod", true)] {
        let program = with_bucket(platform(), minio, "redis-secret");
        // Nobody dials a host that is not there yet; the key is only read.
        program.write(".ssh/id_rsa", "not a key");
        let planned = program.ok(&["plan", "-env", environment]);
        assert!(planned.contains("k3s_server.this will be created"), "{planned}");
        assert!(planned.contains("pending on layer.bootstrap.kubeconfig"), "{planned}");
        assert_eq!(
            planned.contains("kubernetes_stateful_set.vault") || planned.contains("module.vault"),
            vault,
            "{planned}"
        );
        assert!(planned.contains(&format!("{environment}-vps.lab.internal")), "{planned}");
        assert!(!planned.contains("redis-secret") && !planned.contains("not a key"), "{planned}");
    }
}

/// The environment and what is called in it.
struct Story {
    program: Program,
}

impl Story {
    fn arguments<'a>(command: &'a str, more: &[&'a str]) -> Vec<&'a str> {
        [&[command, "-env", "staging", "-var-file", "lab.tfvars"], more].concat()
    }

    fn call(&self, command: &str, more: &[&str]) -> Answer {
        self.program.call(&Self::arguments(command, more))
    }

    fn ok(&self, command: &str, more: &[&str]) -> String {
        self.program.ok(&Self::arguments(command, more))
    }

    /// The addresses in state.
    fn listed(&self) -> Vec<String> {
        self.program.ok(&["state", "list", "-env", "staging"]).lines().map(str::to_owned).collect()
    }

    fn nothing_to_do(&self, more: &[&str]) {
        let again = self.call("plan", &[more, &["-detailed-exitcode"]].concat());
        assert_eq!(again.code, 0, "{}{}", again.out, again.err);
        assert!(again.out.contains("No changes."), "{}", again.out);
    }

    /// Applies, and kills the program when it reports the end of an action on an address that contains `at`; the
    /// addresses whose creation was reported until then.
    fn killed(&self, more: &[&str], at: &str) -> Vec<String> {
        let arguments = Self::arguments("apply", &[more, &["-auto-approve"]].concat());
        let errors = fs::File::create(self.program.path("errors")).unwrap();
        let mut child = self.program.command(&arguments).stdout(Stdio::piped()).stderr(errors).spawn().unwrap();
        let mut said = Vec::new();
        let mut made = Vec::new();
        let mut reached = false;
        for line in BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok) {
            let created = line.split_once(": Creation complete after").map(|(addr, _)| addr.to_owned());
            let ended = created.is_some() || line.contains(": Modifications complete after");
            made.extend(created);
            reached = ended && line.contains(at);
            said.push(line);
            if reached {
                child.kill().unwrap();
                break;
            }
        }
        child.wait().unwrap();
        if reached {
            return made;
        }
        let errors = fs::read_to_string(self.program.path("errors")).unwrap();
        panic!("{at} was never reported:\n{}\n{errors}", said.join("\n"));
    }
}

/// The shipped platform with the lab's addresses in a file of variables beside it.
fn staging(host: &Host, minio: &Minio, redis_password: &str) -> Program {
    let (_, host_key) = fs::read_to_string(&host.known_hosts)
        .unwrap()
        .split_once(' ')
        .map(|(address, key)| (address.to_owned(), key.trim().to_owned()))
        .unwrap();
    let program = with_bucket(platform(), minio, redis_password);
    let variables = format!(
        r#"
        vps_host                   = "{}"
        ssh_host_key               = "{host_key}"
        api_endpoint               = null
        k3s_install_script         = "{SCRIPTS_HERE}/k3s-stand-in/install.sh"
        platform_postgres_password = "{PLATFORM_PASSWORD}"
        "#,
        host.address
    );
    program.write("lab.tfvars", &variables);
    // Where the shipped environment looks for the key.
    fs::DirBuilder::new().mode(0o700).create(program.path(".ssh")).unwrap();
    let mut key =
        fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(program.path(".ssh/id_rsa")).unwrap();
    std::io::Write::write_all(&mut key, &fs::read(&host.private_key).unwrap()).unwrap();
    program
}

/// The variables that the environments read: where state lies, and secrets.
fn with_bucket(program: Program, minio: &Minio, redis_password: &str) -> Program {
    program
        .env("AWS_ENDPOINT_URL_S3", &minio.endpoint)
        .env("AWS_ACCESS_KEY_ID", &minio.access_key)
        .env("AWS_SECRET_ACCESS_KEY", &minio.secret_key)
        .env("R2_BUCKET", &minio.bucket())
        .env("BASE_DOMAIN", "lab.internal")
        .env("DOMAIN_PREFIX", "staging")
        .env("POSTGRES_PASSWORD", PASSWORD)
        .env("REDIS_PASSWORD", redis_password)
        .env("ARANGODB_PASSWORD", "arango-secret")
}

/// The scripts of the lab, which the install script is one of.
const SCRIPTS_HERE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/lab");

/// What the images of PostgreSQL would do when they first start: the roles, their passwords and their databases.
fn make_databases(server: &Postgres) {
    wait(async {
        let (client, connection) = tokio_postgres::connect(&server.connection(), tokio_postgres::NoTls).await.unwrap();
        let connection = tokio::spawn(connection);
        for (name, password) in [("app", PASSWORD), ("platform", PLATFORM_PASSWORD)] {
            client.execute(&format!("CREATE ROLE {name} LOGIN PASSWORD '{password}'"), &[]).await.unwrap();
            client.execute(&format!("CREATE DATABASE {name} OWNER {name}"), &[]).await.unwrap();
        }
        drop(client);
        connection.await.unwrap().unwrap();
    });
}

/// A client of the cluster on the host.
async fn cluster(host: &Host) -> Client {
    let (code, kubeconfig) = host.run("cat /etc/rancher/k3s/k3s.yaml");
    assert_eq!(code, 0, "{kubeconfig}");
    client_for(&kubeconfig.replace("127.0.0.1", &host.address.to_string())).await
}

fn wait<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

/// The number in front of some words.
fn number_before(text: &str, words: &str) -> usize {
    let (before, _) = text.split_once(words).unwrap();
    before.rsplit(' ').next().unwrap().parse().unwrap()
}
