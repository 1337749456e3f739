//! As which program to speak: the name in the texts, and the width that goes with it. Programs that drive Terraform look for its
//! name in what it prints, so that speaking as Terraform is a matter of the look.

use super::document::TERRAFORM_VERSION;

/// The program whose name the texts carry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Product {
    /// This one.
    #[default]
    Infra,
    /// Terraform.
    Terraform,
    /// OpenTofu.
    OpenTofu,
}

/// The version of OpenTofu that is answered like.
const OPENTOFU_VERSION: &str = "1.12.6";

/// Where lines end that Terraform does not print on a terminal.
const TERRAFORM_WIDTH: usize = 77;

impl Product {
    /// The product that INFRA_COMPAT names; `None` for a name that means nothing.
    pub fn named(text: &str) -> Option<Product> {
        match text {
            "infra" => Some(Product::Infra),
            "terraform" => Some(Product::Terraform),
            "tofu" | "opentofu" => Some(Product::OpenTofu),
            _ => None,
        }
    }

    /// The product as which a program of this file name is called: `terraform`, also with a version behind it, as tools that
    /// keep several of them name their files.
    pub fn called(file: &str) -> Product {
        let is = |name: &str| {
            let rest =
                file.strip_prefix(name).map(|rest| rest.trim_end_matches(".exe").trim_start_matches(['-', '_', 'v']));
            rest.is_some_and(|rest| rest.chars().all(|c| c.is_ascii_digit() || c == '.'))
        };
        if is("terraform") {
            Product::Terraform
        } else if is("tofu") {
            Product::OpenTofu
        } else {
            Product::Infra
        }
    }

    /// The name in sentences.
    pub fn name(self) -> &'static str {
        match self {
            Product::Infra => "infra",
            Product::Terraform => "Terraform",
            Product::OpenTofu => "OpenTofu",
        }
    }

    /// The name on a command line.
    pub fn command(self) -> &'static str {
        match self {
            Product::Infra => "infra",
            Product::Terraform => "terraform",
            Product::OpenTofu => "tofu",
        }
    }

    /// The version of the program that is spoken as.
    pub fn version(self) -> &'static str {
        match self {
            Product::Infra => env!("CARGO_PKG_VERSION"),
            Product::Terraform => TERRAFORM_VERSION,
            Product::OpenTofu => OPENTOFU_VERSION,
        }
    }

    /// The version in documents that have a field for that of Terraform.
    pub fn terraform_version(self) -> &'static str {
        match self {
            Product::Infra | Product::Terraform => TERRAFORM_VERSION,
            Product::OpenTofu => OPENTOFU_VERSION,
        }
    }

    /// Whether another program is spoken as, whose texts are looked for word by word.
    pub fn is_compatible(self) -> bool {
        match self {
            Product::Infra => false,
            Product::Terraform | Product::OpenTofu => true,
        }
    }

    /// Whether the part of a source line that is meant is marked below it.
    pub(super) fn marks_source(self) -> bool {
        !self.is_compatible()
    }

    /// Where lines end in files and pipes.
    pub fn file_width(self) -> Option<usize> {
        self.is_compatible().then_some(TERRAFORM_WIDTH)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_name_says_which_program_is_meant() {
        let check = |file: &str, expect: Product| assert_eq!(Product::called(file), expect, "{file}");
        check("infra", Product::Infra);
        check("terraform", Product::Terraform);
        check("terraform.exe", Product::Terraform);
        check("terraform1.11.4", Product::Terraform);
        check("terraform_v1.11.4", Product::Terraform);
        check("tofu", Product::OpenTofu);
        check("tofu1.12.6", Product::OpenTofu);
        check("terraformer", Product::Infra);
        check("", Product::Infra);
    }

    #[test]
    fn so_does_the_environment() {
        assert_eq!(Product::named("terraform"), Some(Product::Terraform));
        assert_eq!(Product::named("tofu"), Some(Product::OpenTofu));
        assert_eq!(Product::named("opentofu"), Some(Product::OpenTofu));
        assert_eq!(Product::named("infra"), Some(Product::Infra));
        assert_eq!(Product::named("Terraform"), None);
    }
}
