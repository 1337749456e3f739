//! The syntax tree of configuration files, the same for native and JSON syntax.

use std::sync::Arc;

use crate::addr::Name;
use crate::diag::Span;
use crate::value::{Str, Value};

/// One file.
#[derive(Clone, Debug)]
pub struct File {
    /// Its content.
    pub body: Body,
}

/// What stands in a file or between the braces of a block.
#[derive(Clone, Debug, Default)]
pub struct Body {
    /// `name = expression`, in written order.
    pub attributes: Vec<Attribute>,
    /// Nested blocks, in written order.
    pub blocks: Vec<Arc<Block>>,
    /// The whole body.
    pub span: Option<Span>,
    /// Only in JSON syntax: what the arguments may be instead.
    pub json: Option<Arc<Json>>,
}

/// What the syntax of JSON leaves open in a body.
#[derive(Clone, Debug, Default)]
pub struct Json {
    /// The blocks that arguments of the body are when a schema has blocks of their names.
    pub blocks: Vec<Arc<Block>>,
}

impl Body {
    /// Where something that is missing would have been: the opening brace, or in JSON the closing one.
    pub fn missing(&self) -> Option<Span> {
        let span = self.span?;
        Some(match self.json {
            Some(_) => Span { start: span.end.saturating_sub(1), ..span },
            None => Span { end: span.start + 1, ..span },
        })
    }

    /// The first attribute of that name.
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes.iter().find(|attribute| attribute.name.text == *name)
    }

    /// The blocks of a type that the schema of the body has, in written order; in JSON they may look like arguments.
    pub fn nested_of<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Arc<Block>> {
        let open = self.json.iter().flat_map(|json| &json.blocks);
        self.blocks.iter().chain(open).filter(move |block| block.kind.text == *kind)
    }

    /// The blocks of a type, in written order.
    pub fn blocks_of<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Arc<Block>> {
        self.blocks.iter().filter(move |block| block.kind.text == *kind)
    }
}

/// A name where it was written.
#[derive(Clone, Debug)]
pub struct Ident {
    /// The name.
    pub text: Name,
    /// Where.
    pub span: Span,
}

/// `name = expression`.
#[derive(Clone, Debug)]
pub struct Attribute {
    /// The name.
    pub name: Ident,
    /// The expression; shared, so that configuration can hold it without its file.
    pub expr: Arc<Expr>,
    /// Name to end of expression.
    pub span: Span,
}

/// `kind "label" … { body }`.
#[derive(Clone, Debug)]
pub struct Block {
    /// The block type.
    pub kind: Ident,
    /// Labels, quoted or bare.
    pub labels: Vec<Ident>,
    /// The content.
    pub body: Body,
    /// From the type to the last label: what a message points at.
    pub header: Span,
    /// The whole block.
    pub span: Span,
}

/// An expression and where it stands. Files consist of these for the most part, and what is large in a kind is boxed to keep
/// them small.
#[derive(Clone, Debug)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Where.
    pub span: Span,
}

/// The kinds of expressions.
#[derive(Clone, Debug)]
pub enum ExprKind {
    /// A number, `true`, `false`, `null`, or a text without templates.
    Literal(Value),
    /// A quoted template or a heredoc with interpolations or directives, evaluated to a text (or, with a single
    /// interpolation and nothing else, to that value itself).
    Template(Box<[Part]>),
    /// A bare name that starts a traversal: `var`, `local`, `each`, a for-variable, a resource type.
    Variable(Name),
    /// `object.name`.
    Attribute(Box<Member>),
    /// `collection[key]`. The legacy `list.0` is read as an index too.
    Index(Box<Index>),
    /// `list[*].rest` or `list.*.rest`.
    Splat(Box<Splat>),
    /// The element inside the innermost splat.
    SplatItem,
    /// `name(arguments)`.
    Call(Box<Call>),
    /// `-x` or `!x`.
    Unary(UnaryOp, Box<Expr>),
    /// `a op b`.
    Binary(BinaryOp, Box<[Expr; 2]>),
    /// `condition ? yes : no`.
    Conditional(Box<[Expr; 3]>),
    /// `[a, b]`.
    Tuple(Box<[Expr]>),
    /// `{ key = value }`, in written order.
    Object(Box<[ObjectItem]>),
    /// `[for …]` and `{for …}`.
    For(Box<For>),
    /// `(x)`: kept, because it changes how an object key is read and how formatting looks.
    Paren(Box<Expr>),
    /// What could not be read; a diagnostic says why. Evaluates to an unknown value without saying it again.
    Error,
}

const _: () = assert!(size_of::<Expr>() <= 40);

impl Expr {
    /// What a step of a traversal (an attribute, an index, a splat) is a step from.
    pub fn source(&self) -> Option<&Expr> {
        match &self.kind {
            ExprKind::Attribute(member) => Some(&member.object),
            ExprKind::Index(index) => Some(&index.collection),
            ExprKind::Splat(splat) => Some(&splat.source),
            _ => None,
        }
    }

    /// Where it begins, as far as that is a piece of its own: a text without its quotes, the bracket of a list.
    pub fn beginning(&self) -> Span {
        let span = self.span;
        match &self.kind {
            ExprKind::Literal(Value::String(_)) if span.end > span.start + 2 => {
                Span { start: span.start + 1, end: span.end - 1, ..span }
            }
            // The text in front of the first interpolation.
            ExprKind::Template(parts) => match &**parts {
                [Part::Text(_), Part::Interpolation(next), ..] if next.span.start > span.start + 3 => {
                    Span { start: span.start + 1, end: next.span.start - 2, ..span }
                }
                [Part::Interpolation(first), _, ..] => first.beginning(),
                _ => span,
            },
            ExprKind::Call(call) => Span { end: call.name.span.end + 1, ..call.name.span },
            ExprKind::Tuple(_) | ExprKind::Object(_) | ExprKind::For(_) | ExprKind::Unary(..) => {
                Span { end: span.start + 1, ..span }
            }
            ExprKind::Binary(_, operands) => operands[0].beginning(),
            ExprKind::Conditional(parts) => parts[0].beginning(),
            _ => span,
        }
    }

    /// Whether it is an element of a collection.
    pub fn is_index(&self) -> bool {
        matches!(self.kind, ExprKind::Index(_))
    }

    /// Whether it is names, attributes and constant indexes only.
    pub fn is_traversal(&self) -> bool {
        let mut expr = self;
        loop {
            expr = match &expr.kind {
                ExprKind::Variable(_) => return true,
                ExprKind::Attribute(member) => &member.object,
                ExprKind::Index(index) if matches!(index.key.kind, ExprKind::Literal(_)) => &index.collection,
                _ => return false,
            };
        }
    }
}

/// An attribute of an object.
#[derive(Clone, Debug)]
pub struct Member {
    /// What has it.
    pub object: Expr,
    /// Its name.
    pub name: Ident,
}

/// An element of a collection.
#[derive(Clone, Debug)]
pub struct Index {
    /// What has it.
    pub collection: Expr,
    /// Its key.
    pub key: Expr,
}

/// The rest of a traversal for every element of a list.
#[derive(Clone, Debug)]
pub struct Splat {
    /// What is iterated.
    pub source: Expr,
    /// The rest of the traversal, starting from the element, which it sees as [`ExprKind::SplatItem`].
    pub each: Expr,
    /// `[*]` (full) and `.*` (attribute-only) differ in how indexes after them bind; the tree already reflects that.
    pub full: bool,
}

/// A function call.
#[derive(Clone, Debug)]
pub struct Call {
    /// The name, namespaces included: `provider::local::direxists`.
    pub name: Ident,
    /// The arguments.
    pub arguments: Box<[Expr]>,
    /// Whether the last argument is followed by `...` and is spread.
    pub expand_last: bool,
}

/// One entry of an object literal.
#[derive(Clone, Debug)]
pub struct ObjectItem {
    /// The key: a bare name is a [`ExprKind::Literal`] text already.
    pub key: Expr,
    /// The value.
    pub value: Expr,
}

impl ObjectItem {
    /// The key, where it is written as a name or a plain text.
    pub fn name(&self) -> Option<&Str> {
        match &self.key.kind {
            ExprKind::Literal(Value::String(name)) => Some(name),
            _ => None,
        }
    }
}

/// A for expression.
#[derive(Clone, Debug)]
pub struct For {
    /// The first of two names: the key or index.
    pub key_name: Option<Ident>,
    /// The name of the element.
    pub value_name: Ident,
    /// What is iterated.
    pub source: Expr,
    /// The key of the result, in object form.
    pub key: Option<Expr>,
    /// The value of the result.
    pub value: Expr,
    /// Whether `...` groups values of equal keys.
    pub group: bool,
    /// After `if`.
    pub condition: Option<Expr>,
}

/// A part of a template.
#[derive(Clone, Debug)]
pub enum Part {
    /// Text, escapes resolved, stripped where `~` says so.
    Text(Str),
    /// `${expression}`.
    Interpolation(Expr),
    /// `%{if condition}…%{else}…%{endif}`.
    If(Box<TemplateIf>),
    /// `%{for key, value in collection}…%{endfor}`.
    For(Box<TemplateFor>),
}

/// An `if` directive of a template.
#[derive(Clone, Debug)]
pub struct TemplateIf {
    /// The condition.
    pub condition: Expr,
    /// The template for true.
    pub yes: Vec<Part>,
    /// The template for false; empty without `else`.
    pub no: Vec<Part>,
    /// The whole directive.
    pub span: Span,
}

/// A `for` directive of a template.
#[derive(Clone, Debug)]
pub struct TemplateFor {
    /// The first of two names.
    pub key_name: Option<Ident>,
    /// The name of the element.
    pub value_name: Ident,
    /// What is iterated.
    pub source: Expr,
    /// The template for each element.
    pub body: Vec<Part>,
    /// The whole directive.
    pub span: Span,
}

/// Operators with one operand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum UnaryOp {
    /// `-`
    Negate,
    /// `!`
    Not,
}

/// Operators with two operands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BinaryOp {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `%`
    Modulo,
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
}

impl BinaryOp {
    /// Whether it makes a number of numbers.
    pub fn is_arithmetic(self) -> bool {
        matches!(self, BinaryOp::Add | BinaryOp::Subtract | BinaryOp::Multiply | BinaryOp::Divide | BinaryOp::Modulo)
    }
}
