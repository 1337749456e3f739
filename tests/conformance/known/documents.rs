//! Where our documents differ from terraform's.

/// Document and path of what differs, and why.
pub const KNOWN: &[(&str, &str, &str)] = &[
    (
        "destroyed",
        ".prior_state.values.root_module.resources",
        "a plan that destroys does not list data that was read before",
    ),
    ("destroyed", ".relevant_attributes", "what only looked at objects that go with it is not listed"),
];
