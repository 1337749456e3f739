//! The formats of texts: `None` when a text has it, what is wrong otherwise.

use std::net::IpAddr;
use std::sync::LazyLock;

use regex::Regex;

/// Says what is wrong with a text.
pub type Format = fn(&str) -> Option<String>;

/// What is wrong with a text that is no RFC 1123 label.
pub const LABEL: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
/// What is wrong with a text that is no RFC 1123 subdomain.
pub const SUBDOMAIN: &str = r"a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const LABEL_1035: &str = "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";
/// What is wrong with a text that is not the name in a qualified name.
pub const NAME_PART: &str = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
/// What is wrong with a text that is no value of a label.
pub const LABEL_VALUE: &str = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
const WILDCARD: &str = r"a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character (e.g. '*.example.com', regex used for validation is '\*\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

/// A format by its name in the table.
pub fn find(name: &str) -> Option<Format> {
    let formats: [(&str, Format); 16] = [
        ("label", label),
        ("label1035", label_1035),
        ("subdomain", subdomain),
        ("port-name", port_name),
        ("env", env_name),
        ("ip", ip),
        ("cidr", cidr),
        ("cron", super::limits::cron),
        ("timezone", time_zone),
        ("absolute", absolute),
        ("relative", relative),
        ("host", host),
        ("domain-path", domain_path),
        ("sysctl", sysctl),
        ("field", field_path),
        ("qualified", qualified),
    ];
    formats.into_iter().find(|(known, _)| *known == name).map(|(_, format)| format)
}

fn matches(pattern: &'static LazyLock<Option<Regex>>, text: &str) -> bool {
    pattern.as_ref().is_some_and(|pattern| pattern.is_match(text))
}

/// What is wrong with a text that is longer than `most` bytes.
pub fn no_longer_than(most: usize) -> String {
    format!("must be no more than {most} characters")
}

/// Whether a text is a part of a DNS name: lower case letters, digits, and dashes inside.
pub fn is_dns_part(text: &str) -> bool {
    let inner = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
    !text.is_empty() && text.bytes().all(inner) && !text.starts_with('-') && !text.ends_with('-')
}

/// An RFC 1123 label.
pub fn label(text: &str) -> Option<String> {
    if text.len() > 63 {
        return Some(no_longer_than(63));
    }
    let why = if text.contains('.') && text.split('.').all(is_dns_part) { "must not contain dots" } else { LABEL };
    (!is_dns_part(text)).then(|| why.to_owned())
}

/// An RFC 1035 label.
pub fn label_1035(text: &str) -> Option<String> {
    if text.len() > 63 {
        return Some(no_longer_than(63));
    }
    let good = is_dns_part(text) && text.starts_with(|c: char| c.is_ascii_lowercase());
    (!good).then(|| LABEL_1035.to_owned())
}

/// An RFC 1123 subdomain.
pub fn subdomain(text: &str) -> Option<String> {
    if text.len() > 253 {
        return Some(no_longer_than(253));
    }
    (!text.split('.').all(is_dns_part)).then(|| SUBDOMAIN.to_owned())
}

/// Whether a text is a name as in labels: letters, digits, and `-`, `_` and `.` inside.
pub fn is_name(text: &str) -> bool {
    let inner = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_' | b'.');
    let ends = |c: Option<u8>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    text.bytes().all(inner) && ends(text.bytes().next()) && ends(text.bytes().last())
}

/// A name with an optional prefix: `example.com/name`.
pub fn qualified(text: &str) -> Option<String> {
    let name = match text.split_once('/') {
        Some(("", _)) => return Some("prefix part must be non-empty".to_owned()),
        Some((prefix, name)) => {
            if let Some(why) = subdomain(prefix) {
                return Some(format!("prefix part {why}"));
            }
            name
        }
        None => text,
    };
    match name {
        "" => Some("name part must be non-empty".to_owned()),
        _ if name.len() > 63 => Some(format!("name part {}", no_longer_than(63))),
        _ => (!is_name(name)).then(|| format!("name part {NAME_PART}")),
    }
}

/// The value of a label.
pub fn label_value(text: &str) -> Option<String> {
    if text.len() > 63 {
        return Some(no_longer_than(63));
    }
    (!text.is_empty() && !is_name(text)).then(|| LABEL_VALUE.to_owned())
}

/// The name of a port.
pub fn port_name(text: &str) -> Option<String> {
    let inner = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
    let why = if text.len() > 15 {
        "must be no more than 15 characters"
    } else if !text.bytes().all(inner) {
        "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)"
    } else if !text.bytes().any(|c| c.is_ascii_lowercase()) {
        "must contain at least one letter (a-z)"
    } else if text.contains("--") {
        "must not contain consecutive hyphens"
    } else if text.starts_with('-') || text.ends_with('-') {
        "must not begin or end with a hyphen"
    } else {
        return None;
    };
    Some(why.to_owned())
}

fn env_name(text: &str) -> Option<String> {
    let good = text.bytes().all(|c| matches!(c, b' '..=b'~') && c != b'=');
    (!good).then(|| {
        "a valid environment variable name must consist only of printable ASCII characters other than '='".into()
    })
}

/// An address.
pub fn ip(text: &str) -> Option<String> {
    let bad = text.parse::<IpAddr>().is_err();
    bad.then(|| "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)".to_owned())
}

/// The address and the length of a range of addresses.
pub fn range_of(text: &str) -> Option<(IpAddr, u8)> {
    let (address, length) = text.split_once('/')?;
    let address: IpAddr = address.parse().ok()?;
    let length: u8 = length.parse().ok()?;
    (length <= if address.is_ipv4() { 32 } else { 128 }).then_some((address, length))
}

/// A range of addresses.
pub fn cidr(text: &str) -> Option<String> {
    range_of(text).is_none().then(|| "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)".to_owned())
}

/// Without a database of time zones, none is refused.
fn time_zone(text: &str) -> Option<String> {
    let unknown = !jiff::tz::db().is_definitively_empty() && jiff::tz::TimeZone::get(text).is_err();
    unknown.then(|| format!("unknown time zone {text}"))
}

fn absolute(text: &str) -> Option<String> {
    (!text.starts_with('/')).then(|| "must be an absolute path".to_owned())
}

/// A relative path that stays where it is.
pub fn relative(text: &str) -> Option<String> {
    if text.starts_with('/') {
        return Some("must be a relative path".to_owned());
    }
    text.split('/').any(|part| part == "..").then(|| "must not contain '..'".to_owned())
}

/// The host of an ingress.
fn host(text: &str) -> Option<String> {
    if text.parse::<IpAddr>().is_ok() {
        return Some("must be a DNS name, not an IP address".to_owned());
    }
    if text.contains('*') {
        let good = text.strip_prefix("*.").is_some_and(|rest| rest.split('.').all(is_dns_part));
        return (!good).then(|| WILDCARD.to_owned());
    }
    subdomain(text)
}

fn domain_path(text: &str) -> Option<String> {
    let good = text.split_once('/').is_some_and(|(domain, path)| subdomain(domain).is_none() && !path.is_empty());
    (!good).then(|| "must be a domain-prefixed path (such as \"acme.io/foo\")".to_owned())
}

fn sysctl(text: &str) -> Option<String> {
    static PATTERN: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$").ok());
    let why = r"must have at most 253 characters and match regex ^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$";
    (text.len() > 253 || !matches(&PATTERN, text)).then(|| why.to_owned())
}

/// A field of a pod that an environment variable can take.
fn field_path(text: &str) -> Option<String> {
    let whole = [
        "metadata.name",
        "metadata.namespace",
        "metadata.uid",
        "spec.nodeName",
        "spec.serviceAccountName",
        "status.hostIP",
        "status.hostIPs",
        "status.podIP",
        "status.podIPs",
    ];
    let keyed = ["metadata.annotations['", "metadata.labels['"];
    let good = whole.contains(&text) || keyed.iter().any(|start| text.starts_with(start) && text.ends_with("']"));
    (!good).then(|| format!("error converting fieldPath: field label not supported: {text}"))
}
