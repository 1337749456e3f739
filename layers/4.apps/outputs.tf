output "observability_enabled" {
  value = var.enable_observability
}

output "urls" {
  description = "Where everything is, for people."
  value = {
    kubero    = "http://${local.domains.kubero_ui}"
    relay     = module.relay.url
    signoz    = one(module.signoz[*].url)
    openpanel = one(module.openpanel[*].url)
  }
}
