//! Which elements of two sequences belong together.

use similar::{Algorithm, DiffOp, capture_diff_slices};

use crate::value::Value;

/// One place in a drawn sequence: an index before, an index after, or both.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Pairing {
    Both(usize, usize),
    Before(usize),
    After(usize),
}

/// Pairs elements of two lists. Lists of one length are paired place by place, as Terraform does; others along their
/// longest common part, where objects that stand opposite each other are paired too.
pub(super) fn pair(before: &[Value], after: &[Value]) -> Vec<Pairing> {
    if before.len() == after.len() {
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

/// The places of a longest common subsequence. Of several that are as long, the one found from the end that leaves the
/// new sequence first: Terraform's choice.
fn common<T: std::hash::Hash + Ord>(before: &[T], after: &[T]) -> Vec<(usize, usize)> {
    let tail = before.iter().rev().zip(after.iter().rev()).take_while(|(old, new)| old == new).count();
    let (rows, columns) = (before.len() - tail, after.len() - tail);
    let mut pairs: Vec<(usize, usize)> = Vec::new();
    if rows.saturating_mul(columns) > LARGE {
        for op in capture_diff_slices(Algorithm::Myers, &before[..rows], &after[..columns]) {
            if let DiffOp::Equal { old_index, new_index, len } = op {
                pairs.extend((0..len).map(|at| (old_index + at, new_index + at)));
            }
        }
    } else {
        let width = columns + 1;
        let mut lengths = vec![0u32; (rows + 1) * width];
        for row in 1..=rows {
            for column in 1..=columns {
                let (above, left) = (lengths[(row - 1) * width + column], lengths[row * width + column - 1]);
                lengths[row * width + column] = if before[row - 1] == after[column - 1] {
                    lengths[(row - 1) * width + column - 1] + 1
                } else {
                    above.max(left)
                };
            }
        }
        let (mut row, mut column) = (rows, columns);
        while row > 0 && column > 0 {
            if before[row - 1] == after[column - 1] {
                (row, column) = (row - 1, column - 1);
                pairs.push((row, column));
            } else if lengths[(row - 1) * width + column] > lengths[row * width + column - 1] {
                row -= 1;
            } else {
                column -= 1;
            }
        }
        pairs.reverse();
    }
    pairs.extend((0..tail).map(|at| (rows + at, columns + at)));
    pairs
}

/// From this many comparisons on, a faster search is good enough.
const LARGE: usize = 4_000_000;
