//! HZ-GB-2312 (RFC 1843): ASCII, and between `~{` and `~}` the characters of GB 2312, each as two bytes below 128.
//!
//! As Terraform has it: text does not have to end in ASCII, and a tilde is written twice wherever it stands.

use encoding_rs::GB18030;

/// The bytes of a text; `None` when it has other characters.
pub(super) fn encode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut shifted = false;
    for c in text.chars() {
        if c == '~' {
            bytes.extend(b"~~");
            continue;
        }
        if c.is_ascii() {
            if std::mem::take(&mut shifted) {
                bytes.extend(b"~}");
            }
            bytes.push(c as u8);
            continue;
        }
        let pair = pair_of(c)?;
        if !std::mem::replace(&mut shifted, true) {
            bytes.extend(b"~{");
        }
        bytes.extend(pair);
    }
    Some(bytes)
}

/// The text of bytes; `None` when they are none.
pub(super) fn decode(bytes: &[u8]) -> Option<String> {
    let mut text = String::with_capacity(bytes.len());
    let mut shifted = false;
    let mut rest = bytes.iter().copied();
    while let Some(byte) = rest.next() {
        match (byte, shifted) {
            (b'~', _) => match rest.next()? {
                b'{' => shifted = true,
                b'}' => shifted = false,
                b'~' => text.push('~'),
                // A line that goes on.
                b'\n' => {}
                _ => return None,
            },
            (_, true) => text.push(char_of([byte, rest.next()?])?),
            (0x80.., false) => return None,
            (_, false) => text.push(char::from(byte)),
        }
    }
    Some(text)
}

fn pair_of(c: char) -> Option<[u8; 2]> {
    let mut one = [0; 4];
    let (bytes, _, failed) = GB18030.encode(c.encode_utf8(&mut one));
    match *bytes {
        [first @ 0xa1..=0xff, second @ 0xa1..=0xff] if !failed && !is_newer(c) => Some([first & 0x7f, second & 0x7f]),
        _ => None,
    }
}

fn char_of(pair: [u8; 2]) -> Option<char> {
    if !pair.iter().all(|byte| (0x21..0x7f).contains(byte)) {
        return None;
    }
    let bytes = pair.map(|byte| byte | 0x80);
    let text = GB18030.decode_without_bom_handling_and_without_replacement(&bytes)?;
    text.chars().next().filter(|c| !is_newer(*c))
}

/// What GB 18030 has in its place, and GB 2312 has not: in its first years as characters of private use.
fn is_newer(c: char) -> bool {
    matches!(c, '\u{e000}'..='\u{f8ff}' | '\u{fe10}'..='\u{fe19}' | 'ḿ')
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use sha2::{Digest, Sha256};

    use super::super::arguments::from_outside;
    use super::*;

    fn digest(all: &[String]) -> String {
        Sha256::digest(all.join(",")).iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The digests are of what terraform 1.11.4 answers, a dash where it refuses.
    #[test]
    fn every_character_has_the_bytes_that_it_has_to_terraform() {
        let plane = (1..0x10000).filter_map(char::from_u32).chain(['\u{1f600}', '\u{20000}']);
        let bytes = plane.map(|c| {
            let text = from_outside(c.to_string());
            encode(text.as_str().unwrap()).map_or("-".to_owned(), |bytes| STANDARD.encode(bytes))
        });
        let all: Vec<String> = bytes.collect();
        assert_eq!(digest(&all), "1f9df7a01c044277aa70adae69623690ff69297c5e79a5b487579c0610031738");
        let pairs = (0x20..0x80u8).flat_map(|first| (0x20..0x80u8).map(move |second| [first, second]));
        let texts = pairs.map(|pair| {
            let bytes = [b"~{".as_slice(), &pair, b"~}"].concat();
            decode(&bytes).unwrap_or_else(|| "-".to_owned())
        });
        let all: Vec<String> = texts.collect();
        assert_eq!(digest(&all), "c0b9c68c9e311b0ea766559b7da6702d1e20bd585817ea8c0be4ce70a52f6f59");
    }

    #[test]
    fn shifts_stand_where_terraform_has_them() {
        for (text, bytes) in [
            ("中a文", "~{VP~}a~{ND"),
            ("中~文", "~{VP~~ND"),
            ("中\n文", "~{VP~}\n~{ND"),
            ("~中~", "~~~{VP~~"),
            ("a~b", "a~~b"),
        ] {
            assert_eq!(encode(text).as_deref(), Some(bytes.as_bytes()), "{text}");
        }
        for (bytes, text) in [
            ("a~\nb", Some("ab")),
            ("~{VP~\nVP~}", Some("中中")),
            ("~{VPVP~}a~{VP~}", Some("中中a中")),
            ("~{VP~{VP~}", Some("中中")),
            ("~{VP", Some("中")),
            ("~}", Some("")),
            ("~", None),
            ("~x", None),
            ("~{V", None),
            ("~{VP\nab", None),
            ("~{VP~~}", None),
            ("~{ V~}", None),
            ("~\r\n", None),
        ] {
            assert_eq!(decode(bytes.as_bytes()).as_deref(), text, "{bytes}");
        }
    }
}
