# Redis with a password, writing every second what it has.

variable "namespace" {
  type = string
}

variable "password" {
  type      = string
  default   = null
  sensitive = true
}

variable "storage" {
  type = string
}

module "password" {
  source = "../../../modules/password"
  given  = var.password
}

module "service" {
  source    = "../../../modules/service"
  name      = "redis"
  namespace = var.namespace
  image     = "redis:7.4"
  stateful  = true
  ports     = { redis = 6379 }
  storage   = { size = var.storage, path = "/data" }
  requests  = { cpu = "256m", memory = "512Mi" }
  secrets   = { REDIS_PASSWORD = module.password.value, REDISCLI_AUTH = module.password.value }
  args      = ["redis-server", "/etc/redis/redis.conf", "--requirepass", "$(REDIS_PASSWORD)"]
  check     = { exec = ["redis-cli", "ping"] }

  files = {
    path = "/etc/redis"
    content = {
      "redis.conf" = <<-EOT
        appendonly yes
        appendfsync everysec
        maxmemory 400mb
        maxmemory-policy noeviction
      EOT
    }
  }
}

output "password" {
  value     = module.password.value
  sensitive = true
}

output "url" {
  value     = "redis://:${module.password.value}@${module.service.host}:6379"
  sensitive = true
}
