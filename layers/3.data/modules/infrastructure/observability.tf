# Logs, and pictures of them.

module "loki" {
  source    = "../../../modules/service"
  name      = "loki"
  namespace = local.namespace
  image     = "grafana/loki:3.5.5"
  stateful  = true
  ports     = { http = 3100 }
  storage   = { size = local.size[20], path = "/loki" }
  requests  = local.light
  args      = ["-config.file=/etc/loki/local-config.yaml"]
  check     = { http = { path = "/ready", port = 3100 }, delay = 20 }
}

module "grafana_password" {
  source = "../../../modules/password"
}

module "grafana" {
  source    = "../../../modules/service"
  name      = "grafana"
  namespace = local.namespace
  image     = "grafana/grafana:12.1.1"
  ports     = { http = 3000 }
  requests  = local.light
  check     = { http = { path = "/api/health", port = 3000 } }

  secrets = {
    GF_SECURITY_ADMIN_USER     = "admin"
    GF_SECURITY_ADMIN_PASSWORD = module.grafana_password.value
  }
}
