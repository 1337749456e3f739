# Layer 4: what people use. A platform as a service, observability, and applications.

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

module "domains" {
  source        = "../modules/domains"
  environment   = var.environment
  base_domain   = var.base_domain
  domain_prefix = var.domain_prefix
}

locals {
  domains   = module.domains.domains
  namespace = { for name, namespace in kubernetes_namespace.this : name => namespace.metadata[0].name }
}

resource "kubernetes_namespace" "this" {
  for_each = toset(concat(["kubero", "apps"], var.enable_observability ? ["observability"] : []))

  metadata {
    name   = each.key
    labels = { environment = var.environment }
  }
}

module "kubero" {
  source       = "./modules/kubero"
  namespace    = local.namespace["kubero"]
  ui_host      = local.domains.kubero_ui
  backend_host = local.domains.kubero_backend
}

module "signoz" {
  source     = "./modules/signoz"
  count      = var.enable_observability ? 1 : 0
  namespace  = local.namespace["observability"]
  host       = local.domains.signoz
  clickhouse = local.clickhouse_host
}

module "openpanel" {
  source         = "./modules/openpanel"
  count          = var.enable_observability ? 1 : 0
  namespace      = local.namespace["observability"]
  host           = local.domains.openpanel
  clickhouse     = local.clickhouse_host
  postgresql_url = local.postgresql_url
  redis_url      = local.redis_url
}

module "relay" {
  source    = "./modules/relay"
  namespace = local.namespace["apps"]
  host      = local.domains.backend
  redis_url = local.redis_url
}

# The user's own applications.
module "application" {
  source   = "../modules/service"
  for_each = var.applications

  name      = each.key
  namespace = local.namespace["apps"]
  tier      = "application"
  image     = each.value.image
  replicas  = each.value.replicas
  ports     = { http = each.value.port }
  env       = each.value.env
  check     = { http = { path = each.value.health, port = each.value.port } }
  ingress   = each.value.public ? { host = local.domains.frontend } : null
}
