# A preview on a throw-away host.

environment   = "test"
base_domain   = BASE_DOMAIN
domain_prefix = "x-test"

vps_host        = "test-vps.${BASE_DOMAIN}"
ssh_private_key = file("~/.ssh/id_rsa")
api_endpoint    = "api-x-test.${BASE_DOMAIN}"
cluster_name    = "test"

postgres_storage     = "5Gi"
redis_storage        = "1Gi"
clickhouse_storage   = "5Gi"
infrastructure_scale = "small"
enable_observability = false
