# One workload with everything that belongs to it: its Service, and, where asked for, a Secret, a ConfigMap, volumes and
# an Ingress. What is written here is what differs between services; the rest is the same for all of them.

variable "name" {
  description = "Name of every object of the service."
  type        = string
}

variable "namespace" {
  description = "An existing namespace."
  type        = string
}

variable "image" {
  type = string
}

variable "stateful" {
  description = "A StatefulSet with a headless Service, or a Deployment with an ordinary one."
  type        = bool
  default     = false
}

variable "replicas" {
  type    = number
  default = 1

  validation {
    condition     = var.replicas >= 0
    error_message = "The number of replicas cannot be negative."
  }
}

variable "ports" {
  description = "TCP ports by name. The first one in order of names is where an Ingress leads, unless it says otherwise."
  type        = map(number)
}

variable "storage" {
  description = "A volume claim for each replica: its size, and where it is mounted. Stateful services only."
  type = object({
    size = string
    path = string
  })
  default = null
}

variable "requests" {
  type = object({
    cpu    = string
    memory = string
  })
  default = { cpu = "100m", memory = "128Mi" }
}

variable "limits" {
  description = "By default one CPU, and the memory that is requested."
  type = object({
    cpu    = optional(string, "1")
    memory = optional(string)
  })
  default = {}
}

variable "command" {
  type    = list(string)
  default = null
}

variable "args" {
  type    = list(string)
  default = null
}

variable "env" {
  description = "Environment variables that may be seen by everybody."
  type        = map(string)
  default     = {}
}

variable "secrets" {
  description = "Environment variables that are kept in a Secret. Their names are no secret."
  type        = map(string)
  default     = {}
}

variable "files" {
  description = "Files that are kept in a ConfigMap and mounted into a folder."
  type = object({
    path    = string
    content = map(string)
  })
  default = null
}

variable "check" {
  description = "How to tell that the service works: a command in the container, an HTTP page, or an open port."
  type = object({
    exec  = optional(list(string))
    http  = optional(object({ path = string, port = number }))
    tcp   = optional(number)
    delay = optional(number, 5)
  })

  validation {
    condition     = length([for kind in [var.check.exec, var.check.http, var.check.tcp] : kind if kind != null]) == 1
    error_message = "A service is checked in exactly one way: exec, http or tcp."
  }
}

variable "ingress" {
  description = "The host name under which the service can be reached from outside; null for none."
  type = object({
    host = string
    port = optional(number)
    path = optional(string, "/")
  })
  default = null
}

variable "tier" {
  description = "The label that says which part of the platform it belongs to."
  type        = string
  default     = "infrastructure"
}
