//! Records survive being written, torn and damaged.

use std::sync::Arc;

use bytes::Bytes;

use super::line::{Base, Head, Line, Seal, Taken};
use super::{JournalError, Record, encode_head, encode_record, encode_seal, read_pieces};
use crate::addr::{
    DeposedKey, InstanceKey, LayerName, ModuleInstance, ModuleStep, Name, ProviderConfigAddr, ProviderSource,
    ResourceAddr,
};
use crate::change::{Intent, Step};
use crate::state::commit_test::{intent, layer, provider, put, run, slot};
use crate::state::model::{Object, OutputState, Slot, State, Status};
use crate::state::{OpenIntent, Settlement};
use crate::value::{Path, Step as PathStep, Value};

/// A record that uses every field.
fn full() -> Record {
    let module: ModuleInstance =
        [ModuleStep { name: "m".into(), key: Some(InstanceKey::Str("a\"b\nc".into())) }].into_iter().collect();
    let addr = ResourceAddr::managed("kubernetes_secret", "s").instance(layer(), module, Some(InstanceKey::Int(3)));
    let deposed = Slot { addr: addr.clone(), deposed: Some(DeposedKey("0badcafe".into())) };
    let other = ProviderConfigAddr {
        layer: Some(layer()),
        module: [Name::from("m")].into_iter().collect(),
        source: ProviderSource::implied("kubernetes"),
        alias: Some("west".into()),
        key: None,
    };
    let object = Object {
        sensitive: vec![[PathStep::Attribute("data".into()), PathStep::Key("k".into())].into_iter().collect()],
        private: Bytes::from_static(b"\x00notes\xff"),
        dependencies: intent(1, "", Step::Create).intent.addr.config().clone_into_list(),
        create_before_destroy: true,
        status: Status::Tainted,
        identity_schema_version: Some(1),
        identity: Some("{\"uid\":\"1\"}".into()),
        ..Object::new(7, "{\"data\":{\"k\":\"\\u0000é\"}}")
    };
    let open = OpenIntent {
        intent: Intent {
            addr,
            deposed: Some(DeposedKey("0badcafe".into())),
            step: Step::Delete,
            nonce: "n\"1".into(),
            schema_version: 2,
            object: "{\"id\":\"x\"}".into(),
        },
        provider: other.clone(),
        dependencies: object.dependencies.clone(),
        create_before_destroy: true,
        sensitive: vec![Path::attribute("data")],
    };
    Record {
        check_results: Some("[1]".into()),
        ..Record::new()
            .open(open)
            .open(intent(0, "n2", Step::Update))
            .close("n0")
            .remove(slot(4))
            .put(deposed, other, Arc::new(object))
            .output("gone", None)
            .output("o", Some(OutputState { value: Value::from("a \"b\""), sensitive: true }))
    }
}

trait IntoList<T> {
    fn clone_into_list(&self) -> Arc<[T]>;
}

impl<T: Clone> IntoList<T> for T {
    fn clone_into_list(&self) -> Arc<[T]> {
        Arc::new([self.clone()])
    }
}

fn head() -> Head {
    Head {
        run: run("r1"),
        base: Base { serial: 3, hash: "ab".into(), lineage: "l".into() },
        takes: vec![Taken { serial: 3, run: "r0".into(), pieces: 4 }],
        ahead: true,
    }
}

fn log() -> (Vec<u8>, Vec<Line>) {
    let records = [full(), put(1, "x")];
    let mut bytes = encode_head(&head());
    let mut lines = vec![Line::Head(head())];
    for record in records {
        bytes.extend(encode_record(&layer(), &record).unwrap());
        lines.push(Line::Record(Box::new(record)));
    }
    let seal = Seal { serial: 4, hash: "cd".into() };
    bytes.extend(encode_seal(&seal));
    lines.push(Line::Seal(seal));
    (bytes, lines)
}

fn read(bytes: &[u8]) -> Result<Vec<Line>, JournalError> {
    let lines = read_pieces(&layer(), &[(0, Bytes::copy_from_slice(bytes))])?;
    Ok(lines.into_iter().map(|(_, line)| line).collect())
}

#[test]
fn what_is_recorded_is_read_again() {
    let (bytes, lines) = log();
    assert_eq!(read(&bytes).unwrap(), lines);
    assert!(
        String::from_utf8(bytes).unwrap().lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok())
    );
}

#[test]
fn a_torn_end_is_left_out_wherever_it_is_torn() {
    let (bytes, lines) = log();
    for length in 0..bytes.len() {
        let whole = bytes[..length].iter().filter(|byte| **byte == b'\n').count();
        assert_eq!(read(&bytes[..length]).unwrap(), lines[..whole], "torn after {length} bytes");
        // A power failure may leave zeros where the rest should be.
        let zeros = [&bytes[..length], &[0; 600]].concat();
        assert_eq!(read(&zeros).unwrap(), lines[..whole], "zeros after {length} bytes");
    }
}

#[test]
fn damage_before_the_end_is_an_error() {
    let (bytes, _) = log();
    let last = bytes[..bytes.len() - 1].iter().rposition(|byte| *byte == b'\n').unwrap();
    for at in (0..last).step_by(7) {
        let mut bytes = bytes.clone();
        bytes[at] ^= 1;
        assert!(matches!(read(&bytes), Err(JournalError::Damaged { .. })), "changed byte {at}");
    }
    // A torn piece with another one behind it.
    let pieces = [(0, Bytes::from(bytes[..50].to_vec())), (1, Bytes::from(bytes.clone()))];
    assert!(matches!(read_pieces(&layer(), &pieces), Err(JournalError::Damaged { piece: 0, line: 1 })));
}

#[test]
fn lines_of_another_kind_are_not_guessed_at() {
    use sha2::{Digest, Sha256};
    let check = |line: &str| {
        let sum: String = Sha256::digest(line)[..8].iter().map(|byte| format!("{byte:02x}")).collect();
        let error = read(format!("{{\"sum\":\"{sum}\",\"line\":{line}}}\n").as_bytes()).unwrap_err();
        assert!(matches!(error, JournalError::Foreign { .. }), "{line}");
    };
    check("{}");
    check("{\"novelty\":{}}");
    check("{\"record\":{\"novelties\":[]}}");
    check("{\"record\":{\"puts\":[{\"mode\":\"managed\",\"type\":\"t\",\"name\":\"n\"}]}}");
    check(
        "{\"record\":{\"opens\":[{\"mode\":\"managed\",\"type\":\"t\",\"name\":\"n\",\"provider\":\"provider.a\",\"object\":{\"attributes\":{}}}]}}",
    );
}

#[test]
fn folding_twice_is_folding_once() {
    let mut state = State::empty(LayerName::from("data"));
    let mut open = Vec::new();
    let records = [put(4, "old"), full(), put(0, "n")];
    for record in &records {
        assert!(record.apply(&mut state, &mut open));
    }
    let (once, intents) = (state.clone(), open.clone());
    for record in &records[1..] {
        record.apply(&mut state, &mut open);
    }
    assert_eq!((&state, &open), (&once, &intents));
    assert!(!put(0, "n").apply(&mut state, &mut open), "the same again changes nothing");
}

#[test]
fn settlements_say_what_is_there() {
    let settle = |step, settlement| {
        let mut state = State::empty(layer());
        state.put(&slot(0), &provider(), Arc::new(Object::new(0, "{\"id\":\"before\"}")));
        let mut open = vec![intent(0, "n", step)];
        let record = open[0].settle(settlement);
        record.apply(&mut state, &mut open);
        assert!(open.is_empty());
        state.object(&slot(0).addr).map(|object| object.attributes.to_string())
    };
    let found = || Settlement::Found(Object::new(0, "{\"id\":\"found\"}"));
    for step in [Step::Create, Step::Update, Step::Delete] {
        assert_eq!(settle(step, found()).as_deref(), Some("{\"id\":\"found\"}"));
    }
    assert_eq!(settle(Step::Update, Settlement::Absent), None);
    assert_eq!(settle(Step::Delete, Settlement::Absent), None);
    assert_eq!(settle(Step::Create, Settlement::Absent).as_deref(), Some("{\"id\":\"before\"}"));
}
