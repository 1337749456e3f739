# Live. Values in capitals are environment variables.

environment = "prod"
base_domain = BASE_DOMAIN

# --- the host ---
vps_host        = "prod-vps.${BASE_DOMAIN}"
ssh_private_key = file("~/.ssh/id_rsa")

# --- k3s ---
cluster_name = "prod"
k3s_channel  = "stable"
api_endpoint = "api.${BASE_DOMAIN}"

# --- secrets ---
postgres_password = POSTGRES_PASSWORD
redis_password    = REDIS_PASSWORD
arangodb_password = ARANGODB_PASSWORD

# --- storage ---
platform_postgres_storage = "20Gi"
postgres_storage          = "100Gi"
redis_storage             = "20Gi"
arangodb_storage          = "100Gi"
clickhouse_storage        = "200Gi"

# --- switches ---
enable_vault         = true
enable_observability = true
enable_arangodb      = true
