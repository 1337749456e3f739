//! Moments, shifts and durations.

use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

use crate::diag::Diagnostic;
use crate::value::{Entries, Number, Value};

/// Reads RFC 3339, with `Z` or an offset.
pub fn parse(text: &str) -> Result<Timestamp, Diagnostic> {
    text.parse::<Timestamp>().map_err(|error| {
        Diagnostic::error(
            "Invalid RFC3339 String Value",
            format!("{text:?} is not a time such as 2026-01-31T12:00:00Z: {error}."),
        )
    })
}

/// Writes RFC 3339 in UTC, seconds only.
pub fn rfc3339(moment: Timestamp) -> Value {
    Value::string(moment.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}

/// The attributes that spell a moment out.
pub fn parts(moment: Timestamp) -> Vec<(&'static str, Value)> {
    let civil = moment.to_zoned(TimeZone::UTC).datetime();
    let number = |value: i64| Value::int(value);
    vec![
        ("day", number(civil.day().into())),
        ("hour", number(civil.hour().into())),
        ("minute", number(civil.minute().into())),
        ("month", number(civil.month().into())),
        ("second", number(civil.second().into())),
        ("unix", number(moment.as_second())),
        ("year", number(civil.year().into())),
    ]
}

/// How far from a moment: years, months and days by the calendar, the rest by the clock.
pub struct Shift(Vec<(&'static str, i64)>);

impl Shift {
    /// Reads `PREFIXdays` and so on.
    pub fn read(entries: &Entries, prefix: &str) -> Shift {
        let units = ["days", "hours", "minutes", "months", "seconds", "years"].into_iter();
        let given = units.filter_map(|unit| {
            let value = entries.get(&format!("{prefix}{unit}"));
            value.and_then(Value::as_number).and_then(Number::as_i64).map(|count| (unit, count))
        });
        Shift(given.collect())
    }

    /// The moment this far from another one, a unit after the other: days, hours, minutes, months, seconds, years.
    pub fn from(&self, base: Timestamp) -> Result<Timestamp, Diagnostic> {
        self.0.iter().try_fold(base, |moment, (unit, count)| step(moment, unit, *count))
    }

    /// The same by the last of the given units alone, as rotations have it; nothing when none is given.
    pub fn by_last(&self, base: Timestamp) -> Option<Result<Timestamp, Diagnostic>> {
        self.0.last().map(|(unit, count)| step(base, unit, *count))
    }
}

/// So many units from a moment. A day that the month does not have runs over into the next, as in Go.
fn step(moment: Timestamp, unit: &str, count: i64) -> Result<Timestamp, Diagnostic> {
    let shifted = || -> Result<Timestamp, jiff::Error> {
        let civil = moment.to_zoned(TimeZone::UTC).datetime();
        let moved = match unit {
            "years" | "months" => {
                let span =
                    if unit == "years" { Span::new().try_years(count)? } else { Span::new().try_months(count)? };
                let month = civil.date().first_of_month().checked_add(span)?;
                month.checked_add(Span::new().try_days(i64::from(civil.day()) - 1)?)?.to_datetime(civil.time())
            }
            "days" => civil.checked_add(Span::new().try_days(count)?)?,
            "hours" => civil.checked_add(Span::new().try_hours(count)?)?,
            "minutes" => civil.checked_add(Span::new().try_minutes(count)?)?,
            _ => civil.checked_add(Span::new().try_seconds(count)?)?,
        };
        Ok(moved.to_zoned(TimeZone::UTC)?.timestamp())
    };
    shifted()
        .map_err(|error| Diagnostic::error("Time out of range", format!("The shifted time cannot be told: {error}.")))
}

/// Reads a duration as Go writes it: `1h30m`, `1.5s`, `300ms`. Units ms, s, m, h.
pub fn duration(text: &str) -> Result<Duration, Diagnostic> {
    let wrong = || {
        Diagnostic::error(
            "Invalid Attribute Value Match",
            format!(
                "{text:?} must be a number immediately followed by ms (milliseconds), s (seconds), m (minutes), or h (hours), such as \"30s\"."
            ),
        )
    };
    let mut rest = text;
    let mut total = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or_else(wrong)?;
        let count: f64 = rest[..digits].parse().map_err(|_| wrong())?;
        rest = &rest[digits..];
        let (seconds, unit) = if rest.starts_with("ms") {
            (0.001, 2)
        } else {
            match rest.chars().next() {
                Some('s') => (1.0, 1),
                Some('m') => (60.0, 1),
                Some('h') => (3600.0, 1),
                _ => return Err(wrong()),
            }
        };
        total += count * seconds;
        rest = &rest[unit..];
    }
    if text.is_empty() {
        return Err(wrong());
    }
    Duration::try_from_secs_f64(total).map_err(|_| wrong())
}
