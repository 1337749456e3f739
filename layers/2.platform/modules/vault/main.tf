# Vault on storage of its own, in the namespace that the first layer made.

variable "storage" {
  type = string
}

variable "host" {
  type = string
}

module "service" {
  source    = "../../../modules/service"
  name      = "vault"
  namespace = "platform"
  image     = "hashicorp/vault:1.20"
  stateful  = true
  ports     = { api = 8200, cluster = 8201 }
  storage   = { size = var.storage, path = "/vault/data" }
  requests  = { cpu = "250m", memory = "256Mi" }
  limits    = { memory = "512Mi" }
  args      = ["server"]
  ingress   = { host = var.host, port = 8200 }

  env = {
    VAULT_ADDR         = "http://127.0.0.1:8200"
    SKIP_SETCAP        = "true"
    VAULT_RAFT_NODE_ID = "vault-0"
  }

  files = {
    path = "/vault/config"
    content = {
      "vault.hcl" = file("${path.module}/vault.hcl")
    }
  }

  # A sealed Vault is up: it waits for the people who hold its keys.
  check = {
    http = { path = "/v1/sys/health?standbyok=true&sealedcode=204&uninitcode=204", port = 8200 }
  }
}
