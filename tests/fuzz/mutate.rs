//! Small changes to an input, in an order that a seed decides.

use std::path::Path;

/// Bytes that mean something somewhere.
const HOSTILE: &[u8] = b" \n\"'{}[]()$%~.,:=0a\xff\0";

/// Makes new inputs from old ones.
pub struct Mutator {
    state: u64,
    words: Vec<Vec<u8>>,
}

impl Mutator {
    /// `words` are put in here and there.
    pub fn new(seed: u64, words: Vec<Vec<u8>>) -> Self {
        Mutator { state: seed, words }
    }

    /// A number below `limit`, or zero.
    fn below(&mut self, limit: usize) -> usize {
        // splitmix64: short, and the same for all time.
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % limit.max(1) as u64) as usize
    }

    /// A range within so many bytes.
    fn range(&mut self, length: usize) -> std::ops::Range<usize> {
        let start = self.below(length + 1);
        let most = (length - start).min(64);
        start..start + self.below(most + 1)
    }

    /// The input with a few changes.
    pub fn mutated(&mut self, input: &[u8], others: &[Vec<u8>]) -> Vec<u8> {
        let mut out = input.to_vec();
        for _ in 0..=self.below(4) {
            let range = self.range(out.len());
            match self.below(7) {
                0 => {
                    out.drain(range);
                }
                1 if !range.is_empty() => out[range.start] ^= 1 << self.below(8),
                2 if !range.is_empty() => out[range.start] = HOSTILE[self.below(HOSTILE.len())],
                3 => {
                    // The same again, several times.
                    let part = out[range.clone()].repeat(1 + self.below(20));
                    out.splice(range.start..range.start, part);
                }
                4 if !self.words.is_empty() => {
                    let word = self.below(self.words.len());
                    out.splice(range, self.words[word].iter().copied());
                }
                5 => {
                    let other = self.below(others.len());
                    let part = self.range(others[other].len());
                    out.splice(range, others[other][part].iter().copied());
                }
                _ => out.truncate(range.end.max(out.len() / 2)),
            }
        }
        out
    }
}

/// The words of a dictionary of libFuzzer: a quoted text a line, with `\xHH` for what is not plain.
pub fn words(path: &Path) -> Vec<Vec<u8>> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().filter_map(|line| line.strip_prefix('"')?.strip_suffix('"')).map(word).collect()
}

fn word(escaped: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut parts = escaped.split("\\x");
    out.extend(parts.next().unwrap_or_default().bytes());
    for part in parts {
        out.push(u8::from_str_radix(&part[..2], 16).unwrap());
        out.extend(part[2..].bytes());
    }
    out
}
