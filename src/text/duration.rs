//! Durations as people write and read them: `500ms`, `2s`, `1m30s`, `2h`.

use std::time::Duration;

use jiff::SignedDuration;

/// Reads a duration in Go's notation (the one Terraform uses); a bare number is seconds. `None` for anything else, and for less than
/// nothing.
pub fn parse(text: &str) -> Option<Duration> {
    let text = text.trim();
    match text.parse::<f64>() {
        Ok(seconds) => Duration::try_from_secs_f64(seconds).ok(),
        Err(_) => go(text).ok()?.try_into().ok(),
    }
}

/// Reads a duration as Go's `time.ParseDuration` does: `1h30m`, `-1.5h`, `500ms`, `0`.
///
/// # Errors
/// In Go's words, when it is none or does not fit in 64 bits of nanoseconds.
pub fn go(text: &str) -> Result<SignedDuration, String> {
    let invalid = || format!("time: invalid duration {text:?}");
    let (negative, mut rest) = match text.strip_prefix(['-', '+']) {
        Some(rest) => (text.starts_with('-'), rest),
        None => (false, text),
    };
    if rest == "0" {
        return Ok(SignedDuration::ZERO);
    }
    if rest.is_empty() {
        return Err(invalid());
    }
    let mut sum: i128 = 0;
    while !rest.is_empty() {
        let number = rest.bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b'.').count();
        let (whole, fraction) = rest[..number].split_once('.').unwrap_or((&rest[..number], ""));
        if whole.is_empty() && fraction.is_empty() || fraction.contains('.') || number > 30 {
            return Err(invalid());
        }
        rest = &rest[number..];
        let unit = rest.find(|char: char| char == '.' || char.is_ascii_digit()).unwrap_or(rest.len());
        let nanoseconds: i128 = match &rest[..unit] {
            "" => return Err(format!("time: missing unit in duration {text:?}")),
            "ns" => 1,
            "us" | "µs" | "μs" => 1_000,
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "m" => 60_000_000_000,
            "h" => 3_600_000_000_000,
            unit => return Err(format!("time: unknown unit {unit:?} in duration {text:?}")),
        };
        rest = &rest[unit..];
        let whole: i128 = if whole.is_empty() { 0 } else { whole.parse().map_err(|_| invalid())? };
        sum = whole.checked_mul(nanoseconds).and_then(|part| sum.checked_add(part)).ok_or_else(invalid)?;
        // Digits beyond the eighteenth are below a nanosecond in any unit.
        let fraction = &fraction[..fraction.len().min(18)];
        if !fraction.is_empty() {
            let digits: i128 = fraction.parse().map_err(|_| invalid())?;
            sum += digits * nanoseconds / 10_i128.pow(fraction.len() as u32);
        }
    }
    let sum = i64::try_from(if negative { -sum } else { sum }).map_err(|_| invalid())?;
    Ok(SignedDuration::from_nanos(sum))
}

/// Writes a duration as short as it can be said: `1h5m`, `2m`, `41s`, `0.3s`.
pub fn short(duration: Duration) -> String {
    let seconds = duration.as_secs();
    if seconds < 10 && duration.subsec_millis() >= 50 {
        return format!("{:.1}s", duration.as_secs_f64());
    }
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let parts = [(hours, 'h'), (minutes, 'm'), (seconds, 's')];
    let text: String =
        parts.iter().filter(|(count, _)| *count > 0).map(|(count, unit)| format!("{count}{unit}")).collect();
    if text.is_empty() { "0s".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses() {
        for (text, millis) in [
            ("2s", 2000),
            ("500ms", 500),
            ("1m30s", 90_000),
            ("1.5h", 5_400_000),
            ("10", 10_000),
            ("0.25", 250),
            ("0s", 0),
        ] {
            assert_eq!(parse(text), Some(Duration::from_millis(millis)), "{text}");
        }
        for text in ["", "s", "5x", "-2s", "-1", "1m-2s", "two", "1e400"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn reads_what_go_reads() {
        for (text, nanoseconds) in [
            ("0", 0),
            ("1h30m", 5_400_000_000_000),
            ("-1.5h", -5_400_000_000_000),
            ("+5us", 5_000),
            ("100ns", 100),
            (".5s", 500_000_000),
        ] {
            assert_eq!(go(text), Ok(SignedDuration::from_nanos(nanoseconds)), "{text}");
        }
        for (text, error) in [
            ("", "time: invalid duration \"\""),
            ("10", "time: missing unit in duration \"10\""),
            ("10 minutes", "time: unknown unit \" minutes\" in duration \"10 minutes\""),
            ("1d", "time: unknown unit \"d\" in duration \"1d\""),
            ("1h 5m", "time: unknown unit \"h \" in duration \"1h 5m\""),
            ("five", "time: invalid duration \"five\""),
        ] {
            assert_eq!(go(text), Err(error.to_owned()), "{text}");
        }
    }

    #[test]
    fn writes() {
        for (millis, text) in
            [(0, "0s"), (300, "0.3s"), (41_000, "41s"), (120_000, "2m"), (3_900_000, "1h5m"), (62_400, "1m2s")]
        {
            assert_eq!(short(Duration::from_millis(millis)), text);
        }
    }
}
