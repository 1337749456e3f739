//! The arguments of backends as Terraform's schemas have them: how they are written down, and the hash that tells one block from
//! another.

use serde_json::{Map, Value as Json};

use crate::value::{Type, Value, convert, distinct_text, from_json, to_json};

use super::super::backend::Arguments;

/// The arguments of `local`, in the order of their names.
const LOCAL: &[&str] = &["path", "workspace_dir"];

/// Those of `s3`.
const S3: &[&str] = &[
    "access_key",
    "acl",
    "allowed_account_ids",
    "assume_role",
    "assume_role_with_web_identity",
    "bucket",
    "custom_ca_bundle",
    "dynamodb_endpoint",
    "dynamodb_table",
    "ec2_metadata_service_endpoint",
    "ec2_metadata_service_endpoint_mode",
    "encrypt",
    "endpoint",
    "endpoints",
    "forbidden_account_ids",
    "force_path_style",
    "http_proxy",
    "https_proxy",
    "iam_endpoint",
    "insecure",
    "key",
    "kms_key_id",
    "max_retries",
    "no_proxy",
    "profile",
    "region",
    "retry_mode",
    "secret_key",
    "shared_config_files",
    "shared_credentials_file",
    "shared_credentials_files",
    "skip_credentials_validation",
    "skip_metadata_api_check",
    "skip_region_validation",
    "skip_requesting_account_id",
    "skip_s3_checksum",
    "sse_customer_key",
    "sts_endpoint",
    "sts_region",
    "token",
    "use_dualstack_endpoint",
    "use_fips_endpoint",
    "use_lockfile",
    "use_path_style",
    "workspace_key_prefix",
];

/// The attributes of `endpoints`.
const ENDPOINTS: &[&str] = &["dynamodb", "iam", "s3", "sso", "sts"];

/// What an argument of `s3` is, as far as it is no text. Of `None`, the value stays as it is.
fn type_of(name: &str) -> Option<Type> {
    Some(match name {
        "encrypt" | "force_path_style" | "insecure" => Type::Bool,
        name if name.starts_with("skip_") || name.starts_with("use_") => Type::Bool,
        "max_retries" => Type::Number,
        "allowed_account_ids" | "forbidden_account_ids" | "shared_config_files" | "shared_credentials_files" => {
            Type::set(Type::String)
        }
        "assume_role" | "assume_role_with_web_identity" | "endpoints" => return None,
        _ => Type::String,
    })
}

/// Every argument that a backend of this type has, null where it is not given.
pub(super) fn complete(kind: &str, arguments: &Arguments) -> Value {
    let names = if kind == "s3" { S3 } else { LOCAL };
    let value = |name: &&str| {
        let given = arguments.value(name).map_or(Value::NULL, |value| value.clone().unmark_deep().0);
        let value = match (*name, type_of(name)) {
            ("endpoints", _) if !given.is_null() => endpoints(&given),
            (_, Some(ty)) => convert(&given, &ty).unwrap_or(given),
            (_, None) => given,
        };
        ((*name).to_owned(), value)
    };
    Value::object(names.iter().map(value))
}

fn endpoints(given: &Value) -> Value {
    let one = |name: &&str| {
        let value = given.get(name).cloned().unwrap_or(Value::NULL);
        ((*name).to_owned(), convert(&value, &Type::String).unwrap_or(value))
    };
    Value::object(ENDPOINTS.iter().map(one))
}

/// Terraform's hash of a block: of its type and of the arguments that stand in it.
pub(super) fn hash(kind: &str, complete: &Value) -> u64 {
    let mut crc = flate2::Crc::new();
    crc.update(distinct_text(&Value::tuple(vec![Value::from(kind), complete.clone()])).as_bytes());
    u64::from(crc.sum())
}

/// The arguments as they are written down.
pub(super) fn to_document(complete: &Value) -> Map<String, Json> {
    let Some(entries) = complete.as_entries() else { return Map::new() };
    let json = |value: &Value| to_json(value).ok().and_then(|text| serde_json::from_str(&text).ok());
    entries.iter().map(|(name, value)| (name.to_string(), json(value).unwrap_or(Json::Null))).collect()
}

/// The arguments that were written down, without those that are null.
pub(super) fn of_document(kind: &str, config: &Map<String, Json>) -> Arguments {
    let values = config.iter().filter_map(|(name, json)| {
        let value = from_json(without_nulls(json)?.to_string().as_bytes()).ok()?;
        Some((name.clone(), value))
    });
    Arguments::of(format!("backend {kind:?}"), values)
}

fn without_nulls(json: &Json) -> Option<Json> {
    match json {
        Json::Null => None,
        Json::Object(fields) => {
            let fields = fields.iter().filter_map(|(name, json)| Some((name.clone(), without_nulls(json)?)));
            Some(Json::Object(fields.collect()))
        }
        Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Array(_) => Some(json.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash_of(kind: &str, values: Vec<(&str, Value)>) -> u64 {
        let values = values.into_iter().map(|(name, value)| (name.to_owned(), value));
        hash(kind, &complete(kind, &Arguments::of(String::new(), values)))
    }

    /// The right values are what terraform 1.11.4 wrote for the same blocks.
    #[test]
    fn blocks_have_terraforms_hashes() {
        let path = |path: &str| vec![("path", Value::from(path))];
        assert_eq!(hash_of("local", path("one/state.tfstate")), 3_698_371_451);
        assert_eq!(hash_of("local", path("two/state.tfstate")), 614_695_406);
        assert_eq!(hash_of("local", Vec::new()), 666_019_178);
        let endpoints = Value::object([("s3", Value::from("http://127.0.0.1:9777"))]);
        let bucket = vec![
            ("bucket", Value::from("b")),
            ("key", Value::from("k/é.tfstate")),
            ("region", Value::from("auto")),
            ("use_path_style", Value::Bool(true)),
            ("skip_credentials_validation", Value::Bool(true)),
            ("skip_region_validation", Value::Bool(true)),
            ("skip_requesting_account_id", Value::from("true")),
            ("skip_metadata_api_check", Value::Bool(true)),
            ("skip_s3_checksum", Value::Bool(true)),
            ("max_retries", Value::int(3)),
            ("access_key", Value::from("a")),
            ("secret_key", Value::from("s")),
            ("endpoints", endpoints),
            ("use_lockfile", Value::Bool(true)),
        ];
        assert_eq!(hash_of("s3", bucket), 2_545_739_864);
    }
}
