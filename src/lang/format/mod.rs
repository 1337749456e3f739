//! The canonical form of a file: the spaces, indentation and alignment that `terraform fmt` gives, and the few old spellings
//! that it replaces.
//!
//! In: the text of a file. Out: the text in its form, or what is wrong with its syntax. Not here: which files there are, and
//! writing them (`cli`).
//!
//! Invariants: comments and ends of lines stay; formatting the result again changes nothing, unless interpolations that are all of
//! a text stand in each other: one is taken away at a time, as by Terraform.

mod layout;
mod piece;
mod rewrite;
mod spaces;
#[cfg(test)]
mod tests;

use crate::diag::{Diagnostics, FileId, SourceMap};
use crate::lang::syntax::{lex, parse};

/// The canonical form of a file of the map. A file that is not in it reads as an empty one.
///
/// # Errors
/// What is wrong with the syntax of the file: what cannot be read is not formatted.
pub fn format(sources: &SourceMap, file: FileId) -> Result<String, Diagnostics> {
    let (tree, said) = parse(sources, file);
    if said.has_errors() {
        return Err(said);
    }
    let Some(source) = sources.get(file) else { return Ok(String::new()) };
    let pieces = piece::pieces(&source.text, &lex(&source.text, true));
    let mut pieces = rewrite::rewritten(pieces, &tree.body);
    layout::lay_out(&mut pieces);
    Ok(piece::text(&pieces))
}
