//! The forms that texts and numbers of Kubernetes have: names, labels, ports, octal modes, cron schedules… Out: what is wrong, in the words
//! of Terraform's provider, which are mostly those of Kubernetes. `{}` stands for the path of the argument.

use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::client::kube::types::quantity;
use crate::value::{Number, Value};

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

const LABEL: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const SUBDOMAIN: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const QUALIFIED: &str = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const LABEL_VALUE: &str = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
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

fn is_name(text: &str) -> bool {
    let outer = |c: char| c.is_ascii_alphanumeric();
    text.starts_with(outer) && text.ends_with(outer) && text.chars().all(|c| outer(c) || matches!(c, '-' | '_' | '.'))
}

fn is_label(text: &str) -> bool {
    let outer = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    text.starts_with(outer) && text.ends_with(outer) && text.chars().all(|c| outer(c) || c == '-')
}

fn too_long(text: &str, most: usize) -> Option<String> {
    (text.len() > most).then(|| format!("must be no more than {most} characters"))
}

fn label(text: &str) -> Vec<String> {
    too_long(text, 63).into_iter().chain((!is_label(text)).then(|| LABEL.to_owned())).collect()
}

fn subdomain(text: &str) -> Vec<String> {
    too_long(text, 253).into_iter().chain((!text.split('.').all(is_label)).then(|| SUBDOMAIN.to_owned())).collect()
}

fn label_value(text: &str) -> Vec<String> {
    let form = (!text.is_empty() && !is_name(text)).then(|| LABEL_VALUE.to_owned());
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
            return vec![format!("a qualified name {QUALIFIED} {end}")];
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
    if !is_name(name) {
        wrong.push(format!("name part {QUALIFIED}"));
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

const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const DAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

fn is_cron(text: &str) -> bool {
    const WORDS: [&str; 7] = ["@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"];
    if let Some(every) = text.strip_prefix("@every ") {
        return is_duration(every);
    }
    if text.starts_with('@') {
        return WORDS.contains(&text);
    }
    let fields: Vec<&str> = text.split_whitespace().collect();
    let [minute, hour, day, month, weekday] = fields[..] else { return false };
    let named = |names: &'static [&str], least: u32| {
        move |text: &str| names.iter().position(|name| name.eq_ignore_ascii_case(text)).map(|at| at as u32 + least)
    };
    is_cron_field(minute, 0, 59, |_| None)
        && is_cron_field(hour, 0, 23, |_| None)
        && is_cron_field(day, 1, 31, |_| None)
        && is_cron_field(month, 1, 12, named(&MONTHS, 1))
        && is_cron_field(weekday, 0, 6, named(&DAYS, 0))
}

fn is_cron_field(field: &str, least: u32, most: u32, named: impl Fn(&str) -> Option<u32>) -> bool {
    let number = |text: &str| named(text).or_else(|| text.parse::<u32>().ok());
    field.split(',').filter(|range| !range.is_empty()).all(|range| {
        let (span, step) = match range.split_once('/') {
            Some((span, step)) => (span, Some(step)),
            None => (range, None),
        };
        let step_fits = step.is_none_or(|step| step.parse::<u32>().is_ok_and(|step| step > 0));
        let ends = match span.split_once('-') {
            _ if matches!(span, "*" | "?") => Some((least, most)),
            Some((from, to)) => number(from).zip(number(to)),
            None => number(span).map(|from| (from, if step.is_some() { most } else { from })),
        };
        step_fits && ends.is_some_and(|(from, to)| least <= from && from <= to && to <= most)
    })
}

/// Whether it is a duration as Go writes it: `1h30m`.
fn is_duration(text: &str) -> bool {
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, unit) = rest.split_at(digits);
        let Some(end) = ["ns", "us", "µs", "ms", "s", "m", "h"].iter().find(|name| {
            unit.strip_prefix(**name)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(|c: char| c.is_ascii_digit()))
        }) else {
            return false;
        };
        if Number::parse(number).is_err() {
            return false;
        }
        rest = &unit[end.len()..];
    }
    !text.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts() {
        let check = |form: &str, text: &str, expect: &[&str]| {
            let found = Form::named(form).map(|form| form.wrong("K", &Value::from(text)));
            assert_eq!(found, Some(expect.iter().map(|why| (*why).to_owned()).collect()), "{form} {text:?}");
        };
        check("name", "a.b-c", &[]);
        check("name", "A", &[&format!("K {SUBDOMAIN}")]);
        check("generate_name", "a-", &[]);
        check("generate_name", "-a-", &[&format!("K {LABEL}")]);
        check("label", "a.b", &[LABEL]);
        check("segment", "system:a", &[]);
        check("segment", "a/b", &["K may not contain '/'"]);
        check("segment", "..", &["K may not be '..'"]);
        check("mode", "0644", &[]);
        check("mode", "01000", &["K (01000) expects octal notation (a value between 0 and 0777)"]);
        check(
            "mode",
            "999",
            &[
                "K: value 999 should start with '0' (octal numeral)",
                "K :Cannot parse octal numeral (\"999\"): strconv.ParseInt: parsing \"999\": invalid syntax",
            ],
        );
        check("path", "a/b", &[]);
        check("path", "/a", &["must be a relative path"]);
        check("path", "a/../b", &["\"K\" must not contain \"..\""]);
        check("path", "..a", &["\"K\" must not start with \"..\""]);
        check("port_or_name", "http", &[]);
        check("port_or_name", "70000", &["K must be between 1 and 65535, inclusive"]);
        check("port_or_name", "a_b", &["K must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)"]);
        check("port_or_name", "a--b", &["K must not contain consecutive hyphens"]);
        check("integer", "", &[]);
        check("integer", "x", &["K: cannot parse 'x' as int: strconv.ParseInt: parsing \"x\": invalid syntax"]);
        check("integer_or_percent", "50%", &[]);
        check("integer_or_percent", "150%", &["K: '150%' is not between 0% and 100%"]);
        check("natural_text", "-1", &["K must be greater than or equal to 0"]);
        check("natural_text", "x", &["K is not a valid integer"]);
        check("ip", "1.2.3", &["expected K to contain a valid IP, got: 1.2.3"]);
        check("ip_or_none", "None", &[]);
        check("cidr", "10.0.0.0/8", &[]);
        check("cidr", "x", &["expected \"K\" to be a valid CIDR Value, got x: invalid CIDR address: x"]);
        check("not_blank", " ", &["expected \"K\" to not be an empty string or whitespace"]);
        check("quantity", "1Gi", &[]);
        check("quantity", "1Q", &[&format!("K.1Q : {QUANTITY}")]);
        check("https_url", "https://a.example/b", &[]);
        check("https_url", "http://u@a", &["url: scheme must be https", "url: user info is not permitted"]);
    }

    #[test]
    fn schedules() {
        for text in ["*/5 * * * *", "0 0 1,15 * MON-FRI", "@daily", "@every 1h30m", "0 9-17/2 ? JAN *", "5/15 * * * *"]
        {
            assert!(is_cron(text), "{text}");
        }
        for text in ["", "x", "* * * *", "60 * * * *", "* * 0 * *", "* * * * 7", "*/0 * * * *", "5-1 * * * *", "@often"]
        {
            assert!(!is_cron(text), "{text}");
        }
    }

    #[test]
    fn numbers_and_maps() {
        let number = |form: Form, number: i64| form.wrong("K", &Value::int(number)).pop();
        assert_eq!(number(Form::Positive, 0).as_deref(), Some("K must be greater than 0"));
        assert_eq!(number(Form::Natural, -1).as_deref(), Some("K must be greater than or equal to 0"));
        assert_eq!(number(Form::Port, 0).as_deref(), Some("K must be between 1 and 65535, inclusive"));
        assert_eq!(number(Form::PortOrZero, 0), None);
        let expect = "expected \"K\" to be a valid port number, got: 70000";
        assert_eq!(number(Form::PortNumber, 70000).as_deref(), Some(expect));
        let map = |form: Form, key: &str, value: &str| {
            let entries = [(crate::value::Str::from(key), Value::from(value))];
            form.wrong("K", &Value::map(crate::value::Type::String, entries.into_iter().collect()))
        };
        assert_eq!(map(Form::Labels, "a b", "c d").len(), 2);
        assert_eq!(map(Form::Labels, "example.com/a", ""), Vec::<String>::new());
        assert_eq!(map(Form::Annotations, "Example.com/A", "{}"), Vec::<String>::new());
        assert_eq!(map(Form::Annotations, "a/b/c", "").len(), 1);
        assert_eq!(map(Form::Base64, "a", "!"), ["a (\"!\") a: must be a base64-encoded string"]);
        assert_eq!(map(Form::Quantities, "cpu", "x"), [format!("K.cpu (\"x\"): {QUANTITY}")]);
    }
}
