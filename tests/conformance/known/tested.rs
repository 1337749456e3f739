//! Where our `test` differs from terraform's.

/// Where we differ from terraform, and why.
pub const KNOWN: &[(&str, &str, &str)] = &[
    ("files", "a_filter_of_no_file", "a mistyped -filter is said, or it would pass for a success"),
    ("files", "a_run_in_the_cloud", "it is refused before anybody is asked"),
    ("mocks", "a_mock_in_a_called_module", "a mock counts for modules that are called too: nobody is asked in earnest"),
    ("mocks", "a_provider_of_the_test", "of two mistakes in one provider block the other one is said"),
    ("mocks", "an_override_of_one_instance", "one instance of a module cannot be replaced yet, and that is said"),
    ("mocks", "an_overridden_module_leaves_its_resources", WORDS),
    ("mocks", "defaults_that_are_found_not_to_fit", "nothing was made, so that nothing is torn down"),
    ("mocks", "imported_into_a_mock", PLACE),
    ("mocks", "known_when_planning", "values that were planned are kept, which terraform makes up anew"),
    ("mocks", "mock_arguments_that_are_wrong", PLACE),
    ("mocks", "mocked_values_of_nested_blocks", "nothing was made, so that nothing is torn down; and it is said once"),
    ("more", "an_assert_about_a_whole_module", "what a module calls sensitive stays so, as terraform documents it"),
    ("more", "removed_and_imported", "it names this program"),
    ("modules", "of_a_variable", "one error instead of two for one mistake"),
    ("modules", "that_is_not_there", "nothing has to be installed: the folder is missing"),
    ("runs", "a_sensitive_message", "it says that there is a message"),
    ("runs", "parallel_runs", "as newer versions have it"),
    ("runs", "state_key_and_parallel_words", "one error instead of two for one mistake"),
    ("runs", "verbose_plan_and_state", WORDS),
];

/// An error that terraform shows without its place.
const PLACE: &str = "we say where it is";

/// Plans are drawn in words of our own.
const WORDS: &str = "a plan in words of our own; what it says is the same";
