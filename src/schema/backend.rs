//! The arguments of the backends: what may stand in a `backend` block, in `-backend-config`, and in the `config` of
//! `terraform_remote_state`. Also of those that this program does not have, so that a misspelled argument is told as such.

/// A backend that Terraform knows by name.
#[derive(Debug)]
pub struct Backend {
    /// Its name.
    pub name: &'static str,
    /// Its arguments, the names of its blocks among them, with blanks between them.
    arguments: &'static str,
    /// The arguments that are no texts.
    structured: &'static str,
}

/// Why a name is none of a backend.
pub enum NoBackend {
    /// Terraform had it once.
    Removed,
    /// It is a block of its own.
    Cloud,
    /// Nobody knows it.
    Unknown,
}

const REMOVED: &[&str] = &["artifactory", "atlas", "etcd", "etcdv3", "manta", "swift"];

const BACKENDS: &[Backend] = &[
    Backend {
        name: "azurerm",
        arguments: "access_key ado_pipeline_service_connection_id client_certificate client_certificate_password \
                    client_certificate_path client_id client_id_file_path client_secret client_secret_file_path \
                    container_name endpoint environment key lookup_blob_endpoint metadata_host msi_endpoint \
                    oidc_request_token oidc_request_url oidc_token oidc_token_file_path resource_group_name sas_token \
                    snapshot storage_account_name subscription_id tenant_id use_aks_workload_identity use_azuread_auth \
                    use_cli use_msi use_oidc",
        structured: "",
    },
    Backend {
        name: "consul",
        arguments: "access_token address ca_file cert_file datacenter gzip http_auth key_file lock path scheme",
        structured: "",
    },
    Backend {
        name: "cos",
        arguments: "accelerate acl assume_role bucket cam_role_name domain encrypt endpoint key prefix profile region \
                    secret_id secret_key security_token shared_credentials_dir",
        structured: "assume_role",
    },
    Backend {
        name: "gcs",
        arguments: "access_token bucket credentials encryption_key impersonate_service_account \
                    impersonate_service_account_delegates kms_encryption_key prefix storage_custom_endpoint",
        structured: "impersonate_service_account_delegates",
    },
    Backend {
        name: "http",
        arguments: "address client_ca_certificate_pem client_certificate_pem client_private_key_pem lock_address \
                    lock_method password retry_max retry_wait_max retry_wait_min skip_cert_verification unlock_address \
                    unlock_method update_method username",
        structured: "",
    },
    Backend { name: "inmem", arguments: "lock_id", structured: "" },
    Backend {
        name: "kubernetes",
        arguments: "client_certificate client_key cluster_ca_certificate config_context config_context_auth_info \
                    config_context_cluster config_path config_paths exec host in_cluster_config insecure labels \
                    namespace password proxy_url secret_suffix token username",
        structured: "config_paths exec labels",
    },
    Backend { name: "local", arguments: "path workspace_dir", structured: "" },
    Backend {
        name: "oss",
        arguments: "access_key acl assume_role assume_role_policy assume_role_role_arn assume_role_session_expiration \
                    assume_role_session_name bucket ecs_role_name encrypt endpoint key prefix profile region secret_key \
                    security_token shared_credentials_file sts_endpoint tablestore_endpoint tablestore_table",
        structured: "assume_role",
    },
    Backend {
        name: "pg",
        arguments: "conn_str schema_name skip_index_creation skip_schema_creation skip_table_creation",
        structured: "",
    },
    Backend { name: "remote", arguments: "hostname organization token workspaces", structured: "workspaces" },
    Backend {
        name: "s3",
        arguments: "access_key acl allowed_account_ids assume_role assume_role_with_web_identity bucket custom_ca_bundle \
                    dynamodb_endpoint dynamodb_table ec2_metadata_service_endpoint ec2_metadata_service_endpoint_mode \
                    encrypt endpoint endpoints forbidden_account_ids force_path_style http_proxy https_proxy \
                    iam_endpoint insecure key kms_key_id max_retries no_proxy profile region retry_mode secret_key \
                    shared_config_files shared_credentials_file shared_credentials_files skip_credentials_validation \
                    skip_metadata_api_check skip_region_validation skip_requesting_account_id skip_s3_checksum \
                    sse_customer_key sts_endpoint sts_region token use_dualstack_endpoint use_fips_endpoint use_lockfile \
                    use_path_style workspace_key_prefix",
        structured: "allowed_account_ids assume_role assume_role_with_web_identity endpoints forbidden_account_ids \
                    shared_config_files shared_credentials_files",
    },
];

impl Backend {
    /// The backend of a name.
    ///
    /// # Errors
    /// When there is none.
    pub fn named(name: &str) -> Result<&'static Backend, NoBackend> {
        let found = BACKENDS.iter().find(|backend| backend.name == name);
        found.ok_or(match name {
            "cloud" => NoBackend::Cloud,
            name if REMOVED.contains(&name) => NoBackend::Removed,
            _ => NoBackend::Unknown,
        })
    }

    /// Its arguments, the names of its blocks among them.
    pub fn arguments(&self) -> impl Iterator<Item = &'static str> {
        self.arguments.split(' ')
    }

    /// Whether it has an argument.
    pub fn has(&self, argument: &str) -> bool {
        self.arguments().any(|known| known == argument)
    }

    /// Whether an argument is a text, or a number or truth value, which a text can say as well.
    pub fn is_plain(&self, argument: &str) -> bool {
        !self.structured.split(' ').any(|known| known == argument)
    }
}

impl NoBackend {
    /// What the user is told.
    pub fn detail(&self, name: &str) -> String {
        match self {
            NoBackend::Removed => format!("The {name:?} backend is not supported in Terraform v1.3 or later."),
            NoBackend::Cloud => {
                "There is no explicit backend type named \"cloud\". To configure HCP Terraform, declare a 'cloud' block \
                 instead."
                    .to_owned()
            }
            NoBackend::Unknown => format!("There is no backend type named {name:?}."),
        }
    }
}
