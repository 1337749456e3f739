//! From the arguments as typed to the form that the parser reads: Terraform's long flags take one dash or two, and
//! `TF_CLI_ARGS` adds more of them.

/// The commands that have commands of their own.
const GROUPS: &[&str] = &["state", "gate", "sandbox", "workspace", "providers", "metadata"];

/// The arguments behind the program's name with every long flag in two dashes and those of `TF_CLI_ARGS` and
/// `TF_CLI_ARGS_<command>` right behind the command, the general ones first, so that what was typed comes last and wins.
///
/// # Errors
/// The name of the variable whose quotes do not match.
pub(super) fn normalise(args: &[String], env: &dyn Fn(&str) -> Option<String>) -> Result<Vec<String>, String> {
    let command = command_end(args);
    let mut all: Vec<String> = args[..command].to_vec();
    if command > 0 && !args[command - 1].starts_with('-') {
        let first = args[..command].iter().position(|arg| !arg.starts_with('-')).unwrap_or(command);
        let name = args[first..command].join("_").replace('-', "_");
        for variable in ["TF_CLI_ARGS".to_owned(), format!("TF_CLI_ARGS_{name}")] {
            if let Some(text) = env(&variable) {
                all.extend(split(&text).ok_or(variable)?);
            }
        }
    }
    all.extend_from_slice(&args[command..]);
    let mut only_positional = false;
    Ok(all
        .into_iter()
        .map(|arg| {
            only_positional |= arg == "--";
            if only_positional { arg } else { two_dashes(arg) }
        })
        .collect())
}

/// The command that arguments name, such as `state rm`.
pub(super) fn command(args: &[String]) -> String {
    let end = command_end(args);
    let first = args[..end].iter().position(|arg| !arg.starts_with('-')).unwrap_or(end);
    args[first..end].join(" ")
}

/// Switches take a value under Terraform, `-json=false`: here they are given or left out.
pub(super) fn switches(args: Vec<String>, parser: &clap::Command) -> Vec<String> {
    let mut of = parser;
    for word in command(&args).split(' ').filter(|word| !word.is_empty()) {
        of = of.find_subcommand(word).unwrap_or(of);
    }
    let is_switch = |name: &str| {
        let mut all = of.get_arguments();
        all.any(|arg| arg.get_long() == Some(name) && matches!(arg.get_action(), clap::ArgAction::SetTrue))
    };
    let mut only_positional = false;
    let kept = args.into_iter().filter_map(|arg| {
        only_positional |= arg == "--";
        let split = arg.strip_prefix("--").and_then(|rest| rest.split_once('='));
        let Some((name, value)) = split.filter(|(name, _)| !only_positional && is_switch(name)) else {
            return Some(arg);
        };
        match value {
            "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(format!("--{name}")),
            "0" | "f" | "F" | "false" | "FALSE" | "False" => None,
            _ => Some(arg),
        }
    });
    kept.collect()
}

/// How many arguments lead up to and hold the command: `-chdir=x state list`.
fn command_end(args: &[String]) -> usize {
    let Some(first) = args.iter().position(|arg| !arg.starts_with('-')) else { return args.len() };
    let group = GROUPS.contains(&args[first].as_str());
    if group && args.get(first + 1).is_some_and(|next| !next.starts_with('-')) { first + 2 } else { first + 1 }
}

fn two_dashes(arg: String) -> String {
    let name = arg.strip_prefix('-').unwrap_or("");
    // A single letter is a short flag, a digit the beginning of a number, a dash alone stands for a stream.
    let long = name.len() > 1 && name.starts_with(|c: char| c.is_ascii_alphabetic()) && !name[1..].starts_with('=');
    if long { format!("-{arg}") } else { arg }
}

/// Splits like a shell: blanks separate, quotes and backslashes keep together. `None` when a quote is not closed.
fn split(text: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            ' ' | '\t' | '\n' => words.extend(word.take()),
            '\\' => word.get_or_insert_default().push(chars.next()?),
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next()? {
                        '\'' => break,
                        c => word.push(c),
                    }
                }
            }
            '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next()? {
                        '"' => break,
                        '\\' => word.push(chars.next()?),
                        c => word.push(c),
                    }
                }
            }
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(typed: &str, env: &[(&str, &str)], expect: &str) {
        let args: Vec<String> = typed.split(' ').map(str::to_owned).collect();
        let env = |name: &str| env.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        let got = normalise(&args, &env);
        assert_eq!(got.map(|args| args.join("|")), Ok(expect.to_owned()), "{typed}");
    }

    #[test]
    fn one_dash_is_as_good_as_two() {
        check("-chdir=x plan -var a=b -var-file=f --out=p", &[], "--chdir=x|plan|--var|a=b|--var-file=f|--out=p");
        check("plan -h", &[], "plan|-h");
        check("apply -auto-approve -", &[], "apply|--auto-approve|-");
        check("state show -- -x", &[], "state|show|--|-x");
        check("-version", &[], "--version");
    }

    #[test]
    fn more_flags_come_from_the_environment() {
        let env = [("TF_CLI_ARGS", "-no-color"), ("TF_CLI_ARGS_plan", "-var 'a=b c' -lock=false")];
        check("-chdir=x plan -out=p", &env, "--chdir=x|plan|--no-color|--var|a=b c|--lock=false|--out=p");
        check("state list -id=x", &[("TF_CLI_ARGS_state_list", "-env dev")], "state|list|--env|dev|--id=x");
        check("force-unlock 1", &[("TF_CLI_ARGS_force_unlock", "-force")], "force-unlock|--force|1");
        check("-version", &env, "--version");
        assert_eq!(normalise(&["plan".into()], &|_| Some("'a".into())), Err("TF_CLI_ARGS".to_owned()));
    }

    #[test]
    fn switches_may_be_given_a_value() {
        use clap::CommandFactory as _;
        let check = |typed: &str, expect: &str| {
            let args: Vec<String> = typed.split(' ').map(str::to_owned).collect();
            assert_eq!(switches(args, &crate::cli::args::Root::command()).join(" "), expect, "{typed}");
        };
        check("output --json=true --raw=false --no-color=false x", "output --json --no-color=false x");
        check("state rm --dry-run=1 a.b", "state rm --dry-run a.b");
        check("plan --json=maybe --out=true", "plan --json=maybe --out=true");
        check("output -- --json=true", "output -- --json=true");
    }

    #[test]
    fn quotes_keep_words_together() {
        let check = |text: &str, expect: Option<&[&str]>| {
            let got = split(text);
            assert_eq!(
                got.as_ref().map(|words| words.iter().map(String::as_str).collect::<Vec<_>>()).as_deref(),
                expect
            );
        };
        check(" a  b ", Some(&["a", "b"]));
        check("a\\ b \"c d\"e ''", Some(&["a b", "c de", ""]));
        check("'a", None);
    }
}
