terraform {
  required_providers {
    kubernetes = {
      source = "hashicorp/kubernetes"
    }
  }
}

locals {
  labels = {
    app  = var.name
    tier = var.tier
  }

  limits = {
    cpu    = var.limits.cpu
    memory = coalesce(var.limits.memory, var.requests.memory)
  }

  # A pod reads its configuration when it starts: another content is another pod.
  annotations = var.files == null ? {} : { "checksum/config" = sha256(jsonencode(var.files.content)) }
}

resource "kubernetes_service" "this" {
  metadata {
    name      = var.name
    namespace = var.namespace
    labels    = local.labels
  }

  spec {
    selector   = { app = var.name }
    cluster_ip = var.stateful ? "None" : null

    dynamic "port" {
      for_each = var.ports
      content {
        name        = port.key
        port        = port.value
        target_port = port.value
      }
    }
  }
}

resource "kubernetes_secret" "this" {
  count = length(var.secrets) > 0 ? 1 : 0

  metadata {
    name      = var.name
    namespace = var.namespace
    labels    = local.labels
  }

  data = var.secrets
}

resource "kubernetes_config_map" "this" {
  count = var.files == null ? 0 : 1

  metadata {
    name      = var.name
    namespace = var.namespace
    labels    = local.labels
  }

  data = var.files.content
}

resource "kubernetes_ingress_v1" "this" {
  count = var.ingress == null ? 0 : 1

  metadata {
    name      = var.name
    namespace = var.namespace
    labels    = local.labels
  }

  spec {
    ingress_class_name = "traefik"

    rule {
      host = var.ingress.host
      http {
        path {
          path      = var.ingress.path
          path_type = "Prefix"
          backend {
            service {
              name = kubernetes_service.this.metadata[0].name
              port {
                number = coalesce(var.ingress.port, values(var.ports)[0])
              }
            }
          }
        }
      }
    }
  }
}
