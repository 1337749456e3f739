//! The commands and their flags, as the parser sees them. Names and meanings are Terraform's where Terraform has them.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::BoolishValueParser;
use clap::{ArgAction, ArgMatches, Args, Parser, Subcommand};

use crate::addr::{Mode, Pattern, parse_pattern};
use crate::config::Given;

/// infra: plans and applies a whole platform, layer by layer, from Terraform's language.
#[derive(Debug, Parser)]
#[command(name = "infra", disable_help_subcommand = true, subcommand_required = true, arg_required_else_help = true)]
#[command(after_help = "Flags take one dash or two. `infra COMMAND -help` tells more.")]
pub(super) struct Root {
    /// Work in another folder.
    #[arg(long, value_name = "DIR")]
    pub chdir: Option<PathBuf>,
    #[command(subcommand)]
    pub command: Command,
}

/// What is to be done.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Install modules, check that the configuration loads and that state can be reached
    Init(InitArgs),
    /// Install the modules that the configuration calls
    Get(GetArgs),
    /// Check the configuration
    Validate(ValidateArgs),
    /// Bring files into their canonical form
    Fmt(FmtArgs),
    /// Show what an apply would do
    Plan(PlanArgs),
    /// Make the world as the configuration says
    Apply(ApplyArgs),
    /// Remove everything that state holds
    Destroy(ApplyArgs),
    /// Bring state up to date with the world
    Refresh(ApplyArgs),
    /// Show state, or a saved plan
    Show(ShowArgs),
    /// Show outputs
    Output(OutputArgs),
    /// Evaluate expressions
    Console(ConsoleArgs),
    /// Look at state, and settle what is uncertain
    #[command(subcommand)]
    State(StateCommand),
    /// Health checks between phases
    #[command(subcommand)]
    Gate(GateCommand),
    /// The Kubernetes-style API inside this program
    #[command(subcommand)]
    Sandbox(SandboxCommand),
    /// The environment, under Terraform's name for it
    #[command(subcommand)]
    Workspace(WorkspaceCommand),
    /// Draw the graph of the configuration
    Graph(GraphArgs),
    /// Show which module needs which provider
    Providers(ProvidersArgs),
    /// What this program knows of itself
    #[command(subcommand)]
    Metadata(MetadataCommand),
    /// Print a script that completes commands in a shell
    Completions(CompletionsArgs),
    /// Take over an object that exists already
    Import(ImportArgs),
    /// Mark an object as tainted: the next apply replaces it
    Taint(TaintArgs),
    /// Take the mark away
    Untaint(TaintArgs),
    /// Remove a lock whose holder is dead
    ForceUnlock(UnlockArgs),
    /// Run the tests of a folder
    Test(TestArgs),
    /// Show the version
    Version(VersionArgs),
}

/// Commands below `state`.
#[derive(Debug, Subcommand)]
pub(super) enum StateCommand {
    /// List objects
    List(StateListArgs),
    /// Show one object
    Show(StateShowArgs),
    /// Print the state file
    Pull(StatePullArgs),
    /// Give an object, a resource or a module another address
    Mv(StateMvArgs),
    /// Forget objects, which stay as they are
    Rm(StateRmArgs),
    /// Hand the objects of a provider to another one
    ReplaceProvider(StateReplaceProviderArgs),
    /// List what a crash left open: uncertain objects, and journals of runs that another run overtook
    Uncertain(SelectArgs),
    /// Say what became of an uncertain object, or what counts of an overtaken run
    Settle(SettleArgs),
}

/// Commands below `gate`.
#[derive(Debug, Subcommand)]
pub(super) enum GateCommand {
    /// Run one check now
    Run(GateRunArgs),
}

/// Commands below `sandbox`.
#[derive(Debug, Subcommand)]
pub(super) enum SandboxCommand {
    /// Open the sandbox of an environment on loopback and print a kubeconfig
    Serve(ServeArgs),
}

/// Commands below `workspace`.
#[derive(Debug, Subcommand)]
pub(super) enum WorkspaceCommand {
    /// Print the name of the environment
    Show(SelectArgs),
    /// List environments, or the workspaces of a folder without a project
    List(SelectArgs),
    /// Make a workspace and choose it
    New(WorkspaceNewArgs),
    /// Choose a workspace
    Select(WorkspaceSelectArgs),
    /// Remove a workspace and its state
    Delete(WorkspaceDeleteArgs),
}

/// `workspace new`
#[derive(Debug, Args)]
pub(super) struct WorkspaceNewArgs {
    #[command(flatten)]
    pub select: SelectArgs,
    /// A state file whose content the workspace begins with
    #[arg(long, value_name = "PATH")]
    pub state: Option<PathBuf>,
    /// The workspace
    pub name: String,
}

/// `workspace select`
#[derive(Debug, Args)]
pub(super) struct WorkspaceSelectArgs {
    #[command(flatten)]
    pub select: SelectArgs,
    /// Make it if it does not exist
    #[arg(long)]
    pub or_create: bool,
    /// The workspace
    pub name: String,
}

/// `workspace delete`
#[derive(Debug, Args)]
pub(super) struct WorkspaceDeleteArgs {
    #[command(flatten)]
    pub select: SelectArgs,
    /// Also with objects, which are let go of
    #[arg(long)]
    pub force: bool,
    /// The workspace
    pub name: String,
}

/// `graph`
#[derive(Debug, Args)]
pub(super) struct GraphArgs {
    #[command(flatten)]
    pub select: SelectArgs,
    /// Every node of a plan, not resources alone
    #[arg(long = "type", value_name = "TYPE")]
    pub kind: Option<String>,
    /// Accepted for Terraform's sake
    #[arg(long, hide = true)]
    pub draw_cycles: bool,
    /// dot or mermaid
    #[arg(long, value_name = "FORMAT", default_value = "dot", value_parser = ["dot", "mermaid"])]
    pub format: String,
}

/// `providers`
#[derive(Debug, Args)]
pub(super) struct ProvidersArgs {
    #[command(flatten)]
    pub select: SelectArgs,
    #[command(subcommand)]
    pub command: Option<ProvidersCommand>,
}

/// Commands below `providers`.
#[derive(Debug, Subcommand)]
pub(super) enum ProvidersCommand {
    /// Print what the providers of the configuration take and give
    Schema(ProvidersSchemaArgs),
    /// Tell what is to be locked
    Lock(ProvidersLockArgs),
    /// Tell what is to be mirrored
    Mirror(ProvidersMirrorArgs),
}

/// `providers schema`
#[derive(Debug, Args)]
pub(super) struct ProvidersSchemaArgs {
    #[command(flatten)]
    pub select: SelectArgs,
    /// Print JSON; there is nothing else
    #[arg(long, required = true)]
    pub json: bool,
}

/// `providers lock`
#[derive(Debug, Args)]
pub(super) struct ProvidersLockArgs {
    #[command(flatten)]
    pub select: SelectArgs,
    /// Accepted for Terraform's sake
    #[arg(long, hide = true)]
    pub platform: Vec<String>,
    /// Accepted for Terraform's sake
    #[arg(long, hide = true)]
    pub fs_mirror: Option<PathBuf>,
    /// Accepted for Terraform's sake
    #[arg(long, hide = true)]
    pub net_mirror: Option<String>,
    /// Only these
    pub sources: Vec<String>,
}

/// `providers mirror`
#[derive(Debug, Args)]
pub(super) struct ProvidersMirrorArgs {
    #[command(flatten)]
    pub select: SelectArgs,
    /// Accepted for Terraform's sake
    #[arg(long, hide = true)]
    pub platform: Vec<String>,
    /// The folder
    pub folder: PathBuf,
}

/// Commands below `metadata`.
#[derive(Debug, Subcommand)]
pub(super) enum MetadataCommand {
    /// Print what functions take and give
    Functions(MetadataArgs),
}

/// `metadata functions`
#[derive(Debug, Args)]
pub(super) struct MetadataArgs {
    /// Print JSON; there is nothing else
    #[arg(long, required = true)]
    pub json: bool,
}

/// `completions`
#[derive(Debug, Args)]
pub(super) struct CompletionsArgs {
    /// The shell
    #[arg(value_parser = ["bash", "zsh", "fish"])]
    pub shell: String,
}

/// How results look.
#[derive(Debug, Args, Clone)]
pub(super) struct LookArgs {
    /// No colours
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value_t = false,
          action = ArgAction::Set, value_parser = BoolishValueParser::new(), hide_possible_values = true)]
    pub no_color: bool,
    /// Only list warnings
    #[arg(long)]
    pub compact_warnings: bool,
}

/// Which configuration, which environment, which values.
#[derive(Debug, Args, Clone)]
pub(super) struct SelectArgs {
    /// The environment
    #[arg(long, value_name = "NAME")]
    pub env: Option<String>,
    /// Only this layer
    #[arg(long, value_name = "NAME")]
    pub layer: Option<String>,
    /// The layers that exist once for all environments
    #[arg(long)]
    pub global: bool,
    /// Value of a variable
    #[arg(long, value_name = "NAME=VALUE")]
    var: Vec<String>,
    /// File with values of variables; its environment is taken
    #[arg(long, value_name = "FILE")]
    var_file: Vec<PathBuf>,
    #[command(flatten)]
    pub look: LookArgs,
}

/// What takes part, and how.
#[derive(Debug, Args, Clone)]
pub(super) struct PlanningArgs {
    #[command(flatten)]
    pub select: SelectArgs,
    /// Plan to remove everything
    #[arg(long)]
    pub destroy: bool,
    /// Look at objects first
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value_t = true,
          action = ArgAction::Set, value_parser = BoolishValueParser::new(), hide_possible_values = true)]
    pub refresh: bool,
    /// Only bring state up to date
    #[arg(long)]
    pub refresh_only: bool,
    /// Only this module, resource or instance, and what it needs
    #[arg(long, value_name = "ADDRESS", value_parser = pattern)]
    pub target: Vec<Pattern>,
    /// Leave this out, and what needs it
    #[arg(long, value_name = "ADDRESS", value_parser = pattern)]
    pub exclude: Vec<Pattern>,
    /// Replace this instance
    #[arg(long, value_name = "ADDRESS", value_parser = replaceable)]
    pub replace: Vec<Pattern>,
    /// Invoke this action, and do nothing else
    #[arg(long, value_name = "ADDRESS", value_parser = action, conflicts_with_all = ["destroy", "target", "replace"])]
    pub invoke: Vec<Pattern>,
    /// Calls in flight at once
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub parallelism: u32,
    /// Lock state
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value_t = true,
          action = ArgAction::Set, value_parser = BoolishValueParser::new(), hide_possible_values = true)]
    pub lock: bool,
    /// How long to wait for a lock
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = duration)]
    pub lock_timeout: Duration,
    /// Take over a lock whose lease has run out
    #[arg(long)]
    pub take_over_expired: bool,
    /// Ask for what is missing
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true",
          action = ArgAction::Set, value_parser = BoolishValueParser::new(), hide_possible_values = true)]
    pub input: Option<bool>,
    /// Print events as JSON
    #[arg(long)]
    pub json: bool,
}

/// `init`
#[derive(Debug, Args)]
pub(super) struct InitArgs {
    #[command(flatten)]
    pub select: SelectArgs,
    /// Reach state
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value_t = true,
          action = ArgAction::Set, value_parser = BoolishValueParser::new(), hide_possible_values = true)]
    pub backend: bool,
    /// A setting of the backend, or a file of them
    #[arg(long, value_name = "KEY=VALUE")]
    pub backend_config: Vec<String>,
    /// Accepted for Terraform's sake
    #[arg(long, hide = true, conflicts_with = "migrate_state")]
    pub reconfigure: bool,
    /// Accepted for Terraform's sake: state is where the configuration says
    #[arg(long, hide = true)]
    pub migrate_state: bool,
    /// Accepted for Terraform's sake: every provider is in the program
    #[arg(long, hide = true, value_name = "DIR")]
    pub plugin_dir: Vec<String>,
    /// Fetch modules again that are there
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value_t = false,
          action = ArgAction::Set, value_parser = BoolishValueParser::new(), hide_possible_values = true)]
    pub upgrade: bool,
    /// Install modules
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value_t = true,
          action = ArgAction::Set, value_parser = BoolishValueParser::new(), hide_possible_values = true)]
    pub get: bool,
    /// Accepted for Terraform's sake
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub input: Option<String>,
    /// Accepted for Terraform's sake
    #[arg(long, hide = true)]
    pub lockfile: Option<String>,
}

/// `get`
#[derive(Debug, Args)]
pub(super) struct GetArgs {
    #[command(flatten)]
    pub select: SelectArgs,
    /// Fetch modules again that are there
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value_t = false,
          action = ArgAction::Set, value_parser = BoolishValueParser::new(), hide_possible_values = true)]
    pub update: bool,
}

/// `validate`
#[derive(Debug, Args)]
pub(super) struct ValidateArgs {
    #[command(flatten)]
    pub select: SelectArgs,
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
    /// Leave test files out
    #[arg(long)]
    pub no_tests: bool,
    /// The folder of tests; tests by default
    #[arg(long, value_name = "DIR")]
    pub test_directory: Option<std::path::PathBuf>,
}

/// `fmt`
#[derive(Debug, Args)]
pub(super) struct FmtArgs {
    #[command(flatten)]
    pub look: LookArgs,
    /// Name the files that change
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value_t = true,
          action = ArgAction::Set, value_parser = BoolishValueParser::new(), hide_possible_values = true)]
    pub list: bool,
    /// Write the files that change
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value_t = true,
          action = ArgAction::Set, value_parser = BoolishValueParser::new(), hide_possible_values = true)]
    pub write: bool,
    /// Show what changes
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value_t = false,
          action = ArgAction::Set, value_parser = BoolishValueParser::new(), hide_possible_values = true)]
    pub diff: bool,
    /// Write nothing; exit with 3 when a file would change
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value_t = false,
          action = ArgAction::Set, value_parser = BoolishValueParser::new(), hide_possible_values = true)]
    pub check: bool,
    /// Folders below, too
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value_t = false,
          action = ArgAction::Set, value_parser = BoolishValueParser::new(), hide_possible_values = true)]
    pub recursive: bool,
    /// Files and folders, or - for standard input
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
}

/// `plan`
#[derive(Debug, Args)]
pub(super) struct PlanArgs {
    #[command(flatten)]
    pub planning: PlanningArgs,
    /// Save the plan
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Write resource blocks for import blocks that have none into this new file
    #[arg(long, value_name = "FILE")]
    pub generate_config_out: Option<PathBuf>,
    /// Exit with 2 when there are changes
    #[arg(long)]
    pub detailed_exitcode: bool,
}

/// `apply`, `destroy`, `refresh`
#[derive(Debug, Args)]
pub(super) struct ApplyArgs {
    #[command(flatten)]
    pub planning: PlanningArgs,
    /// Do not ask
    #[arg(long)]
    pub auto_approve: bool,
    /// Agree to losing what goes with a replaced cluster
    #[arg(long)]
    pub accept_loss: bool,
    /// A saved plan
    #[arg(value_name = "PLAN")]
    pub plan: Option<PathBuf>,
}

/// `show`
#[derive(Debug, Args)]
pub(super) struct ShowArgs {
    #[command(flatten)]
    pub select: SelectArgs,
    /// Print Terraform's JSON
    #[arg(long)]
    pub json: bool,
    /// A saved plan or a state file; without one, state is shown
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,
}

/// `output`
#[derive(Debug, Args)]
pub(super) struct OutputArgs {
    #[command(flatten)]
    pub select: SelectArgs,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// Print the text alone
    #[arg(long)]
    pub raw: bool,
    /// Read this state file, not that of the configuration
    #[arg(long, value_name = "FILE")]
    pub state: Option<PathBuf>,
    /// The output: NAME, or layer.LAYER.NAME
    pub name: Option<String>,
}

/// `console`
#[derive(Debug, Args)]
pub(super) struct ConsoleArgs {
    #[command(flatten)]
    pub select: SelectArgs,
    /// Evaluate against what a plan would make of the objects
    #[arg(long)]
    pub plan: bool,
}

/// `state list`
#[derive(Debug, Args)]
pub(super) struct StateListArgs {
    #[command(flatten)]
    pub select: SelectArgs,
    /// Only objects with this id
    #[arg(long, value_name = "ID")]
    pub id: Option<String>,
    /// Only these modules, resources or instances
    #[arg(value_name = "ADDRESS", value_parser = pattern)]
    pub addresses: Vec<Pattern>,
}

/// `state show`
#[derive(Debug, Args)]
pub(super) struct StateShowArgs {
    #[command(flatten)]
    pub select: SelectArgs,
    /// The instance
    #[arg(value_name = "ADDRESS", value_parser = pattern)]
    pub address: Pattern,
}

/// `state pull`
#[derive(Debug, Args)]
pub(super) struct StatePullArgs {
    #[command(flatten)]
    pub select: SelectArgs,
}

/// How state is locked.
#[derive(Debug, Args)]
pub(super) struct LockArgs {
    /// Lock state
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value_t = true,
          action = ArgAction::Set, value_parser = BoolishValueParser::new(), hide_possible_values = true)]
    pub lock: bool,
    /// How long to wait for a lock
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = duration)]
    pub lock_timeout: Duration,
}

/// `state mv`
#[derive(Debug, Args)]
pub(super) struct StateMvArgs {
    #[command(flatten)]
    pub select: SelectArgs,
    #[command(flatten)]
    pub lock: LockArgs,
    /// Only tell what would be moved
    #[arg(long)]
    pub dry_run: bool,
    /// Where it is
    #[arg(value_name = "SOURCE", value_parser = pattern)]
    pub from: Pattern,
    /// Where it is to be; without a layer, in the same one
    #[arg(value_name = "DESTINATION", value_parser = pattern)]
    pub to: Pattern,
}

/// `state rm`
#[derive(Debug, Args)]
pub(super) struct StateRmArgs {
    #[command(flatten)]
    pub select: SelectArgs,
    #[command(flatten)]
    pub lock: LockArgs,
    /// Only tell what would be forgotten
    #[arg(long)]
    pub dry_run: bool,
    /// What is to be forgotten
    #[arg(value_name = "ADDRESS", value_parser = pattern, required = true)]
    pub addresses: Vec<Pattern>,
}

/// `state replace-provider`
#[derive(Debug, Args)]
pub(super) struct StateReplaceProviderArgs {
    #[command(flatten)]
    pub select: SelectArgs,
    #[command(flatten)]
    pub lock: LockArgs,
    /// Do not ask
    #[arg(long)]
    pub auto_approve: bool,
    /// The source that state has
    #[arg(value_name = "FROM")]
    pub from: String,
    /// The source that it is to have
    #[arg(value_name = "TO")]
    pub to: String,
}

/// `import`
#[derive(Debug, Args)]
pub(super) struct ImportArgs {
    #[command(flatten)]
    pub select: SelectArgs,
    #[command(flatten)]
    pub lock: LockArgs,
    /// The instance of the configuration that it is to be
    #[arg(value_name = "ADDRESS", value_parser = pattern)]
    pub address: Pattern,
    /// The id that its provider finds it by
    #[arg(value_name = "ID")]
    pub id: String,
}

/// `taint` and `untaint`
#[derive(Debug, Args)]
pub(super) struct TaintArgs {
    #[command(flatten)]
    pub select: SelectArgs,
    #[command(flatten)]
    pub lock: LockArgs,
    /// An instance that is not there is no mistake
    #[arg(long)]
    pub allow_missing: bool,
    /// The instance
    #[arg(value_name = "ADDRESS", value_parser = pattern)]
    pub address: Pattern,
}

/// `state settle`: either what became of one object, or what counts of runs that another run overtook.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("settlement").args(["exists", "absent", "keep", "drop"]).required(true))]
#[command(after_help = "Look first: infra state uncertain lists what is to be settled, and what each journal holds.")]
pub(super) struct SettleArgs {
    #[command(flatten)]
    pub select: SelectArgs,
    /// The uncertain instance, with -exists or -absent
    #[arg(value_name = "ADDRESS", value_parser = pattern, required_unless_present_any = ["keep", "drop"],
          conflicts_with_all = ["keep", "drop"])]
    pub address: Option<Pattern>,
    /// It exists: state takes it over
    #[arg(long)]
    pub exists: bool,
    /// It does not exist
    #[arg(long)]
    pub absent: bool,
    /// Journals of overtaken runs: what they hold replaces what state has
    #[arg(long)]
    pub keep: bool,
    /// Journals of overtaken runs: forget what they hold
    #[arg(long)]
    pub drop: bool,
}

/// `gate run`
#[derive(Debug, Args)]
pub(super) struct GateRunArgs {
    #[command(flatten)]
    pub select: SelectArgs,
    /// The gate
    pub name: String,
}

/// `sandbox serve`
#[derive(Debug, Args)]
pub(super) struct ServeArgs {
    #[command(flatten)]
    pub select: SelectArgs,
    /// The port; a free one by default
    #[arg(long, default_value_t = 0)]
    pub port: u16,
}

/// `force-unlock`
#[derive(Debug, Args)]
pub(super) struct UnlockArgs {
    #[command(flatten)]
    pub select: SelectArgs,
    /// Do not ask
    #[arg(long)]
    pub force: bool,
    /// The ID of the lock
    #[arg(value_name = "ID")]
    pub id: String,
}

/// `test`
#[derive(Debug, Args)]
#[command(
    after_help = "Tests are the .tftest.hcl and .tftest.json files of the folder and of its folder of tests. What they make \
                        is real, unless it is mocked, and is destroyed at the end."
)]
pub(super) struct TestArgs {
    #[command(flatten)]
    pub select: SelectArgs,
    /// Only this test file
    #[arg(long, value_name = "FILE")]
    pub filter: Vec<PathBuf>,
    /// The folder of tests; tests by default
    #[arg(long, value_name = "DIR")]
    pub test_directory: Option<PathBuf>,
    /// Show the plan or the state of each run
    #[arg(long)]
    pub verbose: bool,
    /// Print events as JSON
    #[arg(long)]
    pub json: bool,
    /// Write a JUnit report
    #[arg(long, value_name = "FILE")]
    pub junit_xml: Option<PathBuf>,
    /// Calls in flight at once
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    pub parallelism: u32,
    /// Not here: runs in HCP Terraform
    #[arg(long, value_name = "SOURCE", hide = true)]
    pub cloud_run: Option<String>,
    /// Not looked at, as under Terraform
    #[arg(hide = true)]
    pub rest: Vec<String>,
}

/// `version`
#[derive(Debug, Args)]
pub(super) struct VersionArgs {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `-var` and `-var-file` in the order they were typed, which decides between them.
///
/// # Errors
/// The text of a `-var` that assigns nothing.
pub(super) fn given(root: &ArgMatches) -> Result<Vec<Given>, String> {
    let mut matches = root;
    while let Some((_, inner)) = matches.subcommand() {
        matches = inner;
    }
    let mut found: Vec<(usize, Given)> = Vec::new();
    // Only of an argument that the command has may be asked where it stands.
    if let Ok(Some(texts)) = matches.try_get_many::<String>("var")
        && let Some(places) = indices(matches, "var")
    {
        for (at, text) in places.zip(texts) {
            let (name, value) = text.split_once('=').ok_or_else(|| text.clone())?;
            found.push((at, Given::Var { name: name.trim().to_owned(), text: value.to_owned() }));
        }
    }
    if let Ok(Some(files)) = matches.try_get_many::<PathBuf>("var_file")
        && let Some(places) = indices(matches, "var_file")
    {
        found.extend(places.zip(files).map(|(at, file)| (at, Given::File(file.clone()))));
    }
    found.sort_by_key(|(at, _)| *at);
    Ok(found.into_iter().map(|(_, given)| given).collect())
}

fn indices<'a>(matches: &'a ArgMatches, id: &str) -> Option<impl Iterator<Item = usize> + use<'a>> {
    matches.indices_of(id)
}

fn action(text: &str) -> Result<Pattern, String> {
    crate::addr::parse_action(text).map_err(|error| error.to_string())
}

/// What `-replace` names: one instance of a resource.
fn replaceable(text: &str) -> Result<Pattern, String> {
    let pattern = pattern(text)?;
    match &pattern.resource {
        Some(resource) if resource.mode == Mode::Managed => Ok(pattern),
        _ => {
            Err("only an instance of a resource can be replaced, such as aws_instance.a or aws_instance.b[0]"
                .to_owned())
        }
    }
}

fn pattern(text: &str) -> Result<Pattern, String> {
    parse_pattern(text).map_err(|error| error.to_string())
}

/// A length of time as Go writes it: `10s`, `1h2m`, `500ms`; a bare number is seconds.
fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text:?} is no length of time; write it like 30s, 5m or 1h30m");
    if let Ok(seconds) = text.parse::<u64>() {
        return Ok(Duration::from_secs(seconds));
    }
    let mut total = 0.0;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or_else(wrong)?;
        let number: f64 = rest[..digits].parse().map_err(|_| wrong())?;
        rest = &rest[digits..];
        let units = rest.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(rest.len());
        total += number
            * match &rest[..units] {
                "ms" => 0.001,
                "s" => 1.0,
                "m" => 60.0,
                "h" => 3600.0,
                _ => return Err(wrong()),
            };
        rest = &rest[units..];
    }
    if text.is_empty() { Err(wrong()) } else { Duration::try_from_secs_f64(total).map_err(|_| wrong()) }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_parser_is_sound() {
        Root::command().debug_assert();
    }

    #[test]
    fn values_keep_the_order_they_were_typed_in() {
        let args = ["infra", "plan", "--var", "a=1", "--var-file=f", "--var", "b = x=y"];
        let matches = Root::command().try_get_matches_from(args).unwrap_or_else(|error| panic!("{error}"));
        let var = |name: &str, text: &str| Given::Var { name: name.into(), text: text.into() };
        assert!(given(&matches) == Ok(vec![var("a", "1"), Given::File("f".into()), var("b", " x=y")]));
    }

    #[test]
    fn lengths_of_time_are_gos() {
        let check =
            |text: &str, expect: Option<u64>| assert_eq!(duration(text).ok().map(|d| d.as_millis() as u64), expect);
        check("3m", Some(180_000));
        check("1h1m1.5s", Some(3_661_500));
        check("500ms", Some(500));
        check("0", Some(0));
        check("x", None);
        check("5", Some(5000));
        check("5x", None);
        check("", None);
    }
}
