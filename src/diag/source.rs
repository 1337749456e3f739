//! Source texts and places in them.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock, RwLock};

use unicode_segmentation::UnicodeSegmentation as _;

/// Which file of a [`SourceMap`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct FileId(pub u32);

/// A range of bytes in a file. Files are at most 4 GiB.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The file.
    pub file: FileId,
    /// Offset of the first byte.
    pub start: u32,
    /// Offset behind the last byte.
    pub end: u32,
}

impl Span {
    /// The smallest range that holds both; they are in one file.
    #[must_use]
    pub fn to(self, other: Span) -> Span {
        Span { file: self.file, start: self.start.min(other.start), end: self.end.max(other.end) }
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}..{}", self.file.0, self.start, self.end)
    }
}

/// A place as people count: from 1, columns in what they see as one character.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Position {
    /// Line, from 1.
    pub line: usize,
    /// Column in grapheme clusters, from 1.
    pub column: usize,
    /// Offset in the bytes of the file, from 0; a byte order mark counts.
    pub byte: usize,
}

/// A part of a file that has a name, such as a block.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Section {
    /// Offset of the first byte.
    pub start: u32,
    /// Offset behind the last byte.
    pub end: u32,
    /// Its name.
    pub name: String,
}

/// The mark that some editors put in front of a text.
const MARK: char = '\u{feff}';

/// One file's name and text.
#[derive(Debug)]
pub struct Source {
    /// The path as messages show it, usually relative to the working directory.
    pub path: PathBuf,
    /// The text, without a byte order mark.
    pub text: Arc<str>,
    /// Where lines start; found when somebody asks, since nobody does where all is well.
    lines: OnceLock<Vec<u32>>,
    /// How many bytes of the file stand before the text.
    skipped: usize,
    sections: OnceLock<Vec<Section>>,
}

impl Source {
    fn lines(&self) -> &[u32] {
        self.lines.get_or_init(|| {
            let breaks = self.text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
            std::iter::once(0).chain(breaks.map(|(at, _)| at as u32 + 1)).collect()
        })
    }

    /// Where an offset is. Offsets beyond the end are taken as the end, offsets inside a character as its start.
    pub fn position(&self, offset: u32) -> Position {
        let mut byte = (offset as usize).min(self.text.len());
        while !self.text.is_char_boundary(byte) {
            byte -= 1;
        }
        let line = self.lines().partition_point(|&start| start as usize <= byte);
        let start = self.lines()[line - 1] as usize;
        Position { line, column: width(&self.text[start..byte]) + 1, byte: byte + self.skipped }
    }

    /// The offset in the text at which a line (from 1) begins; the end of the text when there is no such line.
    pub fn line_start(&self, line: usize) -> usize {
        let start = line.checked_sub(1).and_then(|index| self.lines().get(index));
        start.map_or(self.text.len(), |&start| start as usize)
    }

    /// The name of the innermost section around an offset. `find` gives all of them, in the order in which they begin; it is
    /// asked once.
    pub fn section(&self, offset: u32, find: impl FnOnce(&Source) -> Vec<Section>) -> Option<&str> {
        let sections = self.sections.get_or_init(|| find(self));
        let before = sections.partition_point(|section| section.start <= offset);
        sections[..before].iter().rev().find(|section| offset < section.end).map(|section| section.name.as_str())
    }

    /// The text of a line (from 1) without its end; empty when there is no such line.
    pub fn line(&self, line: usize) -> &str {
        let Some(&start) = line.checked_sub(1).and_then(|index| self.lines().get(index)) else { return "" };
        let end = self.lines().get(line).map_or(self.text.len(), |&next| next as usize);
        self.text[start as usize..end].trim_end_matches(['\n', '\r'])
    }

    /// The text of a range; empty when it is not one of this file.
    pub fn slice(&self, span: Span) -> &str {
        self.text.get(span.start as usize..span.end as usize).unwrap_or("")
    }
}

/// All source texts of a run. Append-only; clones share it, so that a diagnostic can be drawn after its room is gone.
#[derive(Clone, Default, Debug)]
pub struct SourceMap(Arc<RwLock<Vec<Arc<Source>>>>);

impl SourceMap {
    /// Adds a file under the path that messages shall show.
    pub fn add(&self, path: impl AsRef<Path>, text: impl Into<Arc<str>>) -> FileId {
        self.add_text(path.as_ref(), text.into(), 0)
    }

    /// Adds a file as it was read, which may begin with a byte order mark.
    pub fn add_file(&self, path: impl AsRef<Path>, text: &str) -> FileId {
        let bare = text.strip_prefix(MARK).unwrap_or(text);
        self.add_text(path.as_ref(), bare.into(), text.len() - bare.len())
    }

    fn add_text(&self, path: &Path, text: Arc<str>, skipped: usize) -> FileId {
        let (lines, sections) = (OnceLock::new(), OnceLock::new());
        let source = Arc::new(Source { path: path.to_owned(), text, lines, skipped, sections });
        let mut files = self.0.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        files.push(source);
        FileId(files.len() as u32 - 1)
    }

    /// A file that was added.
    pub fn get(&self, file: FileId) -> Option<Arc<Source>> {
        self.0.read().unwrap_or_else(std::sync::PoisonError::into_inner).get(file.0 as usize).cloned()
    }

    /// Every file, in the order added.
    pub fn all(&self) -> Vec<Arc<Source>> {
        self.0.read().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }
}

/// How many characters a text shows.
fn width(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.graphemes(true).count() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_characters() {
        let map = SourceMap::default();
        let file = map.add("a.tf", "ä = 1\nb = \"x\"\n");
        let source = map.get(file);
        let place = |offset| source.as_ref().map(|s| s.position(offset)).map(|p| (p.line, p.column));
        assert_eq!(place(0), Some((1, 1)));
        assert_eq!(place(3), Some((1, 3)));
        assert_eq!(place(7), Some((2, 1)));
        assert_eq!(place(99), Some((3, 1)));
        assert_eq!(source.as_ref().map(|s| s.line(2).to_owned()).as_deref(), Some("b = \"x\""));
    }
}
