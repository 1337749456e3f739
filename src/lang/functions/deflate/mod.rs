//! Deflate (RFC 1951) that makes the choices which Go's library makes, and so Terraform: the same text is the same bytes, and
//! moving to or from Terraform changes nothing.
//!
//! In: bytes. Out: blocks, none of which is the last.

mod huffman;

use huffman::{Code, codes};

const WINDOW: usize = 1 << 15;
const HASH_BITS: u32 = 17;
/// A match is of 4 bytes at least, although 3 would do.
const LEAST: usize = 4;
const MOST: usize = 258;
/// A match of so many bytes is taken without a look at the next place.
const LAZY: usize = 16;
/// A match of so many bytes ends the search.
const NICE: usize = 128;
/// How many places are looked at.
const TRIES: usize = 128;
/// A match of the least length must not be farther away.
const NEAR: usize = 4096;
const TOKENS_IN_BLOCK: usize = 1 << 14;
const END_OF_BLOCK: usize = 256;

/// The lengths that the codes from 257 on begin at, less 3, and the bits that follow.
const LENGTHS: [(u16, u8); 29] = [
    (0, 0),
    (1, 0),
    (2, 0),
    (3, 0),
    (4, 0),
    (5, 0),
    (6, 0),
    (7, 0),
    (8, 1),
    (10, 1),
    (12, 1),
    (14, 1),
    (16, 2),
    (20, 2),
    (24, 2),
    (28, 2),
    (32, 3),
    (40, 3),
    (48, 3),
    (56, 3),
    (64, 4),
    (80, 4),
    (96, 4),
    (112, 4),
    (128, 5),
    (160, 5),
    (192, 5),
    (224, 5),
    (255, 0),
];
/// The order of the lengths of codes for lengths.
const ORDER: [usize; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/// A byte, or the repetition of so many bytes from so far back.
#[derive(Clone, Copy)]
enum Token {
    Byte(u8),
    Match { length: usize, distance: usize },
}

/// Packs all of the content. No content needs no block.
pub(super) fn deflate(content: &[u8]) -> Vec<u8> {
    let mut blocks = Blocks::default();
    let mut search = Search::new(content);
    let (mut tokens, mut began) = (Vec::with_capacity(TOKENS_IN_BLOCK), 0);
    while let Some((token, end)) = search.next_token() {
        tokens.push(token);
        if tokens.len() == TOKENS_IN_BLOCK || end == content.len() {
            blocks.add(&tokens, &content[began..end]);
            tokens.clear();
            began = end;
        }
    }
    blocks.finish()
}

/// The search for what was there before.
struct Search<'a> {
    content: &'a [u8],
    at: usize,
    /// The last place of each hash, and the one before each place, both plus one.
    heads: Vec<usize>,
    earlier: Vec<usize>,
    head: usize,
    /// The best match of the place before this one.
    length: usize,
    distance: usize,
    /// Whether the byte before this place waits for a better match here.
    waits: bool,
}

impl<'a> Search<'a> {
    fn new(content: &'a [u8]) -> Self {
        let (heads, earlier) = (vec![0; 1 << HASH_BITS], vec![0; WINDOW]);
        Search { content, at: 0, heads, earlier, head: 0, length: LEAST - 1, distance: 0, waits: false }
    }

    /// The next token and the place behind what it stands for.
    fn next_token(&mut self) -> Option<(Token, usize)> {
        loop {
            let left = self.content.len() - self.at;
            if left == 0 {
                let last = std::mem::take(&mut self.waits).then(|| self.content.last())??;
                return Some((Token::Byte(*last), self.at));
            }
            self.note(self.at);
            let (length, distance) = (self.length, self.distance);
            (self.length, self.distance) = (LEAST - 1, 0);
            if length < LAZY && left > length {
                self.find(left);
            }
            if length >= LEAST && self.length <= length {
                let end = self.at - 1 + length;
                (self.at + 1..end).for_each(|at| self.note_passed(at));
                (self.at, self.waits, self.length) = (end, false, LEAST - 1);
                return Some((Token::Match { length, distance }, end));
            }
            self.at += 1;
            if std::mem::replace(&mut self.waits, true) {
                return Some((Token::Byte(self.content[self.at - 2]), self.at - 1));
            }
        }
    }

    /// Remembers a place, and where its bytes were before.
    fn note(&mut self, at: usize) {
        if let Some(bytes) = self.content.get(at..).and_then(<[u8]>::first_chunk::<LEAST>) {
            let hash = u32::from_be_bytes(*bytes).wrapping_mul(0x1e35_a7bd) >> (32 - HASH_BITS);
            self.head = std::mem::replace(&mut self.heads[hash as usize], at + 1);
            self.earlier[at % WINDOW] = self.head;
        }
    }

    /// Remembers a place inside a match.
    fn note_passed(&mut self, at: usize) {
        let head = self.head;
        self.note(at);
        self.head = head;
    }

    /// Finds the longest match for this place among the nearest.
    fn find(&mut self, left: usize) {
        let most = left.min(MOST);
        let here = &self.content[self.at..self.at + most];
        let mut candidate = self.head;
        for _ in 0..TRIES {
            let Some(place) = candidate.checked_sub(1).filter(|place| place + WINDOW >= self.at) else { return };
            let there = &self.content[place..];
            if there[self.length] == here[self.length] {
                let length = here.iter().zip(there).take_while(|(a, b)| a == b).count();
                let distance = self.at - place;
                if length > self.length && (length > LEAST || distance <= NEAR) {
                    (self.length, self.distance) = (length, distance);
                    if length >= most.min(NICE) {
                        return;
                    }
                }
            }
            if place + WINDOW == self.at {
                return;
            }
            candidate = self.earlier[place % WINDOW];
        }
    }
}

/// The code of a length and of a distance, each with the bits that follow it and their number.
fn parts(length: usize, distance: usize) -> [(usize, u32, u8); 2] {
    let less = (length - 3) as u16;
    let code = LENGTHS.partition_point(|(from, _)| *from <= less) - 1;
    let (from, extra) = LENGTHS[code];
    [(END_OF_BLOCK + 1 + code, u32::from(less - from), extra), distance_parts(distance)]
}

fn distance_parts(distance: usize) -> (usize, u32, u8) {
    let less = distance as u32 - 1;
    if less < 4 {
        return (less as usize, 0, 0);
    }
    // Two codes for each power of two.
    let extra = less.ilog2() - 1;
    (((less >> extra) + 2 * extra) as usize, less & ((1 << extra) - 1), extra as u8)
}

/// What is written, bit by bit.
#[derive(Default)]
struct Blocks {
    bytes: Vec<u8>,
    waiting: u64,
    count: u32,
}

impl Blocks {
    fn write(&mut self, bits: u32, length: u8) {
        self.waiting |= u64::from(bits) << self.count;
        self.count += u32::from(length);
        while self.count >= 8 {
            self.bytes.push(self.waiting as u8);
            self.waiting >>= 8;
            self.count -= 8;
        }
    }

    fn code(&mut self, code: Code) {
        self.write(u32::from(code.bits), code.length);
    }

    fn align(&mut self) {
        let rest = (8 - self.count % 8) % 8;
        self.write(0, rest as u8);
    }

    /// Adds a block of stored bytes.
    fn store(&mut self, content: &[u8]) {
        self.write(0, 3);
        self.align();
        let length = content.len() as u16;
        self.bytes.extend([length.to_le_bytes(), (!length).to_le_bytes()].as_flattened());
        self.bytes.extend(content);
    }

    /// Ends with an empty block, which fills the last byte.
    fn finish(mut self) -> Vec<u8> {
        self.store(&[]);
        self.bytes
    }

    /// Adds a block in the form that is shortest.
    fn add(&mut self, tokens: &[Token], content: &[u8]) {
        let frequencies = Frequencies::of(tokens);
        let own = Codes::for_frequencies(&frequencies);
        let header = Header::of(&own);
        let (fixed, extra) = (Codes::fixed(), frequencies.extra);
        let fixed_size = 3 + fixed.size(&frequencies) + extra;
        let own_size = 3 + header.size() + own.size(&frequencies) + extra;
        let stored_size = if content.len() <= 65_535 { (content.len() + 5) * 8 } else { usize::MAX };
        if stored_size < fixed_size.min(own_size) {
            return self.store(content);
        }
        let codes = if own_size < fixed_size {
            self.write(0b100, 3);
            header.write(self);
            own
        } else {
            self.write(0b010, 3);
            fixed
        };
        for token in tokens {
            match *token {
                Token::Byte(byte) => self.code(codes.literals[usize::from(byte)]),
                Token::Match { length, distance } => {
                    let [(code, bits, extra), (far, far_bits, far_extra)] = parts(length, distance);
                    self.code(codes.literals[code]);
                    self.write(bits, extra);
                    self.code(codes.distances[far]);
                    self.write(far_bits, far_extra);
                }
            }
        }
        self.code(codes.literals[END_OF_BLOCK]);
    }
}

/// How often each symbol of a block occurs.
struct Frequencies {
    literals: [u32; 286],
    distances: [u32; 30],
    /// Bits beside the symbols.
    extra: usize,
}

impl Frequencies {
    fn of(tokens: &[Token]) -> Self {
        let mut found = Frequencies { literals: [0; 286], distances: [0; 30], extra: 0 };
        found.literals[END_OF_BLOCK] = 1;
        for token in tokens {
            match *token {
                Token::Byte(byte) => found.literals[usize::from(byte)] += 1,
                Token::Match { length, distance } => {
                    let [(code, _, extra), (far, _, far_extra)] = parts(length, distance);
                    found.literals[code] += 1;
                    found.distances[far] += 1;
                    found.extra += usize::from(extra + far_extra);
                }
            }
        }
        if found.distances.iter().all(|count| *count == 0) {
            // A block has codes for distances, even if it has none of these.
            found.distances[0] = 1;
        }
        found
    }
}

/// The codes of a block.
struct Codes {
    literals: Vec<Code>,
    distances: Vec<Code>,
}

impl Codes {
    fn for_frequencies(frequencies: &Frequencies) -> Self {
        Codes { literals: codes(&frequencies.literals, 15), distances: codes(&frequencies.distances, 15) }
    }

    /// Those that need no header.
    fn fixed() -> Self {
        let literal = |symbol: u16| {
            let (bits, length) = match symbol {
                0..144 => (symbol + 48, 8),
                144..256 => (symbol - 144 + 400, 9),
                256..280 => (symbol - 256, 7),
                _ => (symbol - 280 + 192, 8),
            };
            Code { bits: bits.reverse_bits() >> (16 - length), length: length as u8 }
        };
        let distance = |symbol: u16| Code { bits: symbol.reverse_bits() >> 11, length: 5 };
        Codes { literals: (0..286).map(literal).collect(), distances: (0..30).map(distance).collect() }
    }

    /// How many bits the symbols take.
    fn size(&self, frequencies: &Frequencies) -> usize {
        let sum = |codes: &[Code], counts: &[u32]| -> usize {
            codes.iter().zip(counts).map(|(code, count)| usize::from(code.length) * *count as usize).sum()
        };
        sum(&self.literals, &frequencies.literals) + sum(&self.distances, &frequencies.distances)
    }
}

/// The lengths of the codes of a block, as they stand before it.
struct Header {
    literals: usize,
    distances: usize,
    /// A length, or what stands for several equal ones, with the bits that follow.
    runs: Vec<(usize, u32, u8)>,
    codes: Vec<Code>,
    /// How many lengths of codes for the above are written.
    written: usize,
}

impl Header {
    fn of(block: &Codes) -> Self {
        let used = |codes: &[Code]| codes.iter().rposition(|code| code.length > 0).map_or(0, |last| last + 1);
        let (literals, distances) = (used(&block.literals), used(&block.distances));
        let all = block.literals[..literals].iter().chain(&block.distances[..distances]);
        let lengths: Vec<u8> = all.map(|code| code.length).collect();
        let mut runs = Vec::new();
        for run in lengths.chunk_by(|a, b| a == b) {
            add_run(usize::from(run[0]), run.len(), &mut runs);
        }
        let mut frequencies = [0; 19];
        runs.iter().for_each(|(symbol, ..)| frequencies[*symbol] += 1);
        let last = ORDER.iter().rposition(|symbol| frequencies[*symbol] > 0);
        let written = last.map_or(0, |last| last + 1).max(4);
        Header { literals, distances, runs, codes: codes(&frequencies, 7), written }
    }

    fn size(&self) -> usize {
        let runs = self.runs.iter().map(|(symbol, _, extra)| usize::from(self.codes[*symbol].length + extra));
        14 + 3 * self.written + runs.sum::<usize>()
    }

    fn write(&self, to: &mut Blocks) {
        to.write((self.literals - END_OF_BLOCK - 1) as u32, 5);
        to.write(self.distances as u32 - 1, 5);
        to.write(self.written as u32 - 4, 4);
        ORDER[..self.written].iter().for_each(|symbol| to.write(u32::from(self.codes[*symbol].length), 3));
        for (symbol, bits, extra) in &self.runs {
            to.code(self.codes[*symbol]);
            to.write(*bits, *extra);
        }
    }
}

/// Adds what stands for `count` codes of a length.
fn add_run(length: usize, mut count: usize, runs: &mut Vec<(usize, u32, u8)>) {
    if length > 0 {
        runs.push((length, 0, 0));
        count -= 1;
        while count >= 3 {
            let some = count.min(6);
            runs.push((16, some as u32 - 3, 2));
            count -= some;
        }
    } else {
        while count >= 11 {
            let some = count.min(138);
            runs.push((18, some as u32 - 11, 7));
            count -= some;
        }
        if count >= 3 {
            runs.push((17, count as u32 - 3, 3));
            count = 0;
        }
    }
    runs.extend(std::iter::repeat_n((length, 0, 0), count));
}
