//! Version constraints: `>= 1.5.0, < 2.0.0`, `~> 1.9`.

/// A version: numbers, and a pre-release that makes it smaller.
type Numbers = [u64; 3];

/// Versions of Terraform whose language this program reads.
const READ: [Numbers; 6] = [[1, 11, 4], [1, 12, 2], [1, 13, 5], [1, 14, 9], [1, 15, 0], [1, 15, 99]];

/// Whether a constraint on Terraform's version admits one of those whose language this is.
///
/// # Errors
/// The part that is no constraint.
pub fn satisfies(constraint: &str) -> Result<bool, String> {
    let parts: Vec<Part> = constraint.split(',').map(part).collect::<Result<_, _>>()?;
    Ok(READ.iter().any(|version| parts.iter().all(|part| part.admits(*version))))
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
            // A bare minor stands for a line here: nobody has all of its patch releases listed.
            _ => version[..self.written] == self.version[..self.written],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::satisfies;

    #[test]
    fn constraints_are_tested_against_the_versions_whose_language_this_is() {
        for (constraint, expect) in [
            (">= 1.5.0", Ok(true)),
            ("~> 1.9", Ok(true)),
            ("~> 1.9.0", Ok(false)),
            ("~> 1.11.0", Ok(true)),
            (">= 1.5, < 1.6.0", Ok(false)),
            ("1.11.4", Ok(true)),
            ("= 0.12.31", Ok(false)),
            ("!= 1.11.4", Ok(true)),
            ("< 2", Ok(true)),
            (">= 2.0", Ok(false)),
            (">= 1.x", Err(">= 1.x".to_owned())),
            ("", Err(String::new())),
        ] {
            assert_eq!(satisfies(constraint), expect, "{constraint}");
        }
    }
}
