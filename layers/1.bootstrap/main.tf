# Layer 1: the ground. A host becomes a cluster, and the cluster gets the database that the platform itself needs.

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

# Where there is a cluster already (on a developer's machine, in CI) this is switched off, and the kubeconfig is null.
module "k3s" {
  source = "./modules/k3s"
  count  = var.enable_k3s ? 1 : 0

  host           = var.vps_host
  port           = var.ssh_port
  user           = var.vps_user
  private_key    = var.ssh_private_key
  host_key       = var.ssh_host_key
  install_script = var.k3s_install_script
  channel        = var.k3s_channel
  api_endpoint   = var.api_endpoint
  cluster_name   = var.cluster_name
}

# The namespace of what exists once: Vault and the platform's own database. Others belong to the layers that use them.
resource "kubernetes_namespace" "platform" {
  metadata {
    name   = "platform"
    labels = { environment = var.environment }
  }
}

module "platform_postgresql" {
  source    = "../modules/postgresql"
  namespace = kubernetes_namespace.platform.metadata[0].name
  database  = "platform"
  password  = var.platform_postgres_password
  storage   = var.platform_postgres_storage
}
