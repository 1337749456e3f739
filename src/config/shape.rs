//! What may stand in a block: its labels, arguments and nested blocks; the rest is said to be wrong.

use crate::addr::Name;
use crate::diag::{Diagnostic, Diagnostics, SourceMap, Span, did_you_mean};
use crate::lang::syntax::ast::{Block, Body};

/// What a block with a fixed content holds.
pub struct Shape {
    /// Names of its labels.
    pub labels: &'static [&'static str],
    /// Arguments.
    pub arguments: &'static [&'static str],
    /// Of these, the ones that must be there.
    pub required: &'static [&'static str],
    /// Nested blocks.
    pub blocks: &'static [&'static str],
    /// Arguments and blocks of the language that this program refuses for now.
    pub later: &'static [&'static str],
}

impl Shape {
    /// Nothing at all may stand in it.
    pub const EMPTY: Shape = Shape { labels: &[], arguments: &[], required: &[], blocks: &[], later: &[] };

    /// Says what is wrong with the labels, and what stands in the body without belonging there. `false` when a label
    /// is missing, so that the block cannot be named.
    pub fn check(&self, block: &Block, said: &mut Diagnostics) -> bool {
        let named = self.check_labels(block, said);
        let within = describe(block);
        self.check_body(&block.body, block.header, &within, said);
        named
    }

    /// The same for the labels alone.
    pub fn check_labels(&self, block: &Block, said: &mut Diagnostics) -> bool {
        let (kind, labels) = (&block.kind.text, self.labels);
        if block.labels.len() == labels.len() {
            return true;
        }
        let names = labels.join(", ");
        let count = match labels.len() {
            1 => "1 label".to_owned(),
            count => format!("{count} labels"),
        };
        if block.labels.len() < labels.len() {
            let missing = labels[block.labels.len()];
            let detail = format!("All {kind} blocks must have {count} ({names}).");
            let place = block.body.missing().unwrap_or(block.header);
            said.push(Diagnostic::error(format!("Missing {missing} for {kind}"), detail).at(place));
            return false;
        }
        if let Some(extra) = block.labels.get(labels.len()) {
            let detail = match labels.len() {
                0 => format!("No labels are expected for {kind} blocks."),
                _ => format!(
                    "Only {count} ({names}) {} expected for {kind} blocks.",
                    if labels.len() == 1 { "is" } else { "are" }
                ),
            };
            said.push(Diagnostic::error(format!("Extraneous label for {kind}"), detail).at(extra.span));
        }
        true
    }

    /// The same for the body alone.
    pub fn check_body(&self, body: &Body, header: Span, within: &str, said: &mut Diagnostics) {
        for attribute in &body.attributes {
            let name = &attribute.name;
            if self.arguments.contains(&name.text.as_str()) {
                continue;
            }
            let diagnostic = if self.later.contains(&name.text.as_str()) {
                not_yet(&format!("The argument {:?}", name.text.as_str()))
            } else if body.json.is_some() {
                let known = self.arguments.iter().chain(self.blocks).copied();
                extraneous_property(&name.text, &did_you_mean(&name.text, known))
            } else if self.blocks.contains(&name.text.as_str()) {
                let detail = format!(
                    "An argument named {:?} is not expected here. Did you mean to define a block of type {:?}?",
                    name.text.as_str(),
                    name.text.as_str()
                );
                Diagnostic::error("Unsupported argument", detail)
            } else {
                let hint = did_you_mean(&name.text, self.arguments.iter().copied());
                let detail = format!("An argument named {:?} is not expected here.{hint}", name.text.as_str());
                Diagnostic::error("Unsupported argument", detail)
            };
            said.push(diagnostic.at(name.span).within(within));
        }
        for nested in &body.blocks {
            let kind = &nested.kind;
            if self.blocks.contains(&kind.text.as_str()) {
                continue;
            }
            let diagnostic = if self.later.contains(&kind.text.as_str()) {
                not_yet(&format!("The block type {:?}", kind.text.as_str()))
            } else if self.arguments.contains(&kind.text.as_str()) {
                let detail = format!(
                    "Blocks of type {:?} are not expected here. Did you mean to define argument {:?}? If so, use the \
                     equals sign to assign it a value.",
                    kind.text.as_str(),
                    kind.text.as_str()
                );
                Diagnostic::error("Unsupported block type", detail)
            } else {
                let hint = did_you_mean(&kind.text, self.blocks.iter().copied());
                let detail = format!("Blocks of type {:?} are not expected here.{hint}", kind.text.as_str());
                Diagnostic::error("Unsupported block type", detail)
            };
            said.push(diagnostic.at(kind.span).within(within));
        }
        for name in self.required {
            if body.attribute(name).is_none() {
                said.push(missing_argument(name).at(body.missing().unwrap_or(header)).within(within));
            }
        }
    }
}

/// The error of a required argument that is not there.
pub fn missing_argument(name: &str) -> Diagnostic {
    let detail = format!("The argument {name:?} is required, but no definition was found.");
    Diagnostic::error("Missing required argument", detail)
}

/// The error of a property of a JSON object that is not known.
fn extraneous_property(name: &str, hint: &str) -> Diagnostic {
    Diagnostic::error("Extraneous JSON object property", format!("No argument or block type is named {name:?}.{hint}"))
}

/// The error of something of the language that this program cannot do yet. It is never passed over in silence.
pub fn not_yet(what: &str) -> Diagnostic {
    Diagnostic::error(
        "Not supported yet",
        format!("{what} is part of the language, but this version cannot do it yet."),
    )
}

/// A block as messages name it: `resource "terraform_data" "a"`.
pub fn describe(block: &Block) -> String {
    if block.body.json.is_some() {
        let labels = block.labels.iter().map(|label| format!(".{}", label.text.as_str()));
        return format!("{}{}", block.kind.text, labels.collect::<String>());
    }
    let labels = block.labels.iter().map(|label| format!(" {:?}", label.text.as_str()));
    format!("{}{}", block.kind.text, labels.collect::<String>())
}

/// A range as messages name it: `main.tf:3,1-12`.
pub fn place(sources: &SourceMap, span: Span) -> String {
    let Some(source) = sources.get(span.file) else { return "another place".into() };
    let (start, end) = (source.position(span.start), source.position(span.end));
    let end = if start.line == end.line { end.column.to_string() } else { format!("{},{}", end.line, end.column) };
    format!("{}:{},{}-{end}", source.path.display(), start.line, start.column)
}

/// Whether a text can be the name of a block, and the error when it cannot.
pub fn check_name(what: &str, name: &Name, span: Span, said: &mut Diagnostics) -> bool {
    let valid = crate::lang::syntax::is_name(name);
    if !valid {
        let detail = "A name must start with a letter or underscore and may contain only letters, digits, underscores, and dashes.";
        said.push(Diagnostic::error(format!("Invalid {what} name"), detail).at(span));
    }
    valid
}
