//! Lines: how far each is indented, and which of them share a column for their equals signs and comments.

use super::piece::Piece;
use super::spaces::between;
use crate::lang::syntax::TokenKind as T;

/// Spaces a level of indentation.
const INDENT: usize = 2;

/// Pieces up to the end of a line. The text of a heredoc belongs to the line on which it begins; only inside its interpolations
/// are there other lines.
struct Line {
    start: usize,
    end: usize,
    /// Where the equals sign of an argument is, when its value ends on the line.
    assign: Option<usize>,
    /// Where the comment at the end is, when something stands before it.
    comment: Option<usize>,
    /// Brackets it opens, less those it closes; of those in a heredoc that begins here none count.
    opens: isize,
}

/// Gives every piece the spaces before it.
pub(super) fn lay_out(pieces: &mut [Piece<'_>]) {
    let lines = lines(pieces);
    space(pieces, &lines);
    indent(pieces, &lines);
    align(pieces, &lines, |line| line.assign.map(|assign| (line.start, assign)));
    align(pieces, &lines, |line| line.comment.map(|comment| (line.start, comment)));
}

fn lines(pieces: &[Piece<'_>]) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut start = 0;
    for (at, piece) in pieces.iter().enumerate() {
        if matches!(piece.kind, T::Newline | T::End) {
            lines.push(line(pieces, start, at));
            start = at + 1;
        }
    }
    lines
}

/// The line from `start` up to the piece that ends it.
fn line(pieces: &[Piece<'_>], start: usize, end: usize) -> Line {
    let content = &pieces[start..end];
    let comment = content.last().is_some_and(|last| content.len() > 1 && last.is_line_comment()).then(|| end - 1);
    let assign = content.iter().skip(1).position(|piece| piece.kind == T::Assign).map(|at| start + 1 + at);
    let assign = assign.filter(|at| nesting(&pieces[*at..end]) == 0);
    let heredoc = content.iter().position(|piece| piece.kind == T::OpenHeredoc).unwrap_or(content.len());
    Line { start, end, assign, comment, opens: nesting(&content[..heredoc]) }
}

/// How many brackets are opened, less those that are closed.
fn nesting(pieces: &[Piece<'_>]) -> isize {
    let change = |piece: &Piece<'_>| match piece.kind {
        T::OpenBrace | T::OpenBracket | T::OpenParen | T::OpenInterpolation | T::OpenDirective => 1,
        T::CloseBrace | T::CloseBracket | T::CloseParen | T::CloseTemplate => -1,
        _ => 0,
    };
    pieces.iter().map(change).sum()
}

/// Spaces between the tokens of each line.
fn space(pieces: &mut [Piece<'_>], lines: &[Line]) {
    for line in lines {
        for at in line.start + 1..=line.end {
            // Blanks at the end of the file stay.
            if pieces[at].kind == T::End {
                continue;
            }
            let before = (at >= line.start + 2).then(|| &pieces[at - 2]);
            pieces[at].spaces = usize::from(between(before, &pieces[at - 1], &pieces[at]));
        }
    }
}

/// Spaces before the first token of each line. Brackets that open on one line indent by one level together.
fn indent(pieces: &mut [Piece<'_>], lines: &[Line]) {
    let mut levels: Vec<isize> = Vec::new();
    for line in lines {
        if line.start == line.end {
            if pieces[line.start].kind == T::Newline {
                pieces[line.start].spaces = 0;
            }
            continue;
        }
        let mut closed = -line.opens;
        while closed > 0
            && let Some(level) = levels.last_mut()
        {
            let taken = closed.min(*level);
            *level -= taken;
            closed -= taken;
            if *level == 0 {
                levels.pop();
            }
        }
        pieces[line.start].spaces = INDENT * levels.len();
        if line.opens > 0 {
            levels.push(line.opens);
        }
    }
}

/// Brings what `cell` finds in neighbouring lines into one column. It gives the start of the line and the place.
fn align(pieces: &mut [Piece<'_>], lines: &[Line], cell: impl Fn(&Line) -> Option<(usize, usize)>) {
    let cells: Vec<Option<(usize, usize)>> = lines.iter().map(cell).collect();
    for group in cells.split(Option::is_none) {
        let widths: Vec<(usize, usize)> = group
            .iter()
            .flatten()
            .map(|&(start, at)| (at, pieces[start..at].iter().map(|piece| piece.spaces + piece.width()).sum()))
            .collect();
        let widest = widths.iter().map(|(_, width)| *width).max().unwrap_or(0);
        for (at, width) in widths {
            pieces[at].spaces = widest - width + 1;
        }
    }
}
