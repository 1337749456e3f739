//! `infra version`

use serde_json::json;

use crate::view::TERRAFORM_VERSION;

use super::args::VersionArgs;
use super::exit::Exit;

/// The text of the command. Under `INFRA_COMPAT=terraform` the first line is Terraform's, for programs that read it.
pub(super) fn text(json: bool, compat: bool) -> String {
    let (version, platform) = (env!("CARGO_PKG_VERSION"), platform());
    if json {
        let document = json!({
            "terraform_version": TERRAFORM_VERSION,
            "infra_version": version,
            "platform": platform,
            "provider_selections": {},
            "terraform_outdated": false,
        });
        return format!("{document:#}\n");
    }
    if compat {
        format!("Terraform v{TERRAFORM_VERSION}\non {platform}\n+ infra v{version}\n")
    } else {
        format!("infra v{version}\non {platform}\n")
    }
}

/// Runs the command.
pub(super) fn run(args: &VersionArgs) -> Exit {
    let compat = std::env::var("INFRA_COMPAT").is_ok_and(|value| value == "terraform");
    print!("{}", text(args.json, compat));
    Exit::Done
}

/// Go's names, as Terraform prints them.
fn platform() -> String {
    let arch = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    let os = if std::env::consts::OS == "macos" { "darwin" } else { std::env::consts::OS };
    format!("{os}_{arch}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speaks_as_terraform_when_asked_to() {
        assert!(text(false, true).starts_with("Terraform v1.11.4\non "));
        assert!(text(false, false).starts_with(&format!("infra v{}\non ", env!("CARGO_PKG_VERSION"))));
        assert!(text(true, false).contains("\"terraform_version\": \"1.11.4\""));
    }
}
