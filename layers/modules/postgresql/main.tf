# PostgreSQL: a primary, and where asked for a replica that follows it.

variable "namespace" {
  type = string
}

variable "database" {
  description = "Name of the database and of the role that owns it."
  type        = string
}

variable "password" {
  description = "Password of that role; one is made when it is null."
  type        = string
  default     = null
  sensitive   = true
}

variable "storage" {
  type = string
}

variable "replica" {
  type    = bool
  default = false
}

locals {
  image    = "postgres:17.6"
  data     = "/var/lib/postgresql/data"
  requests = { cpu = "500m", memory = "1Gi" }
  limits   = { cpu = "2", memory = "2Gi" }
  port     = { postgresql = 5432 }
  check    = { exec = ["pg_isready", "-U", var.database, "-d", var.database] }

  settings = {
    POSTGRES_USER = var.database
    POSTGRES_DB   = var.database
    PGDATA        = "${local.data}/pgdata"
  }
}

module "password" {
  source = "../password"
  given  = var.password
}

module "primary" {
  source    = "../service"
  name      = "postgresql"
  namespace = var.namespace
  image     = local.image
  stateful  = true
  ports     = local.port
  storage   = { size = var.storage, path = local.data }
  requests  = local.requests
  limits    = local.limits
  check     = local.check
  env       = local.settings
  secrets   = { POSTGRES_PASSWORD = module.password.value }

  # Scripts in this folder run once, when the database is made.
  files = !var.replica ? null : {
    path    = "/docker-entrypoint-initdb.d"
    content = { "replication.sh" = file("${path.module}/allow_replication.sh") }
  }
}

module "replica" {
  source    = "../service"
  count     = var.replica ? 1 : 0
  name      = "postgresql-replica"
  namespace = var.namespace
  image     = local.image
  stateful  = true
  ports     = local.port
  storage   = { size = var.storage, path = local.data }
  requests  = local.requests
  limits    = local.limits
  check     = local.check
  command   = ["bash", "/scripts/follow.sh"]
  env       = merge(local.settings, { PRIMARY = module.primary.host })
  secrets   = { PGPASSWORD = module.password.value }

  files = {
    path    = "/scripts"
    content = { "follow.sh" = file("${path.module}/follow.sh") }
  }
}

output "host" {
  value = module.primary.host
}

output "password" {
  value     = module.password.value
  sensitive = true
}

output "url" {
  description = "How programs connect."
  value       = "postgresql://${var.database}:${module.password.value}@${module.primary.host}:5432/${var.database}"
  sensitive   = true
}
