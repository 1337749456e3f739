# The relay: takes events from outside and hands them on through Redis.

variable "namespace" {
  type = string
}

variable "host" {
  type = string
}

variable "redis_url" {
  type      = string
  sensitive = true
}

module "service" {
  source    = "../../../modules/service"
  name      = "relay"
  namespace = var.namespace
  tier      = "application"
  image     = "caddy:2.10-alpine"
  replicas  = 2
  ports     = { http = 8080 }
  requests  = { cpu = "50m", memory = "64Mi" }
  limits    = { cpu = "500m", memory = "128Mi" }
  args      = ["caddy", "run", "--config", "/etc/relay/Caddyfile"]
  secrets   = { REDIS_URL = var.redis_url }
  check     = { http = { path = "/health", port = 8080 } }
  ingress   = { host = var.host }

  files = {
    path    = "/etc/relay"
    content = { Caddyfile = file("${path.module}/Caddyfile") }
  }
}

output "url" {
  value = module.service.url
}
