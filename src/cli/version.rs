//! `infra version`

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::json;

use crate::diag::SourceMap;
use crate::ops::read_lock_file;
use crate::view::Product;

use super::args::VersionArgs;
use super::exit::Exit;
use super::product::product;

/// The text of the command. Spoken as another program the first line is that program's, for those who read it.
fn text(json: bool, product: Product, providers: &BTreeMap<String, String>) -> String {
    let (version, platform) = (env!("CARGO_PKG_VERSION"), platform());
    if json {
        let document = json!({
            "terraform_version": product.terraform_version(),
            "infra_version": version,
            "platform": platform,
            "provider_selections": providers,
            "terraform_outdated": false,
        });
        return format!("{document:#}\n");
    }
    let own = if product.is_compatible() { format!("+ infra v{version}\n") } else { String::new() };
    let mut out = format!("{} v{}\non {platform}\n{own}", product.name(), product.version());
    for (source, version) in providers {
        out.push_str(&format!("+ provider {source} v{version}\n"));
    }
    out
}

/// Runs the command in a folder: the providers are those of its lock file. One that cannot be read has none.
pub(super) fn run(args: &VersionArgs, dir: &Path) -> Exit {
    let lock = read_lock_file(dir, &SourceMap::default()).unwrap_or_default();
    print!("{}", text(args.json, product(), &lock.versions));
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
    fn speaks_as_another_program_when_asked_to() {
        let none = BTreeMap::new();
        assert!(text(false, Product::Terraform, &none).starts_with("Terraform v1.11.4\non "));
        assert!(text(false, Product::OpenTofu, &none).starts_with("OpenTofu v1.12.6\non "));
        assert!(text(false, Product::Infra, &none).starts_with(&format!("infra v{}\non ", env!("CARGO_PKG_VERSION"))));
        assert!(text(true, Product::Infra, &none).contains("\"terraform_version\": \"1.11.4\""));
        assert!(text(true, Product::OpenTofu, &none).contains("\"terraform_version\": \"1.12.6\""));
    }

    #[test]
    fn names_the_providers_of_the_lock_file() {
        let source = "registry.terraform.io/hashicorp/random";
        let providers = BTreeMap::from([(source.to_owned(), "3.7.2".to_owned())]);
        assert!(text(false, Product::Infra, &providers).ends_with(&format!("\n+ provider {source} v3.7.2\n")));
        assert!(text(true, Product::Infra, &providers).contains(&format!("\"{source}\": \"3.7.2\"")));
    }
}
