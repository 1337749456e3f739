# The Kubernetes Dashboard: a look at the cluster for people.

terraform {
  required_providers {
    kubernetes = {
      source = "hashicorp/kubernetes"
    }
  }
}

variable "host" {
  type = string
}

resource "kubernetes_namespace" "this" {
  metadata {
    name   = "kubernetes-dashboard"
    labels = { app = "dashboard" }
  }
}

module "service" {
  source    = "../../../modules/service"
  name      = "dashboard"
  namespace = kubernetes_namespace.this.metadata[0].name
  image     = "kubernetesui/dashboard:v2.7.0"
  ports     = { http = 9090 }
  requests  = { cpu = "100m", memory = "200Mi" }
  args      = ["--namespace=kubernetes-dashboard", "--insecure-bind-address=0.0.0.0", "--insecure-port=9090"]
  check     = { http = { path = "/", port = 9090 } }
  ingress   = { host = var.host }
}
