//! What two runs must have in common: states and plans without what is random by nature.

use std::collections::BTreeMap;
use std::path::Path;

use regex::Regex;
use serde_json::{Value as Json, json};

/// The states of a folder, one text each: without serial and lineage, random values replaced by who made them, times and
/// what is computed from random values left out. `whole` says whether what earlier versions of the configuration leave
/// behind (recorded dependencies) counts.
pub fn states(folder: &Path, whole: bool) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for place in [folder.to_path_buf(), folder.join("state")] {
        let Ok(entries) = std::fs::read_dir(place) else { continue };
        for entry in entries {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            if name.ends_with(".tfstate") {
                found.insert(name, state(&path, folder, whole));
            }
        }
    }
    // Random values of one layer stand in the states of others: the names are given over all of them.
    let mut names: Vec<(String, String)> = Vec::new();
    for (file, text) in &found {
        let json: Json = serde_json::from_str(text).unwrap();
        for resource in json["resources"].as_array().unwrap() {
            for instance in resource["instances"].as_array().unwrap() {
                let place =
                    ["module", "type", "name"].map(|part| resource[part].as_str().unwrap_or_default()).join(".");
                let place = format!("{file}.{place}{}", instance["index_key"]);
                for attribute in ["id", "result", "b64_std", "b64_url", "dec", "hex", "uid"] {
                    let value = instance["attributes"][attribute].as_str().unwrap_or_default();
                    if value.len() >= 8 {
                        names.push((value.to_owned(), format!("<{attribute} of {}>", place.replace('"', "'"))));
                    }
                }
            }
        }
    }
    names.sort_by_key(|(value, _)| std::cmp::Reverse(value.len()));
    names.dedup_by(|a, b| a.0 == b.0);
    for text in found.values_mut() {
        for (value, name) in &names {
            *text = text.replace(value, name);
        }
    }
    found
}

fn state(path: &Path, folder: &Path, whole: bool) -> String {
    let text = std::fs::read_to_string(path).unwrap();
    let mut json: Json = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    json["serial"] = Json::Null;
    json["lineage"] = Json::Null;
    for resource in json["resources"].as_array_mut().unwrap() {
        let kind = resource["type"].as_str().unwrap().to_owned();
        for instance in resource["instances"].as_array_mut().unwrap() {
            let instance = instance.as_object_mut().unwrap();
            assert_eq!(instance.get("deposed"), None, "an old object was left behind: {resource:?}", resource = kind);
            if !whole {
                instance.remove("dependencies");
                instance.remove("create_before_destroy");
            }
            if kind == "kubernetes_config_map" {
                // The intent's nonce.
                instance.remove("private");
            }
            let attributes = instance["attributes"].as_object_mut().unwrap();
            match kind.as_str() {
                "time_static" => attributes.retain(|name, _| name == "triggers"),
                "local_file" => attributes.retain(|name, _| name == "filename" || name == "content"),
                "kubernetes_config_map" => attributes.retain(|name, _| name == "data"),
                _ => {}
            }
        }
    }
    let text = serde_json::to_string_pretty(&json).unwrap();
    let text = text.replace(folder.to_str().unwrap(), "<folder>");
    let time = Regex::new(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ").unwrap();
    time.replace_all(&text, "<time>").into_owned()
}

/// Plan text without how long it took.
pub fn plan(text: &str) -> String {
    Regex::new(r"read in \d+\.\d s").unwrap().replace_all(text, "read in 0.0 s").into_owned()
}

/// The first lines in which two texts differ.
pub fn difference(a: &str, b: &str) -> String {
    let pairs = a.lines().zip(b.lines()).enumerate();
    let differing: Vec<Json> =
        pairs.filter(|(_, (a, b))| a != b).take(5).map(|(at, (a, b))| json!([at + 1, a, b])).collect();
    format!("{} and {} lines; {}", a.lines().count(), b.lines().count(), Json::from(differing))
}
