//! Which elements of two sequences belong together.

use std::collections::HashSet;

use similar::{Algorithm, DiffOp, capture_diff_slices};

use crate::value::Value;

/// One place in a drawn sequence: an index before, an index after, or both.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Pairing {
    Both(usize, usize),
    Before(usize),
    After(usize),
}

/// Pairs elements of two lists. Lists of one length are paired place by place, as Terraform does, unless nothing of the old
/// one is gone; others along their longest common part, where objects that stand opposite each other are paired too.
pub(super) fn pair(before: &[Value], after: &[Value]) -> Vec<Pairing> {
    let kept = || {
        let after: HashSet<&Value> = after.iter().collect();
        before.iter().all(|old| after.contains(old))
    };
    if before.len() == after.len() && (before == after || !kept()) {
        return (0..before.len()).map(|index| Pairing::Both(index, index)).collect();
    }
    let mut pairs = Vec::with_capacity(before.len().max(after.len()));
    let is_object = |value: &Value| matches!(value.bare(), Value::Object(_) | Value::Map(_));
    for gap in gaps(before, after) {
        match gap {
            Gap::Same(old, new, len) => pairs.extend((0..len).map(|at| Pairing::Both(old + at, new + at))),
            Gap::Differ(old, new) => {
                let mut new = new;
                for at in old {
                    match new.clone().next() {
                        Some(opposite) if is_object(&before[at]) && is_object(&after[opposite]) => {
                            new.next();
                            pairs.push(Pairing::Both(at, opposite));
                        }
                        _ => pairs.push(Pairing::Before(at)),
                    }
                }
                pairs.extend(new.map(Pairing::After));
            }
        }
    }
    pairs
}

/// Pairs the lines of two texts.
pub(super) fn pair_lines(before: &[&str], after: &[&str]) -> Vec<Pairing> {
    let mut pairs = Vec::new();
    for gap in gaps(before, after) {
        match gap {
            Gap::Same(old, new, len) => pairs.extend((0..len).map(|at| Pairing::Both(old + at, new + at))),
            Gap::Differ(old, new) => {
                pairs.extend(old.map(Pairing::Before));
                pairs.extend(new.map(Pairing::After));
            }
        }
    }
    pairs
}

enum Gap {
    Same(usize, usize, usize),
    Differ(std::ops::Range<usize>, std::ops::Range<usize>),
}

fn gaps<T: std::hash::Hash + Ord>(before: &[T], after: &[T]) -> Vec<Gap> {
    let mut gaps = Vec::new();
    let (mut old, mut new) = (0, 0);
    for (left, right) in common(before, after) {
        if left > old || right > new {
            gaps.push(Gap::Differ(old..left, new..right));
        }
        match gaps.last_mut() {
            Some(Gap::Same(start, _, len)) if *start + *len == left => *len += 1,
            _ => gaps.push(Gap::Same(left, right, 1)),
        }
        (old, new) = (left + 1, right + 1);
    }
    if before.len() > old || after.len() > new {
        gaps.push(Gap::Differ(old..before.len(), new..after.len()));
    }
    gaps
}

/// The places of a longest common subsequence. Of several that are as long, the one that comes first in both: Terraform's
/// choice.
fn common<T: std::hash::Hash + Ord>(before: &[T], after: &[T]) -> Vec<(usize, usize)> {
    let head = before.iter().zip(after).take_while(|(old, new)| old == new).count();
    let mut pairs: Vec<(usize, usize)> = (0..head).map(|at| (at, at)).collect();
    let (old, new) = (&before[head..], &after[head..]);
    if old.len().saturating_mul(new.len()) > LARGE {
        for op in capture_diff_slices(Algorithm::Myers, old, new) {
            if let DiffOp::Equal { old_index, new_index, len } = op {
                pairs.extend((0..len).map(|at| (head + old_index + at, head + new_index + at)));
            }
        }
        return pairs;
    }
    let width = new.len() + 1;
    let mut lengths = vec![0u32; (old.len() + 1) * width];
    let at = |row: usize, column: usize| row * width + column;
    for row in 1..=old.len() {
        for column in 1..=new.len() {
            lengths[at(row, column)] = if old[row - 1] == new[column - 1] {
                lengths[at(row - 1, column - 1)] + 1
            } else {
                lengths[at(row - 1, column)].max(lengths[at(row, column - 1)])
            };
        }
    }
    let (mut row, mut column) = (old.len(), new.len());
    while row > 0 && column > 0 {
        let here = lengths[at(row, column)];
        if lengths[at(row, column - 1)] == here {
            column -= 1;
        } else if lengths[at(row - 1, column)] == here {
            row -= 1;
        } else {
            (row, column) = (row - 1, column - 1);
            pairs.push((head + row, head + column));
        }
    }
    pairs[head..].reverse();
    pairs
}

/// From this many comparisons on, a faster search is good enough.
const LARGE: usize = 4_000_000;
