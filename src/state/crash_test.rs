//! Kills a run at each of its writes, and looks at what is left.
//!
//! A run makes, changes and removes objects of a small world outside, as the engine does: the intent first, then the call,
//! then its result. Whatever happens: what was acknowledged is seen by the next reader; a call that was started has either its
//! result in state or its intent open; a run that settles the open intents by looking at the world and then finishes leaves a
//! state that equals the world, and no journal.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::commit::{self, Commit, Outgrown};
use super::commit_test::{intent, layer, object, provider, run, slot};
use super::lock::Lease;
use super::store::Store;
use super::store::memory_test::{Fault, Memory, Objects};
use super::{Finished, OutputState, Record, Settlement, State, StateError, StateHandle};
use crate::change::Step;
use crate::value::Value;

const KEY: &str = "k3s/data-dev.tfstate";

/// The world outside and what the program was told about it.
#[derive(Default)]
struct World {
    /// Objects that exist, by slot.
    objects: BTreeMap<u64, String>,
    /// Results that were acknowledged as durable, by slot; `None` is a removal.
    acknowledged: BTreeMap<u64, Option<String>>,
    /// Calls that were started and whose result was not acknowledged.
    started: BTreeSet<u64>,
    /// Outputs that were acknowledged.
    outputs: BTreeMap<String, String>,
    calls: u64,
}

type Shared = Arc<Mutex<World>>;

fn with<T>(world: &Shared, act: impl FnOnce(&mut World) -> T) -> T {
    act(&mut world.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
}

/// One action, as the engine does it. Ends with the process.
async fn act(commit: Commit, store: Arc<Memory>, world: Shared, index: u64, remove: bool) -> Result<(), StateError> {
    let (step, nonce, prior) = with(&world, |world| {
        world.calls += 1;
        let prior = world.objects.get(&index).cloned();
        let step = match (&prior, remove) {
            (None, _) => Step::Create,
            (Some(_), true) => Step::Delete,
            (Some(_), false) => Step::Update,
        };
        (step, format!("nonce-{}", world.calls), prior)
    });
    if prior.is_none() && remove {
        return Ok(());
    }
    commit.append(Record::new().open(intent(index, &nonce, step))).await?;
    // Only a living process calls; between the two there is no instant at which it could be killed unnoticed.
    if store.is_killed() {
        return Ok(());
    }
    let now = with(&world, |world| {
        world.started.insert(index);
        match step {
            Step::Delete => world.objects.remove(&index).and(None),
            Step::Create | Step::Update => {
                world.objects.insert(index, nonce.clone());
                Some(nonce.clone())
            }
        }
    });
    tokio::task::yield_now().await;
    let record = Record::new().close(nonce);
    let record = match &now {
        Some(id) => record.put(slot(index), provider(), object(id)),
        None => record.remove(slot(index)),
    };
    commit.append(record).await?;
    with(&world, |world| {
        world.started.remove(&index);
        world.acknowledged.insert(index, now);
    });
    Ok(())
}

/// What a run does: some actions at the same time, then some more, and an output in between.
async fn perform(commit: &Commit, store: &Arc<Memory>, world: &Shared, rng: &mut StdRng) -> Result<(), StateError> {
    for _ in 0..3 {
        let mut slots = BTreeSet::new();
        for _ in 0..rng.random_range(1..4) {
            slots.insert(rng.random_range(0..6));
        }
        let tasks: Vec<_> = slots
            .into_iter()
            .map(|index| tokio::spawn(act(commit.clone(), store.clone(), world.clone(), index, rng.random_bool(0.3))))
            .collect();
        let mut failed = None;
        for task in tasks {
            if let Ok(Err(error)) = task.await {
                failed = Some(error);
            }
        }
        if let Some(error) = failed {
            return Err(error);
        }
        let value = format!("v{}", rng.random_range(0..100));
        let output = OutputState { value: Value::from(value.as_str()), sensitive: false };
        commit.append(Record::new().output("o", Some(output))).await?;
        with(world, |world| world.outputs.insert("o".into(), value));
    }
    Ok(())
}

fn handle(store: &Arc<Memory>) -> StateHandle {
    StateHandle::new(store.clone() as Arc<dyn Store>, KEY, layer())
}

/// A whole run: takes over, settles what is open by looking at the world, acts, finishes.
async fn whole_run(store: &Arc<Memory>, id: &str, world: &Shared, rng: &mut StdRng) -> Result<Finished, StateError> {
    let view = handle(store).read().await?;
    let open = view.open.clone();
    // Small limits, so that some snapshots are written in the middle.
    let outgrown = Outgrown { bytes: rng.random_range(200..4000), pieces: 1000 };
    let commit =
        commit::begin(store.clone() as Arc<dyn Store>, KEY, view, run(id), Lease::unlimited(), outgrown).await?;
    for intent in open {
        let index = match &intent.intent.addr.key {
            Some(crate::addr::InstanceKey::Int(index)) => *index,
            _ => unreachable!(),
        };
        let there = with(world, |world| world.objects.get(&index).cloned());
        let settled = there.map_or(Settlement::Absent, |id| Settlement::Found((*object(&id)).clone()));
        commit.append(intent.settle(settled)).await?;
        with(world, |world| {
            let there = world.objects.get(&index).cloned();
            world.started.remove(&index);
            world.acknowledged.insert(index, there);
        });
    }
    perform(&commit, store, world, rng).await?;
    commit.finish().await
}

fn seen(state: &State) -> BTreeMap<u64, String> {
    let mut seen = BTreeMap::new();
    for placed in state.objects() {
        let Some(crate::addr::InstanceKey::Int(index)) = placed.key else { unreachable!() };
        let id = placed.object.attributes.trim_start_matches("{\"id\":\"").trim_end_matches("\"}").to_owned();
        assert!(seen.insert(*index, id).is_none(), "slot {index} is there twice");
    }
    seen
}

/// What a fresh reader must see, whatever happened before.
async fn check(objects: &Objects, world: &Shared, context: &str) {
    let view = match handle(&Memory::new(objects)).read().await {
        Ok(view) => view,
        Err(error) => panic!("{context}: {error}"),
    };
    assert!(view.conflicts.is_empty(), "{context}: {:?}", view.conflicts);
    let seen = seen(&view.state);
    let mut nonces = BTreeSet::new();
    for open in &view.open {
        assert!(nonces.insert(open.intent.nonce.clone()), "{context}: an intent is there twice");
    }
    let open: BTreeSet<u64> = view
        .open
        .iter()
        .map(|open| match &open.intent.addr.key {
            Some(crate::addr::InstanceKey::Int(index)) => *index,
            _ => unreachable!(),
        })
        .collect();
    with(world, |world| {
        for (index, id) in &world.acknowledged {
            let there = seen.get(index);
            let now = world.objects.get(index);
            // A later result may have become durable without its acknowledgement.
            assert!(
                there == id.as_ref() || (world.started.contains(index) && there == now),
                "{context}: slot {index} was acknowledged as {id:?} and is seen as {there:?}"
            );
        }
        for index in &world.started {
            assert!(
                open.contains(index) || seen.get(index) == world.objects.get(index),
                "{context}: the call on slot {index} is neither open nor in state"
            );
        }
        for index in world.objects.keys().chain(seen.keys()) {
            let same = seen.get(index) == world.objects.get(index);
            assert!(same || open.contains(index), "{context}: slot {index} differs and nobody knows");
        }
        assert!(!world.outputs.contains_key("o") || view.state.outputs.contains_key("o"), "{context}: output lost");
    });
}

/// Runs with a fault, then looks, then runs until one run finishes; gives the number of writes of the first run.
async fn story(seed: u64, fault: Option<(u64, Fault)>, second: Option<(u64, Fault)>) -> u64 {
    let context = format!("seed {seed}, {fault:?}, then {second:?}");
    let objects = Objects::default();
    let world = Shared::default();
    let mut rng = StdRng::seed_from_u64(seed);
    // A state that is already there in half of the cases.
    if seed % 2 == 1
        && let Err(error) = whole_run(&Memory::new(&objects), "r0", &world, &mut rng).await
    {
        panic!("{context}: {error}");
    }
    let mut writes = 0;
    for (number, fault) in [fault, second, None].into_iter().enumerate() {
        let store = Memory::failing(&objects, fault);
        let ended = whole_run(&store, &format!("r{}", number + 1), &world, &mut rng).await;
        if number == 0 {
            writes = store.writes();
        }
        let finished = ended.is_ok();
        assert!(finished || fault.is_some(), "{context}: {:?}", ended.err());
        // A process that goes on after a lost answer may still be at work; the story is about what is left of it.
        store.kill();
        check(&objects, &world, &format!("{context}, after run {}", number + 1)).await;
        if finished && fault.is_none() {
            break;
        }
    }
    let view = match handle(&Memory::new(&objects)).read().await {
        Ok(view) => view,
        Err(error) => panic!("{context}: {error}"),
    };
    assert_eq!(seen(&view.state), with(&world, |world| world.objects.clone()), "{context}");
    assert!(view.open.is_empty(), "{context}: {:?}", view.open);
    let keys: Vec<String> = with_keys(&objects);
    assert_eq!(keys, [KEY], "{context}: something is left over");
    writes
}

fn with_keys(objects: &Objects) -> Vec<String> {
    objects.lock().unwrap_or_else(std::sync::PoisonError::into_inner).keys().cloned().collect()
}

const FAULTS: [Fault; 4] = [Fault::KilledBefore, Fault::KilledAfter, Fault::AnswerLost, Fault::Refused];

#[tokio::test]
async fn a_run_killed_at_any_write_loses_and_doubles_nothing() {
    for seed in 0..6 {
        let writes = story(seed, None, None).await;
        assert!(writes > 5, "the run hardly writes");
        for at in 0..writes {
            for fault in FAULTS {
                story(seed, Some((at, fault)), None).await;
            }
        }
    }
}

#[tokio::test]
async fn a_recovery_killed_at_any_write_loses_and_doubles_nothing() {
    let mut rng = StdRng::seed_from_u64(7);
    for _ in 0..250 {
        let fault = |rng: &mut StdRng| Some((rng.random_range(0..16), FAULTS[rng.random_range(0..4)]));
        let (first, second) = (fault(&mut rng), fault(&mut rng));
        story(rng.random_range(0..1000), first, second).await;
    }
}
