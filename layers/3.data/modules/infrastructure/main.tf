# Ten services that eight gRPC services, two gateways and four applications stand on, in a namespace of their own.
# One file a topic; all of them are calls of the same module, so that each says only what is particular to it.

terraform {
  required_providers {
    kubernetes = {
      source = "hashicorp/kubernetes"
    }
  }
}

variable "environment" {
  type = string
}

variable "scale" {
  description = "full or small."
  type        = string
}

locals {
  # Small is for a machine that has other things to do: a tenth of the storage, and one Consul instead of three.
  is_small = var.scale == "small"
  size     = { for gibibytes in [10, 20, 25, 50] : gibibytes => "${local.is_small ? max(1, floor(gibibytes / 10)) : gibibytes}Gi" }
  light    = { cpu = local.is_small ? "50m" : "256m", memory = local.is_small ? "128Mi" : "512Mi" }
  heavy    = { cpu = local.is_small ? "100m" : "500m", memory = local.is_small ? "256Mi" : "1Gi" }
}

resource "kubernetes_namespace" "this" {
  metadata {
    name   = "isa-cloud-${var.environment}"
    labels = { tier = "infrastructure", environment = var.environment }
  }
}

locals {
  namespace = kubernetes_namespace.this.metadata[0].name
}
