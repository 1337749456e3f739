//! Where a called module comes from, as its `source` says: a folder beside the caller, a registry, or a package elsewhere.

use std::fmt;

use super::DEFAULT_HOST;

/// A module's source address.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum ModuleSource {
    /// A path that begins with `./` or `../`, seen from the caller's folder.
    Local(String),
    /// A module of a registry.
    Registry(RegistryModule),
    /// A folder in a package that is fetched.
    Remote {
        /// The package.
        package: Package,
        /// The folder in it, without slashes at its ends; empty for the package itself.
        folder: String,
    },
}

/// `HOST/NAMESPACE/NAME/PROVIDER`, and a folder in it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct RegistryModule {
    /// The registry.
    pub host: String,
    /// Whose it is.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// The kind of system it is for, such as `aws`.
    pub provider: String,
    /// The folder in it; empty for the module itself.
    pub folder: String,
}

/// Something that is fetched as a whole.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Package {
    /// How, when it is said: `git` in `git::https://…`.
    pub forced: Option<String>,
    /// From where; with a scheme.
    pub url: String,
}

/// Why a text is no source address.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SourceError {
    /// It could be anything.
    #[error(
        "From {0:?} it is not clear how to fetch the module. If it is a path as seen from the calling module, write \
         \"./{0}\": only with \"./\" or \"../\" in front it is one."
    )]
    Unclear(String),
    /// It could be read, and is wrong.
    #[error("The address cannot be used: {0}.")]
    Wrong(String),
    /// It has a version, so that it should be a registry's.
    #[error("{0} An argument \"version\" belongs to modules of a registry only.")]
    NoRegistry(String),
}

impl SourceError {
    /// The line above it.
    pub fn summary(&self) -> &'static str {
        match self {
            SourceError::Unclear(_) | SourceError::Wrong(_) => "Invalid module source address",
            SourceError::NoRegistry(_) => "Invalid registry module source address",
        }
    }
}

/// Hosts whose addresses name repositories, never modules of a registry.
const CODE_HOSTS: [&str; 2] = ["github.com", "bitbucket.org"];

impl ModuleSource {
    /// Reads an address; `versioned` when it stands beside a `version`.
    ///
    /// # Errors
    /// When it is none.
    pub fn parse(text: &str, versioned: bool) -> Result<ModuleSource, SourceError> {
        let local = ["./", "../", ".\\", "..\\"].iter().any(|start| text.starts_with(start));
        if local && versioned {
            return Err(SourceError::NoRegistry(format!("{text:?} is a folder on this machine.")));
        }
        if local {
            return Ok(ModuleSource::Local(local_path(text)));
        }
        match registry(text) {
            Some(module) => return Ok(ModuleSource::Registry(module?)),
            None if versioned => {
                return Err(SourceError::NoRegistry(format!(
                    "{text:?} is no address of a module in a registry, which has three or four parts: \
                     NAMESPACE/NAME/PROVIDER, with HOST/ in front of them."
                )));
            }
            None => {}
        }
        remote(text)
    }

    /// The folder in the package or module; empty for the whole.
    pub fn folder(&self) -> &str {
        match self {
            ModuleSource::Local(_) => "",
            ModuleSource::Registry(module) => &module.folder,
            ModuleSource::Remote { folder, .. } => folder,
        }
    }
}

/// The path in its shortest form, with `./` or `../` in front.
fn local_path(text: &str) -> String {
    let text = text.replace('\\', "/");
    let mut parts: Vec<&str> = Vec::new();
    for part in text.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    let path = parts.join("/");
    if parts.first() == Some(&"..") { if path == ".." { "../".to_owned() } else { path } } else { format!("./{path}") }
}

/// `None` when it does not look like an address of a registry at all.
fn registry(text: &str) -> Option<Result<RegistryModule, SourceError>> {
    let (address, folder) = match text.find("//") {
        Some(at) => (&text[..at], &text[at + 2..]),
        None => (text, ""),
    };
    let parts: Vec<&str> = address.split('/').collect();
    let (host, [namespace, name, provider]) = match parts[..] {
        [namespace, name, provider] => (DEFAULT_HOST.to_owned(), [namespace, name, provider]),
        [host, namespace, name, provider] => (host.to_ascii_lowercase(), [namespace, name, provider]),
        _ => return None,
    };
    let word = |text: &str, more: &str| {
        let inner = |c: char| c.is_ascii_alphanumeric() || more.contains(c);
        let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
        text.len() <= 64 && edge(text.chars().next()) && edge(text.chars().next_back()) && text.chars().all(inner)
    };
    let (domain, port) = host.split_once(':').unwrap_or((&host, "0"));
    let valid_host =
        domain.contains('.') && domain.split('.').all(|part| word(part, "-")) && port.parse::<u16>().is_ok();
    let valid =
        word(namespace, "-_") && word(name, "-_") && word(provider, "") && provider == provider.to_ascii_lowercase();
    if !valid_host || CODE_HOSTS.contains(&domain) || !valid {
        return None;
    }
    let (namespace, name, provider) = (namespace.to_owned(), name.to_owned(), provider.to_owned());
    Some(inner_folder(folder).map(|folder| RegistryModule { host: host.clone(), namespace, name, provider, folder }))
}

/// The folder in a package, in its shortest form.
fn inner_folder(text: &str) -> Result<String, SourceError> {
    let mut parts: Vec<&str> = Vec::new();
    for part in text.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.pop().is_none() => {
                return Err(SourceError::Wrong(format!("the folder {text:?} lies outside of the package")));
            }
            ".." => {}
            part => parts.push(part),
        }
    }
    Ok(parts.join("/"))
}

fn remote(text: &str) -> Result<ModuleSource, SourceError> {
    let (forced, rest) = forced(text);
    let (location, folder) = split_folder(rest);
    let (forced, location, more) = detect(forced, &location).ok_or_else(|| SourceError::Unclear(rest.to_owned()))??;
    let folder = inner_folder(&[more.as_str(), folder.as_str()].join("/"))?;
    Ok(ModuleSource::Remote { package: Package { forced, url: location }, folder })
}

/// `git::https://…` in its two parts.
fn forced(text: &str) -> (Option<&str>, &str) {
    match text.split_once("::") {
        Some((forced, rest)) if !forced.is_empty() && forced.chars().all(|c| c.is_ascii_alphanumeric()) => {
            (Some(forced), rest)
        }
        _ => (None, text),
    }
}

/// Takes the folder out: `https://host/a//folder?ref=x` gives `https://host/a?ref=x` and `folder`.
fn split_folder(text: &str) -> (String, String) {
    let (path, query) = text.split_once('?').map_or((text, None), |(path, query)| (path, Some(query)));
    let begin = path.find("://").map_or(0, |at| at + 3);
    let Some(at) = path[begin..].find("//") else { return (text.to_owned(), String::new()) };
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    (format!("{}{query}", &path[..begin + at]), path[begin + at + 2..].to_owned())
}

type Detected = (Option<String>, String, String);

/// How and from where: what has a scheme is taken as it is, some short forms are known. The third part is a folder that
/// followed the repository's name. `None` when it could be anything.
fn detect(forced: Option<&str>, text: &str) -> Option<Result<Detected, SourceError>> {
    let own = forced.map(str::to_owned);
    let git = || Some(own.clone().unwrap_or_else(|| "git".to_owned()));
    let (path, query) = text.split_once('?').map_or((text, String::new()), |(path, query)| (path, format!("?{query}")));
    for host in CODE_HOSTS {
        let Some(rest) = path.strip_prefix(host).and_then(|rest| rest.strip_prefix('/')) else { continue };
        let parts: Vec<&str> = rest.splitn(3, '/').collect();
        let (Some(owner), Some(repository)) = (parts.first(), parts.get(1).filter(|name| !name.is_empty())) else {
            return Some(Err(SourceError::Wrong(format!("a repository there is written as {host}/OWNER/NAME"))));
        };
        let repository = repository.strip_suffix(".git").unwrap_or(repository);
        let folder = parts.get(2).copied().unwrap_or_default().to_owned();
        return Some(Ok((git(), format!("https://{host}/{owner}/{repository}.git{query}"), folder)));
    }
    // git@host:path, as ssh and scp write it. Without "git::" only the usual user makes it clear.
    if !path.contains("://")
        && let Some((user, rest)) = path.split_once('@')
        && let Some((host, place)) = rest.split_once(':')
        && (user == "git" || forced == Some("git"))
        && ![user, host].iter().any(|part| part.is_empty() || part.contains('/'))
    {
        return Some(Ok((
            git(),
            format!("ssh://{user}@{host}/{}{query}", place.trim_start_matches('/')),
            String::new(),
        )));
    }
    if path.starts_with('/') {
        return Some(Ok((own, format!("file://{path}{query}"), String::new())));
    }
    let scheme = path.split_once(':').map(|(scheme, _)| scheme)?;
    let letters = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
    let valid = scheme.starts_with(|c: char| c.is_ascii_alphabetic()) && scheme.chars().all(letters);
    valid.then(|| Ok((own, text.to_owned(), String::new())))
}

impl Package {
    /// As it may be shown to anybody: without the password.
    pub fn shown(&self) -> String {
        let text = self.to_string();
        let Some((before, rest)) = text.split_once("://") else { return text };
        let (host, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        match host.rsplit_once('@').and_then(|(user, host)| Some((user.split_once(':')?.0, host))) {
            Some((user, host)) => format!("{before}://{user}:redacted@{host}{path}"),
            None => text,
        }
    }
}

impl fmt::Display for Package {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.forced {
            Some(forced) => write!(f, "{forced}::{}", self.url),
            None => f.write_str(&self.url),
        }
    }
}

impl fmt::Display for RegistryModule {
    /// Without the folder.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}/{}", self.host, self.namespace, self.name, self.provider)
    }
}

impl fmt::Display for ModuleSource {
    /// As a manifest of installed modules has it: every short form written out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ModuleSource::Local(path) => f.write_str(path),
            ModuleSource::Registry(module) if module.folder.is_empty() => write!(f, "{module}"),
            ModuleSource::Registry(module) => write!(f, "{module}//{}", module.folder),
            ModuleSource::Remote { package, folder } if folder.is_empty() => write!(f, "{package}"),
            ModuleSource::Remote { package, folder } => {
                let text = package.to_string();
                let (path, query) =
                    text.split_once('?').map_or((text.as_str(), None), |(path, query)| (path, Some(query)));
                write!(f, "{path}//{folder}")?;
                query.map_or(Ok(()), |query| write!(f, "?{query}"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The address written out, or the beginning of what is wrong.
    fn check(text: &str, expect: &str) {
        let got = match ModuleSource::parse(text, false) {
            Ok(source) => source.to_string(),
            Err(SourceError::Unclear(_)) => "unclear".to_owned(),
            Err(error) => error.to_string(),
        };
        assert_eq!(got, expect, "{text}");
    }

    #[test]
    fn addresses_are_written_out_as_terraform_does() {
        check("./a//b", "./a/b");
        check("../a/../b", "../b");
        check(".\\x", "./x");
        check("git@github.com:a/b.git//sub?ref=x", "git::ssh://git@github.com/a/b.git//sub?ref=x");
        check("git::me@example.com:a/b", "git::ssh://me@example.com/a/b");
        check("github.com/a/b?ref=x", "git::https://github.com/a/b.git?ref=x");
        check("github.com/a/b.git//sub", "git::https://github.com/a/b.git//sub");
        check("github.com/a/b/c/d?ref=1", "git::https://github.com/a/b.git//c/d?ref=1");
        check("git::github.com/a/b", "git::https://github.com/a/b.git");
        check("bitbucket.org/a/b", "git::https://bitbucket.org/a/b.git");
        check("git::https://e.com/a/b.git//c/d?ref=1&depth=2", "git::https://e.com/a/b.git//c/d?ref=1&depth=2");
        check("https://e.com/x.zip//sub", "https://e.com/x.zip//sub");
        check("/tmp/x//deep", "file:///tmp/x//deep");
        check("git::/tmp/x", "git::file:///tmp/x");
        check("s3::https://s3/a", "s3::https://s3/a");
        check("localhost:80/a/b/c", "localhost:80/a/b/c");
        check("hashicorp/consul/aws", "registry.terraform.io/hashicorp/consul/aws");
        check("Example.com:8443/ns/name/prov//sub/x", "example.com:8443/ns/name/prov//sub/x");
        check("gitlab.com/a/b/c", "gitlab.com/a/b/c");
    }

    #[test]
    fn passwords_are_not_shown() {
        let shown = |text: &str| Package { forced: None, url: text.to_owned() }.shown();
        assert_eq!(shown("https://me:secret@e.com/a?b=c@d"), "https://me:redacted@e.com/a?b=c@d");
        assert_eq!(shown("https://me@e.com/a:b@c"), "https://me@e.com/a:b@c");
    }

    #[test]
    fn what_is_no_address_is_told() {
        for text in [
            "a",
            ".",
            "foo/bar",
            "ns/name/PROV",
            "-ns/name/prov",
            "localhost/a/b/c",
            "gitlab.com/a/b",
            "~/x",
            "ext::sh -c true",
            "git::--upload-pack=x",
            "git::a/b/c",
            "user@example.com:a/b.git",
            "",
        ] {
            check(text, "unclear");
        }
        check("github.com/a", "The address cannot be used: a repository there is written as github.com/OWNER/NAME.");
        check("ns/name/prov//../x", "The address cannot be used: the folder \"../x\" lies outside of the package.");
        let registry = |text: &str| ModuleSource::parse(text, true).map_err(|error| error.summary());
        assert_eq!(registry("./x"), Err("Invalid registry module source address"));
        assert_eq!(registry("git::file:///x"), Err("Invalid registry module source address"));
        assert!(registry("a/b/c").is_ok());
    }
}
