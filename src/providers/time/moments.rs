//! Moments as they are written, shifts and durations.
//!
//! A moment keeps the offset that it was written with: what follows from it is told on the same clock. What is malformed is
//! refused for the same reason, in the same words, as by the Terraform provider, whose language reads times a little wider than
//! RFC 3339: an hour of one digit and a comma before the fraction will do.

use std::time::Duration;

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::Offset;
use jiff::{Span, Timestamp};

use crate::diag::Diagnostic;
use crate::value::{Entries, Number, Value};

/// The layout that messages name.
const LAYOUT: &str = "2006-01-02T15:04:05Z07:00";

/// A point in time on the clock at some offset.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Moment {
    local: DateTime,
    /// Seconds east of Greenwich.
    offset: i32,
}

impl Moment {
    /// At Greenwich.
    pub fn utc(timestamp: Timestamp) -> Moment {
        Moment { local: Offset::UTC.to_datetime(timestamp), offset: 0 }
    }

    /// Reads RFC 3339.
    ///
    /// # Errors
    /// Which part is wrong.
    pub fn parse(text: &str) -> Result<Moment, String> {
        Reader { whole: text, rest: text }.moment()
    }

    /// Seconds since 1970.
    pub fn unix(self) -> i64 {
        let epoch = Date::constant(1970, 1, 1).to_datetime(Time::midnight());
        let since = self.local.duration_since(epoch);
        since.as_secs() - i64::from(since.subsec_nanos() < 0) - i64::from(self.offset)
    }

    /// Whether it lies before another one.
    pub fn is_before(self, other: Timestamp) -> bool {
        (self.unix(), self.local.subsec_nanosecond()) < (other.as_second(), other.subsec_nanosecond())
    }

    /// The attributes that spell it out.
    pub fn parts(self) -> Vec<(&'static str, Value)> {
        let number = |value: i64| Value::int(value);
        vec![
            ("day", number(self.local.day().into())),
            ("hour", number(self.local.hour().into())),
            ("minute", number(self.local.minute().into())),
            ("month", number(self.local.month().into())),
            ("second", number(self.local.second().into())),
            ("unix", number(self.unix())),
            ("year", number(self.local.year().into())),
        ]
    }
}

impl std::fmt::Display for Moment {
    /// RFC 3339 in whole seconds, `Z` where the offset is none.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (date, time) = (self.local.date(), self.local.time());
        write!(f, "{:04}-{:02}-{:02}T", date.year(), date.month(), date.day())?;
        write!(f, "{:02}:{:02}:{:02}", time.hour(), time.minute(), time.second())?;
        if self.offset == 0 {
            return f.write_str("Z");
        }
        let minutes = self.offset.unsigned_abs() / 60;
        write!(f, "{}{:02}:{:02}", if self.offset < 0 { '-' } else { '+' }, minutes / 60, minutes % 60)
    }
}

/// Reads a time part by part.
struct Reader<'t> {
    whole: &'t str,
    rest: &'t str,
}

impl Reader<'_> {
    fn moment(mut self) -> Result<Moment, String> {
        let year = self.digits(4, 4, "2006")?;
        self.literal("-")?;
        let month = self.digits(2, 2, "01")?;
        self.within("month", month, 1..=12)?;
        self.literal("-")?;
        let day = self.digits(2, 2, "02")?;
        self.literal("T")?;
        let hour = self.digits(1, 2, "15")?;
        self.within("hour", hour, 0..=23)?;
        self.literal(":")?;
        let minute = self.digits(2, 2, "04")?;
        self.within("minute", minute, 0..=59)?;
        self.literal(":")?;
        let second = self.digits(2, 2, "05")?;
        self.within("second", second, 0..=59)?;
        let nanosecond = self.fraction();
        let offset = self.offset()?;
        if !self.rest.is_empty() {
            return Err(format!("parsing time {:?}: extra text: {:?}", self.whole, self.rest));
        }
        let small = |number: i16| i8::try_from(number).unwrap_or(0);
        let date = Date::new(year, small(month), small(day)).map_err(|_| self.range("day"))?;
        let time =
            Time::new(small(hour), small(minute), small(second), nanosecond).map_err(|_| self.range("second"))?;
        Ok(Moment { local: date.to_datetime(time), offset })
    }

    fn unread(&self, part: &str) -> String {
        format!("parsing time {:?} as {LAYOUT:?}: cannot parse {:?} as {part:?}", self.whole, self.rest)
    }

    fn range(&self, part: &str) -> String {
        format!("parsing time {:?}: {part} out of range", self.whole)
    }

    fn within(&self, part: &str, number: i16, range: std::ops::RangeInclusive<i16>) -> Result<(), String> {
        if range.contains(&number) { Ok(()) } else { Err(self.range(part)) }
    }

    fn literal(&mut self, wanted: &str) -> Result<(), String> {
        self.rest = self.rest.strip_prefix(wanted).ok_or_else(|| self.unread(wanted))?;
        Ok(())
    }

    /// As many digits as there are, at least and at most so many.
    fn digits(&mut self, least: usize, most: usize, part: &str) -> Result<i16, String> {
        let count = self.rest.bytes().take(most).take_while(u8::is_ascii_digit).count();
        if count < least {
            return Err(self.unread(part));
        }
        let number = self.rest[..count].parse().map_err(|_| self.unread(part))?;
        self.rest = &self.rest[count..];
        Ok(number)
    }

    fn fraction(&mut self) -> i32 {
        let Some(after) = self.rest.strip_prefix(['.', ',']) else { return 0 };
        let count = after.bytes().take_while(u8::is_ascii_digit).count();
        if count == 0 {
            return 0;
        }
        self.rest = &after[count..];
        let digits: String = after[..count].chars().chain("000000000".chars()).take(9).collect();
        digits.parse().unwrap_or(0)
    }

    fn offset(&mut self) -> Result<i32, String> {
        const PART: &str = "Z07:00";
        if let Some(rest) = self.rest.strip_prefix('Z') {
            self.rest = rest;
            return Ok(0);
        }
        let bytes = self.rest.as_bytes();
        let sign = match bytes.first() {
            Some(b'+') => 1,
            Some(b'-') => -1,
            _ => return Err(self.unread(PART)),
        };
        let shaped = bytes.len() >= 6 && bytes[3] == b':' && [1, 2, 4, 5].iter().all(|at| bytes[*at].is_ascii_digit());
        if !shaped {
            return Err(self.unread(PART));
        }
        let number = |at: usize| i32::from(bytes[at] - b'0') * 10 + i32::from(bytes[at + 1] - b'0');
        let (hours, minutes) = (number(1), number(4));
        for (number, most, part) in [(hours, 24, "hour"), (minutes, 60, "minute")] {
            if number > most {
                return Err(self.range(&format!("time zone offset {part}")));
            }
        }
        self.rest = &self.rest[6..];
        Ok(sign * (hours * 60 + minutes) * 60)
    }
}

/// Reads an attribute.
pub fn parse(text: &str) -> Result<Moment, Diagnostic> {
    Moment::parse(text).map_err(|error| {
        Diagnostic::error(
            "Invalid RFC3339 String Value",
            format!(
                "A string value was provided that is not valid RFC3339 string format.\n\nGiven Value: {text}\nError: {error}"
            ),
        )
    })
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
    pub fn from(&self, base: Moment) -> Result<Moment, Diagnostic> {
        self.0.iter().try_fold(base, |moment, (unit, count)| step(moment, unit, *count))
    }

    /// The same by the last of the given units alone, as rotations have it; nothing when none is given.
    pub fn by_last(&self, base: Moment) -> Option<Result<Moment, Diagnostic>> {
        self.0.last().map(|(unit, count)| step(base, unit, *count))
    }
}

/// So many units from a moment. A day that the month does not have runs over into the next, as in Go.
fn step(moment: Moment, unit: &str, count: i64) -> Result<Moment, Diagnostic> {
    let local = moment.local;
    let shifted = || -> Result<DateTime, jiff::Error> {
        match unit {
            "years" | "months" => {
                let span =
                    if unit == "years" { Span::new().try_years(count)? } else { Span::new().try_months(count)? };
                let month = local.date().first_of_month().checked_add(span)?;
                Ok(month.checked_add(Span::new().try_days(i64::from(local.day()) - 1)?)?.to_datetime(local.time()))
            }
            "days" => local.checked_add(Span::new().try_days(count)?),
            "hours" => local.checked_add(Span::new().try_hours(count)?),
            "minutes" => local.checked_add(Span::new().try_minutes(count)?),
            _ => local.checked_add(Span::new().try_seconds(count)?),
        }
    };
    let out_of_range = |why: String| Diagnostic::error("Invalid RFC3339 String Value", why);
    match shifted() {
        Ok(local) if (0..=9999).contains(&local.year()) => Ok(Moment { local, ..moment }),
        Ok(local) => Err(out_of_range(format!(
            "{moment} shifted by {count} {unit} is in the year {}, which RFC 3339 has no form for. Shift it by less.",
            local.year()
        ))),
        Err(error) => {
            Err(out_of_range(format!("{moment} cannot be shifted by {count} {unit}: {error}. Shift it by less.")))
        }
    }
}

/// Whether a duration has the one form that the arguments of `time_sleep` may have: a number and a unit.
pub fn is_plain_duration(text: &str) -> bool {
    let number = ["ms", "s", "m", "h"].iter().find_map(|unit| text.strip_suffix(unit));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match number.map(|number| number.split_once('.').unwrap_or((number, "0"))) {
        Some((whole, fraction)) => digits(whole) && digits(fraction),
        None => false,
    }
}

/// Reads a duration as Go writes it: `1h30m`, `1.5s`, `300ms`.
pub fn duration(text: &str) -> Option<Duration> {
    crate::text::duration::go(text).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Recorded from the Terraform provider.
    #[test]
    fn times_are_read_as_terraform_reads_them() {
        for (text, expect) in [
            ("2026-03-01T00:00:00+02:00", Ok(("2026-03-01T00:00:00+02:00", 1_772_316_000))),
            ("2026-03-01T00:00:00+00:00", Ok(("2026-03-01T00:00:00Z", 1_772_323_200))),
            ("2026-03-01T00:00:00-00:00", Ok(("2026-03-01T00:00:00Z", 1_772_323_200))),
            ("2026-03-01T12:34:56.789Z", Ok(("2026-03-01T12:34:56Z", 1_772_368_496))),
            ("2026-03-01T12:34:56.120+05:30", Ok(("2026-03-01T12:34:56+05:30", 1_772_348_696))),
            ("2026-03-01T00:00:00,5Z", Ok(("2026-03-01T00:00:00Z", 1_772_323_200))),
            ("1969-12-31T23:59:59.5Z", Ok(("1969-12-31T23:59:59Z", -1))),
            ("0001-01-01T00:00:00Z", Ok(("0001-01-01T00:00:00Z", -62_135_596_800))),
            ("9999-12-31T23:59:59.999999999Z", Ok(("9999-12-31T23:59:59Z", 253_402_300_799))),
            ("2026-03-01T00:00:00+24:00", Ok(("2026-03-01T00:00:00+24:00", 1_772_236_800))),
            ("2026-03-01T0:00:00Z", Ok(("2026-03-01T00:00:00Z", 1_772_323_200))),
            ("2026-03-01T00:00:60Z", Err(": second out of range")),
            ("2026-03-01T24:00:00Z", Err(": hour out of range")),
            ("2026-02-30T00:00:00Z", Err(": day out of range")),
            ("2026-03-01t00:00:00z", Err("cannot parse \"t00:00:00z\" as \"T\"")),
            ("2026-03-01 00:00:00Z", Err("cannot parse \" 00:00:00Z\" as \"T\"")),
            ("2026-03-01T00:00:00", Err("cannot parse \"\" as \"Z07:00\"")),
            ("2026-03-01T00:00Z", Err("cannot parse \"Z\" as \":\"")),
            ("2026-3-01T00:00:00Z", Err("cannot parse \"3-01T00:00:00Z\" as \"01\"")),
            ("2026-03-01T00:00:00.Z", Err("cannot parse \".Z\" as \"Z07:00\"")),
            ("2026-03-01T00:00:00+0200", Err("cannot parse \"+0200\" as \"Z07:00\"")),
            ("2026-03-01T00:00:00+02", Err("cannot parse \"+02\" as \"Z07:00\"")),
            ("", Err("cannot parse \"\" as \"2006\"")),
            ("yesterday", Err("cannot parse \"yesterday\" as \"2006\"")),
            ("2026-03-01T00:00:00Zé", Err(": extra text: \"é\"")),
            ("2026-03-01T00:00:00+é2:00", Err("as \"Z07:00\"")),
        ] {
            match (Moment::parse(text), expect) {
                (Ok(moment), Ok((formatted, unix))) => {
                    assert_eq!((moment.to_string().as_str(), moment.unix()), (formatted, unix), "{text}");
                }
                (Err(error), Err(part)) => assert!(error.ends_with(part), "{text}: {error}"),
                (read, _) => panic!("{text}: {read:?}"),
            }
        }
    }

    #[test]
    fn durations() {
        for (text, plain, seconds) in [
            ("1s", true, Some(1.0)),
            ("1.5s", true, Some(1.5)),
            ("300ms", true, Some(0.3)),
            ("2h", true, Some(7200.0)),
            ("1h30m", false, Some(5400.0)),
            ("30", false, None),
            ("1us", false, Some(0.000_001)),
            ("-1s", false, None),
            ("1 s", false, None),
            (".5s", false, Some(0.5)),
            ("1.s", false, Some(1.0)),
            ("", false, None),
            ("ms", false, None),
        ] {
            assert_eq!(is_plain_duration(text), plain, "{text}");
            assert_eq!(duration(text).map(|duration| duration.as_secs_f64()), seconds, "{text}");
        }
    }
}
