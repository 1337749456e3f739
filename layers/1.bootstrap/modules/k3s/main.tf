# A host becomes a cluster: k3s is installed over SSH, and its kubeconfig fetched.

variable "host" {
  type = string
}

variable "port" {
  type = number
}

variable "user" {
  type = string
}

variable "private_key" {
  type      = string
  sensitive = true
}

variable "host_key" {
  type    = string
  default = null
}

variable "install_script" {
  type    = string
  default = null
}

variable "channel" {
  type = string
}

variable "api_endpoint" {
  type    = string
  default = null
}

variable "cluster_name" {
  type    = string
  default = null
}

resource "k3s_server" "this" {
  host           = var.host
  port           = var.port
  user           = var.user
  private_key    = var.private_key
  host_key       = var.host_key
  install_script = var.install_script
  channel        = var.channel
  api_endpoint   = var.api_endpoint
  cluster_name   = var.cluster_name
}

output "kubeconfig" {
  value     = k3s_server.this.kubeconfig
  sensitive = true
}
