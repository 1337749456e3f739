//! Where state lies: `state` blocks of the project file, `backend` blocks of a root module.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::diag::{Diagnostic, Diagnostics, Outcome, Span, did_you_mean};
use crate::lang::eval::{Scope, evaluate};
use crate::lang::syntax::ast::{Attribute, Body};
use crate::lang::syntax::parse_expr;
use crate::schema::Backend;
use crate::value::{Type, Value, convert};

use super::assign::Surroundings;
use super::block::BackendBlock;
use super::files::normal;
use super::load::LoadOptions;
use super::model::{S3Settings, StateSettings, Workspaces};
use super::scope::{Env, Nothing, context};
use super::shape::{describe, missing_argument, not_yet};

/// Arguments of `s3` that say how to reach the bucket.
const S3: &[&str] = &[
    "bucket",
    "key",
    "region",
    "endpoints",
    "endpoint",
    "use_path_style",
    "force_path_style",
    "access_key",
    "secret_key",
    "token",
];
/// Those that ask for what happens anyway (the lock file), or switch off checks that are not made here.
const S3_WITHOUT_EFFECT: &[&str] = &[
    "use_lockfile",
    "skip_credentials_validation",
    "skip_metadata_api_check",
    "skip_region_validation",
    "skip_requesting_account_id",
    "skip_s3_checksum",
    "workspace_key_prefix",
];
/// Those that would change what happens, and cannot yet.
const S3_LATER: &[&str] = &[
    "acl",
    "allowed_account_ids",
    "assume_role",
    "assume_role_with_web_identity",
    "custom_ca_bundle",
    "dynamodb_endpoint",
    "dynamodb_table",
    "ec2_metadata_service_endpoint",
    "ec2_metadata_service_endpoint_mode",
    "encrypt",
    "forbidden_account_ids",
    "http_proxy",
    "https_proxy",
    "iam_endpoint",
    "insecure",
    "kms_key_id",
    "max_retries",
    "no_proxy",
    "profile",
    "retry_mode",
    "shared_config_files",
    "shared_credentials_file",
    "shared_credentials_files",
    "sse_customer_key",
    "sts_endpoint",
    "sts_region",
    "use_dualstack_endpoint",
    "use_fips_endpoint",
];

/// Evaluated arguments of a block that says where state lies.
pub struct Arguments {
    values: BTreeMap<String, (Value, Option<Span>)>,
    /// The block's header.
    span: Option<Span>,
    /// What the block is called: `state "s3"`.
    within: String,
}

impl Arguments {
    fn new(span: Option<Span>, within: String) -> Self {
        Arguments { values: BTreeMap::new(), span, within }
    }

    /// Evaluates a block's arguments. Blocks of arguments (`endpoints { … }`) count as objects.
    pub fn read(body: &Body, span: Span, within: &str, scope: &dyn Scope, said: &mut Diagnostics) -> Self {
        let mut arguments = Arguments::new(Some(span), within.to_owned());
        for attribute in &body.attributes {
            arguments.evaluate(attribute, scope, said);
        }
        for block in &body.blocks {
            let name = block.kind.text.as_str();
            if name == "encryption" {
                let detail = "Encryption of stored state is not part of this version. Nothing was read or written: leave the \
                              block out to store state unencrypted.";
                said.push(Diagnostic::error("Not supported yet", detail).at(block.header).within(within));
            } else if name == "endpoints" {
                let mut inner = Arguments::new(None, describe(block));
                for attribute in &block.body.attributes {
                    inner.evaluate(attribute, scope, said);
                }
                let object = Value::object(inner.values.into_iter().map(|(name, (value, _))| (name, value)));
                arguments.values.insert("endpoints".into(), (object, Some(block.header)));
            } else if arguments.has_block(name) {
                arguments.values.insert(name.to_owned(), (Value::unknown(Type::Any), Some(block.header)));
            } else if S3_LATER.contains(&name) {
                said.push(not_yet(&format!("The block type {name:?}")).at(block.header).within(within));
            } else {
                let detail = format!("Blocks of type {name:?} are not expected here.");
                said.push(Diagnostic::error("Unsupported block type", detail).at(block.header).within(within));
            }
        }
        arguments
    }

    /// Whether a block of this name belongs to a backend that is known by name only.
    fn has_block(&self, name: &str) -> bool {
        let kind = self.within.split('"').nth(1).unwrap_or_default();
        kind != "s3" && Backend::named(kind).is_ok_and(|backend| backend.has(name) && !backend.is_plain(name))
    }

    fn evaluate(&mut self, attribute: &Attribute, scope: &dyn Scope, said: &mut Diagnostics) {
        let outcome = evaluate(&attribute.expr, scope);
        let failed = outcome.has_errors();
        let value = outcome.take(said);
        // An argument that cannot be evaluated is present all the same: nobody has to be told that it is missing.
        let value = if failed { Value::unknown(Type::Any) } else { value.unwrap_or_default() };
        self.values.insert(attribute.name.text.as_str().to_owned(), (value, Some(attribute.expr.span)));
    }

    /// A text; null and absent are `None`.
    fn text(&self, name: &str, said: &mut Diagnostics) -> Option<String> {
        let (value, span) = self.values.get(name)?;
        if !value.is_known() {
            return Some(String::new());
        }
        match convert(value, &Type::String) {
            Ok(value) if value.is_null() => None,
            Ok(value) => value.as_str().map(str::to_owned),
            Err(error) => {
                let detail = format!("Inappropriate value for attribute {name:?}: {error}.");
                said.push(
                    Diagnostic::error("Incorrect attribute value type", detail).or_at(*span).within(&self.within),
                );
                Some(String::new())
            }
        }
    }

    fn truth(&self, name: &str, said: &mut Diagnostics) -> Option<bool> {
        let (value, span) = self.values.get(name).filter(|(value, _)| value.is_known())?;
        match convert(value, &Type::Bool) {
            Ok(value) => value.as_bool(),
            Err(error) => {
                let detail = format!("Inappropriate value for attribute {name:?}: {error}.");
                said.push(
                    Diagnostic::error("Incorrect attribute value type", detail).or_at(*span).within(&self.within),
                );
                None
            }
        }
    }

    fn needed(&self, name: &str, said: &mut Diagnostics) -> String {
        match self.text(name, said) {
            Some(text) => text,
            None => {
                said.push(missing_argument(name).or_at(self.span).within(&self.within));
                String::new()
            }
        }
    }

    fn check(&self, known: &[&str], later: &[&str], said: &mut Diagnostics) {
        for (name, (_, span)) in &self.values {
            if known.contains(&name.as_str()) {
                continue;
            }
            let hint = || did_you_mean(name, known.iter().chain(later).copied());
            let diagnostic = match span {
                _ if later.contains(&name.as_str()) => not_yet(&format!("The argument {name:?}")),
                Some(_) => Diagnostic::error(
                    "Unsupported argument",
                    format!("An argument named {name:?} is not expected here.{}", hint()),
                ),
                // Only what -backend-config assigns stands nowhere.
                None => Diagnostic::error(
                    "Invalid backend configuration argument",
                    format!(
                        "The backend configuration argument {name:?} given on the command line is not expected for the \
                         selected backend type.{}",
                        hint()
                    ),
                ),
            };
            said.push(diagnostic.or_at(*span).within(&self.within));
        }
    }

    /// Where state lies in a bucket. `key` is the default key; without one the argument is needed.
    pub fn s3(&self, process_env: &BTreeMap<String, String>, key: Option<String>) -> Outcome<StateSettings> {
        let mut said = Diagnostics::none();
        said.append(self.check_names("s3"));
        let env =
            |names: &[&str]| names.iter().find_map(|name| process_env.get(*name)).filter(|v| !v.is_empty()).cloned();
        let given = self.text("key", &mut said);
        let key = match (given, key) {
            (Some(given), _) => given,
            (None, Some(default)) => default,
            (None, None) => self.needed("key", &mut said),
        };
        let bucket = self.needed("bucket", &mut said);
        let region = self.text("region", &mut said).or_else(|| env(&["AWS_REGION", "AWS_DEFAULT_REGION"]));
        if region.is_none() {
            let detail = "The \"region\" attribute or the \"AWS_REGION\" or \"AWS_DEFAULT_REGION\" environment variables must be set.";
            said.push(Diagnostic::error("Missing region value", detail).or_at(self.span).within(&self.within));
        }
        let access_key = self.text("access_key", &mut said).or_else(|| env(&["AWS_ACCESS_KEY_ID"]));
        let secret_key = self.text("secret_key", &mut said).or_else(|| env(&["AWS_SECRET_ACCESS_KEY"]));
        if access_key.is_none() || secret_key.is_none() {
            let detail = "The bucket asks for credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment, or \
                          give access_key and secret_key.";
            said.push(
                Diagnostic::error("No credentials for the state bucket", detail).or_at(self.span).within(&self.within),
            );
        }
        let use_path_style =
            self.truth("use_path_style", &mut said).or_else(|| self.truth("force_path_style", &mut said));
        let endpoint =
            self.endpoint(&mut said).or_else(|| env(&["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_S3_ENDPOINT"]));
        if key.starts_with('/') || key.ends_with('/') {
            let detail = format!("The key {key:?} must neither start nor end with \"/\".");
            said.push(Diagnostic::error("Invalid key of state", detail).or_at(self.span).within(&self.within));
        }
        if said.has_errors() {
            return Outcome::fail(said);
        }
        let settings = S3Settings {
            bucket,
            key,
            region: region.unwrap_or_default(),
            endpoint,
            use_path_style: use_path_style.unwrap_or(false),
            access_key: access_key.unwrap_or_default(),
            secret_key: secret_key.unwrap_or_default(),
            session_token: self.text("token", &mut said).or_else(|| env(&["AWS_SESSION_TOKEN"])),
        };
        Outcome::with(StateSettings::S3(Box::new(settings)), said)
    }

    fn endpoint(&self, said: &mut Diagnostics) -> Option<String> {
        let Some((value, span)) =
            self.values.get("endpoints").filter(|(value, _)| value.is_known() && !value.is_null())
        else {
            return self.text("endpoint", said);
        };
        let Some(entries) = value.as_entries() else {
            let detail = "Inappropriate value for attribute \"endpoints\": an object such as { s3 = \"https://…\" } is required.";
            said.push(Diagnostic::error("Incorrect attribute value type", detail).or_at(*span).within(&self.within));
            return None;
        };
        for name in entries.keys().filter(|name| name.as_str() != "s3") {
            said.push(not_yet(&format!("The endpoint {:?}", name.as_str())).or_at(*span).within(&self.within));
        }
        entries.get("s3").and_then(Value::as_str).map(str::to_owned)
    }
}

/// Where the state of a single folder lies in its default workspace, and where in others: its `backend` block under
/// `-backend-config`, else files beside it.
pub fn settings(options: &LoadOptions, backend: Option<&BackendBlock>) -> Outcome<(StateSettings, Workspaces)> {
    let mut said = Diagnostics::none();
    let dir = &options.working_dir;
    let local = || {
        let path = dir.join("terraform.tfstate");
        (StateSettings::Local { path }, Workspaces::Folders(dir.join("terraform.tfstate.d")))
    };
    let Some(backend) = backend else {
        if !options.backend_config.is_empty() {
            let detail = "-backend-config was used without a \"backend\" block in the configuration.";
            said.push(Diagnostic::warning("Missing backend configuration", detail));
        }
        return Outcome::with(local(), said);
    };
    if !options.needs_state {
        return Outcome::ok(local());
    }
    let placed = arguments(options, backend).take(&mut said).map(|arguments| arguments.place(options, &backend.kind));
    match placed.and_then(|placed| placed.take(&mut said)) {
        Some(placed) if !said.has_errors() => Outcome::with(placed, said),
        _ => Outcome::fail(said),
    }
}

/// The arguments of a block, under `-backend-config`.
pub fn arguments(options: &LoadOptions, backend: &BackendBlock) -> Outcome<Arguments> {
    let mut said = Diagnostics::none();
    let around = Surroundings::of(options, Env::default(), &options.working_dir);
    let scope = Nothing(context(&around));
    let within = format!("backend {:?}", backend.kind.as_str());
    let mut arguments = Arguments::read(&backend.body, backend.span, &within, &scope, &mut said);
    for given in &options.backend_config {
        backend_config(options, given, &mut arguments, &scope, &mut said);
    }
    if said.has_errors() { Outcome::fail(said) } else { Outcome::with(arguments, said) }
}

impl Arguments {
    /// Arguments that are known by their values alone.
    pub fn of(within: String, values: impl IntoIterator<Item = (String, Value)>) -> Self {
        let values = values.into_iter().map(|(name, value)| (name, (value, None))).collect();
        Arguments { values, span: None, within }
    }

    /// The value of an argument that is there.
    pub fn value(&self, name: &str) -> Option<&Value> {
        self.values.get(name).map(|(value, _)| value)
    }

    /// Says which arguments a backend of this type does not have.
    pub fn check_names(&self, kind: &str) -> Diagnostics {
        let mut said = Diagnostics::none();
        match Backend::named(kind) {
            Ok(Backend { name: "s3", .. }) => {
                let known: Vec<&str> = S3.iter().chain(S3_WITHOUT_EFFECT).copied().collect();
                self.check(&known, S3_LATER, &mut said);
            }
            Ok(known) => {
                self.check(&known.arguments().collect::<Vec<_>>(), &[], &mut said);
                if known.name != "local" {
                    let detail = format!(
                        "The backend type {kind:?} is not part of this version: there are \"local\" and \"s3\". Keep the state in \
                         one of these."
                    );
                    said.push(Diagnostic::error("Not supported yet", detail).or_at(self.span));
                }
            }
            Err(none) => {
                said.push(Diagnostic::error("Unsupported backend type", none.detail(kind)).or_at(self.span));
            }
        }
        said
    }

    /// Where states lie by the arguments of a backend of this type.
    pub fn place(&self, options: &LoadOptions, kind: &str) -> Outcome<(StateSettings, Workspaces)> {
        let mut said = Diagnostics::none();
        let dir = &options.working_dir;
        if kind == "s3" {
            let prefix = self.text("workspace_key_prefix", &mut said).unwrap_or_else(|| "env:".to_owned());
            let settings = self.s3(&options.process_env, None).take(&mut said);
            return match settings {
                Some(settings) if !said.has_errors() => Outcome::with((settings, Workspaces::Objects { prefix }), said),
                _ => Outcome::fail(said),
            };
        }
        said.append(self.check_names(kind));
        let mut path = |name: &str, default: &str| {
            let given = self.text(name, &mut said).filter(|path| !path.is_empty());
            normal(&dir.join(given.as_deref().unwrap_or(default)))
        };
        let placed = (
            StateSettings::Local { path: path("path", "terraform.tfstate") },
            Workspaces::Folders(path("workspace_dir", "terraform.tfstate.d")),
        );
        if said.has_errors() { Outcome::fail(said) } else { Outcome::with(placed, said) }
    }
}

/// `-backend-config`: one assignment, or the path of a file of them.
fn backend_config(
    options: &LoadOptions,
    given: &str,
    arguments: &mut Arguments,
    scope: &dyn Scope,
    said: &mut Diagnostics,
) {
    if let Some((name, text)) = given.split_once('=') {
        let name = name.trim();
        // Objects are written in the language, everything else as it is.
        let value = if text.trim_start().starts_with(['{', '[']) {
            let file = options.sources.add(format!("<-backend-config {name}>"), text);
            let (expr, errors) = parse_expr(&options.sources, file);
            let failed = errors.has_errors();
            said.append(errors);
            if failed { None } else { evaluate(&expr, scope).take(said) }
        } else {
            Some(Value::from(text))
        };
        arguments.values.insert(name.to_owned(), (value.unwrap_or_else(|| Value::unknown(Type::Any)), None));
        return;
    }
    let path = normal(&options.working_dir.join(given));
    if let Some(body) = options.reading().body(&path, said) {
        for attribute in &body.attributes {
            arguments.evaluate(attribute, scope, said);
        }
    }
}

/// Says that two layers have one state key.
pub fn check_distinct<'a>(states: impl Iterator<Item = (&'a str, &'a StateSettings, Option<Span>)>) -> Diagnostics {
    let mut seen: BTreeMap<String, &str> = BTreeMap::new();
    let mut repeated = BTreeSet::new();
    let mut said = Diagnostics::none();
    for (layer, settings, span) in states {
        let location = match settings {
            StateSettings::Local { path } => path.display().to_string(),
            StateSettings::S3(s3) => format!("s3://{}/{}", s3.bucket, s3.key),
        };
        match seen.get(&location) {
            Some(first) if repeated.insert(layer.to_owned()) => {
                let detail = format!(
                    "The states of {first} and {layer} would both lie at {location}. Every layer of every environment needs a \
                     key of its own: let the key contain layer.name and environment.name."
                );
                said.push(Diagnostic::error("Two states with one key", detail).or_at(span));
            }
            Some(_) => {}
            None => {
                seen.insert(location, layer);
            }
        }
    }
    said
}

/// The state file of a layer in a folder.
pub fn local_path(folder: &Path, layer: &str, environment: &str) -> std::path::PathBuf {
    folder.join(format!("{layer}-{environment}.tfstate"))
}

impl Arguments {
    /// `path` of a local state block: the folder of the state files.
    pub fn local_folder(&self) -> Outcome<Option<String>> {
        let mut said = Diagnostics::none();
        self.check(&["path"], &[], &mut said);
        let path = self.text("path", &mut said);
        if said.has_errors() { Outcome::fail(said) } else { Outcome::with(path, said) }
    }
}
