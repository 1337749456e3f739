variable "str" { default = "Hello, Wörld" }
variable "num" { default = 42 }
variable "yes" { default = true }
variable "words" {
  type    = list(string)
  default = ["b", "a", "", "ä", "b"]
}
variable "nums" {
  type    = list(number)
  default = [3, -1, 0.5, 3]
}
variable "set" {
  type    = set(string)
  default = ["x", "a", "é"]
}
variable "numset" {
  type    = set(number)
  default = [10, 9, 1.5]
}
variable "map" {
  type    = map(string)
  default = { a = "1", b = "", "c d" = "x" }
}
variable "nummap" {
  type    = map(number)
  default = { a = 1, z = 2.5 }
}
variable "lists" {
  type    = map(list(string))
  default = { a = ["x", "y"], b = [], c = ["x"] }
}
variable "obj" {
  type = object({
    name = string
    size = optional(number)
    tags = optional(map(string), {})
    list = list(number)
    x    = optional(object({ y = optional(bool, true) }), {})
  })
  default = { name = "n", list = [1, 2] }
}
variable "objs" {
  type    = list(object({ n = string, v = number }))
  default = [{ n = "a", v = 1 }, { n = "b", v = 2 }]
}
variable "none" {
  type    = string
  default = null
}
variable "nonenum" {
  type    = number
  default = null
}
variable "nonelist" {
  type    = list(string)
  default = null
}
variable "nonemap" {
  type    = map(string)
  default = null
}
variable "empty" {
  type    = list(string)
  default = []
}
variable "emptyset" {
  type    = set(string)
  default = []
}
variable "emptymap" {
  type    = map(string)
  default = {}
}
variable "secret" {
  default   = "hush"
  sensitive = true
}
variable "secretnum" {
  default   = 7
  sensitive = true
}
variable "secretlist" {
  type      = list(string)
  default   = ["s1", "s2"]
  sensitive = true
}
variable "secretmap" {
  type      = map(string)
  default   = { a = "s" }
  sensitive = true
}

resource "terraform_data" "unknown" {}
resource "terraform_data" "dynamic" { input = terraform_data.unknown.id }

locals {
  unknown     = terraform_data.unknown.id
  unknownnum  = parseint(terraform_data.unknown.id, 16)
  unknownbool = terraform_data.unknown.id == "x"
  unknownlist = split(",", terraform_data.unknown.id)
  unknownset  = toset(split(",", terraform_data.unknown.id))
  unknownmap  = zipmap(split(",", terraform_data.unknown.id), split(",", terraform_data.unknown.id))
  partlist    = tolist([terraform_data.unknown.id, "b"])
  partset     = toset([terraform_data.unknown.id, "b"])
  partmap     = tomap({ a = terraform_data.unknown.id, b = "b" })
  partobj     = { a = terraform_data.unknown.id, b = 1, name = "n" }
  dynamic     = terraform_data.dynamic.output
  mixed       = [1, "a", true, null, { a = 1 }]
  halfsecret  = { a = sensitive(1), b = "open", name = var.secret }
  nested      = { list = [[1, 2], []], map = { x = { y = [true] } }, set = toset(["p", "q"]) }
}
