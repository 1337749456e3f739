//! Taking JSON text as it is, without white space between its parts.

use std::sync::Arc;

use super::FormatError;
/// Deeper nesting is taken for an attack: reading it as values would use up the stack. No value that is written nests deeper.
pub use crate::value::MAX_TEXT_DEPTH as MAX_DEPTH;

/// The same JSON without white space outside of texts. The input is valid JSON (serde_json has looked at it).
///
/// # Errors
/// When it is nested more than [`MAX_DEPTH`] levels deep.
pub fn compact(json: &str) -> Result<Arc<str>, FormatError> {
    let bytes = json.as_bytes();
    let mut out: Option<Vec<u8>> = None;
    let (mut depth, mut at, mut copied) = (0usize, 0, 0);
    while let Some(&byte) = bytes.get(at) {
        at += 1;
        match byte {
            b'"' => {
                while let Some(&byte) = bytes.get(at) {
                    at += 1;
                    match byte {
                        b'"' => break,
                        b'\\' => at += 1,
                        _ => {}
                    }
                }
            }
            b'{' | b'[' => {
                depth += 1;
                if depth > MAX_DEPTH {
                    return Err(FormatError::TooDeep);
                }
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            b' ' | b'\n' | b'\r' | b'\t' => {
                let out = out.get_or_insert_with(|| Vec::with_capacity(bytes.len()));
                out.extend_from_slice(&bytes[copied..at - 1]);
                while let Some(b' ' | b'\n' | b'\r' | b'\t') = bytes.get(at) {
                    at += 1;
                }
                copied = at;
            }
            _ => {}
        }
    }
    match out {
        None => Ok(json.into()),
        Some(mut out) => {
            out.extend_from_slice(&bytes[copied..]);
            // Only ASCII outside of texts was left out, so that this is UTF-8 still; the copy is a last resort.
            Ok(std::str::from_utf8(&out).unwrap_or(json).into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(input: &str, expect: &str) {
        assert_eq!(compact(input).as_deref().ok(), Some(expect));
    }

    #[test]
    fn white_space_goes_and_texts_stay() {
        check(
            "{\n  \"a b\": [1,\t2, \"x \\\" y\\\\\"],\r\n \"é \": { } }",
            "{\"a b\":[1,2,\"x \\\" y\\\\\"],\"é \":{}}",
        );
        check("{\"a\":1}", "{\"a\":1}");
        check(" null ", "null");
    }

    #[test]
    fn depth_is_bounded() {
        let deep = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
        assert!(compact(&deep(MAX_DEPTH)).is_ok());
        assert!(matches!(compact(&deep(MAX_DEPTH + 1)), Err(FormatError::TooDeep)));
        assert!(compact(&format!("\"{}\"", "[".repeat(2 * MAX_DEPTH))).is_ok());
    }
}
