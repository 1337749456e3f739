# OpenPanel: how applications are used. Events in ClickHouse, everything else in PostgreSQL and Redis.

variable "namespace" {
  type = string
}

variable "host" {
  type = string
}

variable "clickhouse" {
  type = string
}

variable "postgresql_url" {
  type      = string
  sensitive = true
}

variable "redis_url" {
  type      = string
  sensitive = true
}

module "cookie_secret" {
  source = "../../../modules/password"
}

module "service" {
  source    = "../../../modules/service"
  name      = "openpanel"
  namespace = var.namespace
  image     = "lindesvard/openpanel-dashboard:2.0.0"
  ports     = { http = 3000 }
  requests  = { cpu = "200m", memory = "512Mi" }
  limits    = { memory = "1Gi" }
  check     = { http = { path = "/api/healthcheck", port = 3000 } }
  ingress   = { host = var.host }

  env = {
    SELF_HOSTED    = "true"
    CLICKHOUSE_URL = "http://${var.clickhouse}:8123/openpanel"
  }

  secrets = {
    DATABASE_URL  = var.postgresql_url
    REDIS_URL     = var.redis_url
    COOKIE_SECRET = module.cookie_secret.value
  }
}

output "url" {
  value = module.service.url
}
