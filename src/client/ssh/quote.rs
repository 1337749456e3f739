//! POSIX shell quoting: SSH hands a command to the user's shell as one text, so arguments must be protected.

/// The text as one word of a POSIX shell; words of harmless characters stay as they are.
pub fn quote(word: &str) -> String {
    let harmless = |c: char| c.is_ascii_alphanumeric() || "_-./:=@%+,".contains(c);
    // A leading `=` or `~` is expanded by some shells, so only the characters in the middle may be left bare.
    if !word.is_empty() && word.chars().all(harmless) && !word.starts_with('=') {
        return word.to_owned();
    }
    let mut quoted = String::with_capacity(word.len() + 2);
    quoted.push('\'');
    for c in word.chars() {
        if c == '\'' {
            quoted.push_str(r"'\''");
        } else {
            quoted.push(c);
        }
    }
    quoted.push('\'');
    quoted
}

/// The arguments as one command line that a POSIX shell splits into exactly these arguments.
pub fn join<S: AsRef<str>>(argv: &[S]) -> String {
    argv.iter().map(|word| quote(word.as_ref())).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(argv: &[&str], expect: &str) {
        assert_eq!(join(argv), expect);
    }

    #[test]
    fn joins_words() {
        check(&["ls", "-l", "/tmp/a"], "ls -l /tmp/a");
        check(&["echo", ""], "echo ''");
        check(&["echo", "a b"], "echo 'a b'");
        check(&["echo", "it's"], r"echo 'it'\''s'");
        check(&["echo", "$HOME", "`id`", "a;b", "*"], "echo '$HOME' '`id`' 'a;b' '*'");
        check(&["A=b", "=x", "~root"], "A=b '=x' '~root'");
        check(&["echo", "two\nlines", "ä"], "echo 'two\nlines' 'ä'");
    }

    /// A real shell takes the line apart again into the very same words.
    #[test]
    fn a_shell_agrees() -> std::io::Result<()> {
        let words =
            ["plain", "", "a b", "it's", "$HOME `id` \\ \"", "new\nline", "-n", "*", "~", "=a", "!x", "tab\there", "ü"];
        let script = format!("printf '%s\\0' {}", join(&words));
        let output = std::process::Command::new("sh").arg("-c").arg(script).output()?;
        let expect: String = words.iter().flat_map(|word| [*word, "\0"]).collect();
        assert_eq!(String::from_utf8_lossy(&output.stdout), expect);
        Ok(())
    }
}
