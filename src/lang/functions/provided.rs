//! Functions of providers. Here: those of the built-in one, `provider::terraform::encode_expr`, `encode_tfvars`, `decode_tfvars`.
//!
//! A module has them under the local name that its `required_providers` give to that provider.

use super::arguments::text;
use super::{Context, Function, FunctionError, Param, Returns};
use crate::addr::ProviderSource;
use crate::diag::{Diagnostic, SourceMap, Span};
use crate::lang::eval::{Reference, Scope, evaluate, has_call};
use crate::lang::{generate, syntax};
use crate::value::{Type, Value};

static TERRAFORM: [Function; 3] = [
    Function::new("provider::terraform::decode_tfvars", &[Param::string("src")], Returns::Any, decode),
    Function::new("provider::terraform::encode_expr", &[Param::any("value")], Returns::String, encode_expr),
    Function::new("provider::terraform::encode_tfvars", &[Param::any("value")], Returns::String, encode),
];

/// The functions of a provider that is inside the program.
pub fn provided_by(source: &ProviderSource) -> &'static [Function] {
    match (source.namespace.as_str(), source.kind.as_str()) {
        ("builtin", "terraform") if source.host == "terraform.io" => &TERRAFORM,
        ("hashicorp", "kubernetes") => &super::manifests::FUNCTIONS,
        _ => &[],
    }
}

/// A function of a provider.
pub fn provided(source: &ProviderSource, name: &str) -> Option<&'static Function> {
    provided_by(source).iter().find(|function| function.name.rsplit("::").next() == Some(name))
}

fn encode_expr(arguments: &[Value], _: &Context<'_>) -> Result<Value, FunctionError> {
    if !arguments[0].is_wholly_known() {
        return Ok(Value::unknown_not_null(Type::String));
    }
    Ok(Value::from(generate::expression_text(&arguments[0])))
}

fn encode(arguments: &[Value], _: &Context<'_>) -> Result<Value, FunctionError> {
    let Some(entries) = arguments[0].as_entries() else {
        let message =
            "invalid value to encode: must be an object whose attribute names will become the encoded variable names";
        return Err(failed(message));
    };
    if !arguments[0].is_wholly_known() {
        return Ok(Value::unknown_not_null(Type::String));
    }
    if let Some(name) = entries.keys().find(|name| !syntax::is_name(name)) {
        return Err(failed(format!("invalid value to encode: {:?} is no name of a variable", name.as_str())));
    }
    Ok(Value::from(generate::assignments(entries)))
}

fn decode(arguments: &[Value], context: &Context<'_>) -> Result<Value, FunctionError> {
    let sources = SourceMap::default();
    let file = sources.add("<decode_tfvars argument>", text(arguments, 0));
    let (parsed, said) = syntax::parse(&sources, file);
    let told = |said: &Diagnostic| format!("{}; {}", said.summary, said.detail);
    if let Some(wrong) = said.iter().find(|said| said.is_error()) {
        return Err(failed(format!("invalid tfvars syntax: {}", told(wrong))));
    }
    if let Some(block) = parsed.body.blocks.first() {
        let message = format!(
            "invalid tfvars content: {:?} is a block, and a file of variables has none",
            block.kind.text.as_str()
        );
        return Err(failed(message));
    }
    let mut values = Vec::with_capacity(parsed.body.attributes.len());
    for attribute in &parsed.body.attributes {
        let name = &attribute.name.text;
        let invalid = |why: &str| failed(format!("invalid expression for variable {:?}: {why}", name.as_str()));
        if has_call(&attribute.expr) {
            return Err(invalid("Function calls not allowed; Functions may not be called here"));
        }
        let outcome = evaluate(&attribute.expr, &Constant { context });
        match (outcome.said.iter().find(|said| said.is_error()), outcome.value) {
            (Some(wrong), _) => return Err(invalid(&told(wrong))),
            (None, value) => values.push((name.as_str().into(), value.unwrap_or_default())),
        }
    }
    Ok(Value::Object(values.into_iter().collect()))
}

fn failed(message: impl Into<String>) -> FunctionError {
    FunctionError::Failed { message: message.into() }
}

/// Nothing can be named.
struct Constant<'a> {
    context: &'a Context<'a>,
}

impl Scope for Constant<'_> {
    fn resolve(&self, _: &Reference, span: Span) -> Result<Value, Box<Diagnostic>> {
        Err(Box::new(Diagnostic::error("Variables not allowed", "Variables may not be used here.").at(span)))
    }

    fn functions(&self) -> &Context<'_> {
        self.context
    }

    fn is_bare(&self, _: &str) -> bool {
        true
    }
}
