//! Taking JSON text as it is, without white space between its parts.

use std::sync::Arc;

use super::FormatError;

/// Deeper nesting is taken for an attack: reading it as values would use up the stack.
pub const MAX_DEPTH: usize = 128;

/// The bytes that mean something here; all others are copied with what is around them.
static STOPS: [bool; 256] = {
    let mut stops = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        stops[byte] = matches!(byte as u8, b'"' | b'{' | b'[' | b'}' | b']' | b' ' | b'\n' | b'\r' | b'\t');
        byte += 1;
    }
    stops
};

/// The same JSON without white space outside of texts. The input is valid JSON (serde_json has looked at it).
///
/// # Errors
/// When it is nested more than [`MAX_DEPTH`] levels deep.
pub fn compact(json: &str) -> Result<Arc<str>, FormatError> {
    let bytes = json.as_bytes();
    let mut out: Option<Vec<u8>> = None;
    let (mut depth, mut at, mut copied) = (0usize, 0, 0);
    while let Some(length) = bytes[at..].iter().position(|byte| STOPS[usize::from(*byte)]) {
        at += length;
        match bytes[at] {
            b'"' => at = text_end(bytes, at),
            b'{' | b'[' => {
                depth += 1;
                if depth > MAX_DEPTH {
                    return Err(FormatError::TooDeep);
                }
                at += 1;
            }
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                at += 1;
            }
            _ => {
                let out = out.get_or_insert_with(|| Vec::with_capacity(bytes.len()));
                out.extend_from_slice(&bytes[copied..at]);
                let blank = |byte: &u8| matches!(byte, b' ' | b'\n' | b'\r' | b'\t');
                copied = bytes[at..].iter().position(|byte| !blank(byte)).map_or(bytes.len(), |length| at + length);
                at = copied;
            }
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

/// The place behind a text that begins at `start`.
fn text_end(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(length) = bytes.get(at..).and_then(|rest| rest.iter().position(|byte| matches!(byte, b'"' | b'\\')))
    {
        at += length;
        if bytes[at] == b'"' {
            return at + 1;
        }
        at += 2;
    }
    bytes.len()
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
        assert!(compact(&format!("\"{}\"", "[".repeat(1000))).is_ok());
    }
}
