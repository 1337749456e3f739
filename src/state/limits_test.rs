//! What is written is read: states and journals with random values at the limits of depth, size, numbers and texts.

use std::borrow::Cow;

use bytes::Bytes;

use super::commit_test::{layer, provider, slot};
use super::journal::{Line, encode_record, read_pieces};
use super::{Object, OutputState, Record, State, format};
use crate::threads::with_stack;
use crate::value::{
    Entries, MAX_DEPTH, Number, Str, Type, Value, from_json_typed, normalised, to_json_typed, type_from_json,
    type_to_json,
};

/// A row of numbers that is the same in every run (splitmix64).
struct Row(u64);

impl Row {
    fn next(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % below as u64) as usize
    }

    fn text(&mut self) -> Str {
        const PARTS: &[&str] = &[
            "",
            "\0",
            "\u{1}",
            "\u{1f}",
            "\"",
            "\\",
            "/",
            "\n\r\t",
            "\u{7f}",
            "<>&",
            "\u{2028}\u{2029}",
            "\u{d7ff}",
            "\u{e000}",
            "\u{fffd}",
            "\u{feff}",
            "\u{ffff}",
            "😀",
            "\u{10ffff}",
            "e\u{301}",
            "${a}%{",
            "value",
            "type",
            "x",
        ];
        let mut text = String::new();
        for _ in 0..self.next(4) {
            text.push_str(PARTS[self.next(PARTS.len())]);
        }
        if self.next(50) == 0 {
            text = text.repeat(20_000);
        }
        normalised(Cow::Owned(text)).as_ref().into()
    }

    fn number(&mut self) -> Value {
        const TEXTS: &[&str] = &[
            "0",
            "-0",
            "1",
            "-1",
            "0.1",
            "1e-320",
            "1e400",
            "-1e400",
            "1e30000",
            "1e-30000",
            "18446744073709551616",
            "-9223372036854775808",
            "9223372036854775807",
            "123456789012345678901234567890.125",
            "0.30000000000000004",
            "3.14159265358979323846264338327950288419716939937510582097494459230781640628620899862803482534211706798",
        ];
        Value::Number(Number::parse(TEXTS[self.next(TEXTS.len())]).unwrap())
    }

    fn value(&mut self, levels: usize) -> Value {
        let parts = if levels == 0 { 0 } else { self.next(4) };
        match self.next(if levels == 0 { 4 } else { 8 }) {
            0 => Value::Bool(self.next(2) == 0),
            1 => self.number(),
            2 => Value::string(self.text()),
            3 => Value::Null([Type::Any, Type::String, Type::list(Type::Number)][self.next(3)].clone()),
            4 => Value::list(Type::String, (0..parts).map(|_| Value::string(self.text())).collect()),
            5 => Value::map(Type::Number, (0..parts).map(|_| (self.text(), self.number())).collect::<Entries>()),
            6 => Value::Object((0..parts).map(|_| (self.text(), self.value(levels - 1))).collect()),
            _ => Value::tuple((0..parts).map(|_| self.value(levels - 1)).collect::<Vec<_>>()),
        }
    }

    /// A value inside so many others.
    fn deep(&mut self, levels: usize) -> Value {
        (0..levels).fold(self.value(2), |inner, _| match self.next(3) {
            0 => Value::Object([(self.text(), inner)].into_iter().collect()),
            1 => Value::tuple(vec![inner]),
            _ => Value::tuple(vec![Value::int(1), inner, Value::string(self.text())]),
        })
    }
}

/// The type of the objects: one attribute that takes every value.
fn ty() -> Type {
    Type::object([("input", Type::Any)])
}

fn check(value: &Value) {
    // Nulls of a type inside of tuples and objects are written with the type of the whole.
    let ty = ty();
    let whole = Value::object([("input", value.clone())]);
    let text = to_json_typed(&whole, &ty).unwrap();
    let own = value.ty();
    assert_eq!(type_from_json(type_to_json(&own).as_bytes()).as_ref(), Ok(&own));
    let output = OutputState { value: value.clone(), sensitive: false };
    let object = std::sync::Arc::new(Object { private: Bytes::from_static(b"\0\xff"), ..Object::new(0, text) });
    let record = Record::new().put(slot(0), provider(), object).output("o", Some(output));

    let bytes = encode_record(&layer(), &record).unwrap();
    let lines = read_pieces(&layer(), &[(0, bytes.into())]).unwrap();
    assert_eq!(lines, [(0, Line::Record(Box::new(record.clone())))]);

    let mut state = State::empty(layer());
    record.apply(&mut state, &mut Vec::new());
    let mut bytes = Vec::new();
    format::write(&state, &mut bytes).unwrap();
    let read = format::read(&layer(), &bytes).unwrap();
    assert_eq!(read, state);
    let stored = read.object(&slot(0).addr).unwrap();
    assert_eq!(from_json_typed(stored.attributes.as_bytes(), &ty).unwrap(), whole);
}

#[test]
fn states_and_journals_with_random_values_are_read_again() {
    let done = with_stack(|| {
        for seed in 0..200 {
            let mut row = Row(seed);
            let levels = row.next(5);
            check(&row.value(levels));
        }
    });
    assert!(done.is_some());
}

#[test]
fn states_and_journals_with_deep_values_are_read_again() {
    let done = with_stack(|| {
        for (seed, levels) in [30, 63, 64, 70, 127, 128, 129, 200, 399, 400, 401, MAX_DEPTH - 3].into_iter().enumerate()
        {
            check(&Row(seed as u64).deep(levels));
        }
    });
    assert!(done.is_some());
}
