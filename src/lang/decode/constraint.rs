//! Type constraints: `map(object({ a = string, b = optional(number, 1) }))`.

use std::path::Path;
use std::sync::LazyLock;

use crate::diag::{Diagnostic, Diagnostics, Outcome, Span, did_you_mean};
use crate::lang::eval::{Reference, Scope, evaluate};
use crate::lang::functions::{Context, Entry, Files, ReadError};
use crate::lang::syntax::ast::{Call, Expr, ExprKind, ObjectItem};
use crate::value::{AttrType, ObjectType, Str, Type, Value, convert};

use super::Defaults;

const INVALID: &str = "Invalid type specification";
const WORDS: [&str; 10] = ["string", "number", "bool", "any", "list", "set", "map", "object", "tuple", "optional"];

/// The type that an expression names, and the defaults of its optional attributes.
pub fn type_constraint(expr: &Expr) -> Outcome<(Type, Defaults)> {
    let mut said = Diagnostics::none();
    // Old configurations have whole types in quotes.
    if let ExprKind::Literal(Value::String(name)) = &expr.kind {
        let summary = match name.as_str() {
            "string" | "list" | "map" => "Invalid quoted type constraints",
            _ => "Invalid legacy variable type hint",
        };
        let detail = format!("A type is written without quotes: {name}.");
        return Outcome::fail(Diagnostic::error(summary, detail).at(expr.span));
    }
    let value = constraint(expr, &mut said);
    Outcome { value, said }
}

fn fail<T>(said: &mut Diagnostics, detail: impl Into<String>, span: Span) -> Option<T> {
    said.push(Diagnostic::error(INVALID, detail).at(span));
    None
}

fn constraint(expr: &Expr, said: &mut Diagnostics) -> Option<(Type, Defaults)> {
    let simple = |ty| Some((ty, Defaults::default()));
    match &expr.kind {
        ExprKind::Variable(name) => match name.as_str() {
            "string" => simple(Type::String),
            "number" => simple(Type::Number),
            "bool" => simple(Type::Bool),
            "any" => simple(Type::Any),
            // Forms from before types had parameters, still in use.
            "list" => simple(Type::list(Type::Any)),
            "map" => simple(Type::map(Type::Any)),
            "set" => fail(
                said,
                format!("The {name} type constructor needs the type of its elements, as in {name}(string)."),
                expr.span,
            ),
            "object" => fail(
                said,
                "The object type constructor needs its attributes, as in object({ name = string }).",
                expr.span,
            ),
            "tuple" => fail(
                said,
                "The tuple type constructor needs the types of its elements, as in tuple([string, number]).",
                expr.span,
            ),
            _ => fail(
                said,
                format!("The keyword {name:?} is not a valid type specification.{}", did_you_mean(name, WORDS)),
                expr.span,
            ),
        },
        ExprKind::Literal(Value::String(name)) => {
            fail(said, format!("A type is written without quotes: {name}."), expr.span)
        }
        ExprKind::Call(call) => constructor(call, expr.span, said),
        ExprKind::Paren(inner) => constraint(inner, said),
        ExprKind::Error => None,
        _ => fail(said, "A type is a keyword such as string, or a constructor such as list(string).", expr.span),
    }
}

fn constructor(call: &Call, span: Span, said: &mut Diagnostics) -> Option<(Type, Defaults)> {
    let name = call.name.text.as_str();
    let collection: Option<fn(Type) -> Type> = match name {
        "list" => Some(Type::list),
        "set" => Some(Type::set),
        "map" => Some(Type::map),
        _ => None,
    };
    if let Some(collection) = collection {
        let [element] = &*call.arguments else {
            let place = match &*call.arguments {
                [] => Span { start: call.name.span.end, ..span },
                [_, more @ ..] => more.iter().fold(more[0].span, |all, one| all.to(one.span)),
            };
            let detail = format!("The {name} type constructor takes one argument, the type of its elements.");
            return fail(said, detail, place);
        };
        let (element, defaults) = constraint(element, said)?;
        let element_defaults = (!defaults.is_empty()).then(|| Box::new(defaults));
        return Some((collection(element), Defaults { element: element_defaults, ..Defaults::default() }));
    }
    let inside = call.arguments.first().map_or(span, |first| first.span);
    let only = call.arguments.first().filter(|_| call.arguments.len() == 1).map(|argument| &argument.kind);
    match (name, only) {
        ("object", Some(ExprKind::Object(items))) => object(items, said),
        ("object", _) => fail(
            said,
            "The object type constructor takes one argument: names and types of its attributes in braces.",
            inside,
        ),
        ("tuple", Some(ExprKind::Tuple(items))) => {
            let found: Option<Vec<_>> = items.iter().map(|item| constraint(item, said)).collect();
            let (types, defaults): (Vec<Type>, Vec<Defaults>) = found?.into_iter().unzip();
            let items = if defaults.iter().all(Defaults::is_empty) { Vec::new() } else { defaults };
            Some((Type::tuple(types), Defaults { items, ..Defaults::default() }))
        }
        ("tuple", _) => {
            fail(said, "The tuple type constructor takes one argument: the types of its elements in brackets.", inside)
        }
        ("optional", _) => {
            fail(said, "optional(…) is possible only for the attributes of an object type.", call.name.span)
        }
        ("string" | "number" | "bool" | "any", _) => fail(said, format!("The type {name} takes no arguments."), span),
        _ => fail(
            said,
            format!("The keyword {name:?} is not a valid type constructor.{}", did_you_mean(name, WORDS)),
            span,
        ),
    }
}

fn object(items: &[ObjectItem], said: &mut Diagnostics) -> Option<(Type, Defaults)> {
    let (mut attributes, mut defaults, mut failed) = (Vec::with_capacity(items.len()), Defaults::default(), false);
    let mut names = std::collections::HashSet::new();
    for item in items {
        let ExprKind::Literal(Value::String(name)) = &item.key.kind else {
            failed |= fail::<()>(said, "The name of an attribute is required here.", item.key.span).is_none();
            continue;
        };
        if !names.insert(name) {
            let detail = format!("The object type has an attribute named {:?} already.", name.as_str());
            failed |= fail::<()>(said, detail, item.key.span).is_none();
            continue;
        }
        let (ty, inner, optional) = match &item.value.kind {
            ExprKind::Call(call) if call.name.text == *"optional" => {
                match optional(name, call, item.value.span, &mut defaults, said) {
                    Some((ty, inner)) => (ty, inner, true),
                    None => {
                        failed = true;
                        continue;
                    }
                }
            }
            _ => match constraint(&item.value, said) {
                Some((ty, inner)) => (ty, inner, false),
                None => {
                    failed = true;
                    continue;
                }
            },
        };
        if !inner.is_empty() {
            defaults.inside.insert(name.clone(), inner);
        }
        if attributes.iter().any(|(known, _)| known == name) {
            let detail = format!("The attribute {name:?} is there already: names of attributes are distinct.");
            failed |= fail::<()>(said, detail, item.key.span).is_none();
            continue;
        }
        attributes.push((name.clone(), AttrType { ty, optional }));
    }
    (!failed).then(|| (Type::Object(std::sync::Arc::new(ObjectType::new(attributes))), defaults))
}

/// `optional(type)` or `optional(type, default)`.
fn optional(
    name: &Str,
    call: &Call,
    span: Span,
    defaults: &mut Defaults,
    said: &mut Diagnostics,
) -> Option<(Type, Defaults)> {
    let (ty, default) = match &*call.arguments {
        [ty] => (ty, None),
        [ty, default] => (ty, Some(default)),
        _ => {
            let place = Span { start: call.name.span.end, ..span };
            return fail(said, "optional(…) takes the type of the attribute and, if wanted, its default.", place);
        }
    };
    let (ty, inner) = constraint(ty, said)?;
    let Some(default) = default else { return Some((ty, inner)) };
    let value = constant(default).take(said)?;
    match convert(&inner.apply(&value), &ty) {
        Ok(value) if value.is_null() => {}
        Ok(value) => {
            defaults.attributes.insert(name.clone(), value);
        }
        Err(error) => {
            let detail = format!("This default value is not compatible with the attribute's type constraint: {error}.");
            said.push(Diagnostic::error("Invalid default value for optional attribute", detail).at(default.span));
            return None;
        }
    }
    Some((ty, inner))
}

/// The value of an expression that names nothing and reads no file.
pub fn constant(expr: &Expr) -> Outcome<Value> {
    evaluate(expr, &Constant)
}

/// A scope in which nothing can be named, and no file be read.
struct Constant;

struct NoFiles;

static CONTEXT: LazyLock<Context<'static>> = LazyLock::new(|| Context {
    base: Path::new(""),
    files: &NoFiles,
    plan_time: None,
    now: None,
    env: None,
    templates: None,
});

/// What functions see where no file may be read and no time is known.
pub fn pure_context() -> &'static Context<'static> {
    &CONTEXT
}

impl Scope for Constant {
    fn resolve(&self, _reference: &Reference, span: Span) -> Result<Value, Box<Diagnostic>> {
        Err(Box::new(Diagnostic::error("Variables not allowed", "Only constant values can be used here.").at(span)))
    }

    fn functions(&self) -> &Context<'_> {
        &CONTEXT
    }
}

impl Files for NoFiles {
    fn read(&self, _path: &Path) -> Result<Vec<u8>, ReadError> {
        Err(ReadError::Missing)
    }

    fn is_file(&self, _path: &Path) -> Option<bool> {
        Some(false)
    }

    fn members(&self, _folder: &Path) -> Vec<Entry> {
        Vec::new()
    }

    fn home(&self) -> Option<std::path::PathBuf> {
        None
    }
}
