# SigNoz: traces, metrics and logs, kept in ClickHouse.

variable "namespace" {
  type = string
}

variable "host" {
  type = string
}

variable "clickhouse" {
  type = string
}

module "service" {
  source    = "../../../modules/service"
  name      = "signoz"
  namespace = var.namespace
  image     = "signoz/signoz:v0.96.1"
  stateful  = true
  ports     = { http = 8080, opamp = 4320 }
  storage   = { size = "1Gi", path = "/var/lib/signoz" }
  requests  = { cpu = "200m", memory = "512Mi" }
  limits    = { memory = "1Gi" }
  check     = { http = { path = "/api/v1/health", port = 8080 } }
  ingress   = { host = var.host, port = 8080 }

  env = {
    SIGNOZ_TELEMETRYSTORE_PROVIDER       = "clickhouse"
    SIGNOZ_TELEMETRYSTORE_CLICKHOUSE_DSN = "tcp://${var.clickhouse}:9000"
    SIGNOZ_SQLSTORE_SQLITE_PATH          = "/var/lib/signoz/signoz.db"
  }
}

output "url" {
  value = module.service.url
}
