//! Quantities (`10Gi`, `500m`, `0.5`, `1e3`): the canonical form the API server answers with, and equality of what they stand for.

/// An amount: `mantissa × 10^exponent × 1024^binary`.
#[derive(Clone, Copy, Debug)]
struct Amount {
    mantissa: i128,
    exponent: i32,
    binary: u32,
    scientific: bool,
}

const BINARY: [&str; 6] = ["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
/// Suffixes of powers of 1000, from 10⁻⁹.
const DECIMAL: [&str; 10] = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"];

/// The form the API server gives a quantity: no fraction, the largest suffix. `None` when it is none.
pub fn canonical(text: &str) -> Option<String> {
    let amount = parse(text)?;
    if amount.scientific {
        return Some(text.to_owned());
    }
    if amount.mantissa == 0 {
        return Some("0".to_owned());
    }
    if amount.binary > 0
        && let Some(bytes) = whole(amount)
        && !(-1024 < bytes && bytes < 1024)
    {
        let (mut value, mut power) = (bytes, 0);
        while value % 1024 == 0 && power < BINARY.len() {
            value /= 1024;
            power += 1;
        }
        return Some(format!("{value}{}", power.checked_sub(1).map_or("", |at| BINARY[at])));
    }
    let mut value = nano(amount)?;
    let mut at = 0;
    while value % 1000 == 0 && at + 1 < DECIMAL.len() {
        value /= 1000;
        at += 1;
    }
    Some(format!("{value}{}", DECIMAL[at]))
}

/// Whether two quantities are the same amount; texts that are no quantities are equal when they are the same.
pub fn same(a: &str, b: &str) -> bool {
    match (parse(a).and_then(nano), parse(b).and_then(nano)) {
        (Some(a), Some(b)) => a == b,
        _ => a == b,
    }
}

/// Compares the amounts of two quantities; `None` when one is none.
pub fn compare(a: &str, b: &str) -> Option<std::cmp::Ordering> {
    Some(parse(a).and_then(nano)?.cmp(&parse(b).and_then(nano)?))
}

/// Whether it is zero or more.
pub fn is_not_negative(text: &str) -> bool {
    parse(text).is_some_and(|amount| amount.mantissa >= 0)
}

fn parse(text: &str) -> Option<Amount> {
    let digits = text.find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | '+' | '-'))).unwrap_or(text.len());
    let (number, suffix) = text.split_at(digits);
    let (sign, number) = match number.strip_prefix('-') {
        Some(number) => (-1, number),
        None => (1, number.strip_prefix('+').unwrap_or(number)),
    };
    let (integer, fraction) = number.split_once('.').unwrap_or((number, ""));
    if integer.is_empty() && fraction.is_empty() {
        return None;
    }
    let mantissa = sign * format!("0{integer}{fraction}").parse::<i128>().ok()?;
    let mut amount = Amount { mantissa, exponent: -i32::try_from(fraction.len()).ok()?, binary: 0, scientific: false };
    if let Some(at) = BINARY.iter().position(|name| *name == suffix) {
        amount.binary = at as u32 + 1;
    } else if let Some(at) = DECIMAL.iter().position(|name| *name == suffix) {
        amount.exponent += (at as i32 - 3) * 3;
    } else {
        let exponent = suffix.strip_prefix(['e', 'E'])?;
        amount.exponent += exponent.parse::<i32>().ok().filter(|exponent| exponent.abs() <= 18)?;
        amount.scientific = true;
    }
    Some(amount)
}

/// The amount in whole units, where it is whole.
fn whole(amount: Amount) -> Option<i128> {
    let nano = nano(amount)?;
    (nano % 1_000_000_000 == 0).then_some(nano / 1_000_000_000)
}

/// The amount in billionths, rounded up as the API server does.
fn nano(amount: Amount) -> Option<i128> {
    let value = amount.mantissa.checked_mul(1024_i128.checked_pow(amount.binary)?)?;
    let exponent = amount.exponent + 9;
    if exponent >= 0 {
        return value.checked_mul(10_i128.checked_pow(exponent.unsigned_abs())?);
    }
    let divisor = 10_i128.checked_pow(exponent.unsigned_abs())?;
    let (quotient, rest) = (value / divisor, value % divisor);
    Some(if rest > 0 { quotient + 1 } else { quotient })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn canonical_forms() {
        let check = |text: &str, expect: Option<&str>| assert_eq!(canonical(text).as_deref(), expect, "{text}");
        check("10Gi", Some("10Gi"));
        check("1024Mi", Some("1Gi"));
        check("1.5Gi", Some("1536Mi"));
        check("0.5", Some("500m"));
        check("2000m", Some("2"));
        check("1500m", Some("1500m"));
        check("1000", Some("1k"));
        check("100", Some("100"));
        check("512", Some("512"));
        check("0", Some("0"));
        check("0Gi", Some("0"));
        check("1000M", Some("1G"));
        check("1e3", Some("1e3"));
        check("ten", None);
        check("10 Gi", None);
        check("", None);
    }

    #[test]
    fn amounts() {
        assert!(same("1", "1000m") && same("1Gi", "1024Mi") && same("1e3", "1k"));
        assert!(!same("1G", "1Gi"));
        assert_eq!(compare("500m", "1"), Some(std::cmp::Ordering::Less));
        assert!(!is_not_negative("-1"));
    }
}
