//! The log, for people who look for faults: `INFRA_LOG` or `TF_LOG`, to standard error or a file.

use tracing_subscriber::EnvFilter;

/// Starts logging when the environment asks for it. Without that nothing is set up and nothing costs time.
pub(super) fn start() {
    let wanted = |name: &str| std::env::var(name).ok().filter(|level| !level.is_empty());
    let Some(level) = wanted("INFRA_LOG").or_else(|| wanted("TF_LOG")) else { return };
    let filter = match level.to_lowercase().as_str() {
        "off" => return,
        // Terraform's names of levels stand for this program's own words; other crates say less.
        "trace" | "json" => "warn,infra=trace".to_owned(),
        "debug" | "info" | "warn" | "error" => format!("warn,infra={}", level.to_lowercase()),
        _ => level,
    };
    let filter = EnvFilter::try_new(&filter).unwrap_or_else(|_| EnvFilter::new("warn,infra=debug"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false);
    let file = wanted("INFRA_LOG_PATH").or_else(|| wanted("TF_LOG_PATH"));
    let opened = file.and_then(|path| {
        use std::os::unix::fs::OpenOptionsExt as _;
        std::fs::OpenOptions::new().create(true).append(true).mode(0o600).open(path).ok()
    });
    // A second subscriber in one process is refused; the first one stays.
    let _ = match opened {
        Some(file) => builder.with_writer(std::sync::Mutex::new(file)).try_init(),
        None => builder.with_writer(std::io::stderr).try_init(),
    };
}
