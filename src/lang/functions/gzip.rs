//! Compressed text: `base64gzip`, `base64gunzip`.

use std::io::Read;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Crc;
use flate2::read::MultiGzDecoder;

use super::arguments::{from_outside, text};
use super::deflate::deflate;
use super::encoding::decode;
use super::{Context, Function, FunctionError, Param, Returns};
use crate::value::Value;

/// How large a text may be that is unpacked. A few bytes can be made to stand for gigabytes.
const LIMIT: u64 = 64 << 20;

/// The header without name and time, from no particular system.
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
/// A block without content, the last.
const LAST_BLOCK: [u8; 5] = [1, 0, 0, 0xff, 0xff];

pub(super) static FUNCTIONS: &[Function] = &[
    Function::new("base64gunzip", &[Param::string("str")], Returns::String, gunzip),
    Function::new("base64gzip", &[Param::string("str")], Returns::String, |arguments, _| {
        Ok(Value::string(STANDARD.encode(gzip(text(arguments, 0).as_bytes()))))
    }),
];

/// Packs in the frame that Terraform makes: an empty block ends the content, as when it is flushed, and a last one the whole.
fn gzip(content: &[u8]) -> Vec<u8> {
    let mut crc = Crc::new();
    crc.update(content);
    let parts: [&[u8]; 5] =
        [&HEADER, &deflate(content), &LAST_BLOCK, &crc.sum().to_le_bytes(), &(content.len() as u32).to_le_bytes()];
    parts.concat()
}

fn gunzip(arguments: &[Value], _: &Context<'_>) -> Result<Value, FunctionError> {
    let encoded = text(arguments, 0);
    let packed =
        decode(encoded).ok_or_else(|| FunctionError::failed(format!("failed to decode base64 data {encoded:?}")))?;
    let mut unpacked = Vec::new();
    MultiGzDecoder::new(packed.as_slice())
        .take(LIMIT + 1)
        .read_to_end(&mut unpacked)
        .map_err(|error| FunctionError::failed(format!("failed to unpack gzip data: {error}")))?;
    if unpacked.len() as u64 > LIMIT {
        let limit = LIMIT >> 20;
        return Err(FunctionError::failed(format!("the unpacked text is larger than {limit} MiB")));
    }
    let unpacked = String::from_utf8(unpacked)
        .map_err(|_| FunctionError::failed("the result of unpacking the provided string is not valid UTF-8"))?;
    Ok(from_outside(unpacked))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use sha2::{Digest, Sha256};

    use super::*;

    fn unpack(packed: &[u8]) -> Result<Value, FunctionError> {
        let context = Context {
            base: std::path::Path::new("/"),
            files: &super::super::DirFiles,
            plan_time: None,
            now: None,
            env: None,
            templates: None,
        };
        gunzip(&[Value::string(STANDARD.encode(packed))], &context)
    }

    #[test]
    fn what_was_packed_is_unpacked() {
        let mut seed = 1_u32;
        let noise: String = std::iter::repeat_with(|| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            char::from(b' ' + (seed >> 24) as u8 % 90)
        })
        .take(300_000)
        .collect();
        for text in ["", "a", "é☃", &"line\n".repeat(100_000), &noise] {
            let packed = gzip(text.as_bytes());
            assert!(packed.ends_with(&(text.len() as u32).to_le_bytes()));
            assert_eq!(unpack(&packed), Ok(text.into()), "{} bytes", text.len());
            let twice = [packed.as_slice(), &packed].concat();
            assert_eq!(unpack(&twice), Ok(format!("{text}{text}").into()), "two of {} bytes", text.len());
        }
    }

    /// The digests are of what terraform 1.11.4 makes of the same texts.
    #[test]
    fn long_texts_are_the_bytes_they_are_with_terraform() {
        let hex = |bytes: &[u8]| Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let lines: Vec<String> =
            (0_u64..50_000).map(|i| format!("line {i}: {} {}", i * 7919 % 1000, i * i % 977)).collect();
        let noise: String = (0..1000).map(|i: u32| hex(i.to_string().as_bytes())).collect();
        let runs: String = (0..1000).map(|i| "ab".repeat(i % 50)).collect();
        for (text, expect) in [
            (lines.join("\n"), "885b6068e9bf0866f1ac83323507147420d3767d8fb89eb4d57947ed32fb1f54"),
            (noise, "a5984472afae57de76c4a8568791ec409756a0f29d163ee942fc6c6f92f80107"),
            (runs, "f6aff5da8f86985711a5059ce4c8937ee5c9dfffb3b3fe518ccae91315d280b5"),
        ] {
            assert_eq!(hex(STANDARD.encode(gzip(text.as_bytes())).as_bytes()), expect, "{text:.40}");
        }
    }

    #[test]
    fn bad_input_is_refused() {
        let packed = gzip(b"hello hello hello");
        for end in 0..packed.len() {
            assert!(unpack(&packed[..end]).is_err(), "{end} bytes");
        }
        let mut wrong_sum = packed.clone();
        wrong_sum[packed.len() - 8] ^= 1;
        assert!(unpack(&wrong_sum).is_err());
        assert!(unpack(&gzip(b"\xff")).is_err_and(|error| format!("{error:?}").contains("UTF-8")));
    }

    #[test]
    fn a_bomb_is_refused_when_it_has_grown_too_large() -> std::io::Result<()> {
        let mut bomb = GzEncoder::new(Vec::new(), Compression::best());
        let zeros = vec![0; 1 << 20];
        for _ in 0..200 {
            bomb.write_all(&zeros)?;
        }
        let bomb = bomb.finish()?;
        assert!(bomb.len() < 300_000);
        assert!(unpack(&bomb).is_err_and(|error| format!("{error:?}").contains("larger than 64 MiB")));
        Ok(())
    }
}
