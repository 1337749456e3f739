# The names of everything that can be reached, by the rule {prefix}-{env}.{base domain}.

variable "environment" {
  type = string
}

variable "base_domain" {
  type = string
}

variable "domain_prefix" {
  description = "What stands before the base domain: empty in prod, x-staging in staging."
  type        = string
  default     = ""
}

locals {
  internal_domain = var.domain_prefix == "" ? var.base_domain : "${var.domain_prefix}.${var.base_domain}"
  env_prefix      = var.environment == "prod" ? "www" : "x-${var.environment}"

  domains = {
    ingress        = local.internal_domain
    vault          = "secrets.${local.internal_domain}"
    dashboard      = "dashboard.${local.internal_domain}"
    kubero_ui      = "kcloud.${local.internal_domain}"
    kubero_backend = "kapi.${local.internal_domain}"
    signoz         = "signoz.${local.internal_domain}"
    openpanel      = "openpanel.${local.internal_domain}"
    backstage      = "backstage.${local.internal_domain}"
    frontend       = "${local.env_prefix}.${var.base_domain}"
    backend        = "${local.env_prefix}-api.${var.base_domain}"
  }
}

output "domains" {
  value = local.domains
}
