//! Reads the table `api.txt`: its kinds at once, a type when it is first asked for.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::{Field, Kind, ListKind, ListType, MapType, Struct, Type, group_version};

const TEXT: &str = include_str!("api.txt");

struct Table {
    kinds: Vec<Arc<Kind>>,
    /// Versions that are not the one in which a cluster of today stores these objects; many are not served any more.
    others: Vec<Arc<Kind>>,
    /// Header flags and lines of each type.
    bodies: HashMap<&'static str, (&'static str, &'static str)>,
    parsed: Mutex<HashMap<&'static str, Arc<Struct>>>,
}

/// The kinds of the table, in its order.
pub fn builtin() -> &'static [Arc<Kind>] {
    &table().kinds
}

/// The kind of the table with this `apiVersion` and `kind`.
pub fn find(api_version: &str, kind: &str) -> Option<&'static Arc<Kind>> {
    let (group, version) = group_version(api_version);
    let table = table();
    let all = table.kinds.iter().chain(&table.others);
    all.into_iter().find(|known| known.kind == kind && known.group == group && known.version == version)
}

/// The kind of the table with this group and plural.
pub fn find_resource(group: &str, plural: &str) -> Option<&'static Arc<Kind>> {
    table().kinds.iter().find(|known| known.plural == plural && known.group == group)
}

/// A type by its name in the table.
pub(super) fn structure(name: &'static str) -> Option<Arc<Struct>> {
    let table = table();
    if let Some(known) = table.parsed.lock().unwrap_or_else(PoisonError::into_inner).get(name) {
        return Some(known.clone());
    }
    let (flags, body) = table.bodies.get(name)?;
    let mut parsed = Struct::new(name, body.lines().filter_map(field).collect());
    parsed.atomic = flags.contains("atomic");
    let parsed = Arc::new(parsed);
    table.parsed.lock().unwrap_or_else(PoisonError::into_inner).insert(name, parsed.clone());
    Some(parsed)
}

fn table() -> &'static Table {
    static TABLE: OnceLock<Table> = OnceLock::new();
    TABLE.get_or_init(|| {
        let mut sections = TEXT.split("\ntype ");
        let (mut kinds, mut others) = (Vec::new(), Vec::new());
        for line in sections.next().unwrap_or_default().lines() {
            let into = if line.ends_with(" other") { &mut others } else { &mut kinds };
            into.extend(kind(line));
        }
        let bodies = sections
            .map(|section| {
                let (header, body) = section.split_once('\n').unwrap_or((section, ""));
                let (name, flags) = header.split_once(' ').unwrap_or((header, ""));
                (name, (flags, body))
            })
            .collect();
        Table { kinds, others, bodies, parsed: Mutex::default() }
    })
}

fn kind(line: &'static str) -> Option<Arc<Kind>> {
    let mut words = line.strip_prefix("kind ")?.split(' ');
    let (group, version) = group_version(words.next()?);
    let (kind, plural, scope) = (words.next()?, words.next()?, words.next()?);
    let mut made = Kind::new(group, version, kind, plural, scope == "namespaced");
    let list = |text: &str| text.split(',').map(str::to_owned).collect();
    for word in words {
        match word.split_once('=') {
            Some(("type", name)) => made.type_name = Some(name),
            Some(("short", names)) => made.short = list(names),
            Some(("sub", names)) => made.subresources = list(names),
            Some(("in", names)) => made.categories = list(names),
            _ => {}
        }
    }
    Some(Arc::new(made))
}

/// ` name[!] TYPE flags…`
fn field(line: &'static str) -> Option<Field> {
    let (name, rest) = line.trim_start().split_once(' ')?;
    let (ty, flags) = rest.split_once(' ').unwrap_or((rest, ""));
    let (flags, default) = match flags.split_once("default=") {
        Some((flags, default)) => (flags, serde_json::from_str(default).ok()),
        None => (flags, None),
    };
    let ty = match ty.strip_prefix('[') {
        None => plain(ty, flags),
        Some(element) => {
            let (mut kind, mut strategic) = (ListKind::Atomic, None);
            for flag in flags.split(' ') {
                match flag.split_once('=').unwrap_or((flag, "")) {
                    ("map", keys) => kind = ListKind::Map(keys.split(',').map(str::to_owned).collect()),
                    ("set", _) => kind = ListKind::Set,
                    ("merge", key) => strategic = Some(key.to_owned()),
                    _ => {}
                }
            }
            Type::List(Arc::new(ListType { element: plain(element.trim_end_matches(']'), ""), kind, strategic }))
        }
    };
    let required = name.ends_with('!');
    Some(Field { name: name.trim_end_matches('!').to_owned(), ty, required, default })
}

fn plain(name: &'static str, flags: &str) -> Type {
    match name {
        "string" => Type::String,
        "int" => Type::Int,
        "number" => Type::Number,
        "bool" => Type::Bool,
        "quantity" => Type::Quantity,
        "intstr" => Type::IntOrString,
        "time" => Type::Time,
        "bytes" => Type::Bytes,
        "any" => Type::Any,
        _ => match name.strip_prefix('{') {
            Some(inner) => {
                let inner = inner.strip_suffix('}').unwrap_or(inner);
                let element = match inner.strip_prefix('[') {
                    Some(item) => Type::List(Arc::new(ListType {
                        element: plain(item.trim_end_matches(']'), ""),
                        kind: ListKind::Atomic,
                        strategic: None,
                    })),
                    None => plain(inner, ""),
                };
                Type::Map(Arc::new(MapType { element, atomic: flags.split(' ').any(|flag| flag == "atomic") }))
            }
            None => structure(name).map_or(Type::Any, Type::Struct),
        },
    }
}
