//! Versions of modules and what is asked of them: `1.2.0-beta`, `>= 1.2, < 2.0`, `~> 1.2`.

use std::cmp::Ordering;
use std::fmt;

/// A version: numbers, and a pre-release that makes it smaller. What is built of it (`+…`) does not count.
#[derive(Clone, Debug)]
pub struct Version {
    text: String,
    numbers: Vec<u64>,
    /// How many numbers were written: `~> 1.9` leaves the second one open, `~> 1.9.0` the third.
    written: usize,
    prerelease: Vec<String>,
}

impl Version {
    /// Reads `1.2.3`, `v1.2`, `1.2.3-rc.1+build`. `None` when it is none of these.
    pub fn parse(text: &str) -> Option<Version> {
        let plain = text.strip_prefix('v').unwrap_or(text);
        let (plain, build) = plain.split_once('+').map_or((plain, None), |(plain, build)| (plain, Some(build)));
        let (numbers, prerelease) =
            plain.split_once('-').map_or((plain, None), |(numbers, rest)| (numbers, Some(rest)));
        let word = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        if ![prerelease, build].into_iter().flatten().all(|text| text.split('.').all(word)) {
            return None;
        }
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse().ok()).flatten();
        let mut numbers: Vec<u64> = numbers.split('.').map(digits).collect::<Option<_>>()?;
        let written = numbers.len();
        numbers.resize(written.max(3), 0);
        let prerelease = prerelease.into_iter().flat_map(|text| text.split('.').map(str::to_owned)).collect();
        Some(Version { text: text.to_owned(), numbers, written, prerelease })
    }

    /// Whether it is one that came before its release.
    pub fn is_prerelease(&self) -> bool {
        !self.prerelease.is_empty()
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text.strip_prefix('v').unwrap_or(&self.text))
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Version {}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        let numbers = || {
            let count = self.numbers.len().max(other.numbers.len());
            let at = |numbers: &[u64], index| numbers.get(index).copied().unwrap_or(0);
            (0..count).map(|index| at(&self.numbers, index).cmp(&at(&other.numbers, index))).find(|order| order.is_ne())
        };
        let parts = || {
            let pairs = self.prerelease.iter().zip(&other.prerelease);
            let found = pairs.map(|(a, b)| prerelease_part(a, b)).find(|order| order.is_ne());
            found.unwrap_or_else(|| self.prerelease.len().cmp(&other.prerelease.len()))
        };
        // A release is greater than what came before it.
        let release = self.prerelease.is_empty().cmp(&other.prerelease.is_empty());
        numbers().unwrap_or_else(|| release.then_with(parts))
    }
}

/// Numbers by size and before words, words by their letters.
fn prerelease_part(a: &str, b: &str) -> Ordering {
    match (a.parse::<u64>(), b.parse::<u64>()) {
        (Ok(a), Ok(b)) => a.cmp(&b),
        (Ok(_), Err(_)) => Ordering::Less,
        (Err(_), Ok(_)) => Ordering::Greater,
        (Err(_), Err(_)) => a.cmp(b),
    }
}

/// What is asked of a version; nothing at all when empty.
#[derive(Clone, Debug, Default)]
pub struct Constraints {
    parts: Vec<(&'static str, Version)>,
}

const OPERATORS: [&str; 7] = [">=", "<=", "!=", "~>", ">", "<", "="];

impl Constraints {
    /// Reads parts with commas between them. `None` when one is no constraint.
    pub fn parse(text: &str) -> Option<Constraints> {
        let part = |text: &str| {
            let text = text.trim();
            let operator = OPERATORS.iter().find(|operator| text.starts_with(**operator));
            let rest = operator.map_or(text, |operator| text[operator.len()..].trim_start());
            Some((operator.copied().unwrap_or("="), Version::parse(rest)?))
        };
        Some(Constraints { parts: text.split(',').map(part).collect::<Option<_>>()? })
    }

    /// Whether a version is one of those asked for. One that came before its release is only where it is named.
    pub fn admit(&self, version: &Version) -> bool {
        let named = self.parts.iter().any(|(operator, wanted)| *operator == "=" && wanted == version);
        (named || !version.is_prerelease())
            && self.parts.iter().all(|(operator, wanted)| admits(operator, wanted, version))
    }
}

impl fmt::Display for Constraints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (operator, version)) in self.parts.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            match *operator {
                "=" => write!(f, "{comma}{version}")?,
                operator => write!(f, "{comma}{operator} {version}")?,
            }
        }
        Ok(())
    }
}

fn admits(operator: &str, wanted: &Version, version: &Version) -> bool {
    match operator {
        ">=" => version >= wanted,
        "<=" => version <= wanted,
        ">" => version > wanted,
        "<" => version < wanted,
        "!=" => version != wanted,
        "~>" => {
            let fixed = wanted.written.saturating_sub(1);
            version >= wanted && version.numbers.get(..fixed) == wanted.numbers.get(..fixed)
        }
        _ => version == wanted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_ordered() {
        let order = ["0.9", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-2", "1.0", "1.0.1", "1.10", "2"];
        let mut versions: Vec<Version> = order.iter().filter_map(|text| Version::parse(text)).collect();
        versions.sort();
        let sorted: Vec<String> = versions.iter().map(ToString::to_string).collect();
        assert_eq!(
            sorted,
            ["0.9", "1.0.0-2", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0", "1.0.1", "1.10", "2"]
        );
        assert!(Version::parse("v1.2.3+build.5") == Version::parse("1.2.3"));
        for wrong in ["", "1.", "x", "1.2-", "1.2+", "-1", "1..2", "1.2 .3", "99999999999999999999"] {
            assert!(Version::parse(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn constraints_admit_versions() {
        fn check(constraints: &str, version: &str, expect: bool) {
            let parsed = Constraints::parse(constraints).zip(Version::parse(version));
            assert_eq!(
                parsed.map(|(constraints, version)| constraints.admit(&version)),
                Some(expect),
                "{constraints} {version}"
            );
        }
        check(">= 1.2, < 2.0", "1.9.9", true);
        check(">= 1.2, < 2.0", "2.0.0", false);
        check("~> 1.2", "1.9", true);
        check("~> 1.2", "2.0", false);
        check("~> 1.2.3", "1.2.9", true);
        check("~> 1.2.3", "1.3", false);
        check("~>1", "2.0", true);
        check("1.2", "1.2.0", true);
        check("= 1.2", "1.2.1", false);
        check("!= 1.2.0", "1.2", false);
        check(">= 1.0", "1.1.0-beta", false);
        check("1.1.0-beta", "1.1.0-beta", true);
        check("> 1, <= 3", "3", true);
        for wrong in ["", "1.x", ">= ", "=> 1", "1 2"] {
            assert!(Constraints::parse(wrong).is_none(), "{wrong}");
        }
    }
}
