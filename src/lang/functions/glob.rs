//! Patterns of file names for `fileset`: `*`, `?`, `[a-z]`, `{a,b}`, `**`.

use std::collections::BTreeSet;
use std::path::Path;

use super::Files;

/// How deep `**` goes. Links to folders are followed, and may lead in circles.
const DEEPEST: usize = 32;

/// How many patterns braces may stand for.
const MOST_ALTERNATIVES: usize = 1_000;

/// The regular files below `folder` that match, relative to it. `None` when the pattern is malformed.
pub(super) fn find(files: &dyn Files, folder: &Path, pattern: &str) -> Option<BTreeSet<String>> {
    let mut patterns = Vec::new();
    expand_braces(pattern, &mut patterns)?;
    let mut found = BTreeSet::new();
    for pattern in &patterns {
        let segments: Vec<&str> = pattern.split('/').filter(|segment| !segment.is_empty() && *segment != ".").collect();
        for segment in &segments {
            // Matching any name tells whether the pattern is well-formed.
            matches(segment, "")?;
        }
        walk(files, folder, "", &segments, 0, &mut found);
    }
    Some(found)
}

fn walk(files: &dyn Files, folder: &Path, prefix: &str, segments: &[&str], depth: usize, found: &mut BTreeSet<String>) {
    let Some((segment, rest)) = segments.split_first() else { return };
    if depth > DEEPEST {
        return;
    }
    if *segment == ".." {
        return walk(files, &folder.join(".."), &format!("{prefix}../"), rest, depth + 1, found);
    }
    let any_depth = *segment == "**";
    if any_depth && !rest.is_empty() {
        walk(files, folder, prefix, rest, depth, found);
    }
    for entry in files.members(folder) {
        let path = format!("{prefix}{}", entry.name);
        if any_depth {
            if entry.folder {
                walk(files, &folder.join(&entry.name), &format!("{path}/"), segments, depth + 1, found);
            } else if entry.file && rest.is_empty() {
                found.insert(path);
            }
        } else if matches(segment, &entry.name) == Some(true) {
            if rest.is_empty() && entry.file {
                found.insert(path);
            } else if entry.folder {
                walk(files, &folder.join(&entry.name), &format!("{path}/"), rest, depth + 1, found);
            }
        }
    }
}

/// Puts the patterns that `{a,b}` stands for into `out`. `None` when a brace is not closed or there are too many.
fn expand_braces(pattern: &str, out: &mut Vec<String>) -> Option<()> {
    let bytes = pattern.as_bytes();
    let mut at = 0;
    let mut class = false;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 1,
            b'[' => class = true,
            b']' => class = false,
            b'{' if !class => break,
            _ => {}
        }
        at += 1;
    }
    if at >= bytes.len() {
        out.push(pattern.to_owned());
        return (out.len() <= MOST_ALTERNATIVES).then_some(());
    }
    let (mut depth, mut start, mut alternatives, mut end) = (0, at + 1, Vec::new(), None);
    let mut inner = at + 1;
    while inner < bytes.len() {
        match bytes[inner] {
            b'\\' => inner += 1,
            b'{' => depth += 1,
            b'}' if depth == 0 => {
                alternatives.push(&pattern[start..inner]);
                end = Some(inner + 1);
                break;
            }
            b'}' => depth -= 1,
            b',' if depth == 0 => {
                alternatives.push(&pattern[start..inner]);
                start = inner + 1;
            }
            _ => {}
        }
        inner += 1;
    }
    let end = end?;
    for alternative in alternatives {
        expand_braces(&format!("{}{alternative}{}", &pattern[..at], &pattern[end..]), out)?;
    }
    Some(())
}

/// Whether a name matches a pattern without slashes and braces. `None` when the pattern is malformed.
fn matches(pattern: &str, name: &str) -> Option<bool> {
    let pattern: Vec<char> = pattern.chars().collect();
    let name: Vec<char> = name.chars().collect();
    // Checks the whole pattern once, so that it is malformed for every name or for none.
    let mut at = 0;
    while at < pattern.len() {
        at = one_end(&pattern, at)?;
    }
    let (mut p, mut n) = (0, 0);
    // Where to go on when what follows the last star does not fit: one character later.
    let mut retry: Option<(usize, usize)> = None;
    loop {
        if p < pattern.len() && pattern[p] == '*' {
            p += 1;
            retry = Some((p, n));
        } else if p < pattern.len() && n < name.len() && one_matches(&pattern, p, name[n]) {
            p = one_end(&pattern, p)?;
            n += 1;
        } else if p == pattern.len() && n == name.len() {
            return Some(true);
        } else {
            match retry {
                Some((after_star, from)) if from < name.len() => {
                    (p, n) = (after_star, from + 1);
                    retry = Some((after_star, from + 1));
                }
                _ => return Some(false),
            }
        }
    }
}

/// Where the element of the pattern that starts at `at` ends.
fn one_end(pattern: &[char], at: usize) -> Option<usize> {
    match pattern[at] {
        '\\' => (at + 1 < pattern.len()).then_some(at + 2),
        '[' => {
            let mut end = at + 1;
            if matches!(pattern.get(end), Some('^' | '!')) {
                end += 1;
            }
            let first = end;
            loop {
                match pattern.get(end)? {
                    ']' if end > first => return Some(end + 1),
                    '\\' => end += 2,
                    _ => end += 1,
                }
            }
        }
        _ => Some(at + 1),
    }
}

fn one_matches(pattern: &[char], at: usize, char: char) -> bool {
    match pattern[at] {
        '?' => true,
        '\\' => pattern.get(at + 1) == Some(&char),
        '[' => {
            let end = one_end(pattern, at).unwrap_or(pattern.len());
            let mut inside = &pattern[at + 1..end.saturating_sub(1)];
            let negated = matches!(inside.first(), Some('^' | '!'));
            if negated {
                inside = &inside[1..];
            }
            let mut found = false;
            while let Some((first, rest)) = inside.split_first() {
                let (low, rest) = if *first == '\\' {
                    (rest.first().unwrap_or(first), &rest[1.min(rest.len())..])
                } else {
                    (first, rest)
                };
                if let ['-', high, after @ ..] = rest {
                    found |= (*low..=*high).contains(&char);
                    inside = after;
                } else {
                    found |= *low == char;
                    inside = rest;
                }
            }
            found != negated
        }
        literal => literal == char,
    }
}
