//! How text may look: whose words, colours and width. Decided once by `cli`, obeyed here.

use crate::change::Action;

use super::product::Product;

/// What the receiving end can show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Style {
    /// Whether escape sequences for colours may be used.
    pub colour: bool,
    /// Columns at which prose is wrapped; `None` leaves long lines alone, so that other programs can match them.
    pub width: Option<usize>,
    /// Whether errors and warnings stand beside a bar.
    pub framed: bool,
    /// As which program to speak.
    pub product: Product,
}

/// How long a rule is, where there is room for it.
const RULE: usize = 77;

/// Looks that mean something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ink {
    /// Headings and names.
    Bold,
    /// Errors and removals.
    Red,
    /// Success and additions.
    Green,
    /// Warnings and changes.
    Yellow,
    /// Reads and imports.
    Cyan,
    /// What may be skipped.
    Dim,
}

impl Ink {
    fn code(self) -> &'static str {
        match self {
            Ink::Bold => "1",
            Ink::Red => "31",
            Ink::Green => "32",
            Ink::Yellow => "33",
            Ink::Cyan => "36",
            Ink::Dim => "90",
        }
    }
}

impl Style {
    /// No colours, no wrapping.
    pub const PLAIN: Style = Style { colour: false, width: None, framed: false, product: Product::Infra };

    /// The style for a file: what it is shown with later is not known yet.
    pub fn for_file(self) -> Style {
        Style { width: self.product.file_width(), product: self.product, ..Style::PLAIN }
    }

    /// A paragraph, wrapped.
    pub fn prose(self, text: &str) -> String {
        wrap(text, self.width)
    }

    /// The line that separates parts of a text, with the blank lines around it.
    pub fn rule(self) -> String {
        let rule = "─".repeat(self.width.map_or(RULE, |width| width.min(RULE)));
        format!("\n{}\n\n", self.paint(Ink::Dim, &rule))
    }

    /// The text in a colour, where colours are shown.
    pub fn paint(self, ink: Ink, text: &str) -> String {
        if self.colour { format!("\x1b[{}m{text}\x1b[0m", ink.code()) } else { text.to_owned() }
    }

    /// The text in bold, where that is shown.
    pub fn bold(self, text: &str) -> String {
        self.paint(Ink::Bold, text)
    }

    /// The marker of an action, coloured.
    pub fn symbol(self, action: Action) -> String {
        let symbol = action.symbol();
        if !self.colour {
            return symbol.to_owned();
        }
        match action {
            Action::NoOp | Action::Forget => symbol.to_owned(),
            Action::Create => self.paint(Ink::Green, symbol),
            Action::Read => self.paint(Ink::Cyan, symbol),
            Action::Update => self.paint(Ink::Yellow, symbol),
            Action::Delete => self.paint(Ink::Red, symbol),
            Action::DeleteThenCreate => format!("{}/{}", self.paint(Ink::Red, "-"), self.paint(Ink::Green, "+")),
            Action::CreateThenDelete => format!("{}/{}", self.paint(Ink::Green, "+"), self.paint(Ink::Red, "-")),
        }
    }
}

/// Breaks prose at word boundaries so that no line is wider than `width` columns, longer words aside. Lines that start
/// with a space are taken as already laid out and kept.
pub fn wrap(text: &str, width: Option<usize>) -> String {
    let Some(width) = width.filter(|width| *width > 10) else { return text.to_owned() };
    let mut out = String::with_capacity(text.len());
    for (index, line) in text.split('\n').enumerate() {
        if index > 0 {
            out.push('\n');
        }
        if line.starts_with([' ', '\t']) || line.chars().count() <= width {
            out.push_str(line);
            continue;
        }
        let mut column = 0;
        for word in line.split(' ') {
            let length = word.chars().count();
            if column > 0 && column + 1 + length > width {
                out.push('\n');
                column = 0;
            } else if column > 0 {
                out.push(' ');
                column += 1;
            }
            out.push_str(word);
            column += length;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wraps_words_and_keeps_laid_out_lines() {
        let check = |text: &str, width, expect: &str| assert_eq!(wrap(text, width), expect);
        check("one two three four", Some(11), "one two\nthree four");
        check("one two three four", None, "one two three four");
        check("  one two three four", Some(11), "  one two three four");
        check("averyverylongword x", Some(11), "averyverylongword\nx");
        check("a\n\nb", Some(11), "a\n\nb");
    }

    #[test]
    fn paints_only_in_colour() {
        assert_eq!(Style::PLAIN.symbol(Action::DeleteThenCreate), "-/+");
        assert_eq!(Style { colour: true, ..Style::PLAIN }.paint(Ink::Red, "x"), "\x1b[31mx\x1b[0m");
    }
}
