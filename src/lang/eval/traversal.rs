//! What an expression names, with the steps that are fixed: `module.a["k"].b.c`, and not only `module.a`.

use std::fmt;

use crate::addr::Name;
use crate::lang::syntax::ast::{Expr, ExprKind};
use crate::value::{Step, Value};

use super::Reference;
use super::find::Walk;
use super::root::reference;

/// A reference and the steps behind it, up to the first computed one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Traversal {
    /// What is named; a module call always without its output.
    pub reference: Reference,
    /// The steps into it.
    pub steps: Vec<Step>,
}

/// What an expression is made of.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Ingredients {
    /// What it names, in written order, repetitions included.
    pub traversals: Vec<Traversal>,
    /// Whether it calls functions.
    pub calls: bool,
}

/// Finds what an expression of a module is made of, without evaluating it.
pub fn ingredients(expr: &Expr) -> Ingredients {
    let mut traversals = Vec::new();
    let mut add = |root: &Expr, steps: &[&Expr]| {
        let ExprKind::Variable(name) = &root.kind else { return };
        let Ok((reference, taken, _)) = reference(name, root.span, steps, &|_| false) else { return };
        traversals.push(Traversal { reference, steps: steps[taken..].iter().map_while(|step| fixed(step)).collect() });
    };
    let mut walk = Walk { bound: Vec::<Name>::new(), calls: false, traversal: &mut add };
    walk.expr(expr);
    let calls = walk.calls;
    Ingredients { traversals, calls }
}

/// A step that is known from the text alone.
fn fixed(step: &Expr) -> Option<Step> {
    match &step.kind {
        ExprKind::Attribute(member) => Some(Step::Attribute(member.name.text.as_str().into())),
        ExprKind::Index(index) => match &index.key.kind {
            ExprKind::Literal(Value::String(key)) => Some(Step::Key(key.clone())),
            ExprKind::Literal(Value::Number(key)) => key.to_string().parse().ok().map(Step::Index),
            _ => None,
        },
        _ => None,
    }
}

impl Traversal {
    /// The traversal, then everything that it leads through, down to what is named: `var.a.b`, `var.a`. Of a module call
    /// with an output, down to the call or its copy.
    pub fn prefixes(&self) -> Vec<String> {
        let shortest = match (&self.reference, self.steps.as_slice()) {
            (Reference::Module { .. }, [Step::Key(_) | Step::Index(_), _, ..]) => 1,
            _ => 0,
        };
        (shortest..=self.steps.len()).rev().map(|count| self.text(count)).collect()
    }

    fn text(&self, count: usize) -> String {
        let mut text = self.reference.to_string();
        for step in &self.steps[..count] {
            match step {
                Step::Attribute(name) => text.extend([".", name]),
                Step::Key(key) => text.push_str(&format!("[{key:?}]")),
                Step::Index(index) => text.push_str(&format!("[{index}]")),
            }
        }
        text
    }
}

impl fmt::Display for Traversal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text(self.steps.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diag::SourceMap;
    use crate::lang::syntax::parse_expr;

    #[test]
    fn prefixes_are_those_of_terraform() {
        let check = |text: &str, expect: &[&str]| {
            let sources = SourceMap::default();
            let (expr, said) = parse_expr(&sources, sources.add("x", text));
            assert!(said.is_empty(), "{said}");
            let found: Vec<String> = ingredients(&expr).traversals.iter().flat_map(Traversal::prefixes).collect();
            assert_eq!(found, expect, "{text}");
        };
        check("terraform_data.c[*].id", &["terraform_data.c"]);
        check("terraform_data.e[local.k].id", &["terraform_data.e", "local.k"]);
        check("terraform_data.e[\"a\"]", &["terraform_data.e[\"a\"]", "terraform_data.e"]);
        check("local.l[\"x\"][\"y\"]", &["local.l[\"x\"][\"y\"]", "local.l[\"x\"]", "local.l"]);
        check("var.v.a.b[0]", &["var.v.a.b[0]", "var.v.a.b", "var.v.a", "var.v"]);
        check("module.m.out.x", &["module.m.out.x", "module.m.out", "module.m"]);
        check("module.mc[0].out.x", &["module.mc[0].out.x", "module.mc[0].out", "module.mc[0]"]);
        check("module.mc[0]", &["module.mc[0]", "module.mc"]);
        check("(terraform_data.s).id", &["terraform_data.s"]);
        check("[for x in terraform_data.c : x.id if x.id != local.k]", &["terraform_data.c", "local.k"]);
        check("terraform_data.c[0 + 1].id", &["terraform_data.c"]);
        check("data.x.y.outputs", &["data.x.y.outputs", "data.x.y"]);
        check("\"${self.id}${path.module}\"", &["self.id", "self", "path.module"]);
        check("[local.k, local.k]", &["local.k", "local.k"]);
    }
}
