//! Where our answer to a step of the commands is another one than the real program's.

/// Where our answer is another one on purpose: file, step (from 1), and why.
pub const KNOWN: &[(&str, usize, &str)] = &[
    ("diffs_sensitive", 2, "what becomes sensitive, or is so no more, is told in other words"),
    ("drift_in_place", 1, PROVIDER),
    ("drift_in_place", 3, PROVIDER),
    ("drift_in_place", 5, PROVIDER),
    ("drift_in_place", 6, PROVIDER),
    ("drift_in_place", 7, PROVIDER),
    ("drift_in_place", 8, PROVIDER),
    ("drift_in_place", 9, PROVIDER),
    ("drift_in_place", 11, EQUAL),
    ("drift_in_place", 13, PROVIDER),
    ("drift_in_place", 15, DRIFT),
    ("drift_in_place", 16, NOBODY),
    ("drift_in_place", 17, NOBODY),
    ("drift_in_place", 18, PROVIDER),
    ("drift_in_place", 24, PROVIDER),
    ("drift_modules", 8, "what two filters name is listed once"),
    ("drift_modules", 13, "an address that cannot be read is called so, whatever is wrong with it"),
    ("drift_modules", 17, DRIFT),
    (
        "drift_modules",
        25,
        "a provider that only a called module requires is listed with the root, which has its configuration",
    ),
    ("flags", 7, "the value is for no variable; nobody is asked for another one before that is said"),
    ("flags", 9, "nothing of a plan that failed is shown"),
    ("flags", 25, NOBODY),
    ("flags", 26, NOBODY),
    ("flags", 47, NOBODY),
    ("flags", 52, "scripts may say of refresh that they agree, as of apply"),
    ("flags", 60, "validate takes no folder: -chdir"),
    ("flags", 61, "each tells its own version"),
    ("flags", 65, "it is called as for other commands; terraform only tells how taint is used"),
    ("output", 4, NAMED),
    ("output", 5, NAMED),
    ("output", 58, "flags may stand behind names"),
    ("output", 60, NAMED),
    ("refresh", 3, "outputs that are not known yet are no error"),
    ("refresh", 6, EQUAL),
    ("refresh", 21, DRIFT),
    ("refresh", 27, DRIFT),
    ("refresh", 41, DRIFT),
    ("refresh_outputs", 15, GONE),
    ("refresh_outputs", 16, GONE),
    ("refresh_outputs", 17, GONE),
    ("replace", 19, "refresh replaces nothing, and says so"),
    ("shapes", 26, "terraform leaves out dependencies that the configuration has no more"),
    ("state", 82, "of two mistakes the other one is said"),
    (
        "exclude",
        19,
        "OpenTofu's document has neither applyable nor complete, and tells of variables that they are required",
    ),
    ("exclude", 28, "OpenTofu explains the signs in more words"),
    ("exclude", 34, "OpenTofu counts what is forgotten, too"),
];

/// What somebody else did is told wherever the plan has a change for that object, and in full, not only where something refers to it.
const DRIFT: &str = "docs/decisions/0007";

/// So it does for every state that a provider which is a program of its own has written.
const EQUAL: &str = "terraform says that nothing has changed, and exits as if something had";

/// Its first look turns what is not there into empty maps, which terraform tells as drift; versions of objects are not planned to change.
const PROVIDER: &str = "the kubernetes provider of terraform fills in what nobody wrote, ours keeps it";

/// Terraform puts the question even so, and fails on the answer.
const NOBODY: &str = "where there is no terminal nobody is asked, and how to agree is said";

/// Terraform warns and succeeds, so that a script takes nothing for the value.
const NAMED: &str = "what is asked for by its name and is not there is an error, also where there is nothing else";

/// Terraform plans to remove it, and keeps it.
const GONE: &str = "an output that is not written any more leaves state with the next refresh";
