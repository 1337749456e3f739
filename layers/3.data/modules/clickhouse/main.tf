# ClickHouse, where traces and events are kept. Reached inside the cluster only, without a password.

variable "namespace" {
  type = string
}

variable "storage" {
  type = string
}

module "service" {
  source    = "../../../modules/service"
  name      = "clickhouse"
  namespace = var.namespace
  image     = "clickhouse/clickhouse-server:25.8"
  stateful  = true
  ports     = { http = 8123, native = 9000 }
  storage   = { size = var.storage, path = "/var/lib/clickhouse" }
  requests  = { cpu = "500m", memory = "1Gi" }
  limits    = { cpu = "2", memory = "4Gi" }
  check     = { http = { path = "/ping", port = 8123 } }
  env       = { CLICKHOUSE_SKIP_USER_SETUP = "1" }
}

output "host" {
  value = module.service.host
}
