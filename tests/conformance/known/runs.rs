//! Where a command ends otherwise than terraform's.

/// Where our answer is another one on purpose: case, step (from 1), and why.
pub const KNOWN: &[(&str, usize, &str)] = &[
    ("environment", 16, "of a plan that fails we show nothing"),
    ("environment", 18, "NO_COLOR takes the colors away, which terraform does not know"),
    ("files", 15, "every provider is in the program: nobody reads the lock file"),
];
