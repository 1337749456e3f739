//! `rsadecrypt`: what was encrypted for the owner of an RSA key.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use openssl::bn::{BigNum, BigNumContext, BigNumRef};
use openssl::error::ErrorStack;
use openssl::pkey::{PKey, Private};
use openssl::rsa::{Padding, Rsa, RsaPrivateKeyBuilder};

use super::arguments::{from_outside, text};
use super::encoding::decode;
use super::{Context, Function, FunctionError, Param, Returns};
use crate::value::Value;

pub(super) static FUNCTIONS: &[Function] = &[Function::new(
    "rsadecrypt",
    &[Param::string("ciphertext"), Param::string("privatekey")],
    Returns::String,
    rsa_decrypt,
)];

const PROTECTED: &str = "invalid private key: ssh: this private key is passphrase protected";
const UNREADABLE: &str = "invalid private key: its content cannot be read";
const NOT_RSA: &str = "invalid private key: an RSA key is required";

fn rsa_decrypt(arguments: &[Value], _: &Context<'_>) -> Result<Value, FunctionError> {
    let encrypted = text(arguments, 0);
    let encrypted = decode(encrypted).ok_or_else(|| {
        let message = format!("failed to decode input {encrypted:?}: cipher text must be base64-encoded");
        FunctionError::argument(0, message)
    })?;
    let key = private_key(text(arguments, 1)).map_err(|message| FunctionError::argument(1, message))?;
    let decrypted = decrypt(&key, &encrypted)
        .ok_or_else(|| FunctionError::failed("failed to decrypt: crypto/rsa: decryption error"))?;
    Ok(from_outside(String::from_utf8_lossy(&decrypted)))
}

/// Decrypts and takes the padding of PKCS #1 version 1.5 off. The library would give something random for a wrong padding,
/// which is of use to a server that strangers may ask, and of none to someone with the wrong key.
fn decrypt(key: &Rsa<Private>, encrypted: &[u8]) -> Option<Vec<u8>> {
    let mut padded = vec![0; key.size() as usize];
    key.private_decrypt(encrypted, &mut padded, Padding::NONE).ok()?;
    let [0, 2, rest @ ..] = padded.as_slice() else { return None };
    let end = rest.iter().position(|byte| *byte == 0).filter(|filled| *filled >= 8)?;
    Some(rest[end + 1..].to_vec())
}

/// Reads a key in one of the forms that OpenSSL and OpenSSH write.
fn private_key(text: &str) -> Result<Rsa<Private>, String> {
    let pem = Pem::find(text).ok_or("invalid private key: ssh: no key found")?;
    if pem.is_encrypted {
        return Err(PROTECTED.to_owned());
    }
    match pem.kind {
        "RSA PRIVATE KEY" => Rsa::private_key_from_der(&pem.content).map_err(|_| UNREADABLE.to_owned()),
        "PRIVATE KEY" => {
            let key = PKey::private_key_from_pkcs8(&pem.content).map_err(|_| UNREADABLE.to_owned())?;
            key.rsa().map_err(|_| NOT_RSA.to_owned())
        }
        "OPENSSH PRIVATE KEY" => openssh(&pem.content),
        "EC PRIVATE KEY" | "DSA PRIVATE KEY" => Err(NOT_RSA.to_owned()),
        kind => Err(format!("invalid private key: ssh: unsupported key type {kind:?}")),
    }
}

/// The first block between `-----BEGIN …-----` and `-----END …-----`.
struct Pem<'a> {
    kind: &'a str,
    is_encrypted: bool,
    content: Vec<u8>,
}

impl<'a> Pem<'a> {
    fn find(text: &'a str) -> Option<Self> {
        let mut lines = text.lines().map(str::trim_end);
        loop {
            let kind = lines.find_map(|line| line.strip_prefix("-----BEGIN ")?.strip_suffix("-----"))?;
            let end = format!("-----END {kind}-----");
            let (mut body, mut is_encrypted) = (String::new(), false);
            let is_closed = lines.by_ref().any(|line| {
                match line.split_once(':') {
                    Some(header) => is_encrypted |= header.0 == "Proc-Type" && header.1.ends_with("ENCRYPTED"),
                    None if line != end => body.push_str(line.trim()),
                    None => {}
                }
                line == end
            });
            match STANDARD.decode(body) {
                Ok(content) if is_closed => return Some(Pem { kind, is_encrypted, content }),
                _ => {}
            }
        }
    }
}

/// Reads the form of OpenSSH, which begins with a word, the way it is encrypted, and the public key.
fn openssh(content: &[u8]) -> Result<Rsa<Private>, String> {
    const INVALID: &str = "invalid private key: ssh: invalid openssh private key format";
    let mut outer = Fields(content.strip_prefix(b"openssh-key-v1\0").ok_or(INVALID)?);
    let cipher = outer.field().ok_or(INVALID)?;
    let (_kdf, _options, _count) = (outer.field(), outer.field(), outer.skip(4));
    let (_public, secret) = (outer.field(), outer.field());
    if cipher != b"none" {
        return Err(PROTECTED.to_owned());
    }
    let mut secret = Fields(secret.ok_or(INVALID)?);
    // Two equal numbers show whether the key was decrypted well.
    secret.skip(8).ok_or(INVALID)?;
    if secret.field().ok_or(INVALID)? != b"ssh-rsa" {
        return Err(NOT_RSA.to_owned());
    }
    let mut number = || secret.field().and_then(|bytes| BigNum::from_slice(bytes).ok()).ok_or(INVALID);
    let [n, e, d, inverse, p, q] = [number()?, number()?, number()?, number()?, number()?, number()?];
    assembled(n, e, d, inverse, p, q).map_err(|_| UNREADABLE.to_owned())
}

fn assembled(
    n: BigNum,
    e: BigNum,
    d: BigNum,
    inverse: BigNum,
    p: BigNum,
    q: BigNum,
) -> Result<Rsa<Private>, ErrorStack> {
    let part = |prime: &BigNumRef| -> Result<BigNum, ErrorStack> {
        let (mut less, mut part, mut context) = (prime.to_owned()?, BigNum::new()?, BigNumContext::new()?);
        less.sub_word(1)?;
        part.checked_rem(&d, &less, &mut context)?;
        Ok(part)
    };
    let (of_p, of_q) = (part(&p)?, part(&q)?);
    Ok(RsaPrivateKeyBuilder::new(n, e, d)?.set_factors(p, q)?.set_crt_params(of_p, of_q, inverse)?.build())
}

/// Fields of the form of OpenSSH: a length of four bytes and so many bytes.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn skip(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn field(&mut self) -> Option<&'a [u8]> {
        let length = self.skip(4)?.first_chunk::<4>().map(|bytes| u32::from_be_bytes(*bytes))?;
        self.skip(length as usize)
    }
}
