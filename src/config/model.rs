//! What configuration says, as plain data.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use crate::addr::{ActionAddr, LayerName, ModuleSource, Name, Pattern, ProviderSource, ResourceAddr};
use crate::diag::{Outcome, SourceMap, Span};
use crate::lang::eval::Reference;
use crate::lang::syntax::ast::{Attribute, Block, Body, Expr};
use crate::value::{Path, Type, Value};

use super::assign::Assignments;
use super::global::{Above, GlobalLayer, LayerScope, Undeclared};
use super::scope::Env;

/// Everything a run knows before it looks at state.
#[derive(Debug)]
pub struct Config {
    /// The texts, for diagnostics.
    pub sources: SourceMap,
    /// The project file; `None` in plain mode.
    pub project: Option<ProjectFile>,
    /// The run's environment: `terraform.workspace`. `default` when none is declared.
    pub environment: Name,
    /// Whether every kubernetes configuration of the run uses the in-process API.
    pub sandbox: bool,
    /// Where the sandbox keeps its content: `state/sandbox-<environment>`.
    pub sandbox_dir: PathBuf,
    /// The layers in written order; exactly one in plain mode.
    pub layers: Vec<Layer>,
    /// The phases in written order; at least one (without phases in the project file: one, with an empty name).
    pub phases: Vec<Phase>,
    /// Provider blocks of the project file, shared by every layer that does not configure its own.
    pub shared_providers: Vec<ProviderConfig>,
    /// What `env("X")` may read in the project file, and its values now.
    pub env: Env,
    /// The working directory (after `-chdir`): `path.cwd`.
    pub working_dir: PathBuf,
    /// In plain mode, where the states of workspaces lie that are not the default one.
    pub workspaces: Option<Workspaces>,
    /// In a run of an environment, the global layers below it: their stored outputs are read, nothing else.
    pub global: Vec<GlobalLayer>,
    /// In a run of the global layers, the states of the environments above them.
    pub above: Vec<Above>,
    /// In a project, where states of other layers would lie than it has.
    pub undeclared: Option<Undeclared>,
    /// The file that the state begins with, where `-state-out` has it written to another one.
    pub state_from: Option<PathBuf>,
}

/// Where a folder without a project keeps the states of its workspaces.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Workspaces {
    /// A folder with one for each workspace.
    Folders(PathBuf),
    /// The bucket of the default one, under keys that begin with this and the name.
    Objects {
        /// The beginning: `env:` unless said otherwise.
        prefix: String,
    },
}

impl Workspaces {
    /// Where the state of a workspace lies, from where that of the default one does.
    pub fn settings(&self, default: &StateSettings, workspace: &str) -> StateSettings {
        match (self, default) {
            _ if workspace == "default" => default.clone(),
            (Workspaces::Folders(dir), _) => {
                StateSettings::Local { path: dir.join(workspace).join("terraform.tfstate") }
            }
            (Workspaces::Objects { prefix }, StateSettings::S3(settings)) => {
                let key = format!("{prefix}/{workspace}/{}", settings.key);
                StateSettings::S3(Box::new(S3Settings { key, ..(**settings).clone() }))
            }
            (Workspaces::Objects { .. }, StateSettings::Local { .. }) => default.clone(),
        }
    }
}

impl Config {
    /// Whether this is a single folder without a project file: Terraform's own behaviour.
    pub fn is_plain(&self) -> bool {
        self.project.is_none()
    }

    /// Whether addresses are printed with `layer.NAME.`.
    pub fn prefixes_layers(&self) -> bool {
        match &self.project {
            Some(project) => project.layers.len() > 1,
            None => self.layers.len() > 1,
        }
    }

    /// The flags that choose the same run again, each with a space before it: ` -env staging`. Empty where nothing has to be
    /// chosen.
    pub fn flags(&self) -> String {
        let flags = self.project.as_ref().map_or("", |project| &project.flags);
        if flags.is_empty() { String::new() } else { format!(" {flags}") }
    }

    /// Whether this is a run of the global layers.
    pub fn is_global(&self) -> bool {
        self.project.as_ref().is_some_and(|project| project.global)
    }

    /// Whether a layer belongs to the environments, and the run to the global layers below them.
    pub fn is_above(&self, layer: &LayerName) -> bool {
        let project = self.project.as_ref().filter(|project| project.global);
        project.is_some_and(|project| project.scope_of(layer) == Some(LayerScope::Environment))
    }

    /// The global layer of that name, in a run of an environment.
    pub fn global_layer(&self, name: &LayerName) -> Option<&GlobalLayer> {
        self.global.iter().find(|layer| layer.name == *name)
    }

    /// The index of a layer.
    pub fn layer_index(&self, name: &LayerName) -> Option<usize> {
        self.layers.iter().position(|layer| layer.name == *name)
    }
}

/// What is said of the project as a whole.
#[derive(Debug, Clone)]
pub struct ProjectFile {
    /// `project { name }`.
    pub name: Name,
    /// The folder with `infra.hcl`.
    pub dir: PathBuf,
    /// Names of all declared environments, in order.
    pub environments: Vec<Name>,
    /// All layers in written order, those that take no part in the run among them.
    pub layers: Vec<(LayerName, LayerScope)>,
    /// Whether the run is one of the global layers.
    pub global: bool,
    /// The flags that choose the same run again, such as `-env staging`; empty where nothing has to be chosen.
    pub flags: String,
}

impl ProjectFile {
    /// How often a layer of the project exists; `None` when there is no such layer.
    pub fn scope_of(&self, layer: &LayerName) -> Option<LayerScope> {
        self.layers.iter().find(|(name, _)| name == layer).map(|(_, scope)| *scope)
    }
}

/// A root module with its own state.
#[derive(Debug)]
pub struct Layer {
    /// Its name.
    pub name: LayerName,
    /// The folder.
    pub dir: PathBuf,
    /// Where modules that are installed for it lie.
    pub data: PathBuf,
    /// Its root module.
    pub root: Arc<Module>,
    /// Where its state lies for this environment.
    pub state: StateSettings,
    /// What is assigned to its variables, the strongest assignment of each. Evaluated when read.
    pub assignments: Assignments,
    /// The block of the project file.
    pub span: Option<Span>,
}

impl Layer {
    /// The value assigned to a variable of the root module, not converted to its type yet; `None` when nothing is assigned.
    pub fn assigned(&self, variable: &Variable) -> Option<Outcome<Value>> {
        self.assignments.value(variable)
    }
}

/// Where the state of a layer lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StateSettings {
    /// A file.
    Local {
        /// Path of the state file.
        path: PathBuf,
    },
    /// An object in an S3-compatible bucket.
    S3(Box<S3Settings>),
}

/// Where and how to reach a bucket.
#[derive(Clone, PartialEq, Eq)]
pub struct S3Settings {
    /// The bucket.
    pub bucket: String,
    /// Key of the state object.
    pub key: String,
    /// The region; `auto` for R2.
    pub region: String,
    /// URL of the endpoint; `None` is AWS.
    pub endpoint: Option<String>,
    /// Bucket in the path instead of the host name.
    pub use_path_style: bool,
    /// Static credentials: arguments of the block, else AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.
    pub access_key: String,
    /// See `access_key`.
    pub secret_key: String,
    /// AWS_SESSION_TOKEN.
    pub session_token: Option<String>,
}

impl std::fmt::Debug for S3Settings {
    /// Without the credentials.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("S3Settings").field("bucket", &self.bucket).field("key", &self.key).finish_non_exhaustive()
    }
}

/// Where an assignment to a variable comes from, weakest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// `TF_VAR_name`.
    Environment,
    /// A tfvars file.
    File(PathBuf),
    /// `-var`.
    CommandLine,
    /// A test file: what is wrong with the value is said there.
    Test,
}

/// A value assigned to a variable, not yet evaluated.
#[derive(Clone)]
pub struct Assignment {
    /// Where from.
    pub origin: Origin,
    /// The expression; texts of TF_VAR_ and -var are parsed when the variable's type asks for more than a string.
    pub expr: AssignedExpr,
    /// Where the name is written, in a file.
    pub span: Option<Span>,
}

/// The two forms of an assigned value.
#[derive(Clone)]
pub enum AssignedExpr {
    /// An expression of a tfvars file.
    Expr(Arc<Expr>),
    /// A text from the command line or the environment.
    Text(String),
}

/// The content of a folder with `.tf` files. Shared by all calls of it.
#[derive(Debug, Clone, Default)]
pub struct Module {
    /// The folder, as the call's `source` leads to it.
    pub dir: PathBuf,
    /// `variable` blocks by name.
    pub variables: BTreeMap<Name, Variable>,
    /// Assignments in `locals` blocks by name.
    pub locals: BTreeMap<Name, Local>,
    /// `output` blocks by name.
    pub outputs: BTreeMap<Name, Output>,
    /// `resource` and `data` blocks by address.
    pub resources: BTreeMap<ResourceAddr, Arc<Resource>>,
    /// `module` blocks by name, each with what it calls.
    pub calls: BTreeMap<Name, ModuleCall>,
    /// `provider` blocks.
    pub providers: Vec<ProviderConfig>,
    /// Local name and alias of the provider blocks with `for_each`, which may have no key at all.
    pub keyed_providers: Vec<(Name, Name)>,
    /// `terraform { required_providers { … } }` by local name.
    pub required_providers: BTreeMap<Name, RequiredProvider>,
    /// `moved` blocks, in written order.
    pub moved: Vec<Moved>,
    /// `removed` blocks, in written order.
    pub removed: Vec<Removed>,
    /// `import` blocks, in written order; in root modules only.
    pub imports: Vec<Import>,
    /// `action` blocks by address.
    pub actions: BTreeMap<ActionAddr, ActionBlock>,
    /// `check` blocks, in written order. Their data blocks are among `resources`.
    pub checks: Vec<Check>,
}

impl Module {
    /// The provider a local name stands for.
    pub fn provider_source(&self, local: &str) -> ProviderSource {
        match self.required_providers.get(local) {
            Some(required) => required.source.clone(),
            None => ProviderSource::implied(local),
        }
    }
}

/// One entry of `required_providers`.
#[derive(Debug, Clone)]
pub struct RequiredProvider {
    /// The source address.
    pub source: ProviderSource,
    /// The version constraint as written.
    pub version: Option<String>,
    /// `configuration_aliases`: aliases that the caller has to pass.
    pub aliases: Vec<Name>,
    /// Where.
    pub span: Span,
}

/// A `variable` block.
#[derive(Debug, Clone)]
pub struct Variable {
    /// Its name.
    pub name: Name,
    /// The type constraint; `Any` without one.
    pub ty: Type,
    /// Whether a text from the command line or the environment is the value itself, as for a string. Otherwise it is an
    /// expression.
    pub text_is_string: bool,
    /// Defaults of `optional(…, default)` inside the type.
    pub defaults: crate::lang::decode::Defaults,
    /// `default`.
    pub default: Option<Arc<Expr>>,
    /// `description`.
    pub description: Option<String>,
    /// `sensitive`.
    pub sensitive: bool,
    /// `ephemeral`.
    pub ephemeral: bool,
    /// `deprecated`: what to do instead of using it.
    pub deprecated: Option<String>,
    /// `nullable`, true by default.
    pub nullable: bool,
    /// `validation` blocks.
    pub validations: Vec<CheckRule>,
    /// The block's header.
    pub span: Span,
}

impl Variable {
    /// One that is declared nowhere and takes every value.
    pub fn untyped(name: Name) -> Self {
        Variable {
            name,
            ty: Type::Any,
            text_is_string: false,
            defaults: crate::lang::decode::Defaults::default(),
            default: None,
            description: None,
            deprecated: None,
            sensitive: false,
            ephemeral: false,
            nullable: true,
            validations: Vec::new(),
            span: Span { file: crate::diag::FileId(0), start: 0, end: 0 },
        }
    }
}

/// A condition and what to say when it does not hold: `validation`, `precondition`, `postcondition`, `assert`.
#[derive(Debug, Clone)]
pub struct CheckRule {
    /// `condition`.
    pub condition: Arc<Expr>,
    /// `error_message`.
    pub error_message: Arc<Expr>,
    /// The block's header.
    pub span: Span,
}

/// One assignment in a `locals` block.
#[derive(Debug, Clone)]
pub struct Local {
    /// Its name.
    pub name: Name,
    /// Its expression.
    pub expr: Arc<Expr>,
    /// Where.
    pub span: Span,
}

/// An `output` block.
#[derive(Debug, Clone)]
pub struct Output {
    /// Its name.
    pub name: Name,
    /// `value`.
    pub value: Arc<Expr>,
    /// `description`.
    pub description: Option<String>,
    /// `sensitive`.
    pub sensitive: bool,
    /// `ephemeral`.
    pub ephemeral: bool,
    /// `deprecated`: what to do instead of using it.
    pub deprecated: Option<String>,
    /// `depends_on`.
    pub depends_on: Vec<DependsOn>,
    /// `precondition` blocks.
    pub preconditions: Vec<CheckRule>,
    /// The block's header.
    pub span: Span,
}

/// One entry of a `depends_on` list.
#[derive(Debug, Clone)]
pub struct DependsOn {
    /// What it names.
    pub target: Reference,
    /// Where.
    pub span: Span,
}

/// Which provider configuration a block asks for: `provider = aws.east`.
#[derive(Debug, Clone)]
pub struct ProviderRef {
    /// The local name of the provider in the module.
    pub local: Name,
    /// The alias.
    pub alias: Option<Name>,
    /// Which of the configurations of a block with `for_each`: `aws.by_region[each.key]`.
    pub key: Option<Arc<Expr>>,
    /// Where.
    pub span: Option<Span>,
}

/// A `resource` or `data` block.
#[derive(Debug, Clone)]
pub struct Resource {
    /// Its address in the module.
    pub addr: ResourceAddr,
    /// The whole block; what its schema describes is `body`.
    pub block: Arc<Block>,
    /// The body without meta-arguments and meta-blocks.
    pub body: Body,
    /// `count`.
    pub count: Option<Arc<Expr>>,
    /// `for_each`.
    pub for_each: Option<Arc<Expr>>,
    /// `lifecycle { enabled }`: there is one copy or none.
    pub enabled: Option<Arc<Expr>>,
    /// `depends_on`.
    pub depends_on: Vec<DependsOn>,
    /// The provider configuration: as written, else the one named like the type's first word.
    pub provider: ProviderRef,
    /// `lifecycle`.
    pub lifecycle: Lifecycle,
    /// `connection` and `provisioner` blocks.
    pub provision: Provision,
    /// Whether nobody has written the block: it stands for what an `import` block finds, and is written from that.
    pub generated: bool,
    /// The `check` block that a data block stands in: nothing else sees it, and its failure only warns.
    pub check: Option<Name>,
}

/// A `moved` block: objects at `from` are those of `to`. Both name resources of one type, or both name modules.
#[derive(Debug, Clone)]
pub struct Moved {
    /// Where they were, as seen from the module.
    pub from: Pattern,
    /// Where they are.
    pub to: Pattern,
    /// The block's header.
    pub span: Span,
}

/// A `removed` block: what to do with objects whose block was taken out.
#[derive(Debug, Clone)]
pub struct Removed {
    /// The resource or module that was there, as seen from the module; without keys.
    pub from: Pattern,
    /// Whether the objects are destroyed. Otherwise they are only forgotten.
    pub destroy: bool,
    /// What runs before they are destroyed.
    pub provision: Provision,
    /// The block's header.
    pub span: Span,
}

/// What runs when an object was made, or before it is destroyed.
#[derive(Debug, Clone, Default)]
pub struct Provision {
    /// How to reach the machine: `connection`.
    pub connection: Option<Body>,
    /// `provisioner` blocks, in written order.
    pub provisioners: Vec<Provisioner>,
}

impl Provision {
    /// The connection of a provisioner: its own arguments, and those of the resource that it does not set.
    pub fn connection_of(&self, provisioner: &Provisioner) -> Option<Body> {
        let (Some(own), Some(outer)) = (&provisioner.connection, &self.connection) else {
            return provisioner.connection.clone().or_else(|| self.connection.clone());
        };
        let mut merged = own.clone();
        let inherited = outer.attributes.iter().filter(|attribute| own.attribute(&attribute.name.text).is_none());
        merged.attributes.extend(inherited.cloned());
        Some(merged)
    }

    /// The provisioners that run at a time.
    pub fn at(&self, when: When) -> impl Iterator<Item = &Provisioner> {
        self.provisioners.iter().filter(move |provisioner| provisioner.when == when)
    }
}

/// A `provisioner` block.
#[derive(Debug, Clone)]
pub struct Provisioner {
    /// `local-exec`, `remote-exec` or `file`.
    pub kind: Name,
    /// `when`.
    pub when: When,
    /// `on_failure`.
    pub on_failure: OnFailure,
    /// Its own `connection`, whose arguments come before those of the resource's.
    pub connection: Option<Body>,
    /// Its arguments.
    pub body: Body,
    /// The block's header.
    pub header: Span,
}

/// When a provisioner runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// After the object was made.
    Create,
    /// Before it is destroyed.
    Destroy,
}

/// What becomes of the run when a provisioner fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnFailure {
    /// The step fails; a new object is tainted.
    Fail,
    /// It goes on.
    Continue,
}

/// An `import` block.
#[derive(Debug, Clone)]
pub struct Import {
    /// Which object of the configuration it is to be.
    pub to: ImportTarget,
    /// Where that is written.
    pub to_span: Span,
    /// The id that the provider finds it by; without one there is an identity.
    pub id: Option<Arc<Expr>>,
    /// The attributes that the provider finds it by.
    pub identity: Option<Arc<Expr>>,
    /// The provider configuration of a resource block that is to be generated.
    pub provider: Option<ProviderRef>,
    /// `for_each`.
    pub for_each: Option<Arc<Expr>>,
    /// The block's header.
    pub span: Span,
}

/// The address in an `import` block, whose keys may be any expressions.
#[derive(Debug, Clone)]
pub struct ImportTarget {
    /// The calls that lead to the module, each with its key.
    pub modules: Vec<(Name, Option<Expr>)>,
    /// The resource.
    pub resource: ResourceAddr,
    /// Its key.
    pub key: Option<Expr>,
}

impl ImportTarget {
    /// Every key.
    pub fn keys(&self) -> impl Iterator<Item = &Expr> {
        self.modules.iter().filter_map(|(_, key)| key.as_ref()).chain(&self.key)
    }
}

/// A `check` block.
#[derive(Debug, Clone)]
pub struct Check {
    /// Its name.
    pub name: Name,
    /// `assert` blocks.
    pub asserts: Vec<CheckRule>,
    /// Its data block.
    pub data: Option<ResourceAddr>,
    /// The block's header.
    pub span: Span,
}

/// A `lifecycle` block.
#[derive(Debug, Clone, Default)]
pub struct Lifecycle {
    /// `create_before_destroy`; may use variables and locals.
    pub create_before_destroy: Option<Arc<Expr>>,
    /// `prevent_destroy`; may use variables and locals.
    pub prevent_destroy: Option<Arc<Expr>>,
    /// `ignore_changes`.
    pub ignore_changes: IgnoreChanges,
    /// `replace_triggered_by`.
    pub replace_triggered_by: Vec<Trigger>,
    /// `action_trigger` blocks.
    pub action_triggers: Vec<ActionTrigger>,
    /// `precondition` blocks.
    pub preconditions: Vec<CheckRule>,
    /// `postcondition` blocks.
    pub postconditions: Vec<CheckRule>,
}

/// An entry of `replace_triggered_by`: whose change replaces the resource that names it.
#[derive(Debug, Clone)]
pub struct Trigger {
    /// The resource, in the same module.
    pub resource: ResourceAddr,
    /// The instance; without a key any of them counts. May use `count.index` and `each.key`.
    pub key: Option<Expr>,
    /// The attribute of the instance; the root stands for the whole instance.
    pub path: Path,
    /// As written.
    pub expr: Arc<Expr>,
}

/// An `action` block: something a provider does when it is asked to.
#[derive(Debug, Clone)]
pub struct ActionBlock {
    /// Its address in the module.
    pub addr: ActionAddr,
    /// The body of its `config` block.
    pub config: Body,
    /// `count`.
    pub count: Option<Arc<Expr>>,
    /// `for_each`.
    pub for_each: Option<Arc<Expr>>,
    /// The provider configuration.
    pub provider: ProviderRef,
    /// The block's header.
    pub span: Span,
}

/// An `action_trigger` block of a resource.
#[derive(Debug, Clone)]
pub struct ActionTrigger {
    /// When.
    pub events: Vec<TriggerEvent>,
    /// `condition`.
    pub condition: Option<Arc<Expr>>,
    /// What is invoked, one after the other.
    pub actions: Vec<ActionRef>,
}

/// When an action is invoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TriggerEvent {
    /// Before an object is made.
    BeforeCreate,
    /// After it was made.
    AfterCreate,
    /// Before it is changed.
    BeforeUpdate,
    /// After it was changed.
    AfterUpdate,
}

impl TriggerEvent {
    /// Whether the action comes before the change.
    pub fn is_before(self) -> bool {
        matches!(self, TriggerEvent::BeforeCreate | TriggerEvent::BeforeUpdate)
    }

    /// Terraform's name of it in machine-readable output.
    pub fn json_name(self) -> &'static str {
        match self {
            TriggerEvent::BeforeCreate => "BeforeCreate",
            TriggerEvent::AfterCreate => "AfterCreate",
            TriggerEvent::BeforeUpdate => "BeforeUpdate",
            TriggerEvent::AfterUpdate => "AfterUpdate",
        }
    }
}

/// An entry of `actions`.
#[derive(Debug, Clone)]
pub struct ActionRef {
    /// The action, in the same module.
    pub addr: ActionAddr,
    /// The copy; without a key all of them, in order.
    pub key: Option<Expr>,
    /// Where.
    pub span: Span,
}

/// Which differences do not count.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum IgnoreChanges {
    /// All count.
    #[default]
    None,
    /// Those at these paths do not.
    Paths(Vec<Path>),
    /// None counts.
    All,
}

/// A `module` block.
#[derive(Debug, Clone)]
pub struct ModuleCall {
    /// Its name.
    pub name: Name,
    /// `source` as written.
    pub source: String,
    /// The same, understood.
    pub address: ModuleSource,
    /// The installed version, of a registry's module.
    pub version: Option<String>,
    /// `version` as written.
    pub version_constraint: Option<String>,
    /// The called module.
    pub module: Arc<Module>,
    /// Arguments for the module's variables.
    pub arguments: Vec<Attribute>,
    /// `count`.
    pub count: Option<Arc<Expr>>,
    /// `for_each`.
    pub for_each: Option<Arc<Expr>>,
    /// `lifecycle { enabled }`: there is one copy or none.
    pub enabled: Option<Arc<Expr>>,
    /// `depends_on`.
    pub depends_on: Vec<DependsOn>,
    /// `providers = { child = parent }`.
    pub providers: Vec<(ProviderRef, ProviderRef)>,
    /// Where an argument would be that is missing.
    pub missing: Span,
    /// Whether it is written in JSON.
    pub is_json: bool,
    /// The block's header.
    pub span: Span,
}

/// A `provider` block, of a module or of the project file; one with `for_each` stands for each of its keys.
#[derive(Clone, Debug)]
pub struct ProviderConfig {
    /// The local name.
    pub local: Name,
    /// `alias`.
    pub alias: Option<Name>,
    /// `for_each`, until it is evaluated.
    pub for_each: Option<Arc<Expr>>,
    /// The key and its value, of a block with `for_each`.
    pub each: Option<(Name, Value)>,
    /// The body without meta-arguments.
    pub body: Body,
    /// The block's header.
    pub span: Span,
}

/// An ordered step of the project.
#[derive(Debug)]
pub struct Phase {
    /// Its name.
    pub name: Name,
    /// What runs in it.
    pub include: Vec<Include>,
    /// What must hold before the next phase.
    pub gates: Vec<Gate>,
    /// The block's header.
    pub span: Option<Span>,
}

/// One entry of `include`, or of a gate's `for`.
#[derive(Debug, Clone)]
pub struct Include {
    /// The address: a layer, a module or a resource, always with its layer.
    pub pattern: Pattern,
    /// Where.
    pub span: Span,
}

/// A health check.
#[derive(Debug)]
pub struct Gate {
    /// Its name, unique in the project.
    pub name: Name,
    /// `enabled`; true when absent.
    pub enabled: Option<Arc<Expr>>,
    /// `for`: what the gate looks at, where its arguments do not say that.
    pub looks_at: Vec<Include>,
    /// The check: the one nested block, its type being the kind of check.
    pub check: Arc<Block>,
    /// `interval`, `timeout`, `retries` as written.
    pub timing: Vec<Attribute>,
    /// The block's header.
    pub span: Span,
}
