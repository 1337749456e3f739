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

/// How far from a moment: years and months by the calendar, the rest by the clock.
pub struct Shift([(&'static str, Option<i64>); 6]);

impl Shift {
    /// Reads `PREFIXyears` and so on.
    pub fn read(entries: &Entries, prefix: &str) -> Shift {
        Shift(["years", "months", "days", "hours", "minutes", "seconds"].map(|unit| {
            let value = entries.get(&format!("{prefix}{unit}"));
            (unit, value.and_then(Value::as_number).and_then(Number::as_i64))
        }))
    }

    /// Whether no unit is given.
    pub fn is_none(&self) -> bool {
        self.0.iter().all(|(_, count)| count.is_none())
    }

    /// The moment this far from another one. A day that the month does not have runs over into the next, as in Go.
    pub fn from(&self, base: Timestamp) -> Result<Timestamp, Diagnostic> {
        let of = |unit: &str| self.0.iter().find(|(name, _)| *name == unit).and_then(|(_, count)| *count).unwrap_or(0);
        let shifted = || -> Result<Timestamp, jiff::Error> {
            let civil = base.to_zoned(TimeZone::UTC).datetime();
            let first = civil.date().first_of_month();
            let month = first.checked_add(Span::new().try_years(of("years"))?.try_months(of("months"))?)?;
            let days = Span::new().try_days(i64::from(civil.day()) - 1 + of("days"))?;
            let day = month.checked_add(days)?.to_datetime(civil.time());
            let clock = Span::new().try_hours(of("hours"))?.try_minutes(of("minutes"))?.try_seconds(of("seconds"))?;
            Ok(day.checked_add(clock)?.to_zoned(TimeZone::UTC)?.timestamp())
        };
        shifted().map_err(|error| {
            Diagnostic::error("Time out of range", format!("The shifted time cannot be told: {error}."))
        })
    }
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
