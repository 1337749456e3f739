//! `moved` blocks: which object of state stands under which address now.
//!
//! In: the blocks of every module, and the addresses in state. Out: the new address of every object that moved, and what is
//! wrong with the blocks. Not here: the move that a `count` brings with it without a block (`objects`), writing it (`apply`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use foldhash::{HashMap, HashSet, HashSetExt};

use crate::addr::{ConfigResourceAddr, InstanceAddr, LayerName, ModuleInstance, Name, Pattern};
use crate::config::Moved;
use crate::diag::{Diagnostic, Diagnostics, SourceMap, Span};
use crate::graph::Graph;
use crate::state::{Object, State};

use super::ends::{End, KeyIs};

/// One `moved` block, as seen from its layer.
struct Statement {
    from: End,
    to: End,
    span: Span,
    /// Whether it names a layer although it does not stand in a root module.
    nested: bool,
}

impl Statement {
    fn new(layer: &LayerName, path: &[Name], moved: &Moved) -> Statement {
        let (from, to) = ends(layer, path, &moved.from, &moved.to);
        let nested = !path.is_empty() && (moved.from.layer.is_some() || moved.to.layer.is_some());
        Statement { from, to, span: moved.span, nested }
    }

    /// Whether `other` has to be gone through first: it brings objects to where this one takes them from, or takes single
    /// ones out of what this one moves as a whole.
    fn waits_for(&self, other: &Statement) -> bool {
        other.to.meets(&self.from) || (other.from.is_in(&self.from) && !other.from.is_same_place(&self.from))
    }

    /// As a warning names what it could not move: the instance or module, not everything in it.
    fn shown(&self, end: &End, addr: &InstanceAddr, prefix: bool) -> String {
        let layer = if prefix { format!("layer.{}.", end.layer) } else { String::new() };
        let module: ModuleInstance = addr.module.steps()[..end.steps.len()].iter().cloned().collect();
        match &end.resource {
            None => format!("{layer}{module}"),
            Some((_, KeyIs::This(_))) => format!("{layer}{addr}"),
            Some((_, KeyIs::Any)) => {
                format!("{layer}{}", InstanceAddr { key: None, ..addr.clone() })
            }
        }
    }
}

/// Where the objects of all states are, after every move.
#[derive(Default)]
pub struct Moves {
    /// Stored address to the one it has now; only those that differ.
    moved: HashMap<InstanceAddr, InstanceAddr>,
    /// Objects of which a run that was cut short has put a copy into another layer already: they only have to go.
    half_done: HashSet<InstanceAddr>,
    /// For each block some of whose objects moved, the blocks they are of now.
    renamed: HashMap<ConfigResourceAddr, BTreeSet<ConfigResourceAddr>>,
    statements: Vec<Statement>,
    blocked: Vec<Blocked>,
}

/// Objects that could not be moved.
struct Blocked {
    from: String,
    to: String,
    span: Span,
    between_layers: bool,
}

impl Moves {
    /// Reads every `moved` block of the configuration and finds out where each object is now.
    pub fn of(graph: &Graph, states: &[State]) -> Moves {
        let mut statements = Vec::new();
        for module in &graph.modules {
            let layer = &graph.layers[module.layer];
            let own = module.module.moved.iter();
            statements.extend(own.map(|moved| Statement::new(layer, module.addr.calls(), moved)));
        }
        let mut moves = Moves { statements, ..Moves::default() };
        if !moves.statements.is_empty() {
            moves.follow(states, graph.layers.len() > 1);
        }
        moves
    }

    /// Where the object of a stored address is now.
    pub fn now(&self, stored: &InstanceAddr) -> Option<&InstanceAddr> {
        self.moved.get(stored)
    }

    /// Every move of a current object or its deposed ones: from where, to where.
    pub fn all(&self) -> impl Iterator<Item = (&InstanceAddr, &InstanceAddr)> {
        self.moved.iter()
    }

    /// Whether an object was put into another layer already and only has to be taken out of this one.
    pub fn is_half_done(&self, stored: &InstanceAddr) -> bool {
        self.half_done.contains(stored)
    }

    /// An object with the new addresses of what it depends on, if any of that has moved; `now` is its own.
    pub fn relink(&self, object: &Arc<Object>, now: &InstanceAddr) -> Option<Arc<Object>> {
        if !object.dependencies.iter().any(|addr| self.renamed.contains_key(addr)) {
            return None;
        }
        let mut dependencies: BTreeSet<ConfigResourceAddr> = BTreeSet::new();
        for addr in object.dependencies.iter() {
            match self.renamed.get(addr) {
                Some(places) => {
                    // Copies of a module that went different ways depend on what went with them.
                    let own = now.module.config();
                    let beside = places.iter().filter(|place| place.module == own).cloned().collect::<Vec<_>>();
                    if beside.is_empty() {
                        dependencies.extend(places.iter().cloned());
                    } else {
                        dependencies.extend(beside);
                    }
                }
                None => _ = dependencies.insert(addr.clone()),
            }
        }
        Some(Arc::new(Object { dependencies: dependencies.into_iter().collect(), ..(**object).clone() }))
    }

    /// Whether a block has moved an object to this address.
    pub fn lead_to(&self, addr: &InstanceAddr) -> bool {
        self.moved.values().any(|now| now == addr)
    }

    /// Goes through the blocks, each after those that lead to it.
    fn follow(&mut self, states: &[State], prefix: bool) {
        let Ok(order) = self.order() else { return };
        // Where each stored instance is: current address to stored one.
        let mut at: BTreeMap<InstanceAddr, InstanceAddr> = BTreeMap::new();
        for state in states {
            for placed in state.objects() {
                let addr = placed.addr(&state.layer);
                at.insert(addr.clone(), addr);
            }
        }
        let (mut blocked, mut half_done) = (Vec::new(), HashSet::new());
        for index in order {
            let statement = &self.statements[index];
            let found: Vec<(InstanceAddr, InstanceAddr)> = at
                .keys()
                .filter_map(|addr| {
                    let keys = statement.from.keys_in(addr)?;
                    Some((addr.clone(), statement.to.put(&statement.from, addr, keys)))
                })
                .collect();
            let groups = grouped(statement, found, prefix);
            for ((from, to), members) in groups {
                // All of a group goes to one place.
                if !members.first().is_some_and(|(_, new)| is_taken(&at, &statement.to, new)) {
                    let olds: Vec<_> = members
                        .into_iter()
                        .filter_map(|(old, new)| at.remove(&old).map(|stored| (new, stored)))
                        .collect();
                    at.extend(olds);
                    continue;
                }
                let copied = |(old, new): &(InstanceAddr, InstanceAddr)| is_copy(states, &at, old, new);
                if members.iter().all(copied) {
                    for (old, _) in members {
                        half_done.extend(at.remove(&old));
                    }
                } else {
                    let between_layers = statement.from.layer != statement.to.layer;
                    blocked.push(Blocked { from, to, span: statement.span, between_layers });
                }
            }
        }
        self.blocked = blocked;
        self.half_done = half_done;
        for (now, stored) in &at {
            let (now, stored) = (now.config(), stored.config());
            if now != stored && now.layer == stored.layer {
                self.renamed.entry(stored).or_default().insert(now);
            }
        }
        // Where some objects stayed, dependencies on them stay as well.
        for (now, stored) in &at {
            if let Some(renamed) = self.renamed.get_mut(&stored.config()).filter(|_| now.config() == stored.config()) {
                renamed.insert(stored.config());
            }
        }
        self.moved = at.into_iter().filter(|(now, stored)| now != stored).map(|(now, stored)| (stored, now)).collect();
    }

    /// The statements, each after those it waits for; else the ones that wait for each other.
    fn order(&self) -> Result<Vec<usize>, Vec<usize>> {
        let count = self.statements.len();
        let mut left: Vec<Vec<usize>> = (0..count)
            .map(|one| {
                let waits = |other: &usize| *other != one && self.statements[one].waits_for(&self.statements[*other]);
                (0..count).filter(waits).collect()
            })
            .collect();
        let mut order = Vec::new();
        let mut done = vec![false; count];
        loop {
            let ready: Vec<usize> =
                (0..count).filter(|one| !done[*one] && left[*one].iter().all(|o| done[*o])).collect();
            if ready.is_empty() {
                break;
            }
            for one in ready {
                done[one] = true;
                order.push(one);
            }
        }
        if order.len() == count {
            return Ok(order);
        }
        // What only waits for a circle is no part of it.
        let mut circle: Vec<usize> = (0..count).filter(|one| !done[*one]).collect();
        loop {
            let before = circle.len();
            let needed: HashSet<usize> = circle.iter().flat_map(|one| left[*one].iter().copied()).collect();
            circle.retain(|one| needed.contains(one));
            if circle.len() == before {
                break;
            }
        }
        left.clear();
        Err(circle)
    }

    /// What is wrong with the blocks themselves.
    pub fn check(&self, graph: &Graph, sources: &SourceMap) -> Diagnostics {
        let place = |span| place(sources, span);
        let mut said = Diagnostics::none();
        for (index, statement) in self.statements.iter().enumerate() {
            let Statement { from, to, span, .. } = statement;
            if from == to {
                let detail = format!(
                    "This statement declares a move from {from} to the same address, which is the same as not declaring this \
                     move at all."
                );
                said.push(Diagnostic::error("Redundant move statement", detail).at(*span));
                continue;
            }
            said.append(check_layers(graph, statement));
            for earlier in self.statements[..index].iter().filter(|earlier| earlier.from != earlier.to) {
                said.append(ambiguous(earlier, statement, &place(earlier.span)));
            }
        }
        if !said.has_errors()
            && let Err(circle) = self.order()
        {
            let lines = circle.iter().map(|index| {
                let Statement { from, to, span, .. } = &self.statements[*index];
                format!("\n  - {}: {from} → {to}", place(*span))
            });
            let detail = format!(
                "The following chained move statements form a cycle, and so there is no final location to move objects \
                 to:{}\n\nA chain of move statements must end with an address that doesn't appear in any other statements, \
                 and which typically also refers to an object still declared in the configuration.",
                lines.collect::<String>()
            );
            said.error("Cyclic dependency in move statements", detail);
        }
        said
    }

    /// What could not be moved, because something is there.
    pub fn unresolved(&self) -> Diagnostics {
        let mut said = Diagnostics::none();
        for Blocked { from, to, span, .. } in self.blocked.iter().filter(|blocked| blocked.between_layers) {
            let detail = format!(
                "{from} cannot be moved to {to}: another object is there already. Objects are never destroyed for the sake of \
                 a move between layers. Take one of the two out of state, or take the moved block out."
            );
            said.push(Diagnostic::error("Objects in both layers", detail).at(*span));
        }
        let inside = self.blocked.iter().filter(|blocked| !blocked.between_layers);
        let lines: String =
            inside.map(|Blocked { from, to, .. }| format!("\n  - {from} could not move to {to}")).collect();
        if !lines.is_empty() {
            said.push(Diagnostic::warning(
                "Unresolved resource instance address changes",
                format!(
                    "Moved blocks give new addresses to objects in state, but other objects are there already:{lines}\n\nThe \
                     plan is to destroy these objects. If that is not what you want, first take one of the two out of state, \
                     and plan again."
                ),
            ));
        }
        said
    }

    /// Blocks whose source is still there, now that all copies are known.
    pub fn still_declared(&self, declared: &[&InstanceAddr]) -> Diagnostics {
        let mut said = Diagnostics::none();
        for Statement { from, to, span, .. } in &self.statements {
            let Some(found) = declared.iter().find(|addr| from.keys_in(addr).is_some()) else { continue };
            let keys = from.keys_in(found).unwrap_or_default();
            let moved = to.put(from, found, keys);
            let what = if from.resource.is_some() { "resource" } else { "module" };
            let detail = format!(
                "This statement declares a move from {from}, but that {what} is still declared, by {found}. Change the \
                 configuration so that it is declared as {} instead, or take the moved block out.",
                if from.resource.is_some() { moved.to_string() } else { to.to_string() }
            );
            said.push(Diagnostic::error("Moved object still exists", detail).at(*span));
        }
        said
    }
}

type Group = ((String, String), Vec<(InstanceAddr, InstanceAddr)>);

/// What moves together or not at all: a module, a resource, or one instance.
fn grouped(statement: &Statement, found: Vec<(InstanceAddr, InstanceAddr)>, prefix: bool) -> Vec<Group> {
    let mut groups: BTreeMap<(String, String), Vec<_>> = BTreeMap::new();
    for (old, new) in found {
        let names = (statement.shown(&statement.from, &old, prefix), statement.shown(&statement.to, &new, prefix));
        groups.entry(names).or_default().push((old, new));
    }
    groups.into_iter().collect()
}

/// Whether something stands where an object is to be: for a module any object in it, for a resource any of its copies.
fn is_taken(at: &BTreeMap<InstanceAddr, InstanceAddr>, to: &End, new: &InstanceAddr) -> bool {
    let inside = |addr: &&InstanceAddr| match &to.resource {
        None => {
            let depth = to.steps.len();
            addr.layer == new.layer
                && addr.module.steps().len() >= depth
                && addr.module.steps()[..depth] == new.module.steps()[..depth]
        }
        Some((_, KeyIs::Any)) => {
            (&addr.layer, &addr.module, &addr.resource) == (&new.layer, &new.module, &new.resource)
        }
        Some((_, KeyIs::This(_))) => *addr == new,
    };
    at.keys().any(|addr| inside(&addr))
}

/// Whether the very same objects are in both layers: an earlier run has put them there and was cut short.
fn is_copy(
    states: &[State],
    at: &BTreeMap<InstanceAddr, InstanceAddr>,
    old: &InstanceAddr,
    new: &InstanceAddr,
) -> bool {
    let objects = |addr: &InstanceAddr| {
        let state = states.iter().find(|state| state.layer == addr.layer)?;
        state.instance(addr)
    };
    let (one, other) = (at.get(old).and_then(objects), at.get(new).and_then(objects));
    old.layer != new.layer && one.is_some() && one == other
}

/// A move between layers is written in a root module, and its layers exist.
fn check_layers(graph: &Graph, statement: &Statement) -> Diagnostics {
    let mut said = Diagnostics::none();
    if statement.nested {
        let detail = "Addresses with a layer belong into the root module of a layer: a called module does not know where it \
                      is used.";
        said.push(Diagnostic::error("Invalid address", detail).at(statement.span));
    }
    for end in [&statement.from, &statement.to] {
        if !graph.layers.contains(&end.layer) {
            let names = graph.layers.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            let detail = format!("There is no layer {:?}. The layers are: {names}.", end.layer.to_string());
            said.push(Diagnostic::error("Unknown layer", detail).at(statement.span));
        }
    }
    said
}

fn ambiguous(earlier: &Statement, later: &Statement, at: &str) -> Option<Diagnostic> {
    let detail = match (earlier.from.is_same_place(&later.from), earlier.to.is_same_place(&later.to)) {
        (true, false) => format!(
            "A statement at {at} declared that {} moved to {}, but this statement instead declares that it moved to {}.\n\n\
             Each resource can move to only one destination resource.",
            earlier.from, earlier.to, later.to
        ),
        (false, true) => format!(
            "A statement at {at} declared that {} moved to {}, but this statement instead declares that {} moved there.\n\n\
             Each resource can have moved from only one source resource.",
            earlier.from, earlier.to, later.from
        ),
        (true, true) | (false, false) => return None,
    };
    Some(Diagnostic::error("Ambiguous move statements", detail).at(later.span))
}

/// `main.tf:3,1`.
fn place(sources: &SourceMap, span: Span) -> String {
    let Some(source) = sources.get(span.file) else { return "another place".to_owned() };
    let start = source.position(span.start);
    format!("{}:{},{}", source.path.display(), start.line, start.column)
}

/// Both sides of a move. Without a key on either of them every copy is meant, with its key.
fn ends(layer: &LayerName, path: &[Name], from: &Pattern, to: &Pattern) -> (End, End) {
    let last = |pattern: &Pattern| match &pattern.resource {
        Some(_) => pattern.key.clone(),
        None => pattern.module.steps().last().and_then(|step| step.key.clone()),
    };
    let whole = last(from).is_none() && last(to).is_none();
    (End::new(layer, path, from, whole), End::new(layer, path, to, whole))
}

/// Where an object is when what `from` names is moved to `to`; `None` when it is not meant. Without a layer, that of the object
/// is meant.
pub fn relocated(from: &Pattern, to: &Pattern, addr: &InstanceAddr) -> Option<InstanceAddr> {
    let (from, to) = ends(&addr.layer, &[], from, to);
    let keys = from.keys_in(addr)?;
    Some(to.put(&from, addr, keys))
}
