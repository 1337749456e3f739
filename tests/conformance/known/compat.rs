//! Where what we print under INFRA_COMPAT=terraform is another text than terraform's.

/// Where our text is another one on purpose: case, step (from 1), and why.
pub const KNOWN: &[(&str, usize, &str)] = &[
    ("errors", 4, "what is asked for by its name and is not there is an error, also where there is nothing else"),
    ("errors", 5, DETAIL),
    ("errors", 6, DETAIL),
    ("kinds_of_changes", 2, DETAIL),
    ("kinds_of_changes", 3, DETAIL),
    ("kinds_of_changes", 5, DEPOSED),
    ("lifecycle", 1, PROVIDERS),
    ("lifecycle", 2, PROVIDERS),
    ("lifecycle", 15, DETAIL),
    ("modules", 1, "folders need no installing here"),
    ("only_moves", 4, DETAIL),
];

/// Programs look for the line that begins with `Error: ` or `Warning: `.
const DETAIL: &str = "below its first line a diagnostic explains itself in words of our own";

/// The key of an object that is replaced is not known to the step that destroys it.
const DEPOSED: &str = "the old object of a replacement is destroyed under the plain address; and as above";

/// Where Terraform finds and installs providers, `init` has nothing to fetch.
const PROVIDERS: &str = "init names the providers, which are part of the program";
