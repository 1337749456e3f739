output "vault_enabled" {
  value = var.enable_vault
}

output "domains" {
  value = local.domains
}
