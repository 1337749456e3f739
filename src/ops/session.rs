//! One run's view of a project: configuration, graph, providers, and a handle on the state of each layer.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use jiff::Timestamp;

use crate::addr::{LayerName, Pattern};
use crate::apply::Clusters;
use crate::config::{Config, Env, LoadOptions, StateSettings};
use crate::diag::{Diagnostics, Outcome};
use crate::graph::{Graph, Selection};
use crate::lang::eval::TEMPLATES;
use crate::lang::functions::{Context, DirFiles, NoVariable};
use crate::plan::PlanMode;
use crate::plan::scope::Functions;
use crate::provider::Registry;
use crate::state::store::{LocalStore, S3Store, Store};
use crate::state::{OutputState, State, StateHandle, View};

/// Who runs this, for locks and journals.
#[derive(Clone, Debug)]
pub struct Identity {
    /// `user@host`.
    pub who: String,
    /// The program's version.
    pub version: String,
}

/// How to open a project.
pub struct SessionOptions<'a> {
    /// What to load.
    pub load: LoadOptions,
    /// Makes the registry when the configuration is known (the sandbox is an option of providers).
    pub registry: &'a dyn Fn(&Config) -> Registry,
    /// Makes what gates reach the cluster through.
    pub clusters: &'a dyn Fn(&Config) -> Arc<dyn Clusters>,
    /// Who runs this.
    pub identity: Identity,
}

/// A run's options, as commands share them.
#[derive(Clone)]
pub struct RunOptions {
    /// Normal, destroy or refresh only.
    pub mode: PlanMode,
    /// Whether objects are read first.
    pub refresh: bool,
    /// `-target`.
    pub targets: Vec<Pattern>,
    /// `-exclude`.
    pub excludes: Vec<Pattern>,
    /// `-replace`.
    pub replace: Vec<Pattern>,
    /// `-invoke`.
    pub invoke: Vec<Pattern>,
    /// `-layer`.
    pub layer: Option<LayerName>,
    /// `-lock`.
    pub lock: bool,
    /// `-lock-timeout`.
    pub lock_timeout: Duration,
    /// `-take-over-expired`.
    pub take_over_expired: bool,
    /// `-parallelism`.
    pub parallelism: usize,
    /// `-auto-approve`.
    pub auto_approve: bool,
    /// `-accept-loss`.
    pub accept_loss: bool,
    /// The clock at the beginning of the run: `timestamp()`.
    pub timestamp: Timestamp,
}

impl RunOptions {
    /// Terraform's defaults.
    pub fn new(timestamp: Timestamp) -> Self {
        RunOptions {
            mode: PlanMode::Normal,
            refresh: true,
            targets: Vec::new(),
            excludes: Vec::new(),
            replace: Vec::new(),
            invoke: Vec::new(),
            layer: None,
            lock: true,
            lock_timeout: Duration::ZERO,
            take_over_expired: false,
            parallelism: 10,
            auto_approve: false,
            accept_loss: false,
            timestamp,
        }
    }

    /// What takes part.
    pub fn selection(&self) -> Selection {
        Selection { targets: self.targets.clone(), excludes: self.excludes.clone(), layer: self.layer.clone() }
    }
}

/// An open project.
pub struct Session {
    /// The configuration.
    pub config: Arc<Config>,
    /// Providers.
    pub registry: Registry,
    /// State of each layer, in written order.
    pub handles: Vec<StateHandle>,
    /// State of each global layer below a run of an environment; only read.
    pub global: Vec<StateHandle>,
    /// Who runs this.
    pub identity: Identity,
    /// Clients of the project's cluster, for gates.
    pub clusters: Arc<dyn Clusters>,
    env: Env,
    graph: Arc<GraphCell>,
}

impl Session {
    /// Loads the configuration and finds the states. Reads no state yet.
    pub fn open(options: SessionOptions<'_>) -> Outcome<Session> {
        let mut said = Diagnostics::none();
        let Some(config) = crate::config::load(&options.load).take(&mut said) else { return Outcome::fail(said) };
        if said.has_errors() {
            return Outcome::fail(said);
        }
        let handle = |(name, state): (&LayerName, &StateSettings)| {
            let (store, key) = store_of(state);
            StateHandle::new(store, key, name.clone())
        };
        let handles = config.layers.iter().map(|layer| (&layer.name, &layer.state)).map(handle).collect();
        let global = config.global.iter().map(|layer| (&layer.name, &layer.state)).map(handle).collect();
        if said.has_errors() {
            return Outcome::fail(said);
        }
        let registry = (options.registry)(&config);
        let env = config.env.clone();
        let session = Session {
            registry,
            handles,
            global,
            identity: options.identity,
            clusters: (options.clusters)(&config),
            env,
            graph: Arc::default(),
            config: Arc::new(config),
        };
        Outcome::with(session, said)
    }

    /// A configuration that is there already, with a state for each of its layers.
    pub(super) fn of(
        config: Config,
        registry: Registry,
        handles: Vec<StateHandle>,
        identity: Identity,
        clusters: Arc<dyn Clusters>,
    ) -> Session {
        let env = config.env.clone();
        let (config, global) = (Arc::new(config), Vec::new());
        Session { config, registry, handles, global, identity, clusters, env, graph: Arc::default() }
    }

    /// The graph of the configuration, built when it is first asked for: state can be looked at without one. Warnings come
    /// each time.
    pub fn graph(&self) -> Outcome<Arc<Graph>> {
        let Outcome { value, said } = self.rough_graph();
        Outcome { value: value.filter(|_| !said.has_errors()), said }
    }

    /// The same, also where it has errors: with it more of them can be found.
    pub(super) fn rough_graph(&self) -> Outcome<Arc<Graph>> {
        graph_of(&self.graph, &self.config)
    }

    /// Begins to build the graph while something else is done, such as reading the states.
    pub(super) fn begin_graph(&self) {
        let (graph, config) = (self.graph.clone(), self.config.clone());
        // Whoever asks for it waits until it is done.
        tokio::task::spawn_blocking(move || drop(graph_of(&graph, &config)));
    }

    /// Reads the recovered view of every layer, and what the global layers below them have stored.
    pub async fn views(&self) -> Result<Vec<View>, Diagnostics> {
        let (views, global) = futures::future::join(read_all(&self.handles), self.read_global()).await;
        match (views, global) {
            (Ok(views), Ok(())) => Ok(views),
            (Err(mut said), Err(more)) => {
                said.append(more);
                Err(said)
            }
            (Err(said), Ok(())) | (Ok(_), Err(said)) => Err(said),
        }
    }

    /// Reads the stored outputs of the global layers below a run of an environment, once for the whole run.
    ///
    /// # Errors
    /// When a state cannot be read.
    pub(super) async fn read_global(&self) -> Result<(), Diagnostics> {
        let views = read_all(&self.global).await?;
        for (layer, view) in self.config.global.iter().zip(views) {
            let value = |output: &OutputState| match output.sensitive {
                true => output.value.clone().sensitive(),
                false => output.value.clone(),
            };
            let stored = view.state.outputs.iter().map(|(name, output)| (name.clone(), value(output))).collect();
            // A second reading changes nothing: a run sees one set of outputs from beginning to end.
            layer.stored.get_or_init(|| stored);
        }
        Ok(())
    }

    /// The states of every layer.
    pub async fn states(&self) -> Result<Vec<State>, Diagnostics> {
        Ok(self.views().await?.iter().map(|view| (*view.state).clone()).collect())
    }

    /// What functions see, with a way to read environment variables that the caller keeps.
    pub fn functions<'a>(
        &'a self,
        plan_time: Timestamp,
        applying: bool,
        env: &'a (dyn Fn(&str) -> Result<String, NoVariable> + Send + Sync),
    ) -> Functions<'a> {
        let context = |base: &'a std::path::Path, env| Context {
            base,
            files: &DirFiles,
            plan_time: Some(plan_time),
            now: applying.then_some(plan_time),
            env,
            templates: Some(&TEMPLATES),
        };
        let project = match &self.config.project {
            Some(project) => project.dir.as_path(),
            None => self.config.working_dir.as_path(),
        };
        Functions {
            project: context(project, Some(env)),
            layers: self.config.layers.iter().map(|layer| context(&layer.dir, None)).collect(),
        }
    }

    /// The environment variables that the project may read.
    pub fn env(&self) -> impl Fn(&str) -> Result<String, NoVariable> + Send + Sync + '_ {
        |name: &str| self.env.get(name).map(str::to_owned)
    }

    /// The indexes of the layers a run may change, sorted by state key: the order in which they are locked.
    pub fn writable(&self, options: &RunOptions) -> Vec<usize> {
        let wanted = |index: &usize| options.layer.as_ref().is_none_or(|name| self.config.layers[*index].name == *name);
        let mut layers: Vec<usize> = (0..self.handles.len()).filter(wanted).collect();
        layers.sort_by(|a, b| self.handles[*a].key().cmp(self.handles[*b].key()));
        layers
    }
}

type GraphCell = OnceLock<Outcome<Arc<Graph>>>;

fn graph_of(cell: &GraphCell, config: &Config) -> Outcome<Arc<Graph>> {
    let build = || {
        let Outcome { value, said } = crate::graph::build(config);
        Outcome { value: value.map(Arc::new), said }
    };
    cell.get_or_init(build).clone()
}

async fn read_all(handles: &[StateHandle]) -> Result<Vec<View>, Diagnostics> {
    let mut said = Diagnostics::none();
    let mut views = Vec::new();
    for read in futures::future::join_all(handles.iter().map(StateHandle::read)).await {
        match read {
            Ok(view) => views.push(view),
            Err(error) => said.push(error.diagnostic()),
        }
    }
    if said.has_errors() { Err(said) } else { Ok(views) }
}

/// The store that a state lies in, and its key there.
pub(super) fn store_of(settings: &StateSettings) -> (Arc<dyn Store>, String) {
    match settings {
        StateSettings::Local { path } => {
            let folder: PathBuf = path.parent().map(Into::into).unwrap_or_default();
            let key = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            (Arc::new(LocalStore::new(folder)), key)
        }
        StateSettings::S3(settings) => {
            let store = S3Store::new(&crate::client::s3::S3Settings {
                bucket: settings.bucket.clone(),
                region: settings.region.clone(),
                endpoint: settings.endpoint.clone(),
                use_path_style: settings.use_path_style,
                credentials: crate::client::s3::S3Credentials {
                    access_key: settings.access_key.clone(),
                    secret_key: crate::client::Secret::new(settings.secret_key.clone()),
                    session_token: settings.session_token.clone().map(crate::client::Secret::new),
                },
            });
            (Arc::new(store), settings.key.clone())
        }
    }
}
