//! `infra sandbox serve`

use crate::config;
use crate::diag::{Diagnostic, Diagnostics};
use crate::sandbox::{Sandbox, Timing, serve};

use super::args::ServeArgs;
use super::exit::Exit;
use super::project::Call;
use super::terminal::Terminal;

/// Opens the sandbox of an environment until the user stops it.
pub(super) async fn run(call: &Call, args: &ServeArgs) -> Exit {
    let terminal = Terminal::new(&args.select.look, None);
    let mut said = Diagnostics::none();
    let mut load = call.load(&args.select);
    load.needs_state = false;
    let done = match config::load(&load).take(&mut said) {
        Some(config) if !said.has_errors() => match open(&config, args, &terminal).await {
            Ok(()) => true,
            Err(diagnostic) => {
                said.push(*diagnostic);
                false
            }
        },
        _ => false,
    };
    terminal.say(&said, &call.sources);
    if done { Exit::Done } else { Exit::Failed }
}

async fn open(config: &config::Config, args: &ServeArgs, terminal: &Terminal) -> Result<(), Box<Diagnostic>> {
    if !config.sandbox {
        let detail = format!(
            "Environment {} has no sandbox; the project file says `sandbox = true` where there is one.",
            config.environment
        );
        return Err(Box::new(Diagnostic::error("No sandbox", detail)));
    }
    let failed = |error: &dyn std::fmt::Display| {
        Box::new(Diagnostic::error("Sandbox not opened", format!("{}: {error}.", config.sandbox_dir.display())))
    };
    let sandbox = Sandbox::open(&config.sandbox_dir, Timing::default()).await.map_err(|error| failed(&error))?;
    let mut server = serve(&sandbox, args.port).await.map_err(|error| failed(&error))?;
    let path = config.sandbox_dir.join("kubeconfig");
    write_private(&path, &server.endpoint.kubeconfig()).map_err(|error| failed(&error))?;
    // Listened for before anybody is told where it is: who reads that may stop it at once.
    let mut stop = std::pin::pin!(super::signals::any());
    let stopped = futures::poll!(stop.as_mut()).is_ready();
    terminal.print(&format!(
        "The sandbox of environment {} answers on loopback until Ctrl-C. Look around with:\n  kubectl --kubeconfig {} get pods -A\n",
        config.environment,
        path.display()
    ));
    let ended = tokio::select! {
        () = std::future::ready(()), if stopped => Ok(()),
        ended = server.ended() => ended.map_err(|error| failed(&error)),
        () = stop, if !stopped => Ok(()),
    };
    // The address in it is of no use any more.
    let _ = std::fs::remove_file(&path);
    ended
}

/// The kubeconfig holds the secret of the address.
fn write_private(path: &std::path::Path, text: &str) -> std::io::Result<()> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let _ = std::fs::remove_file(path);
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())
}
