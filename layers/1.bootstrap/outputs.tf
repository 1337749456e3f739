output "kubeconfig" {
  description = "How the cluster is reached; null where it was there before."
  value       = one(module.k3s[*].kubeconfig)
  sensitive   = true
}

output "platform_postgresql_password" {
  value     = module.platform_postgresql.password
  sensitive = true
}
