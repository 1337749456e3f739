//! What the kinds of the provider are, word for word as its schema has it under Terraform: clients compare the document of `providers
//! schema -json` as a whole.

use crate::schema::Block;

const RESOURCE: &str = "The `null_resource` resource implements the standard resource lifecycle but takes no further action.\n\nThe `triggers` \
                        argument allows specifying an arbitrary set of values that, when changed, will cause the resource to be replaced.";

const DATA: &str = "The `null_data_source` data source implements the standard data source lifecycle but does not\ninteract with any external \
                    APIs.\n\nHistorically, the `null_data_source` was typically used to construct intermediate values to re-use elsewhere in \
                    configuration. The\nsame can now be achieved using [locals](https://www.terraform.io/docs/language/values/locals.html).\n";

const RESOURCE_ATTRIBUTES: &[(&str, &str)] = &[
    ("id", "This is set to a random value at create time."),
    (
        "triggers",
        "A map of arbitrary strings that, when changed, will force the null resource to be replaced, re-running any associated \
         provisioners.",
    ),
];

const DATA_ATTRIBUTES: &[(&str, &str)] = &[
    (
        "has_computed_default",
        "If set, its literal value will be stored and returned. If not, its value defaults to `\"default\"`. This argument exists \
         primarily for testing and has little practical use.",
    ),
    (
        "id",
        "This attribute is only present for some legacy compatibility issues and should not be used. It will be removed in a future \
         version.",
    ),
    (
        "inputs",
        "A map of arbitrary strings that is copied into the `outputs` attribute, and accessible directly for interpolation.",
    ),
    ("outputs", "After the data source is \"read\", a copy of the `inputs` map."),
    (
        "random",
        "A random value. This is primarily for testing and has little practical use; prefer the [hashicorp/random \
         provider](https://registry.terraform.io/providers/hashicorp/random) for more practical random number use-cases.",
    ),
];

/// The block of `null_resource` with its words.
pub(super) fn of_resource(block: Block) -> Block {
    with(block, RESOURCE, RESOURCE_ATTRIBUTES)
}

/// The block of `null_data_source` with its words; it is on its way out.
pub(super) fn of_data(block: Block) -> Block {
    let mut block = with(block, DATA, DATA_ATTRIBUTES);
    block.deprecated = true;
    block
}

fn with(mut block: Block, description: &'static str, attributes: &[(&str, &'static str)]) -> Block {
    for (name, attribute) in &mut block.attributes {
        if let Some((_, words)) = attributes.iter().find(|(known, _)| known == &name.as_str()) {
            attribute.description = (*words).into();
        }
    }
    block.description = description;
    block.markdown = true;
    block
}
