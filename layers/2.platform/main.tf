# Layer 2: what the platform's operators use. Secrets are kept in Vault, the cluster is looked at in the dashboard.

terraform {
  required_version = ">= 1.9"

  required_providers {
    kubernetes = {
      source = "hashicorp/kubernetes"
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
  domains = module.domains.domains
}

module "vault" {
  source  = "./modules/vault"
  count   = var.enable_vault ? 1 : 0
  storage = var.vault_storage
  host    = local.domains.vault
}

module "dashboard" {
  source = "./modules/dashboard"
  host   = local.domains.dashboard
}
