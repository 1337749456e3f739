//! Functions on time.

use super::arguments::text;
use super::time::Moment;
use super::{Context, Function, FunctionError, Param, Returns};
use crate::text::duration;
use crate::value::{Type, Value};

pub(super) static FUNCTIONS: &[Function] = &[
    Function::new("formatdate", &[Param::string("format"), Param::string("time")], Returns::String, format_date),
    Function::new("plantimestamp", &[], Returns::String, |_, context| Ok(moment(context.plan_time))),
    Function::new("timeadd", &[Param::string("timestamp"), Param::string("duration")], Returns::String, time_add),
    Function::new("timecmp", &[Param::string("timestamp_a"), Param::string("timestamp_b")], Returns::Number, time_cmp),
    Function::new("timestamp", &[], Returns::String, |_, context| Ok(moment(context.now))),
];

fn moment(time: Option<jiff::Timestamp>) -> Value {
    match time {
        Some(time) => Value::string(Moment::utc(time).to_string()),
        None => Value::unknown_not_null(Type::String),
    }
}

fn time_add(arguments: &[Value], _: &Context<'_>) -> Result<Value, FunctionError> {
    let time = Moment::parse(text(arguments, 0)).map_err(FunctionError::failed)?;
    let duration = duration::go(text(arguments, 1)).map_err(FunctionError::failed)?;
    let later = time.plus(duration).ok_or_else(|| FunctionError::failed("the year of the result is out of range"))?;
    Ok(Value::string(later.to_string()))
}

fn time_cmp(arguments: &[Value], _: &Context<'_>) -> Result<Value, FunctionError> {
    let time =
        |index: usize| Moment::parse(text(arguments, index)).map_err(|reason| FunctionError::argument(index, reason));
    let (a, b) = (time(0)?.at_greenwich(), time(1)?.at_greenwich());
    Ok(Value::int(a.cmp(&b) as i64))
}

fn format_date(arguments: &[Value], _: &Context<'_>) -> Result<Value, FunctionError> {
    let time = Moment::parse(text(arguments, 1)).map_err(|reason| FunctionError::argument(1, reason))?;
    let mut out = String::new();
    let mut rest = text(arguments, 0);
    while let Some(first) = rest.chars().next() {
        if first == '\'' {
            rest = quoted(rest, &mut out)?;
        } else if first.is_ascii_alphabetic() {
            let length = rest.bytes().take_while(|byte| char::from(*byte) == first).count();
            let verb = &rest[..length];
            out.push_str(
                &part(verb, first, time)
                    .map_err(|rule| FunctionError::argument(0, format!("invalid date format verb {verb:?}{rule}")))?,
            );
            rest = &rest[length..];
        } else {
            out.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    Ok(Value::string(out))
}

/// Writes text in quotes, in which two quotes stand for one, as they do by themselves; gives what follows. Text that ends
/// with two quotes needs no third one to close it.
fn quoted<'f>(format: &'f str, out: &mut String) -> Result<&'f str, FunctionError> {
    if let Some(rest) = format.strip_prefix("''") {
        out.push('\'');
        return Ok(rest);
    }
    let mut rest = &format[1..];
    loop {
        let Some(end) = rest.find('\'') else {
            return Err(FunctionError::argument(0, "unterminated literal '"));
        };
        out.push_str(&rest[..end]);
        rest = &rest[end + 1..];
        match rest.strip_prefix('\'') {
            Some(after) => {
                out.push('\'');
                if after.is_empty() {
                    return Ok(after);
                }
                rest = after;
            }
            None => return Ok(rest),
        }
    }
}

/// What a verb stands for, or the rule that it breaks.
fn part(verb: &str, letter: char, time: Moment) -> Result<String, &'static str> {
    const MONTHS: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    const DAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
    let (date, clock) = (time.local.date(), time.local.time());
    let month = MONTHS[usize::try_from(date.month() - 1).unwrap_or_default() % 12];
    let day = DAYS[usize::try_from(date.weekday().to_sunday_zero_offset()).unwrap_or_default() % 7];
    let number = |number: i8| match verb.len() {
        1 => number.to_string(),
        _ => format!("{number:02}"),
    };
    let short = verb.len() <= 2;
    let hour12 = if clock.hour() % 12 == 0 { 12 } else { clock.hour() % 12 };
    match (letter, verb.len()) {
        ('Y', 4) => Ok(format!("{:04}", date.year())),
        ('Y', 2) => Ok(format!("{:02}", date.year() % 100)),
        ('Y', _) => Err(": year must either be \"YY\" or \"YYYY\""),
        ('M', 4) => Ok(month.to_owned()),
        ('M', 3) => Ok(month[..3].to_owned()),
        ('M', _) if short => Ok(number(date.month())),
        ('M', _) => Err(": month must be \"M\", \"MM\", \"MMM\", or \"MMMM\""),
        ('D', _) if short => Ok(number(date.day())),
        ('D', _) => Err(": day of month must either be \"D\" or \"DD\""),
        ('E', 4) => Ok(day.to_owned()),
        ('E', 3) => Ok(day[..3].to_owned()),
        ('E', _) => Err(": day of week must either be \"EEE\" or \"EEEE\""),
        ('h', _) if short => Ok(number(clock.hour())),
        ('h', _) => Err(": 24-hour must either be \"h\" or \"hh\""),
        ('H', _) if short => Ok(number(hour12)),
        ('H', _) => Err(": 12-hour must either be \"H\" or \"HH\""),
        ('A', 2) => Ok(if clock.hour() < 12 { "AM" } else { "PM" }.to_owned()),
        ('A', _) => Err(": must be \"AA\""),
        ('a', 2) => Ok(if clock.hour() < 12 { "am" } else { "pm" }.to_owned()),
        ('a', _) => Err(": must be \"aa\""),
        ('m', _) if short => Ok(number(clock.minute())),
        ('m', _) => Err(": minute must either be \"m\" or \"mm\""),
        ('s', _) if short => Ok(number(clock.second())),
        ('s', _) => Err(": second must either be \"s\" or \"ss\""),
        ('Z', 1) => Ok(time.zone_text()),
        ('Z', 3) if time.offset == 0 => Ok("UTC".to_owned()),
        ('Z', 3 | 4) => Ok(time.offset_text("")),
        ('Z', 5) => Ok(time.offset_text(":")),
        ('Z', _) => Err(": timezone must be Z, ZZZZ, or ZZZZZ"),
        _ => Err(""),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{DirFiles, lookup};
    use super::*;

    #[test]
    fn clocks_come_from_the_context() {
        let planning = Context {
            base: std::path::Path::new("/"),
            files: &DirFiles,
            plan_time: None,
            now: None,
            env: None,
            templates: None,
        };
        let time = jiff::Timestamp::from_second(1_700_000_000).ok();
        let call = |name: &str, context: &Context<'_>| {
            lookup(name).and_then(|function| function.call(&[], context).ok()).unwrap_or_default()
        };
        for name in ["timestamp", "plantimestamp"] {
            assert_eq!(call(name, &planning), Value::unknown_not_null(Type::String), "{name}");
            let known = Context { plan_time: time, now: time, ..planning };
            assert_eq!(call(name, &known), Value::from("2023-11-14T22:13:20Z"), "{name}");
        }
    }
}
