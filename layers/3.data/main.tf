# Layer 3: everything that keeps data. The databases of the business in namespace data, and a second set of ten services
# in a namespace of its own.

terraform {
  required_version = ">= 1.9"

  required_providers {
    kubernetes = {
      source = "hashicorp/kubernetes"
    }
    random = {
      source = "hashicorp/random"
    }
  }
}

resource "kubernetes_namespace" "data" {
  metadata {
    name   = "data"
    labels = { environment = var.environment }
  }
}

locals {
  namespace = kubernetes_namespace.data.metadata[0].name
}

module "postgresql" {
  source    = "../modules/postgresql"
  namespace = local.namespace
  database  = "app"
  password  = var.postgres_password
  storage   = var.postgres_storage
  replica   = var.enable_postgres_replica
}

module "redis" {
  source    = "./modules/redis"
  namespace = local.namespace
  password  = var.redis_password
  storage   = var.redis_storage
}

module "clickhouse" {
  source    = "./modules/clickhouse"
  count     = var.enable_clickhouse ? 1 : 0
  namespace = local.namespace
  storage   = var.clickhouse_storage
}

module "arangodb" {
  source    = "./modules/arangodb"
  count     = var.enable_arangodb ? 1 : 0
  namespace = local.namespace
  password  = var.arangodb_password
  storage   = var.arangodb_storage
}

module "infrastructure" {
  source      = "./modules/infrastructure"
  count       = var.enable_infrastructure ? 1 : 0
  environment = var.environment
  scale       = var.infrastructure_scale
}
