# A developer's machine: the cluster is the embedded sandbox, passwords are made and kept in the local state.

environment = "dev"
base_domain = "localhost"

enable_k3s = false

platform_postgres_storage = "1Gi"
postgres_storage          = "1Gi"
redis_storage             = "1Gi"
arangodb_storage          = "1Gi"
clickhouse_storage        = "1Gi"
infrastructure_scale      = "small"

applications = {
  web = { image = "nginx:1.29-alpine", port = 80, public = true }
}
