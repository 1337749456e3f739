//! Packages over HTTP: an archive, or an answer that tells where the package is.

use http::header::{AUTHORIZATION, HeaderValue};
use md5::{Digest as _, Md5};
use percent_encoding::percent_decode_str;
use sha1::Sha1;
use sha2::{Sha256, Sha512};
use std::path::Path;
use std::time::Duration;

use crate::addr::{ModuleSource, Package};
use crate::client::http::{Answer, Client, Question};
use crate::client::tls::Trust;

use super::archive::{Format, unpack};
use super::error::FetchError;
use super::query::Address;

/// Bytes of an archive, packed.
const MOST_BYTES: usize = 256 << 20;
const LIMIT: Duration = Duration::from_secs(10 * 60);

/// What was found behind an address.
pub enum Got {
    /// The package's files are in place.
    Package,
    /// The package is elsewhere; the second is a folder in it.
    Elsewhere(Package, String),
}

/// Fetches into the folder `to`, which is made.
pub async fn get(url: &str, to: &Path) -> Result<Got, FetchError> {
    let address = Address::take(url, &["archive", "checksum"]);
    let path = address.url.split('?').next().unwrap_or_default();
    let format = match address.argument("archive") {
        Some("false" | "0" | "f" | "F" | "FALSE" | "False") => {
            return Err(FetchError::Argument("a module is a folder, so that archive=false cannot be".to_owned()));
        }
        Some(name) => Some(Format::named(name)?),
        None => Format::of(path)?,
    };
    match format {
        Some(format) => {
            let answer = ask(&address.url).await?;
            check_sum(address.argument("checksum"), &answer.body)?;
            unpack(&answer.body, format, to)?;
            Ok(Got::Package)
        }
        None if address.argument("checksum").is_some() => {
            let detail = "a checksum belongs to an archive; where the address does not end like one, say which kind it is, as in \
                          archive=zip";
            Err(FetchError::Argument(detail.to_owned()))
        }
        None => elsewhere(&address.url).await,
    }
}

/// Asks where the package is: Terraform's protocol for addresses that are no archive.
async fn elsewhere(url: &str) -> Result<Got, FetchError> {
    let separator = if url.contains('?') { '&' } else { '?' };
    let answer = ask(&format!("{url}{separator}terraform-get=1")).await?;
    let header = answer.headers.get("x-terraform-get").and_then(|value| value.to_str().ok()).map(str::to_owned);
    let Some(told) = header.or_else(|| meta(&String::from_utf8_lossy(&answer.body))) else {
        let detail = "the answer does not say where the module is: there is neither a header X-Terraform-Get nor an element \
                      <meta name=\"terraform-get\">. An archive is known by the end of its name, or by archive=zip";
        return Err(FetchError::Answer(detail.to_owned()));
    };
    let target = if told.starts_with('/') || told.starts_with("./") || told.starts_with("../") {
        let base = reqwest::Url::parse(url).map_err(|error| FetchError::Answer(error.to_string()))?;
        let joined = base.join(&told).map_err(|error| FetchError::Answer(format!("{told:?}: {error}")))?;
        joined.to_string()
    } else {
        told.clone()
    };
    match ModuleSource::parse(&target, false) {
        Ok(ModuleSource::Remote { package, folder }) => {
            // A server has no business with the files of this machine.
            if package.forced.as_deref().unwrap_or_default() != "git" && package.url.starts_with("file:") {
                return Err(FetchError::Unsafe(format!("the server leads to {told:?}, a folder of this machine")));
            }
            Ok(Got::Elsewhere(package, folder))
        }
        _ => Err(FetchError::Answer(format!("the server leads to {told:?}, which is no address of a package"))),
    }
}

async fn ask(url: &str) -> Result<Answer, FetchError> {
    let client = Client::new(&Trust::default(), true)?;
    let mut question = Question { timeout: LIMIT, limit: MOST_BYTES, ..Question::get(url) };
    if let Some((user, password)) = credentials(url) {
        use base64::Engine as _;
        let text = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"));
        if let Ok(mut value) = HeaderValue::from_str(&format!("Basic {text}")) {
            value.set_sensitive(true);
            question.headers.insert(AUTHORIZATION, value);
        }
    }
    let answer = client.send(question).await?;
    if !(200..300).contains(&answer.status) {
        return Err(FetchError::Status(answer.status));
    }
    Ok(answer)
}

/// User and password that an address holds.
fn credentials(url: &str) -> Option<(String, String)> {
    let url = reqwest::Url::parse(url).ok()?;
    let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    (!url.username().is_empty()).then(|| (decoded(url.username()), decoded(url.password().unwrap_or_default())))
}

/// What `<meta name="terraform-get" content="…">` in a page says.
fn meta(page: &str) -> Option<String> {
    let tag = regex::Regex::new(r"(?is)<meta\s[^>]*>").ok()?;
    let attribute = regex::Regex::new(r#"(?is)([a-z-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')"#).ok()?;
    tag.find_iter(page).find_map(|tag| {
        let of = |name: &str| {
            let all = attribute.captures_iter(tag.as_str());
            let mut found =
                all.filter(|found| found.get(1).is_some_and(|known| known.as_str().eq_ignore_ascii_case(name)));
            found.next().and_then(|found| Some(found.get(2).or(found.get(3))?.as_str().to_owned()))
        };
        (of("name")? == "terraform-get").then(|| of("content")).flatten()
    })
}

/// Compares with `sha256:…`, or with a bare sum whose kind its length tells.
fn check_sum(wanted: Option<&str>, bytes: &[u8]) -> Result<(), FetchError> {
    let Some(wanted) = wanted else { return Ok(()) };
    let (kind, sum) = wanted.split_once(':').unwrap_or(("", wanted));
    let kind = match (kind, sum.len()) {
        ("", 32) => "md5",
        ("", 40) => "sha1",
        ("", 64) => "sha256",
        ("", 128) => "sha512",
        (kind, _) => kind,
    };
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let got = match kind {
        "md5" => hex(&Md5::digest(bytes)),
        "sha1" => hex(&Sha1::digest(bytes)),
        "sha256" => hex(&Sha256::digest(bytes)),
        "sha512" => hex(&Sha512::digest(bytes)),
        _ => {
            let detail =
                format!("{wanted:?} is no checksum; write it like sha256:… (md5, sha1, sha256 and sha512 are known)");
            return Err(FetchError::Argument(detail));
        }
    };
    if got.eq_ignore_ascii_case(sum) {
        return Ok(());
    }
    Err(FetchError::Answer(format!("the checksum does not match: {kind}:{sum} was expected, {kind}:{got} came")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_say_where_modules_are() {
        let check = |page: &str, expect: Option<&str>| assert_eq!(meta(page).as_deref(), expect, "{page}");
        check(
            "<html><head><META name=\"terraform-get\" content='git::https://e.com/a'></head>",
            Some("git::https://e.com/a"),
        );
        check("<meta content=\"./a.zip\"\n name=\"terraform-get\" />", Some("./a.zip"));
        check("<meta name=\"description\" content=\"terraform-get\">", None);
        check("", None);
    }

    #[test]
    fn checksums_are_compared() {
        let check = |wanted: &str, expect: bool| assert_eq!(check_sum(Some(wanted), b"x").is_ok(), expect, "{wanted}");
        check("md5:9dd4e461268c8034f5c8564e155c67a6", true);
        check("9DD4E461268C8034F5C8564E155C67A6", true);
        check("sha256:2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881", true);
        check("sha256:00", false);
        check("file:http://e.com/sums", false);
        check("1234", false);
    }
}
