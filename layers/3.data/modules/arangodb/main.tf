# ArangoDB: documents and graphs, for those who want it.

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
  name      = "arangodb"
  namespace = var.namespace
  image     = "arangodb:3.12"
  stateful  = true
  ports     = { http = 8529 }
  storage   = { size = var.storage, path = "/var/lib/arangodb3" }
  requests  = { cpu = "500m", memory = "1Gi" }
  limits    = { cpu = "2", memory = "2Gi" }
  secrets   = { ARANGO_ROOT_PASSWORD = module.password.value }
  check     = { tcp = 8529 }
}

output "password" {
  value     = module.password.value
  sensitive = true
}
