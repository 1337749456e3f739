//! Workspaces whose states lie in a bucket, in turns with the real `terraform` where it is installed: what one makes, applies and
//! removes, the other lists, reads and goes on with.

use std::path::Path;

use serde_json::Value as Json;
use tempfile::TempDir;

use super::peer::Peer;
use crate::lab;
use crate::lab::minio::Minio;

/// A folder whose backend is a bucket of its own, with the two programs that work in it.
struct Bucket {
    minio: &'static Minio,
    name: String,
    folder: TempDir,
    env: Vec<(String, String)>,
}

impl Bucket {
    /// With more arguments of the backend.
    fn with(arguments: &str) -> Option<Self> {
        let minio = lab::minio()?;
        let (name, folder) = (minio.bucket(), TempDir::new().unwrap());
        let backend = format!(
            "terraform {{\n  backend \"s3\" {{\n    bucket = {name:?}\n    key = \"site/terraform.tfstate\"\n    region = \"us-east-1\"\n    \
             endpoints = {{ s3 = {:?} }}\n    use_path_style = true\n    use_lockfile = true\n    skip_credentials_validation = true\n    \
             skip_requesting_account_id = true\n    skip_metadata_api_check = true\n    skip_region_validation = true\n    \
             skip_s3_checksum = true\n    {arguments}\n  }}\n}}\n",
            minio.endpoint
        );
        let resource = "resource \"terraform_data\" \"a\" {\n  input = terraform.workspace\n}\n";
        let output = "output \"o\" {\n  value = terraform_data.a.output\n}\n";
        std::fs::write(folder.path().join("main.tf"), format!("{backend}{resource}{output}")).unwrap();
        std::fs::write(folder.path().join("terraformrc"), "").unwrap();
        let env = [("AWS_ACCESS_KEY_ID", &minio.access_key), ("AWS_SECRET_ACCESS_KEY", &minio.secret_key)];
        let env = env.into_iter().map(|(name, value)| (name.to_owned(), value.clone())).collect();
        Some(Bucket { minio, name, folder, env })
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The answer of a command that ends well.
    fn call(&self, peer: &Peer, arguments: &[&str]) -> String {
        let (code, out, err) = self.try_call(peer, arguments);
        assert_eq!(code, Some(0), "{arguments:?}: {out}{err}");
        out
    }

    fn try_call(&self, peer: &Peer, arguments: &[&str]) -> (Option<i32>, String, String) {
        let output = peer.run_with(self.path(), arguments, &self.env);
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    }

    /// Ends with 1 and says `part`.
    fn refused(&self, peer: &Peer, arguments: &[&str], part: &str) {
        let (code, out, err) = self.try_call(peer, arguments);
        assert_eq!(code, Some(1), "{arguments:?}: {out}{err}");
        assert!(err.contains(part), "{arguments:?}: {err}");
    }

    /// The keys of the bucket.
    async fn keys(&self) -> Vec<String> {
        let listed = self.minio.client().list_objects_v2().bucket(&self.name).send().await.unwrap();
        listed.contents().iter().map(|object| object.key().unwrap().to_owned()).collect()
    }

    async fn state(&self, key: &str) -> Json {
        let found = self.minio.client().get_object().bucket(&self.name).key(key).send().await.unwrap();
        serde_json::from_slice(&found.body.collect().await.unwrap().into_bytes()).unwrap()
    }
}

/// The real program, made ready in the folder; `None` where it is not installed.
fn terraform(bucket: &Bucket) -> Option<Peer> {
    let path = std::env::var_os("PATH")?;
    if !std::env::split_paths(&path).any(|folder| folder.join("terraform").is_file()) {
        eprintln!("in part skipped: there is no terraform on the PATH");
        return None;
    }
    let terraform = Peer::terraform();
    bucket.call(&terraform, &["init"]);
    Some(terraform)
}

#[tokio::test(flavor = "multi_thread")]
async fn workspaces_of_a_bucket_are_made_applied_listed_and_removed() {
    let Some(bucket) = Bucket::with("") else { return };
    let infra = Peer::infra();
    bucket.call(&infra, &["init"]);
    assert_eq!(bucket.call(&infra, &["workspace", "list"]), "* default\n\n");
    assert_eq!(bucket.call(&infra, &["workspace", "show"]), "default\n");
    bucket.call(&infra, &["apply", "-auto-approve"]);
    assert_eq!(bucket.keys().await, ["site/terraform.tfstate"]);
    for name in ["one", "two"] {
        bucket.call(&infra, &["workspace", "new", name]);
        bucket.call(&infra, &["apply", "-auto-approve"]);
        assert_eq!(bucket.call(&infra, &["output", "-raw", "o"]), name);
    }
    let states = ["env:/one/site/terraform.tfstate", "env:/two/site/terraform.tfstate", "site/terraform.tfstate"];
    assert_eq!(bucket.keys().await, states);
    assert_eq!(bucket.state(states[0]).await["outputs"]["o"]["value"], "one");
    assert_eq!(bucket.call(&infra, &["workspace", "list"]), "  default\n  one\n* two\n\n");
    bucket.refused(&infra, &["workspace", "new", "one"], "Workspace \"one\" already exists");
    bucket.refused(&infra, &["workspace", "select", "none"], "Workspace \"none\" doesn't exist");
    bucket.refused(&infra, &["workspace", "delete", "two"], "Workspace is in use");
    bucket.refused(&infra, &["workspace", "delete", "one"], "Workspace is not empty");
    assert_eq!(bucket.keys().await, states);
    bucket.call(&infra, &["workspace", "delete", "-force", "one"]);
    assert_eq!(bucket.keys().await, states[1..]);
    bucket.call(&infra, &["apply", "-destroy", "-auto-approve"]);
    bucket.call(&infra, &["workspace", "select", "default"]);
    bucket.call(&infra, &["workspace", "delete", "two"]);
    assert_eq!(bucket.keys().await, states[2..]);
    assert_eq!(bucket.call(&infra, &["output", "-raw", "o"]), "default", "the others never touched it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workspace_begins_with_the_state_of_a_file() {
    let Some(bucket) = Bucket::with("workspace_key_prefix = \"spaces\"") else { return };
    let infra = Peer::infra();
    bucket.call(&infra, &["init"]);
    bucket.call(&infra, &["apply", "-auto-approve"]);
    let pulled = bucket.call(&infra, &["state", "pull"]);
    std::fs::write(bucket.path().join("pulled"), &pulled).unwrap();
    std::fs::write(bucket.path().join("none"), "{}").unwrap();
    bucket.refused(&infra, &["workspace", "new", "-state=nowhere", "a"], "State file not read");
    bucket.refused(&infra, &["workspace", "new", "-state=none", "a"], "State file not read");
    assert_eq!(bucket.keys().await, ["site/terraform.tfstate"], "nothing is made of what is no state");
    bucket.call(&infra, &["workspace", "new", "-state=pulled", "a"]);
    assert_eq!(bucket.keys().await, ["site/terraform.tfstate", "spaces/a/site/terraform.tfstate"]);
    let (copy, first) =
        (bucket.state("spaces/a/site/terraform.tfstate").await, bucket.state("site/terraform.tfstate").await);
    assert_eq!(copy["resources"], first["resources"]);
    assert_ne!(copy["lineage"], first["lineage"], "it is another state from now on");
    assert_eq!(bucket.call(&infra, &["state", "list"]), "terraform_data.a\n");
    if let Some(terraform) = terraform(&bucket) {
        assert_eq!(bucket.call(&terraform, &["workspace", "list"]), "  default\n* a\n\n");
        assert_eq!(bucket.call(&terraform, &["state", "list"]), "terraform_data.a\n");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn terraform_and_this_program_share_the_workspaces_of_a_bucket() {
    for (arguments, prefix) in [("", "env:"), ("workspace_key_prefix = \"spaces/all\"", "spaces/all")] {
        let Some(bucket) = Bucket::with(arguments) else { return };
        let infra = Peer::infra();
        bucket.call(&infra, &["init"]);
        let Some(terraform) = terraform(&bucket) else { return };
        let both = [&infra, &terraform];
        // Each makes one, and the other goes on in it without a change.
        for (name, maker, other) in [("ours", &infra, &terraform), ("theirs", &terraform, &infra)] {
            bucket.call(maker, &["workspace", "new", name]);
            assert_eq!(bucket.call(other, &["workspace", "show"]), format!("{name}\n"));
            bucket.call(maker, &["apply", "-auto-approve"]);
            assert_eq!(bucket.call(other, &["output", "-raw", "o"]), name);
            bucket.call(other, &["plan", "-detailed-exitcode"]);
            bucket.call(other, &["apply", "-auto-approve", "-replace=terraform_data.a"]);
            bucket.call(maker, &["plan", "-detailed-exitcode"]);
            let key = format!("{prefix}/{name}/site/terraform.tfstate");
            assert!(bucket.keys().await.contains(&key), "{:?}", bucket.keys().await);
        }
        let lists = both.map(|peer| bucket.call(peer, &["workspace", "list"]));
        assert_eq!(lists, ["  default\n  ours\n* theirs\n\n", "  default\n  ours\n* theirs\n\n"]);
        for peer in both {
            let (code, _, err) = bucket.try_call(peer, &["workspace", "delete", "ours"]);
            assert_eq!(code, Some(1), "it has an object: {err}");
        }
        // Each removes what the other made.
        bucket.call(&terraform, &["workspace", "delete", "-force", "ours"]);
        assert_eq!(bucket.call(&infra, &["workspace", "list"]), "  default\n* theirs\n\n");
        bucket.call(&terraform, &["workspace", "select", "default"]);
        bucket.call(&infra, &["workspace", "delete", "-force", "theirs"]);
        assert_eq!(bucket.call(&terraform, &["workspace", "list"]), "* default\n\n");
        assert!(bucket.keys().await.is_empty(), "{:?}", bucket.keys().await);
    }
}
