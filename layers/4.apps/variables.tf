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

variable "enable_observability" {
  description = "SigNoz and OpenPanel. Both need ClickHouse."
  type        = bool
  default     = true
}

variable "enable_backstage" {
  type    = bool
  default = false

  validation {
    condition     = !var.enable_backstage
    error_message = "Backstage needs its Helm chart, which is not part of this version."
  }
}

variable "applications" {
  description = "Applications by name."
  type = map(object({
    image    = string
    port     = number
    health   = optional(string, "/")
    replicas = optional(number, 1)
    env      = optional(map(string), {})
    public   = optional(bool, false)
  }))
  default = {}
}
