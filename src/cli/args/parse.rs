//! How the texts of flags are read.

use std::path::PathBuf;
use std::time::Duration;

use clap::ArgMatches;

use crate::addr::{Mode, Pattern, parse_pattern};
use crate::config::Given;

/// `-var` and `-var-file` in the order they were typed, which decides between them.
///
/// # Errors
/// The text of a `-var` that assigns nothing.
pub(in crate::cli) fn given(root: &ArgMatches) -> Result<Vec<Given>, String> {
    let mut matches = root;
    while let Some((_, inner)) = matches.subcommand() {
        matches = inner;
    }
    let mut found: Vec<(usize, Given)> = Vec::new();
    // Only of an argument that the command has may be asked where it stands.
    if let Ok(Some(texts)) = matches.try_get_many::<String>("var")
        && let Some(places) = indices(matches, "var")
    {
        for (at, text) in places.zip(texts) {
            let (name, value) = text.split_once('=').ok_or_else(|| text.clone())?;
            found.push((at, Given::Var { name: name.trim().to_owned(), text: value.to_owned() }));
        }
    }
    if let Ok(Some(files)) = matches.try_get_many::<PathBuf>("var_file")
        && let Some(places) = indices(matches, "var_file")
    {
        found.extend(places.zip(files).map(|(at, file)| (at, Given::File(file.clone()))));
    }
    found.sort_by_key(|(at, _)| *at);
    Ok(found.into_iter().map(|(_, given)| given).collect())
}

fn indices<'a>(matches: &'a ArgMatches, id: &str) -> Option<impl Iterator<Item = usize> + use<'a>> {
    matches.indices_of(id)
}

pub(super) fn action(text: &str) -> Result<Pattern, String> {
    crate::addr::parse_action(text).map_err(|error| error.to_string())
}

/// What `-replace` names: one instance of a resource.
pub(super) fn replaceable(text: &str) -> Result<Pattern, String> {
    let pattern = pattern(text)?;
    match &pattern.resource {
        Some(resource) if resource.mode == Mode::Managed => Ok(pattern),
        _ => {
            Err("only an instance of a resource can be replaced, such as aws_instance.a or aws_instance.b[0]"
                .to_owned())
        }
    }
}

pub(super) fn pattern(text: &str) -> Result<Pattern, String> {
    parse_pattern(text).map_err(|error| error.to_string())
}

/// A length of time as Go writes it: `10s`, `1h2m`, `500ms`; a bare number is seconds.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text:?} is no length of time; write it like 30s, 5m or 1h30m");
    if let Ok(seconds) = text.parse::<u64>() {
        return Ok(Duration::from_secs(seconds));
    }
    let mut total = 0.0;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or_else(wrong)?;
        let number: f64 = rest[..digits].parse().map_err(|_| wrong())?;
        rest = &rest[digits..];
        let units = rest.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(rest.len());
        total += number
            * match &rest[..units] {
                "ms" => 0.001,
                "s" => 1.0,
                "m" => 60.0,
                "h" => 3600.0,
                _ => return Err(wrong()),
            };
        rest = &rest[units..];
    }
    if text.is_empty() { Err(wrong()) } else { Duration::try_from_secs_f64(total).map_err(|_| wrong()) }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::super::Root;
    use super::*;

    #[test]
    fn the_parser_is_sound() {
        Root::command().debug_assert();
    }

    #[test]
    fn values_keep_the_order_they_were_typed_in() {
        let args = ["infra", "plan", "--var", "a=1", "--var-file=f", "--var", "b = x=y"];
        let matches = Root::command().try_get_matches_from(args).unwrap_or_else(|error| panic!("{error}"));
        let var = |name: &str, text: &str| Given::Var { name: name.into(), text: text.into() };
        assert!(given(&matches) == Ok(vec![var("a", "1"), Given::File("f".into()), var("b", " x=y")]));
    }

    #[test]
    fn lengths_of_time_are_gos() {
        let check =
            |text: &str, expect: Option<u64>| assert_eq!(duration(text).ok().map(|d| d.as_millis() as u64), expect);
        check("3m", Some(180_000));
        check("1h1m1.5s", Some(3_661_500));
        check("500ms", Some(500));
        check("0", Some(0));
        check("x", None);
        check("5", Some(5000));
        check("5x", None);
        check("", None);
    }
}
