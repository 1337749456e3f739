//! `remote-exec`: scripts on another machine. Each is put into a file there, run by its first line, and removed.

use std::path::Path;
use std::time::Duration;

use crate::client::ssh::{Client, Exec, quote};
use crate::diag::Diagnostic;
use crate::value::Value;

use super::file::{run_script, upload};
use super::{Context, Hear, Job, connect, failed, text};

/// Where scripts are put; the word is replaced by digits.
const SCRIPT_PATH: &str = "/tmp/terraform_%RAND%.sh";

/// A script may run as long as it likes.
const LIMIT: Duration = Duration::from_secs(365 * 24 * 3600);

pub(super) async fn run(job: &Job, context: &Context, hear: &Hear<'_>) -> Result<(), Box<Diagnostic>> {
    let fail = |detail: String| failed("remote-exec", detail);
    let scripts = scripts(&job.config, &job.directory).map_err(fail)?;
    let client = connect::connect(job, context, hear).await?;
    let pattern = job.connection.as_ref().and_then(|connection| text(connection, "script_path"));
    for script in scripts {
        let digits = format!("{:010}", rand::random::<u32>());
        let path = pattern.filter(|path| !path.is_empty()).unwrap_or(SCRIPT_PATH).replace("%RAND%", &digits);
        upload(&client, &path, script).await.map_err(|why| fail(format!("Failed to upload script: {why}")))?;
        let ended = execute(&client, &path, hear).await;
        // The script may have removed itself, or taken the machine down.
        let _ = run_script(&client, Exec::script(format!("rm -f -- {}", quote(&path)))).await;
        ended.map_err(|why| {
            fail(if super::suppressed(job.marks).is_some() { "The script failed.".into() } else { why })
        })?;
    }
    Ok(())
}

/// The texts of the scripts.
fn scripts(config: &Value, base: &Path) -> Result<Vec<Vec<u8>>, String> {
    let list = |name: &str| config.get(name).and_then(Value::as_items);
    if let Some(lines) = list("inline") {
        let mut script = String::new();
        for line in lines {
            script.push_str(line.as_str().ok_or("invalid null string in 'inline'")?);
            script.push('\n');
        }
        if !script.starts_with("#!") {
            script.insert_str(0, "#!/bin/sh\n");
        }
        return Ok(vec![script.into_bytes()]);
    }
    let mut paths = Vec::new();
    if let Some(path) = text(config, "script") {
        if path.is_empty() {
            return Err("invalid empty string in 'script'".into());
        }
        paths.push(path);
    }
    for path in list("scripts").into_iter().flatten() {
        paths.push(path.as_str().filter(|path| !path.is_empty()).ok_or("invalid empty string in 'scripts'")?);
    }
    let read = |path: &str| {
        std::fs::read(base.join(path)).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => {
                format!("Failed to open script '{path}': open {path}: no such file or directory")
            }
            _ => format!("Failed to open script '{path}': {error}"),
        })
    };
    paths.into_iter().map(read).collect()
}

async fn execute(client: &Client, path: &str, hear: &Hear<'_>) -> Result<(), String> {
    let script = format!("chmod 0777 {path} && exec {path}", path = quote(path));
    let (sender, mut lines) = tokio::sync::mpsc::unbounded_channel();
    let running = client.run(Exec::script(script).timeout(LIMIT).limit(0).report(sender));
    tokio::pin!(running);
    let output = loop {
        tokio::select! {
            biased;
            Some(line) = lines.recv() => hear(&line.text),
            output = &mut running => break output,
        }
    };
    while let Ok(line) = lines.try_recv() {
        hear(&line.text);
    }
    match output {
        Ok(output) if output.succeeded() => Ok(()),
        Ok(output) => Err(format!("error executing {path:?}: Process exited with status {}", output.code)),
        Err(error) => Err(format!("error executing {path:?}: {}", error.diagnostic().detail)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(given: &[(&str, &[&str])], expect: Result<&[&str], &str>) {
        let values = given.iter().map(|(name, items)| {
            let items: Vec<Value> = items.iter().map(|item| Value::from(*item)).collect();
            ((*name).to_owned(), if *name == "script" { items[0].clone() } else { Value::tuple(items) })
        });
        let got = scripts(&Value::object(values), Path::new("/nowhere"));
        let got =
            got.map(|all| all.into_iter().map(|one| String::from_utf8_lossy(&one).into_owned()).collect::<Vec<_>>());
        match (got, expect) {
            (Ok(got), Ok(expect)) => assert_eq!(got, expect),
            (Err(got), Err(part)) => assert!(got.contains(part), "{got}"),
            (got, expect) => panic!("{got:?} instead of {expect:?}"),
        }
    }

    #[test]
    fn inline_lines_are_one_script_for_a_shell() {
        check(&[("inline", &["a", "b"])], Ok(&["#!/bin/sh\na\nb\n"]));
        check(&[("inline", &["#!/usr/bin/python3", "print(1)"])], Ok(&["#!/usr/bin/python3\nprint(1)\n"]));
        check(&[("inline", &[])], Ok(&["#!/bin/sh\n"]));
        check(&[("scripts", &[""])], Err("invalid empty string in 'scripts'"));
        check(&[("script", &["a.sh"])], Err("open a.sh: no such file"));
    }
}
