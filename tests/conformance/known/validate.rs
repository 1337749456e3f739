//! What `validate -json` says in another way than terraform, on purpose.

/// How what is said differs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Difference {
    /// Only terraform says it.
    Missing,
    /// Only we say it.
    Extra,
    /// Both do, with other fields.
    Other,
}

use Difference::{Extra, Missing, Other};

/// Case, how it differs, the summary, and why.
pub const KNOWN: &[(&str, Difference, &str, &str)] = &[
    ("a_cycle", Other, "Cycle: terraform_data.a, terraform_data.b", PLACE),
    ("a_module_of_wrong_source", Missing, "Unsuitable value type", SOURCE),
    ("a_module_of_wrong_source", Missing, "Variables not allowed", SOURCE),
    ("a_module_of_wrong_source", Extra, "Reference to undeclared input variable", SOURCE),
    ("a_module_that_is_not_there", Missing, "Module not installed", LOCAL),
    ("a_module_that_is_not_there", Extra, "Unreadable module directory", LOCAL),
    ("arguments_of_modules", Missing, "Missing required argument", AT_ONCE),
    ("arguments_of_modules", Extra, "Unsupported block type", AT_ONCE),
    ("arguments_of_wrong_types", Missing, "\"id\" attribute is read-only", READ_ONLY),
    ("arguments_of_wrong_types", Missing, "\"output\" attribute is read-only", READ_ONLY),
    ("arguments_of_wrong_types", Extra, "Value for unconfigurable attribute", READ_ONLY),
    ("attributes_and_indexes", Extra, "Invalid index", MORE),
    ("clouds", Missing, "Both a backend and cloud configuration are present", CLOUD),
    ("clouds", Extra, "Not supported yet", CLOUD),
    ("copies_and_their_keys", Extra, "Invalid index", MORE),
    ("copies_and_their_keys", Extra, "Unsupported attribute", MORE),
    ("defaults_of_variables", Missing, "Unsuitable value type", ONCE),
    ("functions_in_functions", Other, "Invalid function argument", LOOPS),
    ("json_empty", Missing, "Root value must be object", ONCE),
    ("json_expressions", Other, "Invalid operand", ESCAPES),
    ("json_expressions", Other, "Too many function arguments", ESCAPES),
    ("json_expressions", Missing, "Invalid object key expression", KEY),
    ("json_expressions", Extra, "Incorrect key type", KEY),
    ("json_modules", Extra, "Invalid for_each argument", AT_ONCE),
    ("json_of_wrong_shape", Missing, "Missing block label", ONCE),
    ("json_references", Other, "Invalid reference in replace_triggered_by expression", QUOTE),
    ("json_references", Other, "Invalid replace_triggered_by expression", QUOTE),
    ("json_syntax_of_expressions", Other, "Extra characters after interpolation expression", ESCAPES),
    ("json_that_ends", Missing, "Root value must be object", ONCE),
    ("json_that_ends", Other, "Unclosed object", ONCE),
    ("json_that_ends", Missing, "Unclosed object", ONCE),
    ("json_that_ends", Missing, "Invalid object property name", ONCE),
    ("json_that_ends", Missing, "Missing value", ONCE),
    ("json_that_is_none", Missing, "Incorrect JSON value type", ONCE),
    ("json_types_and_defaults", Other, "Invalid type specification", QUOTE),
    ("json_with_a_comma_too_much", Missing, "Incorrect JSON value type", ONCE),
    ("json_with_a_comma_too_much", Missing, "Missing block label", ONCE),
    ("json_with_single_quotes", Missing, "Root value must be object", ONCE),
    ("json_with_single_quotes", Missing, "Invalid start of value", ONCE),
    ("lifecycle", Missing, "Unsuitable value type", LIFECYCLE),
    ("lifecycle", Missing, "Variables not allowed", LIFECYCLE),
    ("modules_called_wrongly", Other, "Unsupported attribute", MODULES),
    ("moves_in_a_circle", Extra, "Cyclic dependency in move statements", EARLIER),
    ("moves_that_contradict", Extra, "Ambiguous move statements", EARLIER),
    ("providers", Other, "Invalid provider configuration alias", PLACE),
    ("references_of_every_kind", Missing, "Invalid \"path\" attribute", NOWHERE),
    ("references_of_every_kind", Missing, "Reference to undeclared input variable", NOWHERE),
    ("references_that_are_nearly_right", Other, "Unsupported attribute", MODULES),
    ("signs_that_are_none", Missing, "Missing newline after argument", ONCE),
    ("signs_that_are_none", Missing, "Invalid character", ONCE),
    ("splats_and_for", Other, "Invalid object key", LOOPS),
    ("splats_and_for", Other, "Invalid 'for' condition", LOOPS),
    ("splats_and_for", Other, "Unsupported attribute", LOOPS),
    ("syntax_of_arguments", Extra, "Invalid single-argument block definition", GOES_ON),
    ("syntax_of_heredocs", Other, "Unterminated template string", BEGINNING),
    ("syntax_of_heredocs", Extra, "Unclosed configuration block", GOES_ON),
    ("syntax_of_lists_and_objects", Extra, "Missing key/value separator", GOES_ON),
    ("syntax_of_lists_and_objects", Extra, "Invalid 'for' expression", GOES_ON),
    ("syntax_of_strings", Missing, "Invalid multi-line string", ONCE),
    ("syntax_of_strings", Other, "Unterminated template string", BEGINNING),
    ("syntax_of_templates", Missing, "Invalid multi-line string", ONCE),
    ("templates", Other, "Unsupported attribute", LOOPS),
    ("types_of_variables", Extra, "Attribute written twice", MORE),
    ("in_modules_and_instances", Extra, "Invalid index", FURTHER),
    ("validations_that_do_not_hold", Extra, "Invalid value for variable", FURTHER),
    ("values_of_files", Other, "Value for undeclared variable", PLACE),
    ("what_is_sensitive", Extra, "Invalid for_each argument", FURTHER),
    ("what_is_sensitive", Extra, "Invalid count argument", FURTHER),
];

const FURTHER: &str =
    "terraform does not get as far: it validates before it plans, and stops at the first kind of error";
const AT_ONCE: &str =
    "terraform stops at the first module whose arguments are wrong, or does not get as far; we say what else is wrong";
const BEGINNING: &str = "we point at where the text begins, terraform at where it gave up";
const CLOUD: &str = "there is no cloud block here";
const EARLIER: &str = "terraform says so in the plan only";
const ESCAPES: &str = "terraform counts the characters that a JSON string stands for, we those that are written";
const GOES_ON: &str = "we go on reading after an error of syntax";
const KEY: &str = "the key of an object is the same in both syntaxes here";
const LIFECYCLE: &str = "variables may be used there";
const LOCAL: &str = "folders need no installing here";
const LOOPS: &str = "we also tell what the variable of a loop is, and what a function takes that is called in one";
const MODULES: &str = "terraform knows nothing of the outputs of a module while it validates";
const MORE: &str = "it is wrong whatever the values turn out to be";
const NOWHERE: &str = "terraform says it of no place and no name, beside the error itself";
const ONCE: &str = "said once: terraform says what follows from the same mistake as well";
const PLACE: &str = "terraform names no place";
const QUOTE: &str = "terraform's place begins at the quote and is one character too far to the left";
const READ_ONLY: &str = "one name for what a provider decides alone";
const SOURCE: &str = "variables may be used there";
