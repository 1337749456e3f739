# The automatic check of a change: everything is thrown away afterwards.

environment = "ci"
base_domain = "localhost"

enable_k3s           = false
enable_observability = false

platform_postgres_storage = "1Gi"
postgres_storage          = "1Gi"
redis_storage             = "1Gi"
clickhouse_storage        = "1Gi"
infrastructure_scale      = "small"
