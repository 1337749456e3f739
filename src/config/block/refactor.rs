//! `moved` and `removed` blocks: what became of objects whose blocks were renamed or taken out.

use crate::addr::{Mode, Pattern};
use crate::diag::{Diagnostic, Span};
use crate::lang::syntax::ast::{Attribute, Block, Body, ExprKind};

use super::super::model::{Moved, Provision, Removed, When};
use super::super::shape::Shape;
use super::Reader;
use super::provision::provision;
use super::reference::pattern_of;
use super::values::truth;

const MOVED: Shape = Shape { arguments: &["from", "to"], required: &["from", "to"], ..Shape::EMPTY };

const REMOVED: Shape = Shape {
    arguments: &["from"],
    required: &["from"],
    blocks: &["lifecycle", "connection", "provisioner"],
    ..Shape::EMPTY
};

const LIFECYCLE: Shape = Shape { arguments: &["destroy"], ..Shape::EMPTY };

impl Reader<'_> {
    pub(super) fn moved(&mut self, block: &Block) {
        MOVED.check(block, self.said);
        let (Some(from), Some(to)) = (block.body.attribute("from"), block.body.attribute("to")) else { return };
        let (Some(from), Some(to)) = (self.endpoint(from), self.endpoint(to)) else { return };
        if from.resource.is_some() != to.resource.is_some() {
            let detail =
                "The \"from\" and \"to\" addresses must either both refer to resources or both refer to modules.";
            self.said.push(Diagnostic::error("Invalid \"moved\" addresses", detail).at(block.header));
            return;
        }
        if let (Some(old), Some(new)) = (&from.resource, &to.resource)
            && (old.mode, new.mode) != (Mode::Managed, Mode::Managed)
        {
            let detail = "Only managed resources have objects in state that could be moved: neither data sources nor ephemeral \
                          resources can.";
            self.said.push(Diagnostic::error("Invalid \"moved\" addresses", detail).at(block.header));
            return;
        }
        self.unlinked.module.moved.push(Moved { from, to, span: block.header });
    }

    pub(super) fn removed(&mut self, block: &Block) {
        REMOVED.check(block, self.said);
        let destroy = self.destroys(block);
        let provision = provision(&block.body, self.sources, self.said);
        let Some(written) = block.body.attribute("from") else { return };
        let Some(from) = self.endpoint(written) else { return };
        if let Some((summary, detail)) = not_removable(&from) {
            // A key is the last part of what is written.
            let place = match &written.expr.kind {
                ExprKind::Index(index) => Span { start: index.collection.span.end, ..written.expr.span },
                _ => written.expr.span,
            };
            self.said.push(Diagnostic::error(summary, detail).at(place));
            return;
        }
        self.check_provision(&from, &provision);
        self.unlinked.module.removed.push(Removed { from, destroy, provision, span: block.header });
    }

    /// Only what runs before an object goes has a meaning where the block is gone already.
    fn check_provision(&mut self, from: &Pattern, provision: &Provision) {
        for provisioner in &provision.provisioners {
            let detail = if from.resource.is_none() {
                "A provisioner runs for the objects of one resource: the removed block has to name a resource, not a module."
            } else if provisioner.when == When::Create {
                "In a removed block only provisioners that run before the object is destroyed have a meaning. Write \
                 when = destroy."
            } else {
                continue;
            };
            self.said.push(Diagnostic::error("Invalid provisioner block", detail).at(provisioner.header));
        }
    }

    /// `lifecycle { destroy = … }`; removing an object destroys it unless the block says otherwise.
    fn destroys(&mut self, block: &Block) -> bool {
        let Some(lifecycle) = block.body.blocks_of("lifecycle").next() else { return true };
        LIFECYCLE.check(lifecycle, self.said);
        let body: &Body = &lifecycle.body;
        truth(body, "destroy", self.said).unwrap_or(true)
    }

    /// An address as `moved` and `removed` have it.
    fn endpoint(&mut self, attribute: &Attribute) -> Option<Pattern> {
        let span = attribute.expr.span;
        if !attribute.expr.is_traversal() {
            let detail = "An address that is written out is required, such as terraform_data.a or module.b[\"key\"]: names, \
                          attributes and constant keys, without quotes around the whole and without calculations.";
            self.said.push(Diagnostic::error("Invalid expression", detail).at(span));
            return None;
        }
        let pattern = match pattern_of(&attribute.expr, self.sources) {
            Ok(pattern) => pattern,
            Err(diagnostic) => {
                self.said.push(diagnostic);
                return None;
            }
        };
        self.check_endpoint(pattern, span)
    }

    fn check_endpoint(&mut self, pattern: Pattern, span: Span) -> Option<Pattern> {
        let reserved = ["var", "local", "count", "each", "self", "path", "terraform", "template", "lazy", "arg"];
        let detail = match &pattern.resource {
            None if pattern.module.is_root() => "The address names a whole layer; a resource or a module is required.",
            Some(resource) if reserved.contains(&resource.kind.as_str()) => {
                "The first word is a name of the language and not the type of a resource."
            }
            _ => return Some(pattern),
        };
        self.said.push(Diagnostic::error("Invalid address", detail).at(span));
        None
    }
}

/// Why an address cannot stand in a `removed` block.
fn not_removable(from: &Pattern) -> Option<(&'static str, &'static str)> {
    if from.module.steps().iter().any(|step| step.key.is_some()) {
        let detail = "All copies of a module are removed together: write the module without a key, as in module.foo.";
        return Some(("Module instance keys not allowed", detail));
    }
    if from.key.is_some() {
        let detail = "All copies of a resource are removed together: write it without a key, as in terraform_data.foo. A \
                      single copy goes by changing count or for_each.";
        return Some(("Resource instance keys not allowed", detail));
    }
    let is_data = from.resource.as_ref().is_some_and(|resource| resource.mode == Mode::Data);
    let detail =
        "Data sources are never destroyed. To take one out of state, take its data block out of the configuration.";
    is_data.then_some(("Data source address not allowed", detail))
}
