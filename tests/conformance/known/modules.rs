//! Where our answer about modules is another one than terraform's.

/// Where our answer is another one on purpose: case, command (from 1), and why.
pub const KNOWN: &[(&str, usize, &str)] = &[
    ("git_with_tags_folders_and_nested_calls", 1, "local sources are followed before anything is installed"),
    ("git_with_tags_folders_and_nested_calls", 2, "as above"),
    ("a_folder_that_is_not_there", 1, "terraform speaks of globs, at no line"),
    (
        "answers_that_lead_elsewhere",
        1,
        "a folder that a server leads to stays in its package, where it can call what is beside it",
    ),
    ("without_get", 1, "terraform adds a sentence that is no error of its own"),
    ("out_of_the_package", 1, "terraform names no line"),
];
