//! The built-in functions of the language.
//!
//! In: argument values and a [`Context`]. Out: a value, or what is wrong in Terraform's words. Every call goes through
//! [`Function::call`], which counts and converts arguments, refuses nulls, answers unknown arguments with an unknown result
//! and carries marks over, so that the functions themselves see plain known values unless they ask for more.
//!
//! Not here: `try`, `can` and type constraints as arguments (`eval`, which does not evaluate arguments first).
//!
//! Invariant: functions touch the world only through the [`Context`].

mod arguments;
mod call;
mod charsets;
mod code_pages;
mod collections;
mod context;
mod conversion;
mod csv;
mod dates;
mod deflate;
mod encoding;
mod environment;
mod files;
mod format;
mod format_verb;
mod glob;
mod gzip;
mod hashes;
mod hz;
mod lists;
mod manifest_text;
mod manifests;
mod network;
mod numbers;
mod provided;
mod regex;
mod rsa;
mod sets;
mod strings;
mod time;
mod yaml;
mod yaml_read;

use std::collections::BTreeMap;
use std::sync::LazyLock;

pub use call::{Function, FunctionError, Param, ParamType, Returns, UNSET};
pub use context::{Context, DirFiles, Entry, Files, NoVariable, ReadError, TemplateError, Templates};
pub use provided::{provided, provided_by};

static TABLE: LazyLock<BTreeMap<&'static str, &'static Function>> = LazyLock::new(|| {
    let topics = [
        charsets::FUNCTIONS,
        collections::FUNCTIONS,
        conversion::FUNCTIONS,
        csv::FUNCTIONS,
        dates::FUNCTIONS,
        encoding::FUNCTIONS,
        environment::FUNCTIONS,
        files::FUNCTIONS,
        format::FUNCTIONS,
        gzip::FUNCTIONS,
        hashes::FUNCTIONS,
        lists::FUNCTIONS,
        network::FUNCTIONS,
        numbers::FUNCTIONS,
        regex::FUNCTIONS,
        rsa::FUNCTIONS,
        sets::FUNCTIONS,
        strings::FUNCTIONS,
        yaml::FUNCTIONS,
    ];
    topics.into_iter().flatten().map(|function| (function.name, function)).collect()
});

/// A function by its name, with or without the `core::` in front.
pub fn lookup(name: &str) -> Option<&'static Function> {
    TABLE.get(name.strip_prefix("core::").unwrap_or(name)).copied()
}

/// The names of all functions, in order.
pub fn names() -> impl Iterator<Item = &'static str> {
    TABLE.keys().copied()
}

#[cfg(test)]
#[path = "cases_test.rs"]
mod tests;
