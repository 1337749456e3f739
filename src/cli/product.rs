//! As which program this process speaks: INFRA_COMPAT, else the name it was called by. Read here alone, and handed down.

use std::path::Path;

use crate::diag::Diagnostic;
use crate::view::Product;

/// The product of this process. A value of INFRA_COMPAT that means nothing is refused before any command runs.
pub(super) fn product() -> Product {
    let called = std::env::args_os().next();
    let file =
        called.as_deref().map(Path::new).and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
    of(std::env::var("INFRA_COMPAT").ok().as_deref(), file.as_deref()).unwrap_or_default()
}

/// What is wrong with INFRA_COMPAT, if anything is.
pub(super) fn refused() -> Option<Diagnostic> {
    let wanted = std::env::var("INFRA_COMPAT").ok()?;
    of(Some(&wanted), None).is_none().then(|| {
        let detail = format!("INFRA_COMPAT is {wanted:?}. Set it to terraform, tofu or infra, or unset it.");
        Diagnostic::error("Invalid INFRA_COMPAT", detail)
    })
}

/// What the environment says, else what the file name says; `None` for an environment that means nothing.
fn of(wanted: Option<&str>, file: Option<&str>) -> Option<Product> {
    match wanted.filter(|text| !text.is_empty()) {
        Some(text) => Product::named(text),
        None => Some(file.map_or_else(Product::default, Product::called)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_goes_before_the_name() {
        assert_eq!(of(None, Some("terraform")), Some(Product::Terraform));
        assert_eq!(of(Some(""), Some("tofu")), Some(Product::OpenTofu));
        assert_eq!(of(Some("infra"), Some("terraform")), Some(Product::Infra));
        assert_eq!(of(Some("opentofu"), Some("infra")), Some(Product::OpenTofu));
        assert_eq!(of(Some("pulumi"), Some("terraform")), None);
        assert_eq!(of(None, None), Some(Product::Infra));
    }
}
