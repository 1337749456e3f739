//! Surroundings with values of every type, unknown and sensitive ones, and a few files that exist in memory only.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use infra::addr::{Mode, ResourceAddr};
use infra::diag::{Diagnostic, Span};
use infra::lang::eval::{Reference, Repeats, Scope, TEMPLATES};
use infra::lang::functions::{Context, Entry, Files, NoVariable, ReadError};
use infra::value::{Type, Value};

/// What names stand for. Assignments of the input are added as locals.
pub struct Surroundings {
    /// The values of `local.NAME` and `var.NAME`.
    pub locals: BTreeMap<String, Value>,
    context: Context<'static>,
}

impl Surroundings {
    /// Those that every input begins with.
    pub fn new() -> Self {
        let context = Context {
            base: Path::new("/base"),
            files: &Memory,
            plan_time: "2020-02-03T04:05:06Z".parse().ok(),
            now: "2020-02-03T04:05:06Z".parse().ok(),
            env: Some(&|name| match name {
                "HOME" => Ok("/home".into()),
                "UNSET" => Err(NoVariable::Unset),
                _ => Err(NoVariable::Unlisted),
            }),
            templates: Some(&TEMPLATES),
        };
        let locals = values().into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Surroundings { locals, context }
    }
}

fn values() -> Vec<(&'static str, Value)> {
    let texts = |texts: &[&str]| Value::list(Type::String, texts.iter().map(|text| Value::from(*text)).collect());
    let object = || Value::object([("a", Value::int(1)), ("b", Value::object([("c", Value::from("d"))]))]);
    vec![
        ("s", "abc".into()),
        ("e", "".into()),
        ("w", "\u{e1} \u{1f468}\u{200d}\u{1f469} ß".into()),
        ("t", "${a} %{ for x in l }${x}%{ endfor }".into()),
        ("n", Value::int(5)),
        ("y", Value::from(true)),
        ("nul", Value::NULL),
        ("l", texts(&["a", "b", "c"])),
        ("st", Value::set(Type::String, vec!["a".into(), "b".into()])),
        ("tu", Value::tuple([Value::int(1), "x".into(), Value::from(true)])),
        ("m", Value::map(Type::String, [("k".into(), "v".into())].into_iter().collect())),
        ("o", object()),
        ("lo", Value::list(object().ty(), vec![object(), object()])),
        ("us", Value::unknown(Type::String)),
        ("un", Value::unknown_not_null(Type::Number)),
        ("ul", Value::unknown(Type::list(Type::String))),
        ("um", Value::unknown(Type::map(Type::Any))),
        ("uo", Value::unknown(object().ty())),
        ("ud", Value::unknown(Type::Any)),
        ("ss", Value::from("secret").sensitive()),
        ("sn", Value::int(7).sensitive()),
        ("sl", Value::tuple(["p".into(), Value::from("q").sensitive(), Value::unknown(Type::String).sensitive()])),
        ("so", Value::object([("a", Value::from("r").sensitive())])),
    ]
}

impl Scope for Surroundings {
    fn resolve(&self, reference: &Reference, span: Span) -> Result<Value, Box<Diagnostic>> {
        let missing = || Box::new(Diagnostic::error("Nothing", format!("There is no {reference}.")).at(span));
        match reference {
            Reference::Local(name) | Reference::Var(name) => {
                self.locals.get(name.as_str()).cloned().ok_or_else(missing)
            }
            Reference::Resource(ResourceAddr { mode: Mode::Managed, name, .. }) if *name == *"many" => {
                let one = Value::object([("id", Value::from("i"))]);
                Ok(Value::tuple([one.clone(), one]))
            }
            Reference::Resource(_) => Ok(Value::object([("id", Value::unknown(Type::String))])),
            Reference::Module { .. } | Reference::SelfObject => Ok(Value::object([("out", Value::from("x"))])),
            Reference::EachKey | Reference::PathModule | Reference::PathRoot | Reference::PathCwd => Ok("k".into()),
            Reference::EachValue => Ok(Value::unknown(Type::Any)),
            Reference::CountIndex => Ok(Value::int(0)),
            Reference::Terraform(_) | Reference::Layer { .. } => Ok("default".into()),
            Reference::Bare(_) => Err(missing()),
        }
    }

    fn functions(&self) -> &Context<'_> {
        &self.context
    }

    fn repeats(&self, reference: &Reference) -> Option<Repeats> {
        match reference {
            Reference::Resource(addr) if addr.name == *"many" => Some(Repeats::Count),
            _ => None,
        }
    }
}

/// A folder in memory.
struct Memory;

const FILES: &[(&str, &[u8])] = &[
    ("/base/a.txt", b"text\n"),
    ("/base/b.bin", b"\xff\xfe\x00"),
    ("/base/t.tftpl", b"%{ for x in l ~}\n${x}\n%{ endfor ~}\n"),
    ("/base/d/self.tftpl", b"${templatefile(\"d/self.tftpl\", {})}"),
];

impl Files for Memory {
    fn read(&self, path: &Path) -> Result<Vec<u8>, ReadError> {
        let found = FILES.iter().find(|(name, _)| Path::new(name) == path);
        found.map(|(_, content)| content.to_vec()).ok_or(ReadError::Missing)
    }

    fn is_file(&self, path: &Path) -> Option<bool> {
        Some(FILES.iter().any(|(name, _)| Path::new(name) == path))
    }

    fn members(&self, folder: &Path) -> Vec<Entry> {
        let file = |name: &str| Entry { name: name.into(), folder: false, file: true };
        match folder.to_str() {
            Some("/base") => {
                let sub = Entry { name: "d".into(), folder: true, file: false };
                vec![file("a.txt"), file("b.bin"), file("t.tftpl"), sub]
            }
            Some("/base/d") => vec![file("self.tftpl")],
            _ => Vec::new(),
        }
    }

    fn home(&self) -> Option<PathBuf> {
        Some("/home".into())
    }
}
