# A password: the one that is given, else one that is made once and kept in state.

terraform {
  required_providers {
    random = {
      source = "hashicorp/random"
    }
  }
}

variable "given" {
  type      = string
  default   = null
  sensitive = true
}

resource "random_password" "made" {
  # Whether a password is given is no secret.
  count   = nonsensitive(var.given == null) ? 1 : 0
  length  = 32
  special = false
}

output "value" {
  value     = coalesce(var.given, one(random_password.made[*].result))
  sensitive = true
}
