//! Durations as people write and read them: `500ms`, `2s`, `1m30s`, `2h`.

use std::time::Duration;

/// Reads a duration in Go's notation (the one Terraform uses); a bare number is seconds. `None` for anything else.
pub fn parse(text: &str) -> Option<Duration> {
    let mut rest = text.trim();
    if rest.is_empty() {
        return None;
    }
    if let Ok(seconds) = rest.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let mut sum = Duration::ZERO;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let letters = rest.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(rest.len());
        let unit = match &rest[..letters] {
            "ns" => 1e-9,
            "us" | "µs" => 1e-6,
            "ms" => 1e-3,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            _ => return None,
        };
        rest = &rest[letters..];
        sum = sum.checked_add(Duration::try_from_secs_f64(number * unit).ok()?)?;
    }
    Some(sum)
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
    fn writes() {
        for (millis, text) in
            [(0, "0s"), (300, "0.3s"), (41_000, "41s"), (120_000, "2m"), (3_900_000, "1h5m"), (62_400, "1m2s")]
        {
            assert_eq!(short(Duration::from_millis(millis)), text);
        }
    }
}
