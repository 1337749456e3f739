//! Where our answer is another one than OpenTofu's.

/// Where our answer is another one on purpose: file, case (or step), and why.
pub const KNOWN: &[(&str, &str, &str)] = &[
    (
        "deprecated",
        "an output of the root module",
        "outputs in events do not repeat what their blocks say of deprecation",
    ),
    ("providers", "a key that is not there", "we say where the resource is"),
    (
        "providers",
        "a value that only planning knows",
        "it is called as for other arguments that are known before planning",
    ),
    ("enabled", "names that are not there", "of a reference to nothing nothing else follows"),
    ("enabled_comes_and_goes", "5", "OpenTofu moves modules that get a count; Terraform does not, nor do we"),
    ("enabled_comes_and_goes", "6", "as above, for one that loses it"),
];
