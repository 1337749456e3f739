//! `terraform` blocks.

use std::sync::Arc;

use crate::addr::{Name, ProviderSource};
use crate::diag::Diagnostic;
use crate::lang::syntax::ast::{Attribute, Block, Body, ExprKind};

use super::super::model::RequiredProvider;
use super::super::shape::{Shape, not_yet, place};
use super::super::version::{Standing, standing};
use super::Reader;
use super::reference::{provider_ref, text_of, word_of};

/// A `backend` block.
#[derive(Clone)]
pub struct BackendBlock {
    /// Its type: `local`, `s3`.
    pub kind: Name,
    /// Its arguments.
    pub body: Body,
    /// Where.
    pub span: crate::diag::Span,
}

const SHAPE: Shape = Shape {
    arguments: &["required_version", "language"],
    blocks: &["required_providers", "backend"],
    later: &["cloud", "experiments", "provider_meta", "encryption"],
    ..Shape::EMPTY
};

impl Reader<'_> {
    pub(super) fn terraform(&mut self, block: &Arc<Block>) {
        SHAPE.check(block, self.said);
        if let Some(attribute) = block.body.attribute("required_version") {
            self.required_version(attribute);
        }
        if let Some(attribute) = block.body.attribute("language")
            && word_of(&attribute.expr).is_none_or(|word| *word != "TF2021")
        {
            let detail = "The one edition of the language that there is is called TF2021, written without quotes.";
            self.said.push(Diagnostic::error("Unsupported language edition", detail).at(attribute.expr.span));
        }
        for nested in block.body.blocks_of("required_providers") {
            if let Some(first) = self.required_at {
                let at = place(self.sources, first);
                let detail = format!(
                    "A module may have only one required providers configuration. The required providers were previously \
                     configured at {at}."
                );
                self.said
                    .push(Diagnostic::error("Duplicate required providers configuration", detail).at(nested.header));
                continue;
            }
            self.required_at = Some(nested.header);
            for attribute in &nested.body.attributes {
                self.required_provider(attribute);
            }
        }
        for nested in block.body.blocks_of("backend") {
            let labels = Shape { labels: &["type"], ..Shape::EMPTY };
            if !labels.check_labels(nested, self.said) {
                continue;
            }
            if let Some(first) = &self.unlinked.backend {
                let at = place(self.sources, first.span);
                let detail = format!(
                    "A module may have only one backend configuration. The backend was previously configured at {at}."
                );
                self.said.push(Diagnostic::error("Duplicate backend configuration", detail).at(nested.header));
                continue;
            }
            self.unlinked.backend = Some(BackendBlock {
                kind: nested.labels[0].text.clone(),
                body: nested.body.clone(),
                span: nested.header,
            });
        }
    }

    fn required_version(&mut self, attribute: &Attribute) {
        let Some(text) = text_of(&attribute.expr) else {
            let names = !crate::lang::eval::references(&attribute.expr).is_empty();
            let summary = if names { "Variables not allowed" } else { "Invalid version constraint" };
            let detail = "A string value is required for required_version, as it is known before anything else.";
            self.said.push(Diagnostic::error(summary, detail).at(attribute.expr.span));
            return;
        };
        match standing(text) {
            Ok(Standing::Read) => {}
            Ok(Standing::Newer) => {
                let detail = format!(
                    "This configuration asks for Terraform {text}. The language here is that of Terraform 1.11 to 1.15: what newer \
                     versions have added is not read yet, and is an error where it is used. That is the store block of \
                     terraform_data, import blocks inside modules, the before_destroy and after_destroy events and the on_failure of \
                     action_trigger (1.16), variables and locals in required_providers (1.17). If the configuration uses none of \
                     it, ask for an older version to be rid of this warning."
                );
                let warning = Diagnostic::warning("Newer Terraform version required", detail);
                self.said.push(warning.at(attribute.span));
            }
            Ok(Standing::Refused) => {
                let detail = format!(
                    "This configuration asks for Terraform {text}, which no version admits whose language this is: Terraform 1.11 to \
                     1.15. To proceed, change required_version, or use a version of Terraform that it admits."
                );
                self.said.push(Diagnostic::error("Unsupported Terraform Core version", detail).at(attribute.span));
            }
            Err(part) => {
                let detail = format!("This string does not use correct version constraint syntax: {part:?}.");
                self.said.push(Diagnostic::error("Invalid version constraint", detail).at(attribute.expr.span));
            }
        }
    }

    /// The constraint on a provider's version; what is wrong with it is said.
    fn constraint(&mut self, text: &str, place: crate::diag::Span) -> Option<String> {
        if let Err(part) = standing(text) {
            let detail = format!("This string does not use correct version constraint syntax: {part:?}.");
            self.said.push(Diagnostic::error("Invalid version constraint", detail).at(place));
            return None;
        }
        Some(text.to_owned())
    }

    fn required_provider(&mut self, attribute: &Attribute) {
        let local = attribute.name.text.clone();
        let mut required = RequiredProvider {
            source: ProviderSource::implied(&local),
            version: None,
            aliases: Vec::new(),
            span: attribute.span,
        };
        match &attribute.expr.kind {
            ExprKind::Literal(crate::value::Value::String(version)) => {
                required.version = self.constraint(version, attribute.expr.span);
            }
            ExprKind::Object(items) => {
                for item in items {
                    let key = text_of(&item.key).map_or("", |key| key.as_str());
                    match (key, text_of(&item.value)) {
                        ("source", Some(text)) => match ProviderSource::parse(text) {
                            Some(source) => required.source = source,
                            None => {
                                let detail = format!(
                                    "{:?} is not a provider source such as \"hashicorp/random\" or \
                                     \"registry.example.com/team/name\".",
                                    text.as_str()
                                );
                                let parts = text.split('/').count();
                                let summary = match (1..=3).contains(&parts) {
                                    true => "Invalid provider type",
                                    false => "Invalid provider source string",
                                };
                                let error = Diagnostic::error(summary, detail);
                                self.said.push(error.at(item.value.span));
                            }
                        },
                        ("version", Some(text)) => {
                            required.version = self.constraint(text, item.value.span);
                        }
                        ("configuration_aliases", _) => match &item.value.kind {
                            ExprKind::Tuple(aliases) => {
                                for alias in aliases {
                                    match provider_ref(alias) {
                                        Ok(found) if found.local == local => required.aliases.extend(found.alias),
                                        Ok(_) => {
                                            let detail = format!(
                                                "Configuration aliases defined in the required_providers entry {:?} must \
                                                 start with that name.",
                                                local.as_str()
                                            );
                                            let error =
                                                Diagnostic::error("Invalid configuration_aliases value", detail);
                                            self.said.push(error.at(alias.span));
                                        }
                                        Err(error) => self.said.push(error),
                                    }
                                }
                            }
                            _ => {
                                let detail = "A list of provider configurations is required, such as [aws.east].";
                                let error = Diagnostic::error("Invalid configuration_aliases value", detail);
                                self.said.push(error.at(item.value.span));
                            }
                        },
                        ("prefer_plugin", _) => {
                            self.said.push(not_yet("prefer_plugin (external providers)").at(item.key.span));
                        }
                        (key @ ("source" | "version"), None) => {
                            let summary = format!("Invalid {key}");
                            let detail = format!("The {key} of a provider must be a string that is written out.");
                            self.said.push(Diagnostic::error(summary, detail).at(item.value.span));
                        }
                        _ => {
                            let detail = "required_providers objects can only contain \"version\", \"source\" and \
                                          \"configuration_aliases\" attributes.";
                            self.said
                                .push(Diagnostic::error("Invalid required_providers object", detail).at(item.key.span));
                        }
                    }
                }
            }
            _ => {
                let detail = "required_providers entries must be strings or objects.";
                self.said.push(Diagnostic::error("Invalid required_providers object", detail).at(attribute.expr.span));
                return;
            }
        }
        if required.source == ProviderSource::builtin() && required.version.is_some() {
            let detail = format!(
                "The provider {} is part of the program and has no version of its own. Remove \"version\".",
                required.source
            );
            self.said.push(Diagnostic::error("Invalid dependency on built-in provider", detail).at(attribute.span));
        }
        self.unlinked.module.required_providers.insert(local, required);
    }
}
