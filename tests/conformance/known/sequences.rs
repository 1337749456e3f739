//! Where a folder that changes step by step is answered otherwise than by terraform.

/// Where our answer is another one on purpose: case, step (from 1), part of the answer, and why.
pub const KNOWN: &[(&str, usize, &str, &str)] = &[
    ("json_that_is_wrong", 1, "errors", "terraform says of a text that is no JSON that it is no object, too"),
    (
        "json_that_is_wrong",
        6,
        "state",
        "terraform reads templates in JSON late; we show no state of what cannot be read",
    ),
    (
        "results_of_conditions_are_kept",
        6,
        "checks",
        "of a block whose objects are all destroyed terraform calls the conditions unknown; we say that none fails",
    ),
    ("json_that_is_wrong", 10, "errors", "terraform says of the wrong value that it lacks a label, too"),
    (
        "imports_take_over",
        3,
        "state",
        "what the id of an import comes from is no dependency, neither when it is imported nor in later runs",
    ),
];
