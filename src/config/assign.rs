//! What is assigned to variables: from where, which assignment counts, and its value when it is read.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;

use crate::addr::Name;
use crate::diag::{Diagnostic, Diagnostics, Outcome, SourceMap, Span, did_you_mean};
use crate::lang::eval::{Finder, Reference, Scope, evaluate};
use crate::lang::functions::{Context, NoVariable, UNSET};
use crate::lang::syntax::ast::Block;
use crate::lang::syntax::parse_expr;
use crate::value::Value;

use super::files::{Files, normal};
use super::folder::Reading;
use super::load::{Given, LoadOptions};
use super::model::{AssignedExpr, Assignment, Module, Origin, Variable};
use super::scope::{Env, context};

/// What expressions of assignments may look at.
pub struct Surroundings {
    /// What `env("X")` may read.
    pub env: Env,
    /// The same as functions see it.
    pub env_function: Box<dyn Fn(&str) -> Result<String, NoVariable> + Send + Sync>,
    /// What `file("x")` reads.
    pub files: Arc<dyn Files>,
    /// The texts.
    pub sources: SourceMap,
    /// The folder that relative paths start from.
    pub base: PathBuf,
    /// What `timestamp()` gives.
    pub now: Timestamp,
}

impl Surroundings {
    /// Those of a run, with relative paths starting from `base`.
    pub fn of(options: &LoadOptions, env: Env, base: &Path) -> Self {
        let seen = env.clone();
        Surroundings {
            env,
            env_function: Box::new(move |name| seen.get(name).map(str::to_owned)),
            files: options.files.clone(),
            sources: options.sources.clone(),
            base: base.to_owned(),
            now: options.now,
        }
    }
}

/// The strongest assignment of each variable of a layer.
#[derive(Clone)]
pub struct Assignments {
    entries: BTreeMap<Name, Assignment>,
    around: Arc<Surroundings>,
}

impl std::fmt::Debug for Assignments {
    /// Names and origins; values may be secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_map().entries(self.entries.iter().map(|(name, assignment)| (name, &assignment.origin))).finish()
    }
}

impl Assignments {
    /// Nothing assigned.
    pub fn new(around: Arc<Surroundings>) -> Self {
        Assignments { entries: BTreeMap::new(), around }
    }

    /// The strongest assignment of a variable.
    pub fn get(&self, name: &str) -> Option<&Assignment> {
        self.entries.get(name)
    }

    /// Takes an assignment in, in place of a weaker one.
    pub(super) fn set(&mut self, name: Name, assignment: Assignment) {
        self.entries.insert(name, assignment);
    }

    /// Takes an assignment out.
    pub(super) fn remove(&mut self, name: &Name) {
        self.entries.remove(name);
    }

    /// The same surroundings with nothing assigned.
    pub(super) fn emptied(&self) -> Assignments {
        Assignments::new(self.around.clone())
    }

    /// The value of a name that no variable declares: a text from outside is read as an expression.
    pub fn undeclared(&self, name: &Name) -> Option<Outcome<Value>> {
        self.entries.get(name)?;
        let variable = Variable::untyped(name.clone());
        self.value(&variable)
    }

    /// Where a value is written that is to be said wrong there: in a file, or in a test.
    pub fn place(&self, name: &str) -> Option<Span> {
        let assignment = self.entries.get(name)?;
        match (&assignment.origin, &assignment.expr) {
            (Origin::Test, _) => assignment.span,
            (Origin::File(_), AssignedExpr::Expr(expr)) => Some(expr.span),
            (Origin::File(_) | Origin::Environment | Origin::CommandLine, _) => None,
        }
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&Name, &Assignment)> {
        self.entries.iter()
    }

    /// `TF_VAR_*`, the weakest.
    pub fn add_process_env(&mut self, options: &LoadOptions) {
        for (key, text) in &options.process_env {
            if let Some(name) = key.strip_prefix("TF_VAR_").filter(|name| !name.is_empty()) {
                let assignment =
                    Assignment { origin: Origin::Environment, expr: AssignedExpr::Text(text.clone()), span: None };
                self.entries.insert(Name::from(name), assignment);
            }
        }
    }

    /// `terraform.tfvars` of a folder, then its `*.auto.tfvars` in order.
    pub fn add_folder(&mut self, reading: &Reading<'_>, dir: &Path, said: &mut Diagnostics) {
        let entries = reading.files.list(dir).unwrap_or_default();
        let names: Vec<&str> = entries.iter().filter(|entry| !entry.is_dir).map(|entry| entry.name.as_str()).collect();
        let auto = names.iter().filter(|name| name.ends_with(".auto.tfvars") || name.ends_with(".auto.tfvars.json"));
        let own = names.iter().filter(|name| matches!(**name, "terraform.tfvars" | "terraform.tfvars.json"));
        for name in own.chain(auto) {
            self.add_file(reading, &dir.join(name), said);
        }
    }

    /// A file of assignments.
    pub fn add_file(&mut self, reading: &Reading<'_>, path: &Path, said: &mut Diagnostics) {
        let Some(body) = reading.body(path, said) else { return };
        for block in &body.blocks {
            said.push(unexpected_block(block));
        }
        for attribute in body.attributes {
            let assignment = Assignment {
                origin: Origin::File(path.to_owned()),
                expr: AssignedExpr::Expr(attribute.expr),
                span: Some(attribute.name.span),
            };
            self.entries.insert(attribute.name.text, assignment);
        }
    }

    /// `-var` or `-var-file`. A file is looked for in the working directory, then in `envs/` of the project.
    pub fn add_given(&mut self, options: &LoadOptions, given: &Given, project: Option<&Path>, said: &mut Diagnostics) {
        match given {
            Given::Var { name, text } => {
                let assignment =
                    Assignment { origin: Origin::CommandLine, expr: AssignedExpr::Text(text.clone()), span: None };
                self.entries.insert(Name::from(name.as_str()), assignment);
            }
            Given::File(path) => match find_var_file(options, path, project) {
                Some(found) => self.add_file(&options.reading(), &found, said),
                None => said.push(missing_var_file(path, project)),
            },
        }
    }

    /// The value assigned to a variable, not converted to its type yet; `None` when nothing is assigned.
    pub fn value(&self, variable: &Variable) -> Option<Outcome<Value>> {
        let assignment = self.entries.get(&variable.name)?;
        let scope = SetScope { set: self, context: self.context(), open: RefCell::new(vec![variable.name.clone()]) };
        Some(match &assignment.expr {
            AssignedExpr::Expr(expr) => evaluate(expr, &scope),
            AssignedExpr::Text(text) if variable.text_is_string => Outcome::ok(Value::from(text.as_str())),
            AssignedExpr::Text(text) => {
                let origin = match assignment.origin {
                    Origin::Environment => format!("<value for var.{} from TF_VAR_{}>", variable.name, variable.name),
                    Origin::File(_) | Origin::CommandLine | Origin::Test => {
                        format!("<value for var.{}>", variable.name)
                    }
                };
                let file = self.around.sources.add(origin, text.as_str());
                let (expr, said) = parse_expr(&self.around.sources, file);
                if said.has_errors() {
                    return Some(Outcome::fail(said));
                }
                evaluate(&expr, &scope)
            }
        })
    }

    fn context(&self) -> Context<'_> {
        context(&self.around)
    }
}

/// The error of a block among assignments.
fn unexpected_block(block: &Block) -> Diagnostic {
    match (block.kind.text.as_str(), block.labels.as_slice()) {
        ("variable", [name]) => {
            let detail = format!(
                "A variables file gives values to variables, it does not declare them. Put this block into a .tf file, and \
                 write {} = … here.",
                name.text
            );
            Diagnostic::error("Variable declaration in .tfvars file", detail).at(block.header)
        }
        (kind, _) => {
            let detail =
                format!("Blocks are not allowed here: a variables file holds assignments, such as {kind} = ….");
            Diagnostic::error(format!("Unexpected {kind:?} block"), detail).at(block.header)
        }
    }
}

/// Where `-var-file` leads: seen from the working directory, else in `envs/` of the project.
pub fn find_var_file(options: &LoadOptions, path: &Path, project: Option<&Path>) -> Option<PathBuf> {
    let here = normal(&options.working_dir.join(path));
    let there = project.map(|project| normal(&project.join("envs").join(path)));
    [Some(here), there].into_iter().flatten().find(|path| options.files.read(path).is_ok())
}

/// The error of a `-var-file` that is nowhere.
pub fn missing_var_file(path: &Path, project: Option<&Path>) -> Diagnostic {
    let places =
        if project.is_some() { "the working directory or in envs/ of the project" } else { "the working directory" };
    let detail = format!("Given variables file {} does not exist: it is not in {places}.", path.display());
    Diagnostic::error("Failed to read variables file", detail)
}

/// Names in the expression of an assignment.
struct SetScope<'a> {
    set: &'a Assignments,
    context: Context<'a>,
    /// The variables whose assignments are being evaluated, outermost first.
    open: RefCell<Vec<Name>>,
}

impl Scope for SetScope<'_> {
    fn resolve(&self, reference: &Reference, span: Span) -> Result<Value, Box<Diagnostic>> {
        let error = |summary: &str, detail: String| Box::new(Diagnostic::error(summary, detail).at(span));
        let Reference::Bare(name) = reference else {
            let detail = format!(
                "{reference} cannot be used here. An assignment may name other assignments of the same variable set, and \
                 environment variables that the project file lists in project {{ env = […] }}."
            );
            return Err(error("Variables not allowed", detail));
        };
        if let Some(at) = self.open.borrow().iter().position(|open| open == name) {
            let open = self.open.borrow();
            let chain: Vec<&str> = open[at..].iter().map(Name::as_str).chain([name.as_str()]).collect();
            return Err(error(
                "Cycle of assignments",
                format!("These assignments need each other: {}.", chain.join(" → ")),
            ));
        }
        match self.set.entries.get(name).map(|assignment| &assignment.expr) {
            Some(AssignedExpr::Text(text)) => Ok(Value::from(text.as_str())),
            Some(AssignedExpr::Expr(expr)) => {
                self.open.borrow_mut().push(name.clone());
                let outcome = evaluate(expr, self);
                self.open.borrow_mut().pop();
                match outcome.into_result() {
                    Ok((value, _)) => Ok(value),
                    Err(said) => {
                        let first = said.into_iter().find(Diagnostic::is_error);
                        Err(Box::new(first.unwrap_or_else(|| Diagnostic::error("Invalid assignment", "").at(span))))
                    }
                }
            }
            None if self.set.around.env.lists(name) => {
                let read = self.set.around.env.get(name).map(Value::from);
                read.map_err(|_| error(UNSET, format!("The environment variable {name} is not set.")))
            }
            None => {
                let env = self.set.around.env.names();
                let hint = did_you_mean(name, self.set.entries.keys().map(Name::as_str).chain(env));
                let detail = format!(
                    "There is no assignment named {:?} in this variable set, and the project file lists no such environment \
                     variable in project {{ env = […] }}.{hint}",
                    name.as_str()
                );
                Err(error("Unknown name in an assignment", detail))
            }
        }
    }

    fn functions(&self) -> &Context<'_> {
        &self.context
    }

    fn is_bare(&self, _name: &str) -> bool {
        true
    }
}

/// What is to be said about assignments to variables of a root module that are deprecated.
pub fn deprecated(assignments: &Assignments, module: &Module) -> Diagnostics {
    let assigned = module.variables.values().filter(|variable| assignments.get(&variable.name).is_some());
    let say = |variable: &Variable| {
        let why = variable.deprecated.as_ref()?;
        let detail =
            format!("The root variable {:?} is given a value, and is deprecated: {why}", variable.name.as_str());
        Some(Diagnostic::warning("Deprecated variable used from the root module", detail).at(variable.span))
    };
    assigned.filter_map(say).collect()
}

impl Assignments {
    /// The names that expressions use.
    pub(super) fn names_of_expressions(&self) -> BTreeSet<Name> {
        let mut finder = Finder::new(&|_| true);
        for assignment in self.entries.values() {
            if let AssignedExpr::Expr(expr) = &assignment.expr {
                finder.visit(expr);
            }
        }
        let bare = finder.found.into_iter().filter_map(|found| match found.reference {
            Reference::Bare(name) => Some(name),
            _ => None,
        });
        bare.collect()
    }
}
