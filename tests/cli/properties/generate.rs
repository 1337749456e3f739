//! Random small projects, the same for the same seed, and random edits of them.

/// Numbers from a seed: SplitMix64, so that a seed means the same in every version of every library.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Dice(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Less than `limit`.
    pub fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit.max(1) as u64).unwrap()
    }

    /// True once in `n` times.
    pub fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    fn of<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }
}

/// What a block makes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Data,
    Uuid,
    Id,
    Static,
    /// A module with a resource of two kinds.
    Module,
    /// A real file.
    File,
    /// An object of the sandbox, whose name the API makes up.
    ConfigMap,
}

impl Kind {
    /// The resource type; `module` for a module.
    pub fn type_name(self) -> &'static str {
        match self {
            Kind::Data => "terraform_data",
            Kind::Uuid => "random_uuid",
            Kind::Id => "random_id",
            Kind::Static => "time_static",
            Kind::Module => "module",
            Kind::File => "local_file",
            Kind::ConfigMap => "kubernetes_config_map",
        }
    }

    /// Whether others may depend on it. A real thing of a fixed name cannot be made anew before the old one goes, and
    /// what depends on it could ask for that.
    fn is_leaf(self) -> bool {
        matches!(self, Kind::File | Kind::ConfigMap)
    }
}

/// How many instances a block has.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Copies {
    One,
    Count(usize),
    Each(Vec<char>),
    /// Keys that another resource, `NAME_keys`, hands on: they are known once that one is applied.
    Open(Vec<char>),
}

/// A block: a resource or a module call.
#[derive(Clone, Debug)]
pub struct Unit {
    /// What it was called first; others know it by that.
    pub label: String,
    /// What it is called now.
    pub name: String,
    pub kind: Kind,
    pub layer: usize,
    pub phase: usize,
    /// Whether its phase is written; else the engine finds one.
    pub included: bool,
    pub copies: Copies,
    /// Other blocks whose values it uses, by label; earlier ones.
    pub uses: Vec<String>,
    /// Other blocks of its layer that it names in `depends_on`.
    pub after: Vec<String>,
    pub creates_first: bool,
    /// Changes in place, where the kind can.
    pub value: usize,
    /// Changes by replacement, where the kind can.
    pub trigger: Option<usize>,
    /// Its first instance is not made but taken over.
    pub imported: bool,
    /// A data source depends on it; who uses the block uses what was read, too.
    pub is_read: bool,
}

/// A block that got another name.
#[derive(Clone, Debug)]
pub struct Moved {
    pub layer: usize,
    pub kind: Kind,
    pub from: String,
    pub to: String,
}

/// A block that went, and says so.
#[derive(Clone, Debug)]
pub struct Removed {
    pub layer: usize,
    pub kind: Kind,
    pub name: String,
    /// Whether its objects go, too; else they are forgotten.
    pub destroys: bool,
}

/// A project, or a single folder (one layer, no phases).
#[derive(Clone, Debug)]
pub struct Shape {
    pub layers: usize,
    pub phases: usize,
    pub sandbox: bool,
    /// The block of the project file that says where state lies; empty for local files.
    pub state: String,
    pub units: Vec<Unit>,
    pub moved: Vec<Moved>,
    pub removed: Vec<Removed>,
    /// Phases that end with a gate.
    pub gates: Vec<usize>,
    made: usize,
}

const KEYS: &[char] = &['a', 'b', 'c', 'd', 'e'];

impl Shape {
    /// A random one.
    pub fn new(dice: &mut Dice) -> Shape {
        let plain = dice.one_in(3);
        let mut shape = Shape {
            layers: if plain { 1 } else { 2 + dice.below(2) },
            phases: if plain { 0 } else { dice.below(4) },
            sandbox: !plain && dice.one_in(2),
            state: String::new(),
            units: Vec::new(),
            moved: Vec::new(),
            removed: Vec::new(),
            gates: Vec::new(),
            made: 0,
        };
        shape.gates = (0..shape.phases).filter(|_| dice.one_in(3)).collect();
        for _ in 0..4 + dice.below(9) {
            shape.add(dice);
        }
        shape
    }

    /// Whether it has no project file.
    pub fn is_plain(&self) -> bool {
        self.layers == 1
    }

    pub fn unit(&self, label: &str) -> &Unit {
        self.units.iter().find(|unit| unit.label == label).unwrap()
    }

    /// Gives a block another name and says so.
    pub fn rename(&mut self, at: usize) {
        let unit = &mut self.units[at];
        let from = unit.name.clone();
        unit.name = format!("r{from}");
        self.moved.push(Moved { layer: unit.layer, kind: unit.kind, from, to: unit.name.clone() });
    }

    /// Takes a block away, and says what becomes of its objects.
    fn remove(&mut self, at: usize, dice: &mut Dice) {
        let gone = self.units.remove(at);
        for unit in &mut self.units {
            unit.uses.retain(|label| *label != gone.label);
            unit.after.retain(|label| *label != gone.label);
        }
        if dice.one_in(3) {
            // Nobody would know of real things that are forgotten.
            let destroys = gone.kind.is_leaf() || dice.one_in(2);
            self.removed.push(Removed { layer: gone.layer, kind: gone.kind, name: gone.name, destroys });
        }
    }

    fn add(&mut self, dice: &mut Dice) {
        let plain = self.is_plain();
        let kinds = [Kind::Data, Kind::Data, Kind::Data, Kind::Uuid, Kind::Id, Kind::Static, Kind::Module, Kind::File];
        let kind = if self.sandbox && dice.one_in(4) { Kind::ConfigMap } else { dice.of(&kinds) };
        let layer = dice.below(self.layers);
        let copies = copies(dice, plain);
        let mut unit = Unit {
            label: format!("u{}", self.made),
            name: format!("u{}", self.made),
            kind,
            layer,
            phase: 0,
            included: dice.one_in(2),
            imported: kind == Kind::Data && !matches!(copies, Copies::Open(_)) && dice.one_in(5),
            is_read: !kind.is_leaf() && dice.one_in(6),
            copies,
            uses: Vec::new(),
            after: Vec::new(),
            creates_first: !kind.is_leaf() && kind != Kind::Module && dice.one_in(4),
            value: 0,
            trigger: (kind == Kind::Data && dice.one_in(3)).then_some(0),
        };
        let mut phase = 0;
        for earlier in self.units.iter().filter(|earlier| !earlier.kind.is_leaf() && earlier.layer <= layer) {
            if dice.one_in(3) && unit.uses.len() < 3 {
                unit.uses.push(earlier.label.clone());
            } else if earlier.layer == layer && dice.one_in(6) {
                unit.after.push(earlier.label.clone());
            } else {
                continue;
            }
            phase = phase.max(earlier.phase);
        }
        unit.phase = phase + dice.below(self.phases.saturating_sub(phase).max(1));
        self.made += 1;
        self.units.push(unit);
    }

    /// Changes something: values, numbers of copies, order of replacement, references, blocks added and removed.
    pub fn edit(&mut self, dice: &mut Dice) {
        for _ in 0..1 + dice.below(4) {
            if self.units.is_empty() || dice.one_in(6) {
                self.add(dice);
                continue;
            }
            let at = dice.below(self.units.len());
            match dice.below(9) {
                0 | 1 => self.units[at].value += 1,
                2 => {
                    self.units[at].copies = copies(dice, self.is_plain());
                    // What is to be taken over must be known when planning.
                    self.units[at].imported &= !matches!(self.units[at].copies, Copies::Open(_));
                }
                3 => self.units[at].trigger = self.units[at].trigger.map(|trigger| trigger + 1),
                4 if !self.units[at].kind.is_leaf() && self.units[at].kind != Kind::Module => {
                    self.units[at].creates_first = !self.units[at].creates_first;
                }
                4 => self.units[at].included = !self.units[at].included,
                5 => {
                    self.units[at].uses.pop();
                    self.units[at].after.clear();
                }
                6 => self.rename(at),
                7 if !self.units[at].kind.is_leaf() => self.units[at].is_read = !self.units[at].is_read,
                _ => self.remove(at, dice),
            }
        }
    }
}

fn copies(dice: &mut Dice, plain: bool) -> Copies {
    let mut keys = || KEYS.iter().copied().filter(|_| dice.one_in(2)).collect::<Vec<_>>();
    let keys = keys();
    match dice.below(6) {
        0 => Copies::Count(dice.below(4)),
        1 => Copies::Each(keys),
        // A single folder refuses keys that are not known, as Terraform does.
        2 if !plain && !keys.is_empty() => Copies::Open(keys),
        _ => Copies::One,
    }
}
