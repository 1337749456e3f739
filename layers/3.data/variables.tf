variable "environment" {
  type = string
}

# --- secrets: null makes one and keeps it in state ----------------------------------------------------------------------------

variable "postgres_password" {
  type      = string
  default   = null
  sensitive = true
}

variable "redis_password" {
  type      = string
  default   = null
  sensitive = true
}

variable "arangodb_password" {
  type      = string
  default   = null
  sensitive = true
}

# --- storage ------------------------------------------------------------------------------------------------------------------

variable "postgres_storage" {
  type    = string
  default = "50Gi"
}

variable "redis_storage" {
  type    = string
  default = "20Gi"
}

variable "arangodb_storage" {
  type    = string
  default = "100Gi"
}

variable "clickhouse_storage" {
  type    = string
  default = "50Gi"
}

variable "infrastructure_scale" {
  description = "full: the sizes that the services are meant to have; small: for a developer's machine."
  type        = string
  default     = "full"

  validation {
    condition     = contains(["full", "small"], var.infrastructure_scale)
    error_message = "The scale is \"full\" or \"small\"."
  }
}

# --- switches -----------------------------------------------------------------------------------------------------------------

variable "enable_postgres_replica" {
  type    = bool
  default = true
}

variable "enable_clickhouse" {
  description = "SigNoz and OpenPanel keep their data in it."
  type        = bool
  default     = true
}

variable "enable_arangodb" {
  type    = bool
  default = false
}

variable "enable_infrastructure" {
  description = "The ten services in the namespace isa-cloud-ENVIRONMENT."
  type        = bool
  default     = true
}
