//! What arguments must be like, by the rules of the table.
//!
//! In: a configuration, which may hold unknowns. Out: what is wrong, in the words of Terraform's provider, with the path of each argument.
//! Not here: the forms themselves (`forms`), and what only a server can tell.

use std::collections::HashMap;
use std::sync::{Mutex, OnceLock, PoisonError};

use regex::Regex;

use super::forms::Form;
use super::object::api_type;
use super::refused;
use super::scalar::to_json_of;
use super::table::{Entry, Field, Fields, Resource, Special, What};
use crate::client::kube::types::{Json, ListKind, ListType, Type as ApiType};
use crate::diag::{Diagnostic, Diagnostics};
use crate::value::Value;

/// A rule for an argument. Where the argument is a list or set, each element has to follow it.
#[derive(Debug, PartialEq, Eq)]
pub enum Rule {
    /// One of these texts.
    OneOf(Vec<&'static str>),
    /// One of these, in whatever case.
    AnyCase(Vec<&'static str>),
    /// A whole number between two, both included.
    Between(i64, i64),
    /// A whole number of at least so much.
    Least(i64),
    /// The same, in the provider's own words.
    Floor(i64),
    /// A text that a regular expression matches.
    Pattern(&'static str),
    /// A form.
    Form(Form),
    /// Not beside this argument of the same block.
    Conflicts(&'static str),
    /// Only beside this argument of the same block.
    With(&'static str),
    /// Either this argument of the same block, or the one with the rule.
    Exactly(&'static str),
    /// The same, or both.
    Some(&'static str),
}

impl Rule {
    /// A rule as the table has it; `None` for any other word.
    pub fn parse(word: &'static str) -> Option<Rule> {
        let (name, of) = word.split_once('=')?;
        match name {
            "enum" => Some(Rule::OneOf(of.split('|').collect())),
            "anycase" => Some(Rule::AnyCase(of.split('|').collect())),
            "exactly" => Some(Rule::Exactly(of)),
            "some" => Some(Rule::Some(of)),
            "between" => {
                let (least, most) = of.split_once("..")?;
                Some(Rule::Between(least.parse().ok()?, most.parse().ok()?))
            }
            "least" => of.parse().ok().map(Rule::Least),
            "floor" => of.parse().ok().map(Rule::Floor),
            "pattern" => Some(Rule::Pattern(of)),
            "check" => Form::named(of).map(Rule::Form),
            "conflicts" => Some(Rule::Conflicts(of)),
            "with" => Some(Rule::With(of)),
            _ => None,
        }
    }

    /// What is wrong with one known value.
    fn wrong(&self, key: &str, value: &Value) -> Vec<String> {
        let number = value.as_number().and_then(|number| number.as_i64());
        let one_of = |known: &[&str], text: &str| {
            let known: Vec<String> = known.iter().map(|one| format!("{one:?}")).collect();
            format!("expected {key} to be one of [{}], got {text}", known.join(" "))
        };
        let wrong = match (self, value.as_str(), number) {
            (Rule::OneOf(known), Some(text), _) if !known.contains(&text) => one_of(known, text),
            (Rule::AnyCase(known), Some(text), _) if !known.iter().any(|one| one.eq_ignore_ascii_case(text)) => {
                one_of(known, text)
            }
            (Rule::Between(least, most), _, Some(number)) if number < *least || number > *most => {
                format!("expected {key} to be in the range ({least} - {most}), got {number}")
            }
            (Rule::Least(least), _, Some(number)) if number < *least => {
                format!("expected {key} to be at least ({least}), got {number}")
            }
            (Rule::Floor(least), _, Some(number)) if number < *least => {
                format!("{key} must be greater than or equal to {least}")
            }
            (Rule::Pattern(pattern), Some(text), _) if !matches(pattern, text) => {
                format!("expected value of {key} to match regular expression {pattern:?}, got {text}")
            }
            (Rule::Form(form), _, _) => return form.wrong(key, value),
            // It follows the rule, or the rule is about more than this value.
            _ => return Vec::new(),
        };
        vec![wrong]
    }
}

/// Whether a pattern of the table matches; each is compiled once.
fn matches(pattern: &'static str, text: &str) -> bool {
    static COMPILED: OnceLock<Mutex<HashMap<&'static str, Option<Regex>>>> = OnceLock::new();
    let mut compiled = COMPILED.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner);
    let regex = compiled.entry(pattern).or_insert_with(|| Regex::new(pattern).ok());
    regex.as_ref().is_none_or(|regex| regex.is_match(text))
}

/// Says what is wrong with a configuration.
pub fn validate(resource: &Resource, config: &Value) -> Diagnostics {
    let mut found = Found { kind: Some(resource), said: Diagnostics::none() };
    found.block(&resource.fields, config, &api_type(resource), "");
    refused::check(resource, config, &mut found.said);
    found.said
}

/// The same for a resource type that is no object of its own.
pub fn validate_special(special: &Special, config: &Value) -> Diagnostics {
    let mut found = Found { kind: None, said: Diagnostics::none() };
    found.block(&special.fields, config, &ApiType::Any, "");
    found.said
}

/// What a block says of a field of the API.
fn said_of(fields: &Fields, item: &Value, name: &str, api: &ApiType) -> Option<Json> {
    let named = |entry: &&Entry| matches!(&entry.field, Some(Field::Named(field)) if field == name);
    let value = item.get(fields.entries.iter().find(named)?.name)?;
    let json = to_json_of(value, &api.child(name), false);
    (!json.is_null()).then_some(json)
}

struct Found<'a> {
    /// `None` for what is no object of its own.
    kind: Option<&'a Resource>,
    said: Diagnostics,
}

impl Found<'_> {
    fn block(&mut self, fields: &Fields, value: &Value, api: &ApiType, path: &str) {
        for entry in &fields.entries {
            let key = if path.is_empty() { entry.name.to_owned() } else { format!("{path}.{}", entry.name) };
            self.together(entry, value, &key);
            let Some(part) = value.get(entry.name).filter(|part| part.is_known() && !part.is_null()) else { continue };
            match &entry.what {
                What::Attribute { .. } => entry.rules.iter().for_each(|rule| self.rule(rule, value, part, &key)),
                What::Block { fields, .. } => self.blocks(entry, fields, part, api, &key),
            }
        }
    }

    fn blocks(&mut self, entry: &Entry, fields: &Fields, part: &Value, api: &ApiType, key: &str) {
        let Some(items) = part.as_items() else { return };
        let api = match (&entry.field, self.kind) {
            (None, Some(kind)) if !items.is_empty() => return self.no_part_of_it(kind, key),
            (None, Some(_)) => return,
            (None, None) => ApiType::Any,
            (Some(Field::Flat), _) => api.clone(),
            (Some(Field::Named(name)), _) => api.child(name),
        };
        let element = match &api {
            ApiType::List(list) => {
                self.twice(fields, list, items, key);
                &list.element
            }
            other => other,
        };
        for (at, item) in items.iter().enumerate().filter(|(_, item)| item.is_known()) {
            self.block(fields, item, element, &format!("{key}.{at}"));
        }
    }

    fn rule(&mut self, rule: &Rule, block: &Value, value: &Value, key: &str) {
        let is_set = |name: &str| block.get(name).is_some_and(|other| !other.is_null());
        let beside = |name: &str| match key.rsplit_once('.') {
            Some((path, _)) => format!("{path}.{name}"),
            None => name.to_owned(),
        };
        match rule {
            Rule::Conflicts(other) => {
                // What is not known yet may be null in the end.
                if is_set(other) && block.get(other).is_some_and(Value::is_known) {
                    let detail = format!("{key:?}: conflicts with {}", beside(other));
                    self.said.push(Diagnostic::error("Conflicting configuration arguments", detail).of_argument(key));
                }
            }
            Rule::With(other) => {
                if !is_set(other) {
                    let detail = format!("{key:?}: all of `{},{key}` must be specified", beside(other));
                    self.said.push(Diagnostic::error("Missing required argument", detail).of_argument(key));
                }
            }
            Rule::Exactly(_) | Rule::Some(_) => {}
            Rule::OneOf(_) | Rule::AnyCase(_) | Rule::Pattern(_) | Rule::Form(_) => self.each(rule, value, key),
            Rule::Between(..) | Rule::Least(_) | Rule::Floor(_) => self.each(rule, value, key),
        }
    }

    fn each(&mut self, rule: &Rule, value: &Value, key: &str) {
        match value.as_items() {
            Some(items) => {
                for (at, item) in items.iter().enumerate().filter(|(_, item)| item.is_known()) {
                    self.wrong(rule.wrong(&format!("{key}.{at}"), item), key);
                }
            }
            None => self.wrong(rule.wrong(key, value), key),
        }
    }

    /// The rules that an argument breaks by not being there.
    fn together(&mut self, entry: &Entry, block: &Value, key: &str) {
        let is_set = |name: &str| block.get(name).is_some_and(|value| !value.is_null());
        for rule in &entry.rules {
            let (Rule::Exactly(other) | Rule::Some(other)) = rule else { continue };
            let mut both = [entry.name, other];
            both.sort_unstable();
            let both = both.join(",");
            let exactly = matches!(rule, Rule::Exactly(_));
            let detail = match (is_set(entry.name), is_set(other)) {
                (false, false) => format!("{key:?}: one of `{both}` must be specified"),
                (true, true) if exactly => {
                    format!("{key:?}: only one of `{both}` can be specified, but `{both}` were specified.")
                }
                _ => continue,
            };
            let summary = if exactly { "Invalid combination of arguments" } else { "Missing required argument" };
            self.said.push(Diagnostic::error(summary, detail).of_argument(key));
        }
    }

    fn wrong(&mut self, summaries: Vec<String>, key: &str) {
        for summary in summaries {
            self.said.push(Diagnostic::error(summary, "").of_argument(key));
        }
    }

    /// A block that the schema has for other versions of the API.
    fn no_part_of_it(&mut self, resource: &Resource, key: &str) {
        let kind = resource.kind;
        let mut detail = format!("{key} is no part of a {} of {}. Remove the block", kind.kind, kind.api_version());
        if kind.kind == "HorizontalPodAutoscaler" {
            detail.push_str(", or use the resource type kubernetes_horizontal_pod_autoscaler_v2");
        }
        detail.push('.');
        self.said.push(Diagnostic::error("Unsupported block", detail).of_argument(key));
    }

    /// Elements that say the same of what tells elements apart: the server takes some of them (`env`), and refuses others.
    fn twice(&mut self, fields: &Fields, list: &ListType, items: &[Value], key: &str) {
        let ListKind::Map(names) = &list.kind else { return };
        let default = |name: &str| match &list.element {
            ApiType::Struct(structure) => structure.field(name).and_then(|field| field.default.clone()),
            _ => None,
        };
        let mut seen: Vec<Vec<Json>> = Vec::new();
        for (at, item) in items.iter().enumerate() {
            let parts = names.iter().map(|name| said_of(fields, item, name, &list.element).or_else(|| default(name)));
            let Some(identity) = parts.collect::<Option<Vec<Json>>>() else { continue };
            if seen.contains(&identity) {
                let same: Vec<String> =
                    names.iter().zip(&identity).map(|(name, value)| format!("{name} {value}")).collect();
                let detail = format!(
                    "{key}.{at} has the same {} as an element before it. The server may refuse it, and whoever applies the object later may lose one of them. Remove one.",
                    same.join(" and "),
                );
                self.said.push(Diagnostic::warning("Duplicate element", detail).of_argument(key).as_advice());
            }
            seen.push(identity);
        }
    }
}

#[cfg(test)]
#[path = "rules_test.rs"]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests;
