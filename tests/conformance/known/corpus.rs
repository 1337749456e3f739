//! Where our answer to a case of the corpus is another one than terraform's.

/// After an error of syntax terraform says more about the same place, or less about what it led to.
const FOLLOW_UP: &str = "the error is the same; terraform adds others that follow from it, or we do";
/// An error that terraform shows without its place, or at another one.
const PLACE: &str = "we say where it is";
/// Things of the language that this version refuses.
const LATER: &str = "not supported yet, and said so";
/// Terraform 1.12 and OpenTofu decide by the first operand; so do we.
const SHORT: &str = "&& and || decide by their first operand, as in newer versions";
/// Finer knowledge about values that are not known yet.
const REFINED: &str = "less is known of a value before apply; the result is the same";

/// Arguments are checked before anything is printed as JSON.
const ARGUMENT: &str = "a mistake in the arguments is told on standard error";

/// File, case, and why.
pub const KNOWN: &[(&str, &str, &str)] = &[
    ("blocks", "a backend that is not there", "it says which ones this version has"),
    ("blocks", "a caret", FOLLOW_UP),
    ("blocks", "a character that is not allowed", FOLLOW_UP),
    ("blocks", "a comment without an end", "it is called what it is"),
    ("blocks", "a label with an interpolation", FOLLOW_UP),
    ("blocks", "a semicolon between arguments", FOLLOW_UP),
    ("blocks", "a version for the builtin provider", PLACE),
    ("blocks", "an alias that is no name", PLACE),
    ("blocks", "an alias that is not there", PLACE),
    ("blocks", "an ampersand alone", FOLLOW_UP),
    ("blocks", "an argument that is written by the provider", "as terraform says it of all other providers"),
    ("blocks", "an id that is written by the provider", "as terraform says it of all other providers"),
    ("blocks", "backticks", FOLLOW_UP),
    ("blocks", "provider metadata", LATER),
    (
        "corners",
        "a replace of what is made anyway",
        "that a resource of the same name elsewhere has a key is no reason to warn",
    ),
    ("corners", "a replace that is no instance", ARGUMENT),
    ("corners", "a target that is no address", ARGUMENT),
    (
        "corners",
        "formats at their edges",
        "a null has no type of its own there, so that terraform calls the text unknown",
    ),
    ("expressions", "a conditional over lines without parentheses", FOLLOW_UP),
    ("expressions", "a large power and a root", "terraform rounds 2^64 once more when it shows it"),
    ("expressions", "and does not look behind a false", SHORT),
    ("expressions", "division by zero", "one error instead of four: infinity cannot be stored"),
    ("expressions", "or does not look behind a true", SHORT),
    (
        "idioms",
        "default values that have no common type",
        "elements of which some leave out an attribute of any type find a common one in sets, too",
    ),
    ("lifecycle", "a postcondition that fails after applying", "the step counts as failed, and so does the object"),
    ("lifecycle", "create_before_destroy that is a name", "variables and locals may be used there"),
    ("lifecycle", "depends_on of each and path", "waiting for nothing is taken for a mistake"),
    ("lifecycle", "replace_triggered_by itself", "terraform fails without a place"),
    ("lifecycle", "self in a precondition", FOLLOW_UP),
    ("locals_outputs", "an output that depends on something else than a reference", FOLLOW_UP),
    ("modules", "a module from an empty folder", "an empty folder is taken for a mistake"),
    ("modules", "a module from nowhere", PLACE),
    ("modules", "a module is passed an undeclared provider", PLACE),
    ("modules", "a module is passed what it does not declare", "nothing is assumed about a provider of that name"),
    ("modules", "a module needs an alias and is passed it", "the builtin provider is known without being declared"),
    ("modules", "a module passes the builtin provider", "the builtin provider is known without being declared"),
    ("modules", "a module with a source that is a name", LATER),
    ("modules", "sensitive outputs of modules", "what a module calls sensitive stays so, as terraform documents it"),
    ("templates", "a heredoc without an end", FOLLOW_UP),
    ("templates", "a text over two lines", FOLLOW_UP),
    ("templates", "an interpolation without an end", FOLLOW_UP),
    ("templates", "else in a loop", FOLLOW_UP),
    ("templates", "templates with single quotes", FOLLOW_UP),
    ("unknowns", "and, or with one side known", SHORT),
    ("unknowns", "collections of which one element is not known yet", REFINED),
    ("validation", "a message of a validation that is sensitive", "terraform shows the secret, we do not"),
    ("validation", "a message that cannot be evaluated", FOLLOW_UP),
    ("variables", "a description with a name", FOLLOW_UP),
    ("variables", "a tfvars file with an undeclared name", PLACE),
    ("variables", "a value from the command line that is no expression", FOLLOW_UP),
];
