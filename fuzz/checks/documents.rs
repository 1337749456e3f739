//! Files that the program has written itself, or that somebody else put in their place.

use bytes::Bytes;
use infra::addr::LayerName;
use infra::ops::{RunOptions, parse_saved};
use infra::state::format::{self, FormatError};
use infra::state::{Line, State, encode_record, frame, read_pieces};
use infra::value::{from_json, type_of_json};

fn layer() -> LayerName {
    LayerName::from("data")
}

/// A state that is read is written and read again as it was.
pub fn state(input: &[u8]) {
    let Ok(state) = format::read(&layer(), input) else { return };
    round(&state);
    for placed in state.objects() {
        // Whoever shows an object reads its attributes.
        let _value = from_json(placed.object.attributes.as_bytes());
        let _type = type_of_json(placed.object.attributes.as_bytes());
    }
}

fn round(state: &State) {
    let mut bytes = Vec::new();
    format::write(state, &mut bytes).unwrap_or_else(|error| panic!("not written: {error}"));
    let again: Result<State, FormatError> = format::read(&layer(), &bytes);
    let again = again.unwrap_or_else(|error| panic!("not read again: {error}\n{}", String::from_utf8_lossy(&bytes)));
    assert!(again == *state, "it changed on the way: {}", String::from_utf8_lossy(&bytes));
}

/// A plan file is read, or it is said why not; so are the options in it.
pub fn plan(input: &[u8]) {
    let Ok(saved) = parse_saved(input) else { return };
    let run = RunOptions::new(infra_time());
    let _options = saved.options(&run);
}

fn infra_time() -> jiff::Timestamp {
    jiff::Timestamp::UNIX_EPOCH
}

/// A log is read as it is, and as if every line in it had the right checksum; what is read can be folded, written and read.
pub fn journal(input: &[u8]) {
    let _as_it_is = read_pieces(&layer(), &[(0, Bytes::copy_from_slice(input))]);
    let framed: Vec<u8> = input.split(|byte| *byte == b'\n').flat_map(frame).collect();
    let Ok(lines) = read_pieces(&layer(), &[(0, Bytes::from(framed))]) else { return };
    let (mut state, mut open) = (State::empty(layer()), Vec::new());
    for (_, line) in lines {
        let Line::Record(record) = line else { continue };
        let bytes = encode_record(&layer(), &record).unwrap_or_else(|error| panic!("not written: {error}"));
        let again = read_pieces(&layer(), &[(0, Bytes::from(bytes.clone()))]);
        let again =
            again.unwrap_or_else(|error| panic!("not read again: {error}: {}", String::from_utf8_lossy(&bytes)));
        let [(0, Line::Record(read))] = &again[..] else { panic!("no single record: {again:?}") };
        assert_eq!(read, &record, "it changed on the way");
        record.apply(&mut state, &mut open);
        let once = (state.clone(), open.clone());
        record.apply(&mut state, &mut open);
        assert!(once == (state.clone(), open.clone()), "applying a record twice is not applying it once");
    }
    round(&state);
}
