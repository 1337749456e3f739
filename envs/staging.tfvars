# As prod, on a host of its own. Values in capitals are environment variables.

environment   = "staging"
base_domain   = BASE_DOMAIN
domain_prefix = DOMAIN_PREFIX

# --- the host ---
vps_host        = "staging-vps.${BASE_DOMAIN}"
vps_user        = "root"
ssh_port        = 22
ssh_private_key = file("~/.ssh/id_rsa")

# --- k3s ---
cluster_name = "staging"
k3s_channel  = "stable"
api_endpoint = "api-${DOMAIN_PREFIX}.${BASE_DOMAIN}"

# --- secrets ---
postgres_password = POSTGRES_PASSWORD
redis_password    = REDIS_PASSWORD
arangodb_password = ARANGODB_PASSWORD

# --- storage ---
postgres_storage   = "50Gi"
redis_storage      = "20Gi"
arangodb_storage   = "100Gi"
clickhouse_storage = "50Gi"

# --- switches ---
enable_vault         = true
enable_observability = true
enable_arangodb      = false
enable_backstage     = false
