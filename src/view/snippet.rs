//! The lines of a source that are shown with a diagnostic.

use std::ops::RangeInclusive;

use crate::diag::{Source, Span};
use crate::lang::syntax::sections;

/// Of what is to be seen with a place no more lines and bytes are shown than this.
const MOST: (usize, usize) = (1000, 100_000);

/// The lines around a place.
pub struct Snippet {
    /// Their numbers.
    pub lines: RangeInclusive<usize>,
    /// Their text, without the last line break.
    pub code: String,
    /// The offset in the text at which the place begins.
    pub start: usize,
    /// The offset behind its end.
    pub end: usize,
}

impl Snippet {
    /// The lines of a place and of what has to be seen with it.
    pub fn of(source: &Source, span: Span, frame: Option<Span>) -> Self {
        let frame = frame.filter(|frame| frame.file == span.file && !is_large(source, frame.to(span)));
        let lines = lines(source, frame.map_or(span, |frame| frame.to(span)));
        let code = lines.clone().map(|line| source.line(line)).collect::<Vec<_>>().join("\n");
        let code = code.trim_end_matches('\n').to_owned();
        let offset = |at: u32| offset(source, &lines, at as usize).min(code.len());
        let start = offset(span.start);
        let end = offset(span.end.max(span.start + 1)).max(start);
        Snippet { code, start, end, lines }
    }
}

fn is_large(source: &Source, span: Span) -> bool {
    let lines = source.position(span.end).line - source.position(span.start).line;
    lines > MOST.0 || (span.end - span.start) as usize > MOST.1
}

/// The numbers of the lines that a range touches, that included at whose beginning it ends.
fn lines(source: &Source, span: Span) -> RangeInclusive<usize> {
    let first = source.position(span.start).line;
    let last = source.position(span.end.max(span.start)).line;
    // Behind the last line break there is no line.
    let last = if source.line_start(last) == source.text.len() { last - 1 } else { last };
    first..=last.max(first)
}

/// Where an offset of the source is in the text of the lines, which has other line ends.
fn offset(source: &Source, lines: &RangeInclusive<usize>, at: usize) -> usize {
    let mut before = 0;
    for line in lines.clone() {
        let (start, text) = (source.line_start(line), source.line(line));
        if at < source.line_start(line + 1) || line == *lines.end() {
            return before + at.saturating_sub(start).min(text.len() + usize::from(line != *lines.end()));
        }
        before += text.len() + 1;
    }
    before
}

/// The block or object around a place; that which begins there is not around it.
pub fn context(source: &Source, span: Span) -> Option<String> {
    let before = span.start.checked_sub(1)?;
    source.section(before, sections).map(str::to_owned)
}
