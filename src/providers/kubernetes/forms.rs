//! The forms that texts and numbers of Kubernetes have: names, labels, ports, octal modes, cron schedules… Out: what is wrong, in the words
//! of Terraform's provider, which are mostly those of Kubernetes. `{}` stands for the path of the argument.

use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::cron::is_cron;
use crate::client::kube::types::quantity;
use crate::client::kube::types::rules::formats;
use crate::value::Value;

/// A form, by its name in the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Keys of annotations.
    Annotations,
    /// A map of texts in base64.
    Base64,
    /// A range of addresses.
    Cidr,
    /// A schedule.
    Cron,
    /// The beginning of a name.
    GenerateName,
    /// The address of a webhook.
    HttpsUrl,
    /// A whole number as a text.
    Integer,
    /// The same, or a percentage.
    IntegerOrPercent,
    /// An address.
    Ip,
    /// The same, or `None`.
    IpOrNone,
    /// An RFC 1123 label.
    Label,
    /// Keys and values of labels.
    Labels,
    /// The octal mode of a file.
    Mode,
    /// An RFC 1123 subdomain.
    Name,
    /// Zero or more.
    Natural,
    /// The same, as a text.
    NaturalText,
    /// Any number but zero.
    Nonzero,
    /// More than white space.
    NotBlank,
    /// A path that stays below where it starts.
    Path,
    /// One or more.
    Positive,
    /// A port.
    Port,
    /// The same, in the words of the SDK.
    PortNumber,
    /// A port, or its name.
    PortOrName,
    /// A port, or zero.
    PortOrZero,
    /// A map of amounts.
    Quantities,
    /// An amount.
    Quantity,
    /// A part of a path, as the names of roles are.
    Segment,
}

const NAMES: [(&str, Form); 27] = [
    ("annotations", Form::Annotations),
    ("base64", Form::Base64),
    ("cidr", Form::Cidr),
    ("cron", Form::Cron),
    ("generate_name", Form::GenerateName),
    ("https_url", Form::HttpsUrl),
    ("integer", Form::Integer),
    ("integer_or_percent", Form::IntegerOrPercent),
    ("ip", Form::Ip),
    ("ip_or_none", Form::IpOrNone),
    ("label", Form::Label),
    ("labels", Form::Labels),
    ("mode", Form::Mode),
    ("name", Form::Name),
    ("natural", Form::Natural),
    ("natural_text", Form::NaturalText),
    ("nonzero", Form::Nonzero),
    ("not_blank", Form::NotBlank),
    ("path", Form::Path),
    ("port", Form::Port),
    ("port_number", Form::PortNumber),
    ("port_or_name", Form::PortOrName),
    ("port_or_zero", Form::PortOrZero),
    ("positive", Form::Positive),
    ("quantities", Form::Quantities),
    ("quantity", Form::Quantity),
    ("segment", Form::Segment),
];

const QUANTITY: &str = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";

impl Form {
    /// A form by its name.
    pub fn named(name: &str) -> Option<Form> {
        NAMES.iter().find(|(known, _)| *known == name).map(|(_, form)| *form)
    }

    /// What is wrong with a known value; `key` is the path of its argument.
    pub fn wrong(self, key: &str, value: &Value) -> Vec<String> {
        match value.bare() {
            Value::Map(_) | Value::Object(_) => {
                let entries = value.as_entries().into_iter().flatten();
                let entries = entries.filter(|(_, part)| part.is_known());
                entries.flat_map(|(name, part)| self.wrong_entry(key, name, part)).collect()
            }
            Value::Number(number) => number.as_i64().map(|number| self.wrong_number(key, number)).unwrap_or_default(),
            Value::String(text) => self.wrong_text(key, text),
            Value::Bool(_) | Value::List(_) | Value::Set(_) | Value::Tuple(_) => Vec::new(),
            Value::Null(_) | Value::Unknown(_) | Value::Marked(_) => Vec::new(),
        }
    }

    fn wrong_entry(self, key: &str, name: &str, value: &Value) -> Vec<String> {
        let text = match value.bare() {
            Value::String(text) => text.to_string(),
            Value::Number(number) => number.to_string(),
            _ => return Vec::new(),
        };
        match self {
            Form::Annotations => {
                qualified(&name.to_lowercase()).iter().map(|why| format!("{key} ({name:?}) {why}")).collect()
            }
            Form::Labels => {
                let names = qualified(name).into_iter().map(|why| format!("{key} ({name:?}) {why}"));
                names.chain(label_value(&text).into_iter().map(|why| format!("{key} ({text:?}) {why}"))).collect()
            }
            Form::Base64 if STANDARD.decode(&text).is_err() => {
                vec![format!("{name} ({text:?}) {name}: must be a base64-encoded string")]
            }
            Form::Quantities if quantity::canonical(&text).is_none() => {
                vec![format!("{key}.{name} ({text:?}): {QUANTITY}")]
            }
            _ => Vec::new(),
        }
    }

    fn wrong_number(self, key: &str, number: i64) -> Vec<String> {
        let port = (1..=65535).contains(&number);
        let wrong = match self {
            Form::Natural if number < 0 => format!("{key} must be greater than or equal to 0"),
            Form::Positive if number <= 0 => format!("{key} must be greater than 0"),
            Form::Nonzero if number == 0 => format!("expected {key} to not be one of [0], got 0"),
            Form::Port | Form::PortOrName if !port => format!("{key} must be between 1 and 65535, inclusive"),
            Form::PortNumber if !port => format!("expected {key:?} to be a valid port number, got: {number}"),
            Form::PortOrZero if !port && number != 0 => {
                format!("expected {key:?} to be a valid port number or 0, got: {number}")
            }
            _ => return Vec::new(),
        };
        vec![wrong]
    }

    fn wrong_text(self, key: &str, text: &str) -> Vec<String> {
        let with_key = |wrong: Vec<String>| wrong.into_iter().map(|why| format!("{key} {why}")).collect();
        match self {
            Form::Name => with_key(subdomain(text)),
            Form::GenerateName => {
                // What follows a dash at the end is made up by the server.
                let text = if text.len() > 1 { text.trim_end_matches('-').to_owned() + "a" } else { text.to_owned() };
                with_key(label(&text))
            }
            Form::Label => label(text),
            Form::Segment => with_key(segment(text)),
            Form::Mode => mode(key, text),
            Form::Path => path(key, text),
            Form::PortOrName => with_key(port_or_name(text)),
            Form::HttpsUrl => https_url(text),
            Form::IpOrNone if text != "None" && text.parse::<IpAddr>().is_err() => {
                let one_of = format!("expected {key} to be one of [\"None\"], got {text}");
                vec![one_of, format!("expected {key} to contain a valid IP, got: {text}")]
            }
            _ => self.wrong_plain(key, text).into_iter().collect(),
        }
    }

    /// The forms of texts that can be wrong in one way only.
    fn wrong_plain(self, key: &str, text: &str) -> Option<String> {
        match self {
            Form::Cidr if !is_cidr(text) => {
                Some(format!("expected {key:?} to be a valid CIDR Value, got {text}: invalid CIDR address: {text}"))
            }
            Form::Cron if !is_cron(text) => Some(format!("{key:?} should be an valid Cron expression")),
            Form::Integer => not_integer(text).map(|why| format!("{key}: cannot parse '{text}' as int: {why}")),
            Form::IntegerOrPercent => not_percent(key, text),
            Form::Ip if text.parse::<IpAddr>().is_err() => {
                Some(format!("expected {key} to contain a valid IP, got: {text}"))
            }
            Form::NaturalText => match text.parse::<i64>() {
                Err(_) => Some(format!("{key} is not a valid integer")),
                Ok(number) if number < 0 => Some(format!("{key} must be greater than or equal to 0")),
                Ok(_) => None,
            },
            Form::NotBlank if text.trim().is_empty() => {
                Some(format!("expected {key:?} to not be an empty string or whitespace"))
            }
            Form::Quantity if quantity::canonical(text).is_none() => Some(format!("{key}.{text} : {QUANTITY}")),
            _ => None,
        }
    }
}

fn too_long(text: &str, most: usize) -> Option<String> {
    (text.len() > most).then(|| formats::no_longer_than(most))
}

fn label(text: &str) -> Vec<String> {
    too_long(text, 63).into_iter().chain((!formats::is_dns_part(text)).then(|| formats::LABEL.to_owned())).collect()
}

fn subdomain(text: &str) -> Vec<String> {
    too_long(text, 253)
        .into_iter()
        .chain((!text.split('.').all(formats::is_dns_part)).then(|| formats::SUBDOMAIN.to_owned()))
        .collect()
}

fn label_value(text: &str) -> Vec<String> {
    let form = (!text.is_empty() && !formats::is_name(text)).then(|| formats::LABEL_VALUE.to_owned());
    too_long(text, 63).into_iter().chain(form).collect()
}

/// A name with an optional domain before it: `example.com/name`.
fn qualified(text: &str) -> Vec<String> {
    let parts: Vec<&str> = text.split('/').collect();
    let (prefix, name) = match parts[..] {
        [name] => (None, name),
        [prefix, name] => (Some(prefix), name),
        _ => {
            let end = "with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')";
            return vec![format!("a qualified name {} {end}", formats::NAME_PART)];
        }
    };
    let mut wrong: Vec<String> = match prefix {
        Some("") => vec!["prefix part must be non-empty".to_owned()],
        Some(prefix) => subdomain(prefix).iter().map(|why| format!("prefix part {why}")).collect(),
        None => Vec::new(),
    };
    if name.is_empty() {
        wrong.push("name part must be non-empty".to_owned());
    }
    wrong.extend(too_long(name, 63).map(|why| format!("name part {why}")));
    if !formats::is_name(name) {
        wrong.push(format!("name part {}", formats::NAME_PART));
    }
    wrong
}

fn segment(text: &str) -> Vec<String> {
    if matches!(text, "." | "..") {
        return vec![format!("may not be '{text}'")];
    }
    let held = ["/", "%"].into_iter().filter(|part| text.contains(part));
    held.map(|part| format!("may not contain '{part}'")).collect()
}

fn mode(key: &str, text: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    if !text.starts_with('0') {
        wrong.push(format!("{key}: value {text} should start with '0' (octal numeral)"));
    }
    match i32::from_str_radix(text, 8) {
        Err(_) => {
            let why = format!("strconv.ParseInt: parsing {text:?}: invalid syntax");
            wrong.push(format!("{key} :Cannot parse octal numeral ({text:?}): {why}"));
        }
        Ok(mode) if !(0..=0o777).contains(&mode) => {
            let sign = if mode < 0 { "-" } else { "" };
            let digits = mode.unsigned_abs();
            wrong.push(format!("{key} ({sign}0{digits:o}) expects octal notation (a value between 0 and 0777)"));
        }
        Ok(_) => {}
    }
    wrong
}

fn path(key: &str, text: &str) -> Vec<String> {
    let wrong = if text.starts_with('/') {
        "must be a relative path".to_owned()
    } else if text.split('/').any(|part| part == "..") {
        format!("{key:?} must not contain \"..\"")
    } else if text.starts_with("..") {
        format!("{key:?} must not start with \"..\"")
    } else {
        return Vec::new();
    };
    vec![wrong]
}

fn port_or_name(text: &str) -> Vec<String> {
    if let Ok(number) = text.parse::<i64>() {
        let wrong = !(1..=65535).contains(&number);
        return wrong.then(|| "must be between 1 and 65535, inclusive".to_owned()).into_iter().collect();
    }
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let rules = [
        (text.len() > 15, "must be no more than 15 characters"),
        (
            text.is_empty() || !text.chars().all(plain),
            "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)",
        ),
        (!text.contains(|c: char| c.is_ascii_lowercase()), "must contain at least one letter (a-z)"),
        (text.contains("--"), "must not contain consecutive hyphens"),
        (text.starts_with('-') || text.ends_with('-'), "must not begin or end with a hyphen"),
    ];
    rules.into_iter().filter(|(broken, _)| *broken).map(|(_, why)| why.to_owned()).collect()
}

fn https_url(text: &str) -> Vec<String> {
    let (scheme, rest) = text.split_once("://").unwrap_or(("", ""));
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let (user, host) = authority.rsplit_once('@').map_or((None, authority), |(user, host)| (Some(user), host));
    let rules = [
        (!scheme.eq_ignore_ascii_case("https"), "url: scheme must be https"),
        (host.is_empty(), "url: host must be provided"),
        (user.is_some(), "url: user info is not permitted"),
        (rest.contains(['#', '?']), "url: fragments and query parameters are not permitted"),
    ];
    rules.into_iter().filter(|(broken, _)| *broken).map(|(_, why)| why.to_owned()).collect()
}

fn not_integer(text: &str) -> Option<String> {
    if text.is_empty() || text.parse::<i64>().is_ok() {
        return None;
    }
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let numeric = !digits.is_empty() && digits.chars().all(|c| c.is_ascii_digit());
    let why = if numeric { "value out of range" } else { "invalid syntax" };
    Some(format!("strconv.ParseInt: parsing {text:?}: {why}"))
}

fn not_percent(key: &str, text: &str) -> Option<String> {
    let Some(number) = text.strip_suffix('%') else {
        return not_integer(text).map(|why| format!("{key}: cannot parse '{text}' as int or percent: {why}"));
    };
    match number.parse::<i32>() {
        Err(_) => {
            let why =
                not_integer(number).unwrap_or_else(|| "strconv.ParseInt: parsing \"\": invalid syntax".to_owned());
            Some(format!("{key}: cannot parse '{text}' as percent: {why}"))
        }
        Ok(percent) if !(0..=100).contains(&percent) => Some(format!("{key}: '{text}' is not between 0% and 100%")),
        Ok(_) => None,
    }
}

fn is_cidr(text: &str) -> bool {
    let Some((address, length)) = text.split_once('/') else { return false };
    let most = match address.parse::<IpAddr>() {
        Ok(IpAddr::V4(_)) => 32,
        Ok(IpAddr::V6(_)) => 128,
        Err(_) => return false,
    };
    length.bytes().all(|digit| digit.is_ascii_digit()) && length.parse::<u8>().is_ok_and(|length| length <= most)
}

#[cfg(test)]
#[path = "forms_test.rs"]
mod tests;
