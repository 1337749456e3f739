//! Schedules of cron jobs, as the library reads them that the cluster and the provider of Terraform share.

use crate::text::duration;

const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const DAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/// Whether it is a schedule: five fields, or a word such as `@daily`.
pub fn is_cron(text: &str) -> bool {
    const WORDS: [&str; 7] = ["@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"];
    if let Some(every) = text.strip_prefix("@every ") {
        return duration::go(every).is_ok();
    }
    if text.starts_with('@') {
        return WORDS.contains(&text);
    }
    let fields: Vec<&str> = text.split_whitespace().collect();
    let [minute, hour, day, month, weekday] = fields[..] else { return false };
    let named = |names: &'static [&str], least: u32| {
        move |text: &str| names.iter().position(|name| name.eq_ignore_ascii_case(text)).map(|at| at as u32 + least)
    };
    is_cron_field(minute, 0, 59, |_| None)
        && is_cron_field(hour, 0, 23, |_| None)
        && is_cron_field(day, 1, 31, |_| None)
        && is_cron_field(month, 1, 12, named(&MONTHS, 1))
        && is_cron_field(weekday, 0, 6, named(&DAYS, 0))
}

fn is_cron_field(field: &str, least: u32, most: u32, named: impl Fn(&str) -> Option<u32>) -> bool {
    let number = |text: &str| named(text).or_else(|| text.parse::<u32>().ok());
    field.split(',').filter(|range| !range.is_empty()).all(|range| {
        let (span, step) = match range.split_once('/') {
            Some((span, step)) => (span, Some(step)),
            None => (range, None),
        };
        let step_fits = step.is_none_or(|step| step.parse::<u32>().is_ok_and(|step| step > 0));
        let ends = match span.split_once('-') {
            _ if matches!(span, "*" | "?") => Some((least, most)),
            Some((from, to)) => number(from).zip(number(to)),
            None => number(span).map(|from| (from, if step.is_some() { most } else { from })),
        };
        step_fits && ends.is_some_and(|(from, to)| least <= from && from <= to && to <= most)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedules() {
        for text in ["*/5 * * * *", "0 0 1,15 * MON-FRI", "@daily", "@every 1h30m", "0 9-17/2 ? JAN *", "5/15 * * * *"]
        {
            assert!(is_cron(text), "{text}");
        }
        for text in ["", "x", "* * * *", "60 * * * *", "* * 0 * *", "* * * * 7", "*/0 * * * *", "5-1 * * * *", "@often"]
        {
            assert!(!is_cron(text), "{text}");
        }
    }
}
