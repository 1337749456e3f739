//! Large state files are read in portions by several threads.
//!
//! The list of resources is found by the lines that Terraform and this program write around it and between its entries. No text
//! in JSON holds the end of a line, so that such lines stand between values; that the list is the one of the file, and each
//! portion a part of it, is checked. Everything else (other layouts, small files, errors) is left to who reads the file as a whole.

use super::VERSION;
use super::names::Known;
use super::read::{FileIn, ResourceIn, Resources, read_resource, whole};
use crate::addr::LayerName;
use crate::state::model::State;
use crate::threads;

/// A portion has at least so many bytes: some milliseconds' work.
const LEAST: usize = 1 << 19;

const BEGIN: &str = "\n  \"resources\": [";
const OPEN: &str = "\n    {";
const CLOSE: &str = "\n    }";
const END: &str = "\n  ]";
/// What comes behind the list, and may be one itself.
const BEHIND: &str = "\n  \"check_results\":";

/// Stands for the list where the rest of the file is read.
const MARK: &str = "every resource of this state";

/// Reads a large state; `None` when it has to be read as a whole.
pub fn read(layer: &LayerName, text: &str) -> Option<State> {
    let count = threads::pieces(text.len(), LEAST);
    if count < 2 { None } else { in_portions(layer, text, count) }
}

fn in_portions(layer: &LayerName, text: &str, count: usize) -> Option<State> {
    let start = text.find(&[BEGIN, OPEN].concat())? + BEGIN.len();
    let behind = text.rfind(BEHIND).filter(|behind| *behind > start).unwrap_or(text.len());
    let end = text[..behind].rfind(&[CLOSE, END].concat())? + CLOSE.len();
    let list = text.get(start..end)?;
    let rest = [&text[..start], "{\"name\":\"", MARK, "\"}", &text[end..]].concat();
    let mut file: FileIn<'_> = serde_json::from_str(&rest).ok()?;
    match file.resources.as_slice() {
        [mark] if mark.name == MARK && file.version == Some(VERSION) => file.resources.clear(),
        _ => return None,
    }
    let portions = threads::each(cut(list, count), |portion| resources(layer, portion));
    let mut all = Vec::new();
    for portion in portions {
        all.append(&mut portion?);
    }
    whole(layer, file, all).ok()
}

/// About equal portions of a list, each of whole entries, without the commas between them.
fn cut(list: &str, count: usize) -> Vec<&str> {
    let between = [CLOSE, ",", OPEN].concat();
    let mut portions = Vec::with_capacity(count);
    let mut start = 0;
    for portion in 1..count {
        let about = list.floor_char_boundary((list.len() * portion / count).max(start));
        let Some(found) = list[about..].find(&between) else { break };
        let end = about + found + CLOSE.len();
        portions.push(&list[start..end]);
        start = end + 1;
    }
    portions.push(&list[start..]);
    portions
}

/// The resources of a portion.
fn resources(layer: &LayerName, portion: &str) -> Option<Resources> {
    let mut known = Known::new(layer.clone());
    let mut resources = Vec::new();
    let mut rest = portion;
    loop {
        let mut values = serde_json::Deserializer::from_str(rest).into_iter::<ResourceIn<'_>>();
        resources.extend(read_resource(&mut known, values.next()?.ok()?).ok()?);
        rest = rest[values.byte_offset()..].trim_start_matches([' ', '\n', '\r', '\t']);
        if rest.is_empty() {
            return Some(resources);
        }
        rest = rest.strip_prefix(',')?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: usize) -> String {
        format!(
            "\n    {{\n      \"mode\": \"managed\",\n      \"type\": \"a\",\n      \"name\": \"b{name}\",\n      \
             \"provider\": \"provider[\\\"terraform.io/builtin/terraform\\\"]\",\n      \"instances\": [\n        \
             {{\n          \"schema_version\": 0,\n          \"attributes\": {{\n            \"é\": \"}},{{\"\n          }}\n        \
             }}\n      ]\n    }}"
        )
    }

    fn file(entries: &[String]) -> String {
        let list = entries.join(",");
        format!(
            "{{\n  \"version\": 4,\n  \"serial\": 7,\n  \"lineage\": \"l\",\n  \"outputs\": {{\n    \"o\": {{\n      \
             \"value\": 1,\n      \"type\": \"number\"\n    }}\n  }},\n  \"resources\": [{list}\n  ],\n  \
             \"check_results\": null\n}}\n"
        )
    }

    /// A file reads the same in portions and as a whole; whether it can be read in portions.
    fn check(text: &str, in_portions: bool) {
        let layer = LayerName::plain();
        let expect = super::super::read(&layer, text.as_bytes()).ok();
        for count in 2..6 {
            let state = super::in_portions(&layer, text, count);
            assert_eq!(state.is_some(), in_portions, "{count}: {text}");
            if in_portions {
                assert_eq!(state, expect);
            }
        }
    }

    #[test]
    fn portions_are_the_whole() {
        let entries: Vec<String> = (0..30).map(entry).collect();
        let text = file(&entries);
        check(&text, true);
        check(&file(&entries[..1]), true);
        let checks = "\"check_results\": [\n    {\n      \"object_kind\": \"check\"\n    }\n  ]";
        check(&text.replace("\"check_results\": null", checks), true);
        check(&text.replace("b29", "b28"), false);
        check(&text.replace("b17", "b\n17"), false);
        check(&text.replace("\"managed\"", "\"unmanaged\""), false);
        check(&text.replace("\n  ", "\n"), false);
        check(&text.replace("\"version\": 4", "\"version\": 3"), false);
        check(&text.replacen("    },\n    {", "    }\n    {", 1), false);
        check(&text.replace("\n  ],\n", "\n  ],,\n"), false);
        check(&file(&[]), false);
    }

    #[test]
    fn a_list_elsewhere_is_not_the_one_of_the_file() {
        let inner = format!("{{\n  \"version\": 4,\n  \"x\": {{\n  \"resources\": [{}\n  ]}}}}", entry(1));
        check(&inner, false);
    }
}
