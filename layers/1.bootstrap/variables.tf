variable "environment" {
  description = "dev, ci, test, staging or prod."
  type        = string
}

# --- the host ---------------------------------------------------------------------------------------------------------------

variable "enable_k3s" {
  description = "Make a cluster on the host. Off where there is one already."
  type        = bool
  default     = true
}

variable "vps_host" {
  description = "Name or address of the host, reached by SSH."
  type        = string
  default     = null
}

variable "vps_user" {
  type    = string
  default = "root"
}

variable "ssh_port" {
  type    = number
  default = 22
}

variable "ssh_private_key" {
  description = "A private key in PEM or OpenSSH format."
  type        = string
  default     = null
  sensitive   = true
}

variable "ssh_host_key" {
  description = "The host's public key, as in known_hosts. Without it ~/.ssh/known_hosts has to know the host."
  type        = string
  default     = null
}

# --- k3s --------------------------------------------------------------------------------------------------------------------

variable "cluster_name" {
  type    = string
  default = "k3s"
}

variable "k3s_channel" {
  type    = string
  default = "stable"
}

variable "k3s_install_script" {
  description = "Where the install script comes from: a URL or a local file. Null is the official one."
  type        = string
  default     = null
}

variable "api_endpoint" {
  description = "The name under which the API server is reached; null is the host itself."
  type        = string
  default     = null
}

# --- what runs on it --------------------------------------------------------------------------------------------------------

variable "platform_postgres_password" {
  description = "Null makes one and keeps it in state."
  type        = string
  default     = null
  sensitive   = true
}

variable "platform_postgres_storage" {
  type    = string
  default = "10Gi"
}

# --- later ------------------------------------------------------------------------------------------------------------------

variable "enable_dns" {
  description = "Records and certificates at Cloudflare."
  type        = bool
  default     = false

  validation {
    condition     = !var.enable_dns
    error_message = "Records in DNS need the Cloudflare provider, which is not part of this version."
  }
}

variable "enable_bot" {
  description = "The bot that plans and applies in comments of pull requests."
  type        = bool
  default     = false

  validation {
    condition     = !var.enable_bot
    error_message = "The bot is not part of this version."
  }
}
