//! One package into one folder, whatever it is fetched with.

use std::path::{Path, PathBuf};

use crate::addr::Package;

use super::copy::{check_links, copy};
use super::error::FetchError;
use super::web::{self, Got};
use super::{archive, git};

/// How often one server may lead to another.
const MOST_HOPS: usize = 5;

/// Fetches a package into the folder `to`, which does not exist yet. Gives the folder in it that the way there led to,
/// empty for the package itself.
///
/// # Errors
/// When it cannot be fetched, or must not be used. What is in `to` then is of no use.
pub async fn fetch(package: &Package, to: &Path) -> Result<String, FetchError> {
    let mut package = package.clone();
    let mut folder = String::new();
    for _ in 0..MOST_HOPS {
        let (scheme, path) = package.url.split_once(':').unwrap_or((package.url.as_str(), ""));
        let kind = package.forced.clone().unwrap_or_else(|| scheme.to_owned());
        match kind.as_str() {
            "git" => git::clone(&package.url, to).await?,
            "http" | "https" => match web::get(&package.url, to).await? {
                Got::Package => {}
                Got::Elsewhere(next, inner) => {
                    package = next;
                    folder = join(&inner, &folder);
                    continue;
                }
            },
            "file" => beside(path, to)?,
            other => return Err(FetchError::Scheme(other.to_owned())),
        }
        check_links(to)?;
        return Ok(folder);
    }
    Err(FetchError::Answer(format!("servers led from one to another more than {MOST_HOPS} times")))
}

fn join(outer: &str, inner: &str) -> String {
    [outer, inner].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/")
}

/// A folder or an archive of this machine.
fn beside(path: &str, to: &Path) -> Result<(), FetchError> {
    let path = PathBuf::from(path.strip_prefix("//").unwrap_or(path));
    if path.is_dir() {
        return copy(&path, to);
    }
    let bytes = std::fs::read(&path).map_err(FetchError::disk(&path))?;
    match archive::Format::of(&path.to_string_lossy())? {
        Some(format) => archive::unpack(&bytes, format, to),
        None => Err(FetchError::Argument(format!("{} is neither a folder nor an archive", path.display()))),
    }
}
