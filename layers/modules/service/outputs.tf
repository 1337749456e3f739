output "host" {
  description = "The name under which the service is reached inside the cluster."
  value       = "${kubernetes_service.this.metadata[0].name}.${var.namespace}.svc"
}

output "url" {
  description = "Where the service is reached from outside; null without an ingress."
  value       = var.ingress == null ? null : "http://${var.ingress.host}"
}
