//! Patterns of file names for `fileset`: `*`, `?`, `[a-z]`, `{a,b}`, `**`.
//!
//! The folder and the pattern are one path: it is cleaned as text, so that `sub/..` is nothing, also where there is no
//! `sub`. What is found is named from the folder, again as text. A brace stands inside one part of the path.

use std::collections::BTreeSet;
use std::path::Path;

use super::Files;

/// How deep `**` goes. Links to folders are followed, and may lead in circles.
const DEEPEST: usize = 32;

/// How many patterns braces may stand for.
const MOST_ALTERNATIVES: usize = 1_000;

/// The pattern cannot be read.
#[derive(PartialEq, Eq, Debug)]
pub(super) struct Malformed;

/// The regular files that match `pattern` below `folder`, relative to it. `base` is where a relative folder is.
///
/// # Errors
/// When a part of the pattern that names are compared with is malformed.
pub(super) fn find(files: &dyn Files, base: &Path, folder: &str, pattern: &str) -> Result<BTreeSet<String>, Malformed> {
    let folder = cleaned(folder);
    let whole = cleaned(&format!("{folder}/{pattern}"));
    let absolute = whole.starts_with('/');
    let segments: Vec<&str> = parts(&whole).collect();
    // What has no pattern in it is a path, and is not looked for in the folders above it.
    let plain = segments.iter().take_while(|segment| !segment.contains(['*', '?', '[', '{', '\\'])).count();
    let plain = plain.min(segments.len().saturating_sub(1));
    let root = format!("{}{}", if absolute { "/" } else { "" }, segments[..plain].join("/"));
    let mut patterns: Vec<Segment> = Vec::new();
    for segment in &segments[plain..] {
        // A second `**` right after another is one name, as it is in Terraform.
        let again = *segment == "**" && matches!(patterns.last(), Some(Segment::AnyDepth));
        patterns.push(Segment::of(if again { "*" } else { segment }));
    }
    let mut found = BTreeSet::new();
    walk(files, &base.join(&root), &root, &patterns, 0, &mut found)?;
    Ok(found.iter().map(|path| relative(&folder, path)).collect())
}

/// The pattern as messages show it: together with the folder.
pub(super) fn shown(folder: &str, pattern: &str) -> String {
    cleaned(&format!("{folder}/{pattern}"))
}

/// The parts of a path between its slashes.
fn parts(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|part| !part.is_empty() && *part != ".")
}

/// The shortest path of the same meaning, by its text alone.
fn cleaned(path: &str) -> String {
    let absolute = path.starts_with('/');
    let mut kept: Vec<&str> = Vec::new();
    for part in parts(path) {
        match (part, kept.last()) {
            ("..", Some(&last)) if last != ".." => drop(kept.pop()),
            ("..", None) if absolute => {}
            _ => kept.push(part),
        }
    }
    match (absolute, kept.is_empty()) {
        (true, _) => format!("/{}", kept.join("/")),
        (false, true) => ".".to_owned(),
        (false, false) => kept.join("/"),
    }
}

/// How `path` is called from `folder`. Both are clean, and `path` was found by way of `folder`.
fn relative(folder: &str, path: &str) -> String {
    let (folder, path): (Vec<&str>, Vec<&str>) = (parts(folder).collect(), parts(path).collect());
    let common = folder.iter().zip(&path).take_while(|(one, other)| one == other).count();
    let up = std::iter::repeat_n("..", folder.len() - common);
    up.chain(path[common..].iter().copied()).collect::<Vec<_>>().join("/")
}

/// One part of a pattern.
enum Segment {
    /// `**`: any number of folders.
    AnyDepth,
    /// What `{a,b}` stands for, none of it malformed.
    Names(Vec<String>),
    /// Nothing can be compared with it.
    Malformed,
}

impl Segment {
    fn of(text: &str) -> Segment {
        if text == "**" {
            return Segment::AnyDepth;
        }
        let mut names = Vec::new();
        let expanded = expand_braces(text, &mut names);
        // Matching any name tells whether a pattern is well-formed.
        if expanded.is_none() || names.iter().any(|name| matches(name, "").is_none()) {
            return Segment::Malformed;
        }
        Segment::Names(names)
    }
}

fn walk(
    files: &dyn Files,
    folder: &Path,
    prefix: &str,
    segments: &[Segment],
    depth: usize,
    found: &mut BTreeSet<String>,
) -> Result<(), Malformed> {
    let Some((segment, rest)) = segments.split_first() else { return Ok(()) };
    if depth > DEEPEST {
        return Ok(());
    }
    let joint = if prefix.is_empty() || prefix == "/" { "" } else { "/" };
    for entry in files.members(folder) {
        let (inside, path) = (folder.join(&entry.name), format!("{prefix}{joint}{}", entry.name));
        let names = match segment {
            Segment::Malformed => return Err(Malformed),
            Segment::AnyDepth => {
                if entry.folder {
                    walk(files, &inside, &path, segments, depth + 1, found)?;
                } else if entry.file && rest.is_empty() {
                    found.insert(path);
                }
                continue;
            }
            Segment::Names(names) => names,
        };
        if names.iter().any(|name| matches(name, &entry.name) == Some(true)) {
            if entry.folder {
                walk(files, &inside, &path, rest, depth + 1, found)?;
            } else if entry.file && rest.is_empty() {
                found.insert(path);
            }
        }
    }
    match segment {
        // No folder at all is one of its depths.
        Segment::AnyDepth if !rest.is_empty() => walk(files, folder, prefix, rest, depth, found),
        Segment::AnyDepth | Segment::Names(_) | Segment::Malformed => Ok(()),
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
