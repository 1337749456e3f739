//! `infra providers` and the commands below it

use std::collections::BTreeSet;

use crate::addr::ProviderSource;
use crate::config::Module;
use crate::diag::{Diagnostic, Diagnostics};
use crate::ops::Session;
use crate::view;

use super::args::{ProvidersArgs, ProvidersCommand, SelectArgs};
use super::exit::Exit;
use super::project::{Call, wants};
use super::terminal::Terminal;

/// Runs `providers`, or a command below it.
pub(super) async fn run(call: &Call, args: &ProvidersArgs) -> Exit {
    let select = match &args.command {
        None => &args.select,
        Some(ProvidersCommand::Schema(args)) => &args.select,
        Some(ProvidersCommand::Lock(args)) => &args.select,
        Some(ProvidersCommand::Mirror(args)) => &args.select,
    };
    let terminal = Terminal::new(&select.look, None);
    let mut said = Diagnostics::none();
    let text = match open(call, args, select, &mut said) {
        None => None,
        Some(session) => match &args.command {
            None => tree(&session, select, &mut said).await,
            Some(ProvidersCommand::Schema(_)) => schema(&session, &mut said).await,
            Some(ProvidersCommand::Lock(args)) => Some(nothing(&session, "lock", &args.sources)),
            Some(ProvidersCommand::Mirror(_)) => Some(nothing(&session, "mirror", &[])),
        },
    };
    terminal.say_aside(&said, &call.sources);
    match text.filter(|_| !said.has_errors()) {
        Some(text) => {
            terminal.print(&text);
            Exit::Done
        }
        None => Exit::Failed,
    }
}

/// The schemas of what state holds can be shown without a configuration that loads.
fn open(call: &Call, args: &ProvidersArgs, select: &SelectArgs, said: &mut Diagnostics) -> Option<Session> {
    let mut wrong = Diagnostics::none();
    let session = call.open(call.load(select), select).take(&mut wrong);
    if session.is_some() || !matches!(args.command, Some(ProvidersCommand::Schema(_))) {
        said.append(wrong);
        return session;
    }
    call.open(call.load_state(select), select).take(said)
}

async fn tree(session: &Session, select: &SelectArgs, said: &mut Diagnostics) -> Option<String> {
    let prefixes = session.config.prefixes_layers();
    let layers = session.config.layers.iter().filter(|layer| wants(select, &layer.name));
    let layers: Vec<(Option<String>, &Module)> =
        layers.map(|layer| (prefixes.then(|| format!("layer.{}", layer.name)), &*layer.root)).collect();
    let stored = stored(session, said).await?;
    let stored: Vec<(String, Vec<String>)> = stored
        .into_iter()
        .map(|(layer, sources)| {
            let layer = if prefixes { format!("layer.{layer}") } else { String::new() };
            (layer, sources.iter().map(ToString::to_string).collect())
        })
        .collect();
    Some(view::providers_tree(&layers, &stored))
}

/// The providers that made the objects of each state.
async fn stored(session: &Session, said: &mut Diagnostics) -> Option<Vec<(String, BTreeSet<ProviderSource>)>> {
    match session.states().await {
        Ok(states) => {
            let of =
                |state: &crate::state::State| state.objects().map(|placed| placed.provider.source.clone()).collect();
            Some(states.iter().map(|state| (state.layer.to_string(), of(state))).collect())
        }
        Err(errors) => {
            said.append(errors);
            None
        }
    }
}

/// Every provider that the configuration or state mentions.
pub(super) fn mentioned(session: &Session) -> BTreeSet<ProviderSource> {
    let mut found = BTreeSet::new();
    let mut left: Vec<&Module> = session.config.layers.iter().map(|layer| &*layer.root).collect();
    while let Some(module) = left.pop() {
        found.extend(module.required_providers.values().map(|required| required.source.clone()));
        found.extend(module.resources.values().map(|resource| module.provider_source(&resource.provider.local)));
        found.extend(module.providers.iter().map(|provider| module.provider_source(&provider.local)));
        left.extend(module.calls.values().map(|call| &*call.module));
    }
    let shared = session.config.shared_providers.iter();
    found.extend(shared.map(|provider| ProviderSource::implied(provider.local.as_str())));
    found
}

async fn schema(session: &Session, said: &mut Diagnostics) -> Option<String> {
    let mut sources = mentioned(session);
    sources.extend(stored(session, said).await?.into_iter().flat_map(|(_, sources)| sources));
    let mut providers = Vec::new();
    for source in sources {
        match session.registry.provider(&source) {
            Some(provider) => providers.push((source.to_string(), provider)),
            None => said.push(Diagnostic::error(
                "Provider not available",
                format!("{source} is not part of this program: nobody can say what it takes."),
            )),
        }
    }
    let schemas = providers.iter().map(|(source, provider)| (source.clone(), provider.schema()));
    Some(format!("{}\n", view::provider_schemas_json(schemas)))
}

/// Why there is nothing to do.
fn nothing(session: &Session, what: &str, only: &[String]) -> String {
    let only: Vec<ProviderSource> = only.iter().filter_map(|text| ProviderSource::parse(text)).collect();
    let asked = |source: &ProviderSource| only.is_empty() || only.iter().any(|one| one.is_same(source));
    let mut out = String::new();
    for source in mentioned(session).into_iter().filter(asked) {
        let how = match session.registry.provider(&source) {
            Some(_) => "is part of this program",
            None => "is not available to this program",
        };
        out.push_str(&format!("- {source} {how}\n"));
    }
    out.push_str(&format!(
        "\nThere is nothing to {what}: providers are part of this program and are not downloaded, so that their version is the \
         program's. A .terraform.lock.hcl that is there stays as it is, for Terraform.\n"
    ));
    out
}
