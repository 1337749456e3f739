# Kubero: applications from a web page. A controller that watches, and a page that is looked at.

terraform {
  required_providers {
    kubernetes = {
      source = "hashicorp/kubernetes"
    }
  }
}

variable "namespace" {
  type = string
}

variable "ui_host" {
  type = string
}

variable "backend_host" {
  type = string
}

module "session_key" {
  source = "../../../modules/password"
}

module "webhook_secret" {
  source = "../../../modules/password"
}

module "controller" {
  source    = "../../../modules/service"
  name      = "kubero-operator"
  namespace = var.namespace
  image     = "ghcr.io/kubero-dev/kubero-operator/kuberoapp:v0.2.5"
  ports     = { health = 8081 }
  requests  = { cpu = "100m", memory = "256Mi" }
  limits    = { memory = "512Mi" }
  check     = { http = { path = "/readyz", port = 8081 } }
  ingress   = { host = var.backend_host }
}

module "ui" {
  source    = "../../../modules/service"
  name      = "kubero"
  namespace = var.namespace
  image     = "ghcr.io/kubero-dev/kubero/kubero:v2.4.7"
  ports     = { http = 2000 }
  requests  = { cpu = "100m", memory = "256Mi" }
  limits    = { memory = "512Mi" }
  check     = { http = { path = "/", port = 2000 } }
  ingress   = { host = var.ui_host }

  env = {
    KUBERO_CONFIG_PATH = "/etc/kubero/config.yaml"
    KUBERO_CONTEXT     = "inClusterContext"
    KUBERO_NAMESPACE   = var.namespace
  }

  secrets = {
    KUBERO_SESSION_KEY    = module.session_key.value
    KUBERO_WEBHOOK_SECRET = module.webhook_secret.value
  }

  files = {
    path    = "/etc/kubero"
    content = { "config.yaml" = file("${path.module}/config.yaml") }
  }
}
