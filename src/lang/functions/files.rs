//! Functions on files and paths, and the templates in files.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::arguments::{from_outside, text};
use super::{Context, Function, FunctionError, Param, ReadError, Returns, TemplateError, glob};
use crate::value::{Type, Value};

const PATH: &[Param] = &[Param::string("path")];

pub(super) static FUNCTIONS: &[Function] = &[
    Function::new("abspath", PATH, Returns::String, |arguments, context| {
        let path = context.base.join(text(arguments, 0));
        Ok(Value::string(clean(&path.to_string_lossy())))
    }),
    Function::new("basename", PATH, Returns::String, |arguments, _| Ok(Value::string(basename(text(arguments, 0))))),
    Function::new("dirname", PATH, Returns::String, |arguments, _| {
        let path = text(arguments, 0);
        let folder = path.rfind('/').map_or("", |at| &path[..=at]);
        Ok(Value::string(clean(folder)))
    }),
    Function::new("file", PATH, Returns::String, |arguments, context| Ok(from_outside(read_text(arguments, context)?))),
    Function::new("filebase64", PATH, Returns::String, |arguments, context| {
        Ok(Value::string(STANDARD.encode(read(arguments, context)?)))
    }),
    Function::new("fileexists", PATH, Returns::Bool, |arguments, context| {
        let path = text(arguments, 0);
        match context.files.is_file(&context.resolve(path)?) {
            Some(there) => Ok(Value::Bool(there)),
            None => Err(FunctionError::failed(format!("{path:?} is a directory, not a file"))),
        }
    }),
    Function::new(
        "fileset",
        &[Param::string("path"), Param::string("pattern")],
        Returns::NotNull(|_| Type::set(Type::String)),
        |arguments, context| {
            let (path, pattern) = (text(arguments, 0), text(arguments, 1));
            let folder = context.expand_home(path)?;
            let found = glob::find(context.files, context.base, &folder, pattern).map_err(|glob::Malformed| {
                let pattern = glob::shown(&folder, pattern);
                FunctionError::failed(format!("failed to glob pattern {pattern:?}: syntax error in pattern"))
            })?;
            Ok(Value::set(Type::String, found.into_iter().map(from_outside).collect()))
        },
    ),
    Function::new("pathexpand", PATH, Returns::String, |arguments, context| {
        Ok(Value::string(context.expand_home(text(arguments, 0))?.into_owned()))
    }),
    Function::new("templatefile", &[Param::string("path"), Param::any("vars")], Returns::Any, |arguments, context| {
        // Before the file is read, because a template that may not be rendered here is the better reason.
        let templates = context.templates.ok_or_else(|| nested("templatefile"))?;
        let source = read_text(arguments, context)?;
        render(templates, text(arguments, 0), &source, arguments, context)
    }),
    Function::new(
        "templatestring",
        &[Param::string("template"), Param::any("vars")],
        Returns::String,
        |arguments, context| {
            let templates = context.templates.ok_or_else(|| nested("templatestring"))?;
            render(templates, "<templatestring argument>", text(arguments, 0), arguments, context)
        },
    ),
];

fn nested(name: &str) -> FunctionError {
    FunctionError::failed(format!("cannot recursively call {name} from inside another template function"))
}

fn render(
    templates: &dyn super::Templates,
    name: &str,
    source: &str,
    arguments: &[Value],
    context: &Context<'_>,
) -> Result<Value, FunctionError> {
    let variables = arguments.get(1).cloned().unwrap_or_default();
    let Some(entries) = variables.as_entries() else {
        return Err(FunctionError::argument(1, "invalid vars value: must be a map"));
    };
    for key in entries.keys() {
        let mut chars = key.chars();
        let valid = chars.next().is_some_and(|first| first.is_alphabetic() || first == '_')
            && chars.all(|char| char.is_alphanumeric() || char == '_' || char == '-');
        if !valid {
            let rule = "must start with a letter, followed by zero or more letters, digits, and underscores";
            let message = format!("invalid template variable name {:?}: {rule}", key.as_str());
            return Err(FunctionError::argument(1, message));
        }
    }
    templates.render(name, source, &variables, &Context { templates: None, ..*context }).map_err(|error| match error {
        TemplateError::Missing { .. } => FunctionError::argument(1, error.to_string()),
        TemplateError::Failed(message) => FunctionError::failed(message),
    })
}

/// The content of the file that the first argument names.
fn read(arguments: &[Value], context: &Context<'_>) -> Result<Vec<u8>, FunctionError> {
    let path = text(arguments, 0);
    context.files.read(&context.resolve(path)?).map_err(|error| match error {
        ReadError::Missing => FunctionError::argument(
            0,
            format!(
                "no file exists at {path:?}; this function works only with files that are distributed as part of the configuration source code, so if this file will be created by a resource in this configuration you must instead obtain this result from an attribute of that resource"
            ),
        ),
        ReadError::Folder => FunctionError::argument(0, format!("failed to read file: read {path}: is a directory")),
        ReadError::Other(cause) => FunctionError::argument(0, format!("failed to read file: {cause}")),
    })
}

fn read_text(arguments: &[Value], context: &Context<'_>) -> Result<String, FunctionError> {
    let content = read(arguments, context)?;
    String::from_utf8(content).map_err(|_| {
        let path = text(arguments, 0);
        FunctionError::failed(format!(
            "contents of {path:?} are not valid UTF-8; use the filebase64 function to obtain the Base64 encoded contents or the other file functions (e.g. filemd5, filesha256) to obtain file hashing results instead"
        ))
    })
}

/// The content of a file to be hashed, whose errors are worded differently.
pub(super) fn read_for_hash(arguments: &[Value], context: &Context<'_>) -> Result<Vec<u8>, FunctionError> {
    let path = text(arguments, 0);
    let failed = |reason: &str| FunctionError::failed(format!("open {path}: {reason}"));
    context.files.read(&context.resolve(path)?).map_err(|error| match error {
        ReadError::Missing => failed("no such file or directory"),
        ReadError::Folder => failed("is a directory"),
        ReadError::Other(cause) => failed(&cause.to_string()),
    })
}

fn basename(path: &str) -> &str {
    let trimmed = path.trim_end_matches('/');
    match (path, trimmed) {
        ("", _) => ".",
        (_, "") => "/",
        _ => trimmed.rsplit('/').next().unwrap_or(trimmed),
    }
}

/// The shortest path that means the same, links aside.
fn clean(path: &str) -> String {
    let rooted = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => drop(parts.pop()),
            ".." if rooted => {}
            part => parts.push(part),
        }
    }
    match (rooted, parts.is_empty()) {
        (true, _) => format!("/{}", parts.join("/")),
        (false, true) => ".".to_owned(),
        (false, false) => parts.join("/"),
    }
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::super::{DirFiles, Files, lookup};
    use super::*;

    /// Renders nothing; says what it was asked to render.
    struct Asked;

    impl super::super::Templates for Asked {
        fn render(
            &self,
            name: &str,
            text: &str,
            variables: &Value,
            context: &Context<'_>,
        ) -> Result<Value, TemplateError> {
            match variables.get("missing") {
                Some(_) => Err(TemplateError::Missing { name: "x".into(), at: "t:1,1-2".into() }),
                None => Ok(Value::string(format!("{name}|{text}|{variables:?}|{}", context.templates.is_none()))),
            }
        }
    }

    fn outcome(base: &Path, name: &str, arguments: &[Value]) -> String {
        let context =
            Context { base, files: &DirFiles, plan_time: None, now: None, env: None, templates: Some(&Asked) };
        let Some(function) = lookup(name) else { return "no such function".into() };
        match function.call(arguments, &context) {
            Ok(value) => format!("{value:?}"),
            Err(error) => error.detail(function),
        }
    }

    #[test]
    fn reads_files_as_terraform() -> std::io::Result<()> {
        let folder = tempfile::tempdir()?;
        let base = folder.path();
        std::fs::create_dir_all(base.join("sub/deep"))?;
        for (name, content) in [
            ("a.txt", b"hello\n".as_slice()),
            ("sub/b.txt", b"x"),
            ("sub/deep/c.json", b"y"),
            ("bin", b"\xff\xfe"),
            ("nfd.txt", "e\u{301}".as_bytes()),
            (".hidden", b""),
        ] {
            std::fs::write(base.join(name), content)?;
        }
        let missing = "Invalid value for \"path\" parameter: no file exists at \"nope\"; this function works only with files that are distributed as part of the configuration source code, so if this file will be created by a resource in this configuration you must instead obtain this result from an attribute of that resource.";
        for (name, argument, expect) in [
            ("file", "a.txt", "\"hello\\n\""),
            ("file", "./sub/../a.txt", "\"hello\\n\""),
            ("file", "nfd.txt", "\"é\""),
            ("file", "nope", missing),
            ("file", "sub", "Invalid value for \"path\" parameter: failed to read file: read sub: is a directory."),
            (
                "file",
                "bin",
                "Call to function \"file\" failed: contents of \"bin\" are not valid UTF-8; use the filebase64 function to obtain the Base64 encoded contents or the other file functions (e.g. filemd5, filesha256) to obtain file hashing results instead.",
            ),
            ("filebase64", "bin", "\"//4=\""),
            ("fileexists", "a.txt", "true"),
            ("fileexists", "nope", "false"),
            ("fileexists", "sub", "Call to function \"fileexists\" failed: \"sub\" is a directory, not a file."),
            ("filemd5", "a.txt", "\"b1946ac92492d2347c6235b4d2611184\""),
            ("filesha1", "a.txt", "\"f572d396fae9206628714fb2ce00f72e94f2258f\""),
            ("filesha256", "a.txt", "\"5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03\""),
            ("filesha512", "nope", "Call to function \"filesha512\" failed: open nope: no such file or directory."),
            ("filebase64sha256", "a.txt", "\"WJG1tSLV3whtD/CxEPvZ0hu0/HFjrzTQgoai6Eb2vgM=\""),
            (
                "filebase64sha512",
                "bin",
                "\"mMX1bz3jQGkME55Y632sERl58NTf/pxLJP+ElRD0tv+p/WCMCj3prDyf0hkPDvr3FTCQYUkPl1Wpv98cVMoNhA==\"",
            ),
            ("abspath", "/x/../y", "\"/y\""),
        ] {
            assert_eq!(outcome(base, name, &[Value::from(argument)]), expect, "{name}({argument:?})");
        }
        for (path, pattern, expect) in [
            (".", "*", "{\".hidden\", \"a.txt\", \"bin\", \"nfd.txt\"}"),
            (".", "**", "{\".hidden\", \"a.txt\", \"bin\", \"nfd.txt\", \"sub/b.txt\", \"sub/deep/c.json\"}"),
            (".", "**/*.txt", "{\"a.txt\", \"nfd.txt\", \"sub/b.txt\"}"),
            (".", "*.{txt,json}", "{\"a.txt\", \"nfd.txt\"}"),
            ("sub", "**/c.json", "{\"deep/c.json\"}"),
            ("sub/", "[a-c].txt", "{\"b.txt\"}"),
            (".", "?.txt", "{\"a.txt\"}"),
            (".", "[^a]in", "{\"bin\"}"),
            ("nope", "*", "{}"),
            (".", "sub/*", "{\"sub/b.txt\"}"),
            (".", "sub/**", "{\"sub/b.txt\", \"sub/deep/c.json\"}"),
            (".", "**/deep/*", "{\"sub/deep/c.json\"}"),
            (".", "./a.txt", "{\"a.txt\"}"),
            (".", "\\a.txt", "{\"a.txt\"}"),
            ("sub", "../*.txt", "{\"../a.txt\", \"../nfd.txt\"}"),
            // The folder that the pattern comes back to is no part of the names.
            ("sub", "../sub/*.txt", "{\"b.txt\"}"),
            ("sub", "../sub/deep/*", "{\"deep/c.json\"}"),
            ("sub/deep", "../../sub/*.txt", "{\"../b.txt\"}"),
            ("sub", "../**/*.txt", "{\"../a.txt\", \"../nfd.txt\", \"b.txt\"}"),
            ("sub", "..//sub//b.txt", "{\"b.txt\"}"),
            (".", "sub/../*.txt", "{\"a.txt\", \"nfd.txt\"}"),
            (".", "nope/../*.txt", "{\"a.txt\", \"nfd.txt\"}"),
            (".", "**/../*.txt", "{\"a.txt\", \"nfd.txt\"}"),
            (".", "**/deep/../*.txt", "{\"a.txt\", \"nfd.txt\", \"sub/b.txt\"}"),
            (".", "a.txt/../bin", "{\"bin\"}"),
            (".", "a.txt/.", "{\"a.txt\"}"),
            (".", "*.txt/", "{\"a.txt\", \"nfd.txt\"}"),
            (".", "/a.txt", "{\"a.txt\"}"),
            (".", "/sub/*", "{\"sub/b.txt\"}"),
            (".", "sub/", "{}"),
            (".", "", "{}"),
            (".", ".", "{}"),
            ("sub", "..", "{}"),
            ("sub", "../*", "{\"../.hidden\", \"../a.txt\", \"../bin\", \"../nfd.txt\"}"),
            ("sub/..", "*.txt", "{\"a.txt\", \"nfd.txt\"}"),
            ("./sub/.", ".//b.txt", "{\"b.txt\"}"),
            ("", "sub/*", "{\"sub/b.txt\"}"),
            ("nope", "../sub/*.txt", "{\"../sub/b.txt\"}"),
            (".", "**/**", "{\".hidden\", \"a.txt\", \"bin\", \"nfd.txt\", \"sub/b.txt\", \"sub/deep/c.json\"}"),
            (".", "**/**/*.json", "{\"sub/deep/c.json\"}"),
            (".", "**/**/*.txt", "{\"sub/b.txt\"}"),
            (".", "a**.txt", "{\"a.txt\"}"),
            // What is above is reached by a path, not by a pattern.
            ("sub", "{..,deep}/*", "{\"deep/c.json\"}"),
            ("sub", "[.][.]/a.txt", "{}"),
            ("sub", "\\.\\./a.txt", "{}"),
            ("sub", "../{sub,nope}/*.txt", "{\"b.txt\"}"),
            // A pattern is read when there is something to compare with it.
            (".", "nope/[", "{}"),
            (
                "sub",
                "{../sub,deep}/*",
                "Call to function \"fileset\" failed: failed to glob pattern \"sub/{../sub,deep}/*\": syntax error in pattern.",
            ),
            (
                "sub",
                "deep/../[",
                "Call to function \"fileset\" failed: failed to glob pattern \"sub/[\": syntax error in pattern.",
            ),
            (".", "[", "Call to function \"fileset\" failed: failed to glob pattern \"[\": syntax error in pattern."),
        ] {
            assert_eq!(outcome(base, "fileset", &[path.into(), pattern.into()]), expect, "{path} {pattern}");
        }
        let inside = base.join("sub").to_string_lossy().into_owned();
        for (pattern, expect) in
            [("*.txt", "{\"b.txt\"}"), ("../sub/*.txt", "{\"b.txt\"}"), ("../a.txt", "{\"../a.txt\"}")]
        {
            assert_eq!(outcome(base, "fileset", &[inside.as_str().into(), pattern.into()]), expect, "{pattern}");
        }
        assert_eq!(outcome(base, "abspath", &["a/../b".into()]), format!("{:?}", base.join("b").to_string_lossy()));
        Ok(())
    }

    #[test]
    fn hands_templates_on() -> std::io::Result<()> {
        let folder = tempfile::tempdir()?;
        std::fs::write(folder.path().join("t"), "${x}")?;
        for (variables, expect) in [
            (Value::object([("x", Value::int(1))]), "\"t|${x}|{\\\"x\\\": 1}|true\""),
            (Value::object([("x", Value::int(1).sensitive())]), "(sensitive)"),
            (
                Value::object([("missing", Value::int(1))]),
                "Invalid value for \"vars\" parameter: vars map does not contain key \"x\", referenced at t:1,1-2.",
            ),
            (Value::from("x"), "Invalid value for \"vars\" parameter: invalid vars value: must be a map."),
            (
                Value::object([("1x", Value::int(1))]),
                "Invalid value for \"vars\" parameter: invalid template variable name \"1x\": must start with a letter, followed by zero or more letters, digits, and underscores.",
            ),
        ] {
            assert_eq!(outcome(folder.path(), "templatefile", &["t".into(), variables]), expect);
        }
        Ok(())
    }

    #[test]
    fn expands_home() {
        struct Home;
        impl Files for Home {
            fn read(&self, _: &Path) -> Result<Vec<u8>, ReadError> {
                Err(ReadError::Missing)
            }
            fn is_file(&self, _: &Path) -> Option<bool> {
                Some(false)
            }
            fn members(&self, _: &Path) -> Vec<super::super::Entry> {
                Vec::new()
            }
            fn home(&self) -> Option<PathBuf> {
                Some("/home/me".into())
            }
        }
        let context =
            Context { base: Path::new("/"), files: &Home, plan_time: None, now: None, env: None, templates: None };
        for (path, expect) in
            [("~", Some("/home/me")), ("~/x", Some("/home/me/x")), ("a/~", Some("a/~")), ("~me", None)]
        {
            assert_eq!(context.expand_home(path).ok().as_deref(), expect, "{path}");
        }
    }
}
