//! `file`: a file, a text or a folder of this machine, on the other one.
//!
//! What arrives lies beside its place until all of it is there. Modes are not carried over: what is new has 0644 and 0755, less
//! what the other machine's umask takes; what is there keeps its own.

use std::path::Path;
use std::time::Duration;

use crate::client::ssh::{Client, Exec, quote};
use crate::diag::Diagnostic;

use super::{Context, Hear, Job, connect, failed, text, tree};

/// Time for one file.
const LIMIT: Duration = Duration::from_secs(24 * 3600);

pub(super) async fn run(job: &Job, context: &Context, hear: &Hear<'_>) -> Result<(), Box<Diagnostic>> {
    let fail = |detail: String| failed("file", detail);
    let destination = text(&job.config, "destination").unwrap_or_default();
    if destination.is_empty() {
        return Err(fail("destination is empty: it is the path on the other machine.".into()));
    }
    let what = match (text(&job.config, "source"), text(&job.config, "content")) {
        (Some(source), _) => source_of(&job.directory, source).map_err(|why| fail(format!("Upload failed: {why}")))?,
        (None, content) => Source::File(content.unwrap_or_default().as_bytes().to_vec()),
    };
    // Terraform says nothing of its connection here.
    let client = connect::connect(job, context, &|_: &str| {}).await?;
    let done = match what {
        Source::File(content) => upload(&client, destination, content).await,
        Source::Folder { tree, name } => upload_all(&client, destination, name.as_deref(), tree).await,
    };
    let _ = hear;
    done.map_err(|why| fail(format!("Upload failed: {why}")))
}

enum Source {
    File(Vec<u8>),
    /// With its own name, unless only what is in it is meant.
    Folder {
        tree: tree::Tree,
        name: Option<String>,
    },
}

fn source_of(base: &Path, source: &str) -> Result<Source, String> {
    let path = base.join(source);
    let failed = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => format!("open {source}: no such file or directory"),
        _ => format!("{source}: {error}"),
    };
    if !std::fs::metadata(&path).map_err(failed)?.is_dir() {
        return Ok(Source::File(std::fs::read(&path).map_err(failed)?));
    }
    let name = match source.ends_with('/') {
        true => None,
        false => path.file_name().map(|name| name.to_string_lossy().into_owned()),
    };
    Ok(Source::Folder { tree: tree::read(&path).map_err(failed)?, name })
}

/// Puts a file at a path. With a slash at its end the path is that of a folder, in which the file bears the folder's name, as
/// under Terraform, or the file itself where there is no such folder.
pub(super) async fn upload(client: &Client, destination: &str, content: Vec<u8>) -> Result<(), String> {
    let (bare, slash) = match destination.trim_end_matches('/') {
        "" => return Err(format!("{destination} is no path of a file")),
        bare => (bare, bare.len() < destination.len()),
    };
    let base = bare.rsplit('/').next().unwrap_or(bare);
    let place = if slash {
        format!("t={path}; [ ! -d \"$t\" ] || t=$t/{base}", path = absolute(bare), base = quote(base))
    } else {
        format!("t={}", absolute(bare))
    };
    let script = format!(
        "set -eu\n\
         {place}\n\
         d=${{t%/*}}; d=${{d:-/}}\n\
         if [ ! -d \"$d\" ]; then echo \"$d: there is no such folder\" >&2; exit 1; fi\n\
         if [ -d \"$t\" ]; then echo \"$t: is a folder\" >&2; exit 1; fi\n\
         n=$(umask 077; mktemp \"$d/.infra-XXXXXX\")\n\
         trap 'rm -f -- \"$n\"' EXIT\n\
         cat > \"$n\"\n\
         c=$(wc -c < \"$n\")\n\
         [ \"$c\" -eq {length} ] || {{ echo \"only $c of {length} bytes arrived\" >&2; exit 1; }}\n\
         if [ -e \"$t\" ] || [ -L \"$t\" ]; then cat -- \"$n\" > \"$t\"; exit; fi\n\
         chmod \"$(printf %o $((0644 & ~0$(umask))))\" \"$n\"\n\
         mv -f -- \"$n\" \"$t\"\n\
         trap - EXIT\n",
        length = content.len(),
    );
    run_script(client, Exec::script(script).stdin(content)).await.map(|_| ())
}

/// A path that begins at the root: paths of other forms begin at the user's home, where commands run.
fn absolute(path: &str) -> String {
    if path.starts_with('/') { quote(path) } else { format!("\"$PWD\"/{}", quote(path)) }
}

async fn upload_all(client: &Client, destination: &str, name: Option<&str>, tree: tree::Tree) -> Result<(), String> {
    let destination = destination.trim_end_matches('/');
    // Into a folder that is there goes the source with its name; else it becomes the folder.
    let inside = match name {
        Some(name) => format!("[ ! -d \"$r\" ] || r=$r/{}\n", quote(name)),
        None => String::new(),
    };
    let script =
        format!("set -eu\nr={}\n{inside}[ -d \"$r\" ] || mkdir -- \"$r\"\nprintf %s \"$r\"", absolute(destination));
    let root = run_script(client, Exec::script(script)).await?;
    for some in tree.folders.chunks(200) {
        let paths: Vec<String> = some.iter().map(|folder| quote(&format!("{root}/{folder}"))).collect();
        run_script(client, Exec::script(format!("mkdir -p -- {}", paths.join(" ")))).await?;
    }
    for (name, path) in tree.files {
        let content = std::fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        upload(client, &format!("{root}/{name}"), content).await?;
    }
    Ok(())
}

/// What a script prints; what it says when it fails.
pub(super) async fn run_script(client: &Client, script: Exec) -> Result<String, String> {
    let output = client.run(script.timeout(LIMIT)).await.map_err(|error| error.diagnostic().detail)?;
    if output.succeeded() { Ok(output.text()) } else { Err(output.tail(3)) }
}
