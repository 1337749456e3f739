//! Reads the table `rules.txt` and carries its rules out.

use std::collections::HashMap;
use std::sync::OnceLock;

use super::super::Json;
use super::{FieldErrors, formats, join, joined};

const TEXT: &str = include_str!("rules.txt");

/// One line of the table.
#[derive(Debug)]
pub struct Line {
    path: Vec<Step>,
    rule: Rule,
    message: Option<&'static str>,
}

#[derive(Debug)]
enum Step {
    Field(&'static str),
    Items(&'static str),
    Values(&'static str),
}

#[derive(Debug)]
enum Rule {
    Enum(Vec<&'static str>),
    Among(Vec<&'static str>),
    Range(i64, i64),
    Min(i64),
    Max(i64),
    Positive,
    Text(formats::Format),
    Port,
    IntOrPercent { limited: bool },
    Labels,
    Selector,
    Required,
    Forbidden,
    Immutable,
    Frozen,
    Use(&'static str),
    Call(joined::Joined),
}

#[derive(Default)]
struct Table {
    kinds: HashMap<(&'static str, &'static str), Vec<usize>>,
    parts: HashMap<&'static str, usize>,
    sections: Vec<Vec<Line>>,
}

/// The sections of a kind.
pub fn of_kind(group: &str, kind: &str) -> Vec<&'static [Line]> {
    let table = table();
    table.kinds.get(&(group, kind)).into_iter().flatten().map(|at| &*table.sections[*at]).collect()
}

fn table() -> &'static Table {
    static TABLE: OnceLock<Table> = OnceLock::new();
    TABLE.get_or_init(|| {
        let mut table = Table::default();
        for line in TEXT.lines() {
            if let Some(rule) = line.strip_prefix(' ') {
                table.sections.last_mut().into_iter().for_each(|section| section.extend(read(rule)));
            } else if let Some(names) = line.strip_prefix("kind ") {
                let mut names = names.split(' ');
                let group = names.next().filter(|group| *group != "core").unwrap_or_default();
                for kind in names {
                    table.kinds.entry((group, kind)).or_default().push(table.sections.len());
                }
                table.sections.push(Vec::new());
            } else if let Some(name) = line.strip_prefix("part ") {
                table.parts.insert(name, table.sections.len());
                table.sections.push(Vec::new());
            }
        }
        table
    })
}

/// Reads a line. A line that makes no sense is `None`; a test reads them all.
fn read(line: &'static str) -> Option<Line> {
    let (line, message) = match line.split_once(" : ") {
        Some((line, message)) => (line, Some(message)),
        None => (line, None),
    };
    let mut words = line.split(' ');
    let path = words.next()?.split('.').filter(|step| !step.is_empty()).map(step).collect();
    let rule = words.next()?;
    let arguments: Vec<&'static str> = words.map(|word| if word == "\"\"" { "" } else { word }).collect();
    let number = |at: usize| arguments.get(at)?.parse::<i64>().ok();
    let rule = match rule {
        "enum" => Rule::Enum(arguments),
        "among" => Rule::Among(arguments),
        "range" => Rule::Range(number(0)?, number(1)?),
        "min" => Rule::Min(number(0)?),
        "max" => Rule::Max(number(0)?),
        "positive" => Rule::Positive,
        "text" => Rule::Text(formats::find(arguments.first()?)?),
        "port" => Rule::Port,
        "intstr" => Rule::IntOrPercent { limited: false },
        "percent" => Rule::IntOrPercent { limited: true },
        "labels" => Rule::Labels,
        "selector" => Rule::Selector,
        "required" => Rule::Required,
        "forbidden" => Rule::Forbidden,
        "immutable" => Rule::Immutable,
        "frozen" => Rule::Frozen,
        "use" => Rule::Use(arguments.first()?),
        "call" => Rule::Call(joined::find(arguments.first()?)?),
        _ => return None,
    };
    Some(Line { path, rule, message })
}

fn step(text: &'static str) -> Step {
    match (text.strip_suffix("[]"), text.strip_suffix("{}")) {
        (Some(name), _) => Step::Items(name),
        (_, Some(name)) => Step::Values(name),
        (None, None) => Step::Field(text),
    }
}

/// Checks a value, which is at `path`, by the rules of a section.
pub fn check(rules: &'static [Line], value: &Json, path: &str, out: &mut FieldErrors) {
    for line in rules {
        visit(value, &line.path, path.to_owned(), &mut |value, path| line.check(value, path, out));
    }
}

/// Checks a change by the rules of a kind.
pub fn check_change(rules: &'static [Line], old: &Json, new: &Json, out: &mut FieldErrors) {
    let at = |object: &Json, path: &[Step]| {
        path.iter().fold(object.clone(), |value, step| match step {
            Step::Field(name) | Step::Items(name) | Step::Values(name) => value[*name].clone(),
        })
    };
    let is_of_change = |line: &&Line| matches!(line.rule, Rule::Immutable | Rule::Frozen);
    for line in rules.iter().filter(is_of_change) {
        let (old, new) = (at(old, &line.path), at(new, &line.path));
        if old == new {
            continue;
        }
        let names = line.path.iter().map(|step| match step {
            Step::Field(name) | Step::Items(name) | Step::Values(name) => *name,
        });
        let path = names.collect::<Vec<_>>().join(".");
        if matches!(line.rule, Rule::Frozen) {
            out.forbidden(path, line.message.unwrap_or("field is immutable"));
        } else {
            out.invalid(path, &new, line.message.unwrap_or("field is immutable"));
        }
    }
}

/// Visits what a path leads to. Where the last field is absent, its null is visited; where one on the way is absent, nothing is.
fn visit(value: &Json, steps: &[Step], path: String, see: &mut dyn FnMut(&Json, &str)) {
    let Some((first, rest)) = steps.split_first() else { return see(value, &path) };
    match first {
        Step::Field(name) => {
            let inner = &value[*name];
            if rest.is_empty() || !inner.is_null() {
                visit(inner, rest, join(&path, name), see);
            }
        }
        Step::Items(name) => {
            for (at, item) in super::items(&value[*name]).iter().enumerate() {
                visit(item, rest, format!("{}[{at}]", join(&path, name)), see);
            }
        }
        Step::Values(name) => {
            for (key, item) in value[*name].as_object().into_iter().flatten() {
                visit(item, rest, format!("{}[{key}]", join(&path, name)), see);
            }
        }
    }
}

impl Line {
    fn check(&self, value: &Json, path: &str, out: &mut FieldErrors) {
        if let Rule::Required = self.rule {
            if !super::is_set(value) {
                out.required(path, self.message.unwrap_or_default());
            }
            return;
        }
        if value.is_null() {
            return;
        }
        match &self.rule {
            Rule::Enum(allowed) => {
                if !allowed.iter().any(|one| value == one) {
                    out.unsupported(path, value, allowed);
                }
            }
            Rule::Among(allowed) => {
                let found = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                if !allowed.contains(&found.as_str()) {
                    out.invalid(path, value, self.message.unwrap_or_default());
                }
            }
            Rule::Range(low, high) => {
                if value.as_i64().is_some_and(|number| !(*low..=*high).contains(&number)) {
                    self.refuse(value, path, &format!("must be between {low} and {high}, inclusive"), out);
                }
            }
            Rule::Min(least) => {
                if value.as_i64().is_some_and(|number| number < *least) {
                    self.refuse(value, path, &format!("must be greater than or equal to {least}"), out);
                }
            }
            Rule::Max(most) => {
                if value.as_i64().is_some_and(|number| number > *most) {
                    self.refuse(value, path, &format!("must be less than or equal to {most}"), out);
                }
            }
            Rule::Positive => {
                if value.as_i64().is_some_and(|number| number <= 0) {
                    self.refuse(value, path, "must be greater than zero", out);
                }
            }
            Rule::Text(format) => {
                if let Some(why) = value.as_str().filter(|text| !text.is_empty()).and_then(format) {
                    self.refuse(value, path, &why, out);
                }
            }
            Rule::Port => port(value, path, out),
            Rule::IntOrPercent { limited } => int_or_percent(value, path, *limited, out),
            Rule::Labels => joined::labels(value, path, out),
            Rule::Selector => joined::selector(value, path, out),
            Rule::Forbidden => match self.message.and_then(|message| message.strip_prefix("Invalid ")) {
                Some(why) => out.invalid(path, value, why),
                None => out.forbidden(path, self.message.unwrap_or_default()),
            },
            Rule::Required | Rule::Immutable | Rule::Frozen => {}
            Rule::Use(part) => {
                let table = table();
                if let Some(at) = table.parts.get(part) {
                    check(&table.sections[*at], value, path, out);
                }
            }
            Rule::Call(function) => function(value, path, out),
        }
    }

    fn refuse(&self, value: &Json, path: &str, why: &str, out: &mut FieldErrors) {
        match self.message {
            Some(message) => match message.strip_prefix("Forbidden ") {
                Some(why) => out.forbidden(path, why),
                None => out.invalid(path, value, message),
            },
            None => out.invalid(path, value, why),
        }
    }
}

/// The number or the name of a port.
fn port(value: &Json, path: &str, out: &mut FieldErrors) {
    match value {
        Json::Number(number) if !number.as_i64().is_some_and(|number| (1..=65_535).contains(&number)) => {
            out.invalid(path, value, "must be between 1 and 65535, inclusive");
        }
        Json::String(name) => {
            if let Some(why) = formats::port_name(name) {
                out.invalid(path, value, &why);
            }
        }
        _ => {}
    }
}

/// A count, or a share such as `25%`.
fn int_or_percent(value: &Json, path: &str, limited: bool, out: &mut FieldErrors) {
    match value {
        Json::Number(number) if number.as_i64().is_some_and(|number| number < 0) => {
            out.invalid(path, value, "must be greater than or equal to 0");
        }
        Json::String(share) => {
            match share.strip_suffix('%').filter(|digits| digits.bytes().all(|c| c.is_ascii_digit())) {
                None | Some("") => {
                    let why = "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')";
                    out.invalid(path, value, why);
                }
                Some(digits) if limited && digits.parse::<u64>().is_ok_and(|share| share > 100) => {
                    out.invalid(path, value, "must not be greater than 100%");
                }
                Some(_) => {}
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_read() {
        let lines: Vec<&'static str> = TEXT.lines().filter_map(|line| line.strip_prefix(' ')).collect();
        for line in &lines {
            let read = read(line);
            assert!(read.is_some(), "{line}");
            if let Some(Line { rule: Rule::Use(part), .. }) = read {
                assert!(table().parts.contains_key(part), "{line}");
            }
        }
        assert!(lines.len() > 150);
    }
}
