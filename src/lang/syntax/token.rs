//! Tokens: the smallest pieces of a source text that mean something.

/// A piece of a source text. Whitespace lies between tokens and is no token itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Token {
    /// What it is.
    pub kind: TokenKind,
    /// Offset of its first byte.
    pub start: u32,
    /// Offset behind its last byte.
    pub end: u32,
}

/// The kinds of tokens.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TokenKind {
    /// A name or a keyword.
    Ident,
    /// A number, unsigned.
    Number,
    /// The end of a line.
    Newline,
    /// `# …`, `// …` (without the line's end) or `/* … */`.
    Comment,
    /// `{`
    OpenBrace,
    /// `}`
    CloseBrace,
    /// `[`
    OpenBracket,
    /// `]`
    CloseBracket,
    /// `(`
    OpenParen,
    /// `)`
    CloseParen,
    /// `=`
    Assign,
    /// `=>`
    Arrow,
    /// `:`
    Colon,
    /// `::`
    DoubleColon,
    /// `,`
    Comma,
    /// `.`
    Dot,
    /// `...`
    Ellipsis,
    /// `?`
    Question,
    /// `+`
    Plus,
    /// `-`
    Minus,
    /// `*`
    Star,
    /// `/`
    Slash,
    /// `%`
    Percent,
    /// `!`
    Bang,
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `&&`
    And,
    /// `||`
    Or,
    /// The quote that starts a text.
    OpenQuote,
    /// The quote that ends a text.
    CloseQuote,
    /// Stands, with no width, where a quoted text should have ended.
    MissingQuote,
    /// Text between quotes, escapes as written.
    QuotedText,
    /// `<<NAME` or `<<-NAME` with the end of the line.
    OpenHeredoc,
    /// The line (without its end) that ends a heredoc.
    CloseHeredoc,
    /// Text of a heredoc or of a template file, at most one line of it with its end.
    LineText,
    /// `${` or `${~`
    OpenInterpolation,
    /// `%{` or `%{~`
    OpenDirective,
    /// `}` or `~}` of an interpolation or a directive.
    CloseTemplate,
    /// A character that means nothing here.
    Invalid,
    /// The end of the text.
    End,
}
