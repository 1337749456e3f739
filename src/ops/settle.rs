//! Calls whose end nobody knows: what recovery can write by itself, and what the user has to say.

use std::sync::Arc;

use crate::addr::InstanceAddr;
use crate::change::Step;
use crate::diag::{Diagnostic, Diagnostics};
use crate::event::Silent;
use crate::provider::{Recovered, Registry};
use crate::state::{Object, OpenIntent, Record, Status};
use crate::value::to_json_typed;

use super::locks::Open;
use super::session::{RunOptions, Session};

/// An object of which nobody can tell whether it exists.
#[derive(Clone, Debug)]
pub struct Uncertain {
    /// Whose.
    pub addr: InstanceAddr,
    /// What was being done.
    pub step: Step,
    /// Names the call.
    pub nonce: String,
}

/// What the user says of an uncertain object.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Settlement {
    /// It does not exist: the next apply makes it.
    Absent,
    /// It exists as it was planned: state takes it over, tainted, so that the next apply replaces what differs.
    Exists,
}

/// The record that ends an unfinished call, from what the provider could prove. `None`: nobody can tell.
pub(super) fn record_of(open: &OpenIntent, answer: Option<&Recovered>, registry: &Registry) -> Option<Record> {
    let intent = &open.intent;
    let record = Record::new().close(intent.nonce.clone());
    match (intent.step, answer) {
        // The object is in state under its prior form: reading it tells what became of it.
        (Step::Update | Step::Delete, _) => Some(record),
        (Step::Create, Some(Recovered::Absent)) => Some(record),
        (Step::Create, Some(Recovered::Found { value, private, complete })) => {
            let kind = registry.provider(&open.provider.source)?;
            let schema = kind.schema().resources.get(intent.addr.resource.kind.as_str())?;
            let stored = crate::schema::write_only_null(&schema.block, value);
            let attributes = to_json_typed(&stored, &schema.ty()).ok()?;
            let mut object: Object = open.object(schema.version, attributes.into());
            object.private = private.clone().into();
            // What was found may have been cut off before it was whole, or before what was waited for had come.
            let whole = *complete && value.is_wholly_known();
            object.status = if whole { Status::Ready } else { Status::Tainted };
            Some(record.put(open.slot(), open.provider.clone(), Arc::new(object)))
        }
        (Step::Create, Some(Recovered::CannotTell(_)) | None) => None,
    }
}

/// The uncertain objects of all layers.
///
/// # Errors
/// When a state cannot be read.
pub async fn uncertain(session: &Session) -> Result<Vec<Uncertain>, Diagnostics> {
    let views = session.views().await?;
    let open = views.iter().flat_map(|view| view.open.iter());
    let describe = |open: &OpenIntent| Uncertain {
        addr: open.intent.addr.clone(),
        step: open.intent.step,
        nonce: open.intent.nonce.clone(),
    };
    Ok(open.map(describe).collect())
}

/// Writes what the user says of an uncertain object.
///
/// # Errors
/// When nothing is uncertain at that address, or state cannot be written.
pub async fn settle(
    session: &Session,
    options: &RunOptions,
    addr: &InstanceAddr,
    settlement: Settlement,
) -> Result<(), Diagnostics> {
    let open = Open::take(session, options, "state settle", &Silent).await?;
    let result = write(session, &open, addr, settlement).await;
    let finished = open.finish().await;
    let mut said = match result {
        Ok(()) => Diagnostics::none(),
        Err(said) => said,
    };
    said.append(finished);
    if said.has_errors() { Err(said) } else { Ok(()) }
}

async fn write(session: &Session, open: &Open, addr: &InstanceAddr, settlement: Settlement) -> Result<(), Diagnostics> {
    let found = open.views.iter().flat_map(|view| &view.open).find(|open| open.intent.addr == *addr);
    let Some(intent) = found else {
        return Err(Diagnostic::error(
            "Nothing is uncertain there",
            format!("No unfinished call is known for {addr}. infra state uncertain lists them."),
        )
        .into());
    };
    let commit = session.config.layer_index(&addr.layer).and_then(|layer| open.commits[layer].as_ref());
    let Some(commit) = commit else {
        return Err(Diagnostic::error(
            "State is not open for writing",
            format!("Layer {} is not part of this run.", addr.layer),
        )
        .into());
    };
    let mut record = Record::new().close(intent.intent.nonce.clone());
    if settlement == Settlement::Exists {
        let mut object = intent.object(intent.intent.schema_version, intent.intent.object.clone());
        object.status = Status::Tainted;
        record = record.put(intent.slot(), intent.provider.clone(), Arc::new(object));
    }
    commit.append(record).await.map_err(|error| Diagnostics::from(error.diagnostic()))
}
