//! Version constraints: `>= 1.5.0, < 2.0.0`, `~> 1.9`.

/// A version: its numbers. What stands behind a hyphen is not looked at.
type Numbers = [u64; 3];

/// The lines of Terraform and OpenTofu whose language this program reads: 1.11 to 1.15. Every patch release of a line has the
/// language of the line.
const READ: std::ops::RangeInclusive<u64> = 11..=15;

/// What `required_version` asks for, beside what this program reads.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    /// A version whose language this is satisfies it.
    Read,
    /// Only newer versions satisfy it.
    Newer,
    /// Only older versions, those of another edition, or none at all.
    Refused,
}

/// How a constraint on the program's version stands.
///
/// # Errors
/// The part that is no constraint.
pub fn standing(constraint: &str) -> Result<Standing, String> {
    let parts: Vec<Part> = constraint.split(',').map(part).collect::<Result<_, _>>()?;
    let (read, newer) = candidates(&parts).into_iter().partition::<Vec<_>, _>(|[_, line, _]| READ.contains(line));
    let admitted = |versions: &[Numbers]| versions.iter().any(|version| parts.iter().all(|part| part.admits(*version)));
    Ok(match (admitted(&read), admitted(&newer)) {
        (true, _) => Standing::Read,
        (false, true) => Standing::Newer,
        (false, false) => Standing::Refused,
    })
}

/// The versions to try. Admission changes only at versions that are written, so that of every line one release at, before and
/// after each of them stands for all the others.
fn candidates(parts: &[Part]) -> Vec<Numbers> {
    let around = |number: u64| [number.saturating_sub(1), number, number.saturating_add(1)];
    let newest = parts.iter().flat_map(|part| around(part.version[1])).filter(|line| line > READ.end());
    let mut lines: Vec<u64> = READ.chain([READ.end() + 1]).chain(newest).collect();
    let mut patches: Vec<u64> = parts.iter().flat_map(|part| around(part.version[2])).chain([0]).collect();
    lines.sort_unstable();
    lines.dedup();
    patches.sort_unstable();
    patches.dedup();
    lines.into_iter().flat_map(|line| patches.iter().map(move |patch| [1, line, *patch])).collect()
}

struct Part {
    operator: &'static str,
    version: Numbers,
    /// How many numbers were written: `~> 1.9` leaves the second one open, `~> 1.9.0` the third.
    written: usize,
}

const OPERATORS: [&str; 7] = [">=", "<=", "!=", "~>", ">", "<", "="];

fn part(text: &str) -> Result<Part, String> {
    let trimmed = text.trim();
    let operator = OPERATORS.iter().find(|operator| trimmed.starts_with(**operator));
    let rest = operator.map_or(trimmed, |operator| trimmed[operator.len()..].trim_start());
    let numbers = rest.trim_start_matches('v').split(['-', '+']).next().unwrap_or_default();
    let mut version = [0; 3];
    let mut written = 0;
    for number in numbers.split('.') {
        let slot = version.get_mut(written).ok_or_else(|| trimmed.to_owned())?;
        *slot = number.parse().map_err(|_| trimmed.to_owned())?;
        written += 1;
    }
    Ok(Part { operator: operator.copied().unwrap_or("="), version, written })
}

impl Part {
    fn admits(&self, version: Numbers) -> bool {
        match self.operator {
            ">=" => version >= self.version,
            "<=" => version <= self.version,
            ">" => version > self.version,
            "<" => version < self.version,
            "!=" => version != self.version,
            "~>" => {
                let fixed = self.written.saturating_sub(1).max(1);
                version >= self.version && version[..fixed] == self.version[..fixed]
            }
            // A bare minor stands for its line here.
            _ => version[..self.written] == self.version[..self.written],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Standing, standing};

    #[test]
    fn constraints_are_tested_against_the_lines_whose_language_this_is() {
        for (constraint, expect) in [
            (">= 1.5.0", Standing::Read),
            ("~> 1.9", Standing::Read),
            ("~> 1.11.0", Standing::Read),
            ("1.11.4", Standing::Read),
            ("= 1.11", Standing::Read),
            ("< 2", Standing::Read),
            // Every patch of a line, those that are to come too.
            ("1.15.9", Standing::Read),
            ("= 1.15.7", Standing::Read),
            ("1.14.0", Standing::Read),
            ("= 1.11.0", Standing::Read),
            ("~> 1.12.3", Standing::Read),
            ("~> 1.15.400", Standing::Read),
            (">= 1.13, < 1.14", Standing::Read),
            ("> 1.12.3, < 1.12.5", Standing::Read),
            (">= 1.15.200, < 1.16", Standing::Read),
            ("= 1.12.6", Standing::Read),
            ("!= 1.11.4", Standing::Read),
            ("~> 1.15.0, != 1.15.0, != 1.15.1", Standing::Read),
            (">= 1.13.0-rc1", Standing::Read),
            (">= 1.15", Standing::Read),
            // Newer ones.
            (">= 1.16", Standing::Newer),
            ("~> 1.16", Standing::Newer),
            ("1.17.0", Standing::Newer),
            ("> 1.15, > 1.16.3, < 1.16.5", Standing::Newer),
            (">= 1.20.2, < 2", Standing::Newer),
            ("= 1.16", Standing::Newer),
            // Older ones, another edition, none at all.
            ("< 1.0", Standing::Refused),
            ("~> 1.9.0", Standing::Refused),
            (">= 1.5, < 1.6.0", Standing::Refused),
            ("< 1.11", Standing::Refused),
            ("= 0.12.31", Standing::Refused),
            (">= 2.0", Standing::Refused),
            ("> 1.12.3, < 1.12.4", Standing::Refused),
            ("1.15.9, != 1.15.9", Standing::Refused),
            (">= 1.14, < 1.13", Standing::Refused),
        ] {
            assert_eq!(standing(constraint), Ok(expect), "{constraint}");
        }
        for wrong in [">= 1.x", "", "1.2.3.4", "=> 1.5"] {
            assert_eq!(standing(wrong), Err(wrong.to_owned()), "{wrong}");
        }
    }
}
