//! Provisioners before there is an object: what is wrong with their arguments can be said early.

use crate::config::Resource;
use crate::diag::Diagnostics;
use crate::lang::decode::decode;
use crate::provision;
use crate::schema::Schema;
use crate::value::Value;

use super::scope::ModuleScope;
use super::walk::{Place, Walk};

impl Walk<'_> {
    /// What is wrong with the provisioners of a block, its object being unknown.
    pub(super) fn check_provisioners(&self, place: &Place, resource: &Resource, schema: &Schema) -> Diagnostics {
        let mut said = Diagnostics::none();
        if resource.provision.provisioners.is_empty() {
            return said;
        }
        let this = Value::unknown_not_null(schema.ty());
        let scope =
            ModuleScope { around: self.around(), copy: place.copy, repetition: &place.repetition, this: Some(&this) };
        for provisioner in &resource.provision.provisioners {
            let Some(block) = provision::schema(&provisioner.kind) else { continue };
            let config = decode(&provisioner.body, block, &scope);
            said.append(config.said.located(Some(provisioner.header), None));
            if let Some(config) = config.value {
                let config = config.unmark_deep().0;
                said.append(provision::validate(&provisioner.kind, &config).located(Some(provisioner.header), None));
            }
            if let Some(connection) = resource.provision.connection_of(provisioner) {
                let decoded = decode(&connection, provision::connection(), &scope);
                said.append(decoded.said.located(Some(provisioner.header), None));
            }
        }
        said
    }
}
