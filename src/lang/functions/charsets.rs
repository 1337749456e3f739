//! Text in other encodings than UTF-8: `textencodebase64`, `textdecodebase64`.
//!
//! Encodings have the names and aliases that Terraform accepts.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use encoding_rs::{
    BIG5, EUC_JP, EUC_KR, Encoding, GB18030, GBK, IBM866, ISO_2022_JP, ISO_8859_2, ISO_8859_3, ISO_8859_4, ISO_8859_5,
    ISO_8859_6, ISO_8859_7, ISO_8859_8, ISO_8859_8_I, ISO_8859_10, ISO_8859_13, ISO_8859_14, ISO_8859_15, ISO_8859_16,
    KOI8_R, KOI8_U, MACINTOSH, SHIFT_JIS, UTF_8, WINDOWS_874, WINDOWS_1250, WINDOWS_1251, WINDOWS_1252, WINDOWS_1253,
    WINDOWS_1254, WINDOWS_1255, WINDOWS_1256, WINDOWS_1257, WINDOWS_1258,
};

use super::arguments::{from_outside, text};
use super::code_pages::*;
use super::encoding::decode as decode_base64;
use super::{Context, Function, FunctionError, Param, Returns, hz};
use crate::value::Value;

pub(super) static FUNCTIONS: &[Function] = &[
    Function::new("textdecodebase64", &[Param::string("source"), Param::string("encoding")], Returns::String, decode),
    Function::new("textencodebase64", &[Param::string("string"), Param::string("encoding")], Returns::String, encode),
];

/// A named set of characters and their bytes.
struct Charset {
    /// Its name in messages, and other names, with spaces between.
    names: &'static str,
    codec: Codec,
}

/// How characters become bytes.
#[derive(Clone, Copy)]
enum Codec {
    Ascii,
    /// HZ-GB-2312.
    Hz,
    /// As browsers do.
    Web(&'static Encoding),
    /// As browsers do, but what the standard leaves open is an error and no control character.
    Open(&'static Encoding),
    /// As browsers do from byte 160 on; below, a byte is the character of its number.
    Iso(&'static Encoding),
    /// ASCII, and these characters from byte 128 on.
    Upper(&'static str),
    /// A page of EBCDIC, and what it has as the currency sign.
    Ebcdic(&'static [u8; 256], char),
    /// With a mark of the byte order at the beginning.
    Utf16,
    Utf16Be,
    Utf16Le,
}

static CHARSETS: &[Charset] = &[
    Charset::new("Big5 csbig5", Codec::Web(BIG5)),
    Charset::new("EUC-KR cseuckr", Codec::Web(EUC_KR)),
    Charset::new("Extended_UNIX_Code_Packed_Format_for_Japanese cseucpkdfmtjapanese euc-jp", Codec::Web(EUC_JP)),
    Charset::new("GB18030 csgb18030", Codec::Web(GB18030)),
    Charset::new("GBK cp936 csgbk ms936 windows-936", Codec::Web(GBK)),
    Charset::new("HZ-GB-2312", Codec::Hz),
    Charset::new("IBM00858 ccsid00858 cp00858 csibm00858 pc-multilingual-850+euro", Codec::Upper(IBM00858)),
    Charset::new("IBM01140 ccsid01140 cp01140 csibm01140 ebcdic-us-37+euro", Codec::Ebcdic(IBM037, '€')),
    Charset::new(
        "IBM037 cp037 csibm037 ebcdic-cp-ca ebcdic-cp-nl ebcdic-cp-us ebcdic-cp-wt",
        Codec::Ebcdic(IBM037, '¤'),
    ),
    Charset::new("IBM1047 csibm1047 ibm-1047", Codec::Ebcdic(IBM1047, '¤')),
    Charset::new("IBM437 437 cp437 cspc8codepage437", Codec::Upper(IBM437)),
    Charset::new("IBM850 850 cp850 cspc850multilingual", Codec::Upper(IBM850)),
    Charset::new("IBM852 852 cp852 cspcp852", Codec::Upper(IBM852)),
    Charset::new("IBM855 855 cp855 csibm855", Codec::Upper(IBM855)),
    Charset::new("IBM860 860 cp860 csibm860", Codec::Upper(IBM860)),
    Charset::new("IBM862 862 cp862 cspc862latinhebrew", Codec::Upper(IBM862)),
    Charset::new("IBM863 863 cp863 csibm863", Codec::Upper(IBM863)),
    Charset::new("IBM865 865 cp865 csibm865", Codec::Upper(IBM865)),
    Charset::new("IBM866 866 cp866 csibm866", Codec::Web(IBM866)),
    Charset::new("ISO-2022-JP csiso2022jp", Codec::Web(ISO_2022_JP)),
    Charset::new("ISO-8859-10 csisolatin6 iso-ir-157 iso_8859-10:1992 l6 latin6", Codec::Open(ISO_8859_10)),
    Charset::new("ISO-8859-13 csiso885913", Codec::Open(ISO_8859_13)),
    Charset::new(
        "ISO-8859-14 csiso885914 iso-celtic iso-ir-199 iso_8859-14 iso_8859-14:1998 l8 latin8",
        Codec::Open(ISO_8859_14),
    ),
    Charset::new("ISO-8859-15 csiso885915 iso_8859-15 latin-9", Codec::Open(ISO_8859_15)),
    Charset::new(
        "ISO-8859-16 csiso885916 iso-ir-226 iso_8859-16 iso_8859-16:2001 l10 latin10",
        Codec::Open(ISO_8859_16),
    ),
    Charset::new(
        "ISO_8859-1:1987 cp819 csisolatin1 ibm819 iso-8859-1 iso-ir-100 iso_8859-1 l1 latin1",
        Codec::Iso(WINDOWS_1252),
    ),
    Charset::new("ISO_8859-2:1987 csisolatin2 iso-8859-2 iso-ir-101 iso_8859-2 l2 latin2", Codec::Open(ISO_8859_2)),
    Charset::new("ISO_8859-3:1988 csisolatin3 iso-8859-3 iso-ir-109 iso_8859-3 l3 latin3", Codec::Open(ISO_8859_3)),
    Charset::new("ISO_8859-4:1988 csisolatin4 iso-8859-4 iso-ir-110 iso_8859-4 l4 latin4", Codec::Open(ISO_8859_4)),
    Charset::new(
        "ISO_8859-5:1988 csisolatincyrillic cyrillic iso-8859-5 iso-ir-144 iso_8859-5",
        Codec::Open(ISO_8859_5),
    ),
    Charset::new("ISO_8859-6-E csiso88596e iso-8859-6-e", Codec::Open(ISO_8859_6)),
    Charset::new("ISO_8859-6-I csiso88596i iso-8859-6-i", Codec::Open(ISO_8859_6)),
    Charset::new(
        "ISO_8859-6:1987 arabic asmo-708 csisolatinarabic ecma-114 iso-8859-6 iso-ir-127 iso_8859-6",
        Codec::Open(ISO_8859_6),
    ),
    Charset::new(
        "ISO_8859-7:1987 csisolatingreek ecma-118 elot_928 greek greek8 iso-8859-7 iso-ir-126 iso_8859-7",
        Codec::Open(ISO_8859_7),
    ),
    Charset::new("ISO_8859-8-E csiso88598e iso-8859-8-e", Codec::Open(ISO_8859_8)),
    Charset::new("ISO_8859-8-I csiso88598i iso-8859-8-i", Codec::Open(ISO_8859_8_I)),
    Charset::new("ISO_8859-8:1988 csisolatinhebrew hebrew iso-8859-8 iso-ir-138 iso_8859-8", Codec::Open(ISO_8859_8)),
    Charset::new("ISO_8859-9:1989 csisolatin5 iso-8859-9 iso-ir-148 iso_8859-9 l5 latin5", Codec::Iso(WINDOWS_1254)),
    Charset::new("KOI8-R cskoi8r", Codec::Web(KOI8_R)),
    Charset::new("KOI8-U cskoi8u", Codec::Web(KOI8_U)),
    Charset::new("macintosh csmacintosh mac", Codec::Web(MACINTOSH)),
    Charset::new("Shift_JIS csshiftjis ms_kanji", Codec::Web(SHIFT_JIS)),
    Charset::new(
        "US-ASCII ansi_x3.4-1968 ansi_x3.4-1986 cp367 csascii ibm367 iso-ir-6 iso646-us iso_646.irv:1991 us",
        Codec::Ascii,
    ),
    Charset::new("UTF-16 csutf16", Codec::Utf16),
    Charset::new("UTF-16BE csutf16be", Codec::Utf16Be),
    Charset::new("UTF-16LE csutf16le", Codec::Utf16Le),
    Charset::new("UTF-8 csutf8", Codec::Web(UTF_8)),
    Charset::new("windows-1250 cswindows1250", Codec::Open(WINDOWS_1250)),
    Charset::new("windows-1251 cswindows1251", Codec::Open(WINDOWS_1251)),
    Charset::new("windows-1252 cswindows1252", Codec::Open(WINDOWS_1252)),
    Charset::new("windows-1253 cswindows1253", Codec::Open(WINDOWS_1253)),
    Charset::new("windows-1254 cswindows1254", Codec::Open(WINDOWS_1254)),
    Charset::new("windows-1255 cswindows1255", Codec::Open(WINDOWS_1255)),
    Charset::new("windows-1256 cswindows1256", Codec::Open(WINDOWS_1256)),
    Charset::new("windows-1257 cswindows1257", Codec::Open(WINDOWS_1257)),
    Charset::new("windows-1258 cswindows1258", Codec::Open(WINDOWS_1258)),
    Charset::new("windows-874 cswindows874", Codec::Open(WINDOWS_874)),
];

impl Charset {
    const fn new(names: &'static str, codec: Codec) -> Self {
        Charset { names, codec }
    }

    /// The one of that name, in capitals or not.
    fn find(name: &str) -> Result<&'static Charset, FunctionError> {
        let name = name.trim();
        let is_named = |charset: &&Charset| charset.names.split(' ').any(|known| known.eq_ignore_ascii_case(name));
        CHARSETS.iter().find(is_named).ok_or_else(|| {
            let message = format!("{name:?} is not a supported IANA encoding name or alias in this Terraform version");
            FunctionError::argument(1, message)
        })
    }

    fn name(&self) -> &'static str {
        self.names.split(' ').next().unwrap_or_default()
    }
}

impl Codec {
    fn encode(self, text: &str) -> Option<Vec<u8>> {
        match self {
            Codec::Open(_) if text.contains(is_c1) => None,
            Codec::Web(encoding) | Codec::Open(encoding) => {
                let (bytes, _, failed) = encoding.encode(text);
                (!failed).then(|| bytes.into_owned())
            }
            Codec::Hz => hz::encode(text),
            Codec::Utf16 => {
                Some([0xfe, 0xff].into_iter().chain(text.encode_utf16().flat_map(u16::to_be_bytes)).collect())
            }
            Codec::Utf16Be => Some(text.encode_utf16().flat_map(u16::to_be_bytes).collect()),
            Codec::Utf16Le => Some(text.encode_utf16().flat_map(u16::to_le_bytes).collect()),
            Codec::Ascii | Codec::Iso(_) | Codec::Upper(_) | Codec::Ebcdic(..) => {
                let page: Vec<Option<char>> = (0..=255).map(|byte| self.char_of(byte)).collect();
                let byte_of = |c: char| page.iter().position(|known| *known == Some(c)).map(|byte| byte as u8);
                text.chars().map(byte_of).collect()
            }
        }
    }

    fn decode(self, bytes: &[u8]) -> Option<String> {
        let text = match self {
            Codec::Web(encoding) | Codec::Open(encoding) => {
                encoding.decode_without_bom_handling_and_without_replacement(bytes)?.into_owned()
            }
            Codec::Hz => hz::decode(bytes)?,
            Codec::Utf16 => match bytes {
                [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes)?,
                [0xfe, 0xff, rest @ ..] | rest => utf16(rest, u16::from_be_bytes)?,
            },
            Codec::Utf16Be => utf16(bytes, u16::from_be_bytes)?,
            Codec::Utf16Le => utf16(bytes, u16::from_le_bytes)?,
            Codec::Ascii | Codec::Iso(_) | Codec::Upper(_) | Codec::Ebcdic(..) => {
                bytes.iter().map(|byte| self.char_of(*byte)).collect::<Option<String>>()?
            }
        };
        // What stands for the undefined is no more than that where it is written out.
        let undefined =
            text.contains(char::REPLACEMENT_CHARACTER) || matches!(self, Codec::Open(_)) && text.contains(is_c1);
        (!undefined).then_some(text)
    }

    /// The character of a byte, where each byte is one.
    fn char_of(self, byte: u8) -> Option<char> {
        match self {
            Codec::Ascii | Codec::Upper(_) if byte.is_ascii() => Some(char::from(byte)),
            Codec::Upper(page) => page.chars().nth(usize::from(byte) - 128),
            Codec::Iso(_) if byte < 160 => Some(char::from(byte)),
            Codec::Iso(encoding) => encoding.decode_without_bom_handling(&[byte]).0.chars().next(),
            Codec::Ebcdic(page, currency) => match char::from(page[usize::from(byte)]) {
                '¤' => Some(currency),
                c => Some(c),
            },
            _ => None,
        }
    }
}

/// The control characters that ISO 6429 adds to those of ASCII.
fn is_c1(c: char) -> bool {
    matches!(c, '\u{80}'..='\u{9f}')
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Option<String> {
    let (units, rest) = bytes.as_chunks();
    let text = char::decode_utf16(units.iter().map(|bytes| unit(*bytes))).collect::<Result<String, _>>();
    text.ok().filter(|_| rest.is_empty())
}

fn encode(arguments: &[Value], _: &Context<'_>) -> Result<Value, FunctionError> {
    let charset = Charset::find(text(arguments, 1))?;
    let bytes = charset.codec.encode(text(arguments, 0)).ok_or_else(|| {
        let name = charset.name();
        FunctionError::argument(0, format!("the given string contains characters that cannot be represented in {name}"))
    })?;
    Ok(Value::string(STANDARD.encode(bytes)))
}

fn decode(arguments: &[Value], _: &Context<'_>) -> Result<Value, FunctionError> {
    let charset = Charset::find(text(arguments, 1))?;
    let source = text(arguments, 0);
    let bytes = decode_base64(source).ok_or_else(|| {
        let offset = invalid_at(source);
        // The words, "is has" included, are Terraform's.
        FunctionError::argument(0, format!("the given value is has an invalid base64 symbol at offset {offset}"))
    })?;
    let decoded = charset.codec.decode(&bytes).ok_or_else(|| {
        let name = charset.name();
        FunctionError::argument(0, format!("the given string contains symbols that are not defined for {name}"))
    })?;
    Ok(from_outside(decoded))
}

/// Where a text stops to be base64: at a wrong symbol, or at the start of four that are not complete.
fn invalid_at(source: &str) -> usize {
    let is_symbol = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    let mut symbols = source.bytes().enumerate().filter(|(_, byte)| !matches!(byte, b'\n' | b'\r'));
    let mut in_group = 0;
    while let Some((at, byte)) = symbols.next() {
        if is_symbol(byte) {
            in_group = (in_group + 1) % 4;
            continue;
        }
        return match (byte, in_group) {
            (b'=', 2) => match symbols.next() {
                None => source.len(),
                Some((_, b'=')) => symbols.next().map_or(source.len(), |(at, _)| at),
                Some(_) => at,
            },
            (b'=', 3) => symbols.next().map_or(source.len(), |(at, _)| at),
            _ => at,
        };
    }
    source.len() - in_group
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::super::{DirFiles, lookup};
    use super::*;
    use crate::value::{Marks, Type};

    fn call(name: &str, arguments: &[Value]) -> Option<Result<Value, FunctionError>> {
        let context = Context {
            base: std::path::Path::new("/"),
            files: &DirFiles,
            plan_time: None,
            now: None,
            env: None,
            templates: None,
        };
        Some(lookup(name)?.call(arguments, &context))
    }

    /// `cases/charset_bytes.txt` has, for every encoding, what terraform 1.11.4 makes of each single byte (a dash if nothing),
    /// joined by commas, as a digest.
    #[test]
    fn every_byte_is_the_character_it_is_to_terraform() {
        // Of ISO-2022-JP two bytes differ, see `cases/deviations.txt`.
        let lines: Vec<&str> = include_str!("cases/charset_bytes.txt").lines().collect();
        assert_eq!(lines.len(), CHARSETS.len() - 1);
        let mut wrong = Vec::new();
        for line in lines {
            let (name, expect) = line.split_once(' ').unwrap_or_default();
            let of_byte = |byte: u8| {
                let decoded = call("textdecodebase64", &[STANDARD.encode([byte]).into(), name.into()]);
                let text = decoded.and_then(Result::ok).and_then(|value| value.as_str().map(str::to_owned));
                text.unwrap_or_else(|| "-".into())
            };
            let all: Vec<String> = (0..=255).map(of_byte).collect();
            let digest: String = Sha256::digest(all.join(",")).iter().map(|byte| format!("{byte:02x}")).collect();
            if digest != expect {
                wrong.push(format!("{name}: {all:?}"));
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
    }

    #[test]
    fn unknown_and_sensitive_arguments_stay_so() {
        for name in ["textencodebase64", "textdecodebase64", "base64gzip", "base64gunzip", "rsadecrypt"] {
            let two = if name.starts_with("base64") { 1 } else { 2 };
            let unknown = [Value::unknown(Type::String).sensitive(), Value::from("UTF-8")];
            let expect = Value::unknown_not_null(Type::String).sensitive();
            assert_eq!(call(name, &unknown[..two]), Some(Ok(expect)), "{name}");
            let secret = [Value::from("hunter2!").sensitive(), Value::from("UTF-8")];
            match call(name, &secret[..two]) {
                Some(Ok(value)) => assert!(value.marks().contains(Marks::SENSITIVE), "{name}"),
                Some(Err(error)) => assert!(!format!("{error:?}").contains("hunter"), "{name}: {error:?}"),
                None => panic!("there is no {name}"),
            }
        }
    }
}
