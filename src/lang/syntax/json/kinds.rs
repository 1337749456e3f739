//! What the properties of JSON objects are where the language itself says so: which are blocks, how many labels these have,
//! and how strings are read.

use super::expr::Strings;

/// A type of block.
pub(super) struct Kind {
    pub name: &'static str,
    /// Names of the labels, as messages say them.
    pub labels: &'static [&'static str],
    /// The types of blocks in it.
    pub blocks: &'static [Kind],
    /// Whether a schema decides which of its other properties are blocks.
    pub open: bool,
    /// Whether it holds blocks and nothing else.
    pub only_blocks: bool,
    /// How strings are read where no argument says otherwise.
    pub strings: Strings,
    /// Arguments whose strings are read in another way.
    pub special: &'static [(&'static str, Strings)],
}

use Strings::{Expressions, Literals};

const PLAIN: Kind = Kind {
    name: "",
    labels: &[],
    blocks: &[],
    open: false,
    only_blocks: false,
    strings: Strings::Templates,
    special: &[],
};

/// What a schema describes.
pub(super) const OPEN: Kind = Kind { open: true, ..PLAIN };

/// `dynamic`, which may stand in whatever a schema describes.
pub(super) const DYNAMIC: Kind = Kind {
    name: "dynamic",
    labels: &["type"],
    blocks: &[Kind { name: "content", ..OPEN }],
    special: &[("iterator", Expressions)],
    ..PLAIN
};

const CONDITION: Kind = Kind { name: "precondition", ..PLAIN };
const CONNECTION: Kind = Kind { name: "connection", ..OPEN };
const PROVISIONER: Kind = Kind {
    name: "provisioner",
    labels: &["type"],
    blocks: &[CONNECTION],
    special: &[("when", Expressions), ("on_failure", Expressions)],
    ..OPEN
};
const LIFECYCLE: Kind = Kind {
    name: "lifecycle",
    blocks: &[
        CONDITION,
        Kind { name: "postcondition", ..PLAIN },
        Kind { name: "action_trigger", special: &[("events", Expressions), ("actions", Expressions)], ..PLAIN },
    ],
    special: &[("ignore_changes", Expressions), ("replace_triggered_by", Expressions)],
    ..PLAIN
};
const RESOURCE: Kind = Kind {
    name: "resource",
    labels: &["type", "name"],
    blocks: &[LIFECYCLE, CONNECTION, PROVISIONER],
    special: &[("depends_on", Expressions), ("provider", Literals)],
    ..OPEN
};
const NAMED: Kind = Kind { labels: &["name"], ..PLAIN };
const SETTINGS: Kind = Kind { strings: Literals, ..PLAIN };

const FILE: &[Kind] = &[
    Kind {
        name: "terraform",
        blocks: &[
            Kind { name: "required_providers", ..SETTINGS },
            Kind { name: "backend", labels: &["type"], ..SETTINGS },
            Kind { name: "cloud", blocks: &[Kind { name: "workspaces", ..SETTINGS }], ..SETTINGS },
            Kind { name: "provider_meta", labels: &["provider"], ..OPEN },
        ],
        ..SETTINGS
    },
    Kind { name: "provider", labels: &["name"], ..OPEN },
    Kind {
        name: "variable",
        blocks: &[Kind { name: "validation", ..PLAIN }],
        special: &[("type", Expressions), ("default", Literals), ("description", Literals)],
        ..NAMED
    },
    Kind { name: "locals", ..PLAIN },
    Kind {
        name: "output",
        blocks: &[CONDITION],
        special: &[("depends_on", Expressions), ("description", Literals)],
        ..NAMED
    },
    Kind {
        name: "module",
        blocks: &[LIFECYCLE],
        special: &[
            ("depends_on", Expressions),
            ("providers", Literals),
            ("source", Strings::Templates),
            ("version", Literals),
        ],
        ..NAMED
    },
    RESOURCE,
    Kind { name: "data", ..RESOURCE },
    Kind { name: "ephemeral", ..RESOURCE },
    Kind { name: "moved", special: &[("from", Expressions), ("to", Expressions)], ..PLAIN },
    Kind { name: "removed", blocks: &[LIFECYCLE, CONNECTION, PROVISIONER], special: &[("from", Expressions)], ..PLAIN },
    Kind { name: "import", special: &[("to", Expressions), ("provider", Literals)], ..PLAIN },
    Kind { name: "check", blocks: &[Kind { name: "data", ..RESOURCE }, Kind { name: "assert", ..PLAIN }], ..NAMED },
    Kind {
        name: "action",
        labels: &["type", "name"],
        blocks: &[Kind { name: "config", ..OPEN }],
        special: &[("provider", Literals)],
        ..PLAIN
    },
];

/// The content of a file of configuration.
pub(super) const ROOT: Kind = Kind { blocks: FILE, only_blocks: true, ..PLAIN };

const DURING: (&str, Strings) = ("override_during", Expressions);
const MOCKED: Kind = Kind { name: "mock_resource", labels: &["type"], special: &[DURING], ..PLAIN };
const OVERRIDE: Kind = Kind { name: "override_resource", special: &[("target", Expressions), DURING], ..PLAIN };
const OVERRIDE_DATA: Kind = Kind { name: "override_data", ..OVERRIDE };
const OVERRIDE_MODULE: Kind = Kind { name: "override_module", ..OVERRIDE };
const OVERRIDE_LAYER: Kind = Kind { name: "override_layer", ..OVERRIDE };
const MOCKED_DATA: Kind = Kind { name: "mock_data", ..MOCKED };
const VARIABLES: Kind = Kind { name: "variables", ..PLAIN };

/// The content of a test file.
pub(super) const TESTS: Kind = Kind {
    blocks: &[
        Kind { name: "test", ..PLAIN },
        VARIABLES,
        Kind { name: "provider", labels: &["name"], ..OPEN },
        Kind {
            name: "mock_provider",
            labels: &["name"],
            blocks: &[MOCKED, MOCKED_DATA, OVERRIDE, OVERRIDE_DATA],
            special: &[DURING],
            ..PLAIN
        },
        OVERRIDE,
        OVERRIDE_DATA,
        OVERRIDE_MODULE,
        OVERRIDE_LAYER,
        Kind {
            name: "run",
            blocks: &[
                Kind { name: "assert", ..PLAIN },
                Kind { name: "module", ..PLAIN },
                Kind {
                    name: "plan_options",
                    special: &[("mode", Expressions), ("target", Expressions), ("replace", Expressions)],
                    ..PLAIN
                },
                VARIABLES,
                OVERRIDE,
                OVERRIDE_DATA,
                OVERRIDE_MODULE,
                OVERRIDE_LAYER,
            ],
            special: &[("command", Expressions), ("expect_failures", Expressions), ("providers", Literals)],
            ..NAMED
        },
    ],
    only_blocks: true,
    ..PLAIN
};

/// The content of a file of mocks.
pub(super) const MOCKS: Kind =
    Kind { blocks: &[MOCKED, MOCKED_DATA, OVERRIDE, OVERRIDE_DATA], only_blocks: true, ..PLAIN };

/// The content of a file of assignments.
pub(super) const ASSIGNMENTS: Kind = SETTINGS;
