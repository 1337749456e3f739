//! Timestamps as the language writes them, RFC 3339.

use jiff::civil::{Date, DateTime, Time};
use jiff::{SignedDuration, Timestamp, tz};

/// A point in time and the offset it was written with.
#[derive(Clone, Copy)]
pub(super) struct Moment {
    /// Date and time on the clock at that offset.
    pub local: DateTime,
    /// Seconds east of Greenwich.
    pub offset: i32,
}

impl Moment {
    /// At Greenwich.
    pub fn utc(timestamp: Timestamp) -> Moment {
        Moment { local: tz::Offset::UTC.to_datetime(timestamp), offset: 0 }
    }

    /// Reads `2018-01-02T23:12:01.5-08:00`.
    ///
    /// # Errors
    /// Which part is wrong, in Terraform's words.
    pub fn parse(text: &str) -> Result<Moment, String> {
        Self::read(text).map_err(|reason| format!("not a valid RFC3339 timestamp: {reason}"))
    }

    fn read(text: &str) -> Result<Moment, String> {
        let mut rest = text;
        let year = digits(&mut rest, 4, "year")?;
        literal(&mut rest, '-', "as month", "month")?;
        let month = digits(&mut rest, 2, "month")?;
        if !(1..=12).contains(&month) {
            return Err(format!("cannot use {rest:?} as month"));
        }
        literal(&mut rest, '-', "as day of month", "day of month")?;
        let day = digits(&mut rest, 2, "day of month")?;
        let small = |number: i16| i8::try_from(number).unwrap_or(0);
        let date = Date::new(year, small(month), small(day)).map_err(|_| "day out of range".to_owned())?;
        rest = rest.strip_prefix('T').ok_or_else(|| "missing required time introducer 'T'".to_owned())?;
        let hour = digits(&mut rest, 2, "hour")?;
        within(hour, 23, "hour")?;
        literal(&mut rest, ':', "as minute", "minute")?;
        let minute = digits(&mut rest, 2, "minute")?;
        within(minute, 59, "minute")?;
        literal(&mut rest, ':', "as second", "second")?;
        let second = digits(&mut rest, 2, "second")?;
        within(second, 59, "second")?;
        let mut nanoseconds = 0;
        if let Some(after) = rest.strip_prefix('.') {
            let count = after.bytes().take_while(u8::is_ascii_digit).count();
            if count == 0 {
                return Err(format!("cannot use {rest:?} as fraction of second"));
            }
            let fraction: String = after[..count].chars().chain("000000000".chars()).take(9).collect();
            nanoseconds = fraction.parse().unwrap_or(0);
            rest = &after[count..];
        }
        let offset = match rest.chars().next() {
            None => return Err("end of string before UTC offset".into()),
            Some('Z') => {
                rest = &rest[1..];
                0
            }
            Some(sign @ ('+' | '-')) => {
                let whole = rest;
                rest = &rest[1..];
                let hours =
                    digits(&mut rest, 2, "UTC offset").map_err(|_| format!("cannot use {whole:?} as UTC offset"))?;
                literal(&mut rest, ':', "as UTC offset", "UTC offset")?;
                let minutes =
                    digits(&mut rest, 2, "UTC offset").map_err(|_| format!("cannot use {whole:?} as UTC offset"))?;
                if hours > 23 || minutes > 59 {
                    return Err(format!("cannot use {whole:?} as UTC offset"));
                }
                (i32::from(hours) * 60 + i32::from(minutes)) * if sign == '-' { -60 } else { 60 }
            }
            Some(_) => return Err(format!("cannot use {rest:?} as UTC offset")),
        };
        if !rest.is_empty() {
            return Err(format!("unexpected extra characters {rest:?} at end of timestamp"));
        }
        let time =
            Time::new(small(hour), small(minute), small(second), nanoseconds).map_err(|error| error.to_string())?;
        Ok(Moment { local: date.to_datetime(time), offset })
    }

    /// The moment so much later, at the same offset. `None` when no calendar reaches it.
    pub fn plus(self, duration: SignedDuration) -> Option<Moment> {
        let local = self.local.checked_add(duration).ok()?;
        (0..=9999).contains(&local.year()).then_some(Moment { local, ..self })
    }

    /// The same moment on the clock at Greenwich, which says which of two is earlier.
    pub fn at_greenwich(self) -> DateTime {
        let back = SignedDuration::from_secs(-i64::from(self.offset));
        self.local.checked_add(back).unwrap_or(self.local)
    }

    /// `+01:30`, with the separator wanted.
    pub fn offset_text(self, separator: &str) -> String {
        let sign = if self.offset < 0 { '-' } else { '+' };
        let minutes = self.offset.unsigned_abs() / 60;
        format!("{sign}{:02}{separator}{:02}", minutes / 60, minutes % 60)
    }

    /// `Z`, or the offset.
    pub fn zone_text(self) -> String {
        if self.offset == 0 { "Z".to_owned() } else { self.offset_text(":") }
    }
}

impl std::fmt::Display for Moment {
    /// `2018-01-02T23:12:01-08:00`; fractions of seconds are left out, as Terraform leaves them out.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (date, time) = (self.local.date(), self.local.time());
        write!(f, "{:04}-{:02}-{:02}T", date.year(), date.month(), date.day())?;
        write!(f, "{:02}:{:02}:{:02}{}", time.hour(), time.minute(), time.second(), self.zone_text())
    }
}

fn digits(rest: &mut &str, count: usize, part: &str) -> Result<i16, String> {
    if rest.is_empty() {
        return Err(format!("end of string before {part}"));
    }
    let found = rest.get(..count).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
    match found.and_then(|digits| digits.parse().ok()) {
        Some(number) => {
            *rest = &rest[count..];
            Ok(number)
        }
        None => Err(format!("cannot use {rest:?} as {part}")),
    }
}

fn literal(rest: &mut &str, wanted: char, wrong: &str, part: &str) -> Result<(), String> {
    match rest.strip_prefix(wanted) {
        Some(after) => {
            *rest = after;
            Ok(())
        }
        None if rest.is_empty() => Err(format!("end of string before {part}")),
        None => Err(format!("cannot use {rest:?} {wrong}")),
    }
}

fn within(number: i16, most: i16, part: &str) -> Result<(), String> {
    if number > most { Err(format!("{part} must be between 0 and {most} inclusive")) } else { Ok(()) }
}
