variable "environment" {
  type = string
}

variable "base_domain" {
  type = string
}

variable "domain_prefix" {
  type    = string
  default = ""
}

variable "enable_vault" {
  description = "Run Vault. It starts sealed: initialising it and moving secrets into it are not part of this version."
  type        = bool
  default     = false
}

variable "vault_storage" {
  type    = string
  default = "10Gi"
}

variable "enable_sso" {
  type    = bool
  default = false

  validation {
    condition     = !var.enable_sso
    error_message = "Single sign-on needs Helm charts, which are not part of this version."
  }
}
