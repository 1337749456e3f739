//! Codes of a few bits for what is frequent.

/// A code of so many bits, to be written with the lowest first. Of a symbol that does not occur it has none.
#[derive(Clone, Copy, Default)]
pub(super) struct Code {
    pub bits: u16,
    pub length: u8,
}

/// Codes for symbols that occur so often, none longer than `limit`.
pub(super) fn codes(frequencies: &[u32], limit: usize) -> Vec<Code> {
    let mut codes = vec![Code::default(); frequencies.len()];
    let mut used: Vec<(u32, usize)> = frequencies
        .iter()
        .enumerate()
        .filter(|(_, count)| **count > 0)
        .map(|(symbol, count)| (*count, symbol))
        .collect();
    if used.len() <= 2 {
        for (bits, (_, symbol)) in used.iter().enumerate() {
            codes[*symbol] = Code { bits: bits as u16, length: 1 };
        }
        return codes;
    }
    used.sort_unstable();
    let mut next = 0_u16;
    let mut rest = used.as_mut_slice();
    for (length, count) in lengths(rest, limit).into_iter().enumerate().skip(1) {
        next <<= 1;
        // What is most frequent has the shortest codes; among codes of a length the order is that of the symbols.
        let (rarer, group) = rest.split_at_mut(rest.len() - count);
        group.sort_unstable_by_key(|(_, symbol)| *symbol);
        for (_, symbol) in group {
            codes[*symbol] = Code { bits: next.reverse_bits() >> (16 - length), length: length as u8 };
            next += 1;
        }
        rest = rarer;
    }
    codes
}

/// How many codes of each length there are: package-merge. Of a leaf and a package of the same frequency the package comes
/// first; that decides between codes that are equally good.
fn lengths(leaves: &[(u32, usize)], limit: usize) -> Vec<usize> {
    /// A frequency, and how many leaves were taken on this level and below, from the level of the item down.
    type Item = (u32, Vec<usize>);
    let limit = limit.min(leaves.len() - 1);
    let mut row: Vec<Item> = Vec::new();
    for _ in 0..limit {
        // Of a package the second part says how far the level below is used: items are taken in order.
        let mut packages = row.chunks_exact(2).map(|pair| (pair[0].0 + pair[1].0, &pair[1].1)).peekable();
        let mut next: Vec<Item> = Vec::with_capacity(leaves.len() * 2);
        let (mut taken, mut below) = (0, Vec::new());
        while next.len() < 2 * leaves.len() - 2 {
            let leaf = leaves.get(taken).map(|(count, _)| *count);
            // The first two items of a level are leaves.
            let is_leaf_first = |package: u32| leaf.is_some_and(|leaf| taken < 2 || leaf < package);
            let frequency = match packages.next_if(|(package, _)| !is_leaf_first(*package)) {
                Some((package, used)) => {
                    below.clone_from(used);
                    package
                }
                None => match leaf {
                    Some(leaf) => {
                        taken += 1;
                        leaf
                    }
                    None => break,
                },
            };
            next.push((frequency, std::iter::once(taken).chain(below.iter().copied()).collect()));
        }
        row = next;
    }
    // A leaf that was taken on so many levels has a code of that length.
    let taken = row.pop().map(|(_, taken)| taken).unwrap_or_default();
    let mut counts = vec![0; limit + 1];
    for (level, here) in taken.iter().enumerate() {
        counts[level + 1] = here - taken.get(level + 1).copied().unwrap_or(0);
    }
    counts
}
