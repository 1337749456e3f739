#!/usr/bin/env python3
"""Writes the golden plans of this folder: what a real `terraform` (on the PATH) prints for small configurations.

Each case is a configuration before and one after. The program applies the first, plans the second, and keeps the plan
twice: as JSON (the input of the test) and as text (what our text is compared with). Only the part that describes
changes is kept, from the first resource to the end of the outputs.

Usage: regenerate.py [CASE…]
"""
import json, os, pathlib, re, subprocess, sys, tempfile

HERE = pathlib.Path(__file__).resolve().parent

def one(before, after=None, **more):
    """A terraform_data `a` with these arguments before and after."""
    block = lambda body: 'resource "terraform_data" "a" {\n%s\n}\n' % body if body is not None else ""
    return dict(before=block(before) if before is not None else None, after=block(after), **more)

SECRET = 'variable "s" {\n default = "%s"\n sensitive = true\n}\n'

REFERENCES = """
variable "v" {
  default = { a = { b = [1, 2] } }
}
locals {
  l = { x = { y = 1 } }
  k = "a"
}
resource "terraform_data" "c" {
  count = 2
}
resource "terraform_data" "e" {
  for_each = var.v
  input    = [each.value.b[0], each.key, each.value]
}
resource "terraform_data" "s" {
  input = { k = 1 }
}
resource "terraform_data" "t" {
  for_each         = toset(["x"])
  input            = [terraform_data.s.output.k, terraform_data.c[1].id]
  triggers_replace = local.l
  depends_on       = [terraform_data.e]
}
module "m" {
  source = "./m"
}
module "mc" {
  source = "./m"
  count  = 1
}
"""+ "".join('output "a%02d" {\n value = %s\n}\n' % (n, e) for n, e in enumerate([
    "terraform_data.c[*].id", "terraform_data.c[*]", "terraform_data.c.*.id", "terraform_data.e[local.k].id",
    'terraform_data.e["a"]', "local.l.x.y", 'local.l["x"]["y"]', "var.v.a.b[0]", "var.v[local.k].b", "module.m", "module.m.out",
    "module.m.out.x", "module.mc[0].out.x", "module.mc[0]", "module.mc[*].out", "terraform_data.s", "terraform_data.s.id",
    '"x${terraform_data.s.id}y${var.v.a.b[1]}"', "[for x in terraform_data.c : x.id if x.id != local.k]",
    "{ for k, x in terraform_data.e : k => x.id... }", 'upper("x")', "true ? 1 : 2", '[1 + 2, "x${1}"]',
    "{ a = null, b = [], (local.k) = terraform_data.s.input }", "null", "path.root", "terraform.workspace",
    'length(terraform_data.c) > 0 ? local.k : "x"', "(terraform_data.s).id", "[for x in [1, 2] : x]", "1.50",
    "terraform_data.c[0 + 1].id", "<<-T\n  %{ for x in terraform_data.c }${x.id}%{ endfor }\n  T\n", '"${local.k}"', "{}", "[]",
    '"a" == "b"', "keys({ a = 1 })[0]", "[local.k, local.k, local.l.x, local.l]", '""',
    "try(terraform_data.s.output.k, local.l.x.z, 3)", 'var.v["a"].b', "123456789012345678901234567890",
]))

MODULES = """
variable "secret" {
  default   = "hunter2"
  sensitive = true
}
locals {
  via = terraform_data.s.output
}
resource "terraform_data" "s" {
  input = { k = "lit", s = var.secret }
}
resource "terraform_data" "u" {
  input = local.via
}
module "m" {
  source     = "./m"
  for_each   = { one = 1 }
  in         = terraform_data.s.output.k
  lit        = "x"
  depends_on = [terraform_data.u]
}
module "mm" {
  source = "./m"
  count  = 1
  in     = "z"
}
output "o" {
  value       = module.m["one"].out
  description = "desc"
}
output "s" {
  value      = var.secret
  sensitive  = true
  depends_on = [terraform_data.s]
}
"""
MODULE_FILES = {"m/main.tf": """
variable "in" {}
variable "lit" {
  type        = string
  default     = "d"
  description = "in m"
}
resource "terraform_data" "inner" {
  input = var.in
}
module "n" {
  source = "./n"
}
output "out" {
  value = terraform_data.inner.output
}
""", "m/n/main.tf": 'output "x" {\n value = 1\n}\n'}

VARIABLES = """
variable "plain" {
  description = "a plain one"
}
variable "listed" {
  type = list(string)
}
variable "typed" {
  type    = object({ a = string, b = optional(number, 3) })
  default = { a = "x" }
}
variable "secret" {
  type      = string
  default   = "hunter2"
  sensitive = true
  nullable  = false
}
variable "unused" {
  default = null
}
resource "terraform_data" "a" {
  count            = 2
  input            = { n = var.plain, s = var.secret, l = [var.plain, "lit", 1 + 2], c = "const", t = "x${count.index}" }
  triggers_replace = [var.typed.a, path.module, terraform.workspace]
}
output "typed" {
  value = var.typed
}
"""

CONDITIONS = """
variable "v" {
  default = 1
  validation {
    condition     = var.v > 0
    error_message = "x"
  }
}
resource "terraform_data" "c" {
  count = 0
  lifecycle {
    precondition {
      condition     = var.v == 1
      error_message = "x"
    }
  }
}
resource "terraform_data" "d" {
  input = var.v
  lifecycle {
    precondition {
      condition     = var.v == 1
      error_message = "x"
    }
  }
}
resource "terraform_data" "f" {
  lifecycle {
    postcondition {
      condition     = self.id != ""
      error_message = "x"
    }
  }
}
module "m" {
  source   = "./m"
  for_each = { a = 1, b = 2 }
  w        = terraform_data.d.id
}
output "o" {
  value = 1
  precondition {
    condition     = terraform_data.d.id != ""
    error_message = "x"
  }
}
"""
CONDITION_FILES = {"m/main.tf": """
variable "w" {
  validation {
    condition     = var.w != ""
    error_message = "x"
  }
}
resource "terraform_data" "in" {
  count = 1
  input = var.w
  lifecycle {
    precondition {
      condition     = var.w != ""
      error_message = "x"
    }
  }
}
output "out" {
  value = terraform_data.in[0].output
  precondition {
    condition     = var.w != "zz"
    error_message = "x"
  }
}
"""}

CASES = {
    # Creation: every kind of value.
    "create_scalars": one(None, 'input = "hello"\ntriggers_replace = ["x", 1, true, null]'),
    "create_object": one(None, 'input = { name = "x", long_key = 1.5, nested = { a = [1, 2], b = {} }, e = [], "a b" = "q\\"uote\\n", n = null }'),
    "create_multiline": one(None, 'input = "line one\\nline two\\n  three\\n"'),
    "create_multiline_open": one(None, 'input = "line one\\nline two"'),
    "create_json": one(None, 'input = jsonencode({ a = 1, b = [1, 2, 3], c = { d = "e" }, n = null })'),
    "create_json_empty": one(None, 'input = [jsonencode({}), jsonencode([]), "{", "[1"]'),
    "create_escapes": one(None, 'input = "${"a"}b $${x} %%{y} \\\\ \\" \\t"'),
    "create_set": one(None, 'input = toset(["b", "a"])', types={"input": ["set", "string"]}),
    "create_map": one(None, 'input = tomap({ "k1" = "v1", "key 2" = "v2" })', types={"input": ["map", "string"]}),
    "create_numbers": one(None, 'input = [1, 1.50, -3, 1e10, 0.1, 123456789012345678901234567890]'),
    "create_each": dict(before=None, after='resource "terraform_data" "a" {\n for_each = toset(["x", "y z"])\n input = each.key\n}\nmodule "m" {\n source = "./m"\n count = 1\n}\n',
                        files={"m/main.tf": 'resource "terraform_data" "b" {\n count = 2\n}\n'}),
    "create_sensitive": dict(before=None, after=SECRET % "x" + 'resource "terraform_data" "a" {\n input = var.s\n triggers_replace = { a = var.s, b = [var.s, 1] }\n}\n'),
    "create_unknown": dict(before=None, after='resource "terraform_data" "a" {}\nresource "terraform_data" "b" {\n input = { id = terraform_data.a.id, l = [terraform_data.a.output, "x"] }\n triggers_replace = "x-${terraform_data.a.id}"\n}\n'),
    # Updates in place.
    "update_string": one('input = "a"', 'input = "b"'),
    "update_number": one('input = 1', 'input = 2'),
    "update_type": one('input = "a"', 'input = [1]'),
    "update_type_object": one('input = { a = 1 }', 'input = "x"'),
    "update_add": one('', 'input = "b"'),
    "update_remove": one('input = "a"', ''),
    "update_null_inside": one('input = { a = null, b = 1, d = 3 }', 'input = { a = 1, b = null, c = null }'),
    "update_object": one('input = { a = 1, b = "x", c = "same", d = { e = "f", g = "h" }, z = [1] }', 'input = { a = 2, c = "same", d = { e = "f", g = "i" }, y = "new", z = [1] }'),
    "update_important": one('input = { id = "i", name = "n", tags = { a = "b" }, c = 1, x = 1 }', 'input = { id = "i", name = "n", tags = { a = "b" }, c = 2, x = 1 }'),
    "update_map": one('input = tomap({ a = "1", b = "2", c = "3" })', 'input = tomap({ a = "1", b = "3", d = "4" })', types={"input": ["map", "string"]}),
    "update_list": one('input = tolist(["a", "b", "c", "d", "e"])', 'input = tolist(["a", "b", "x", "d", "e", "f"])', types={"input": ["list", "string"]}),
    "update_list_remove": one('input = ["a", "b", "c", "d", "e"]', 'input = ["a", "c", "d", "e"]'),
    "update_list_front": one('input = ["a", "b", "c"]', 'input = ["z", "a", "b", "c"]'),
    "update_list_objects": one('input = [{ a = 1, b = 1 }, { a = 2, b = 2 }, { a = 3, b = 3 }]', 'input = [{ a = 1, b = 1 }, { a = 2, b = 5 }, { a = 3, b = 3 }]'),
    "update_list_objects_remove": one('input = [{ a = 1, b = 1 }, { a = 2, b = 2 }, { a = 3, b = 3 }]', 'input = [{ a = 2, b = 2 }, { a = 3, b = 3 }]'),
    "update_list_nested": one('input = [["a", "b"], ["c", "d"]]', 'input = [["a", "b"], ["c", "x"]]'),
    "update_list_long": one('input = [for i in range(12) : "v${i}"]', 'input = [for i in range(12) : i == 6 ? "x" : "v${i}"]'),
    "update_list_ends": one('input = [for i in range(12) : "v${i}"]', 'input = [for i in range(12) : i == 0 || i == 11 ? "x" : "v${i}"]'),
    "update_list_empty": one('input = ["a"]', 'input = []'),
    "update_list_fill": one('input = []', 'input = ["a"]'),
    "update_map_empty": one('input = { a = 1 }', 'input = {}'),
    "update_map_fill": one('input = {}', 'input = { a = 1 }'),
    "update_set": one('input = toset(["a", "b", "c"])', 'input = toset(["a", "c", "d"])', types={"input": ["set", "string"]}),
    "update_set_objects": one('input = toset([{ a = 1, b = "x" }, { a = 2, b = "y" }])', 'input = toset([{ a = 1, b = "x" }, { a = 2, b = "z" }])', types={"input": ["set", ["object", {"a": "number", "b": "string"}]]}),
    "update_multiline": one('input = "one\\ntwo\\nthree\\nfour\\n"', 'input = "one\\n2\\nthree\\nfour\\nfive\\n"'),
    "update_multiline_same_end": one('input = "one\\ntwo"', 'input = "one\\ntwo\\nthree"'),
    "update_single_to_multi": one('input = "one"', 'input = "one\\ntwo\\n"'),
    "update_multi_to_single": one('input = "one\\ntwo\\n"', 'input = "one"'),
    "update_multiline_nested": one('input = { f = "one\\ntwo\\nthree\\n", g = 1 }', 'input = { f = "one\\ntwo\\n3\\n", g = 1 }'),
    "update_json": one('input = jsonencode({ a = 1, b = [1, 2, 3], c = { d = "e" }, s = "t" })', 'input = jsonencode({ a = 2, b = [1, 3], c = { d = "f" }, s = "t" })'),
    "update_json_space": one('input = "{\\"a\\":1}"', 'input = "{ \\"a\\": 1 }"'),
    "update_json_to_text": one('input = jsonencode({ a = 1 })', 'input = "text"'),
    "update_json_list": one('input = jsonencode(["a", "b"])', 'input = jsonencode(["a", "c"])'),
    "update_json_kind": one('input = jsonencode(["a", "b"])', 'input = jsonencode({ a = "c" })'),
    "update_unknown": dict(before='resource "terraform_data" "a" {\n input = { x = "a", y = 1 }\n}\n', after='resource "terraform_data" "n" {}\nresource "terraform_data" "a" {\n input = { x = terraform_data.n.id, y = 1 }\n}\n'),
    "update_unknown_whole": dict(before='resource "terraform_data" "a" {\n input = { x = "a", y = 1 }\n}\n', after='resource "terraform_data" "n" {}\nresource "terraform_data" "a" {\n input = terraform_data.n.output\n}\n'),
    "update_unknown_list": dict(before='resource "terraform_data" "a" {\n input = ["a", "b"]\n}\n', after='resource "terraform_data" "n" {}\nresource "terraform_data" "a" {\n input = ["a", terraform_data.n.id, "c"]\n}\n'),
    "update_sensitive": dict(before=SECRET % "x" + 'resource "terraform_data" "a" {\n input = var.s\n}\n', after=SECRET % "y" + 'resource "terraform_data" "a" {\n input = var.s\n}\n'),
    "update_to_sensitive": dict(before=SECRET % "x" + 'resource "terraform_data" "a" {\n input = "x"\n}\n', after=SECRET % "y" + 'resource "terraform_data" "a" {\n input = var.s\n}\n'),
    "update_sensitive_same": dict(before=SECRET % "x" + 'resource "terraform_data" "a" {\n input = { a = "x", b = 1 }\n}\n', after=SECRET % "x" + 'resource "terraform_data" "a" {\n input = { a = var.s, b = 2 }\n}\n'),
    "update_from_sensitive": dict(before=SECRET % "x" + 'resource "terraform_data" "a" {\n input = { a = var.s, b = 1 }\n}\n', after=SECRET % "x" + 'resource "terraform_data" "a" {\n input = { a = "y", b = 1 }\n}\n'),
    "update_unchanged_hidden": one('input = "a"\ntriggers_replace = ["t"]', 'input = "b"\ntriggers_replace = ["t"]'),
    # Replacement.
    "replace": one('input = "a"\ntriggers_replace = "x"', 'input = "a"\ntriggers_replace = "y"'),
    "replace_nested": one('triggers_replace = { a = 1, b = 2 }', 'triggers_replace = { a = 1, b = 3 }'),
    "replace_list": one('triggers_replace = ["a", "b"]', 'triggers_replace = ["a", "c"]'),
    "replace_both": one('input = "a"\ntriggers_replace = "x"', 'input = "b"\ntriggers_replace = "y"'),
    "replace_multiline": one('triggers_replace = "a\\nb\\n"', 'triggers_replace = "a\\nc\\n"'),
    "replace_json": one('triggers_replace = jsonencode({ a = 1 })', 'triggers_replace = jsonencode({ a = 2 })'),
    "replace_added": one('', 'triggers_replace = "y"'),
    "replace_unknown": dict(before='resource "terraform_data" "a" {\n triggers_replace = "x"\n}\n', after='resource "terraform_data" "n" {}\nresource "terraform_data" "a" {\n triggers_replace = terraform_data.n.id\n}\n'),
    "replace_create_first": one('triggers_replace = "x"\nlifecycle {\n create_before_destroy = true\n}', 'triggers_replace = "y"\nlifecycle {\n create_before_destroy = true\n}'),
    "replace_request": one('input = "a"', 'input = "a"', args=["-replace=terraform_data.a"]),
    "replace_tainted": one('input = "a"', 'input = "a"', taint="terraform_data.a"),
    "replace_sensitive": dict(before=SECRET % "x" + 'resource "terraform_data" "a" {\n triggers_replace = var.s\n}\n', after=SECRET % "y" + 'resource "terraform_data" "a" {\n triggers_replace = var.s\n}\n'),
    "replace_triggered": dict(before='resource "terraform_data" "b" {\n input = 1\n}\nresource "terraform_data" "a" {\n lifecycle {\n replace_triggered_by = [terraform_data.b]\n }\n}\n', after='resource "terraform_data" "b" {\n input = 2\n}\nresource "terraform_data" "a" {\n lifecycle {\n replace_triggered_by = [terraform_data.b]\n }\n}\n'),
    # Removal, with its reasons.
    "delete_block": one('input = { a = [1], b = null, c = "x\\ny\\n" }', None),
    "delete_count": one('count = 2\ninput = "a"', 'count = 1\ninput = "a"'),
    "delete_each": one('for_each = toset(["a", "b"])\ninput = "a"', 'for_each = toset(["a"])\ninput = "a"'),
    "delete_repetition": dict(before='resource "terraform_data" "a" {\n for_each = toset(["a"])\n}\n', after='resource "terraform_data" "a" {\n count = 1\n}\n'),
    "delete_module": dict(before='module "m" {\n source = "./m"\n}\n', after="", files={"m/main.tf": 'resource "terraform_data" "b" {\n input = 1\n}\n'}),
    "delete_destroy": dict(before='resource "terraform_data" "a" {\n input = "x"\n triggers_replace = [1]\n}\noutput "o" {\n value = "x"\n}\n', after='resource "terraform_data" "a" {\n input = "x"\n triggers_replace = [1]\n}\noutput "o" {\n value = "x"\n}\n', args=["-destroy"]),
    "delete_sensitive": dict(before=SECRET % "x" + 'resource "terraform_data" "a" {\n input = var.s\n}\n', after=""),
    # Moves, imports, forgetting.
    "move": dict(before='resource "terraform_data" "a" {\n input = 1\n}\n', after='resource "terraform_data" "b" {\n input = 1\n}\nmoved {\n from = terraform_data.a\n to = terraform_data.b\n}\n'),
    "move_update": dict(before='resource "terraform_data" "a" {\n input = 1\n}\n', after='resource "terraform_data" "b" {\n input = 2\n}\nmoved {\n from = terraform_data.a\n to = terraform_data.b\n}\n'),
    "move_replace": dict(before='resource "terraform_data" "a" {\n triggers_replace = 1\n}\n', after='resource "terraform_data" "b" {\n triggers_replace = 2\n}\nmoved {\n from = terraform_data.a\n to = terraform_data.b\n}\n'),
    "forget": dict(before='resource "terraform_data" "a" {\n input = 1\n}\n', after='removed {\n from = terraform_data.a\n lifecycle {\n destroy = false\n }\n}\n'),
    "forget_and_create": dict(before='resource "terraform_data" "a" {\n input = 1\n}\n', after='resource "terraform_data" "b" {}\nremoved {\n from = terraform_data.a\n lifecycle {\n destroy = false\n }\n}\n'),
    "update_list_shift": one('input = ["a", "b", "c"]', 'input = ["b", "c", "d"]'),
    "update_list_swap": one('input = ["a", "b", "c", "d"]', 'input = ["b", "a", "c"]'),
    "update_list_object_mix": one('input = [{ a = 1 }, "x"]', 'input = ["x", { a = 1 }, { a = 2 }]'),
    "update_list_objects_grow": one('input = [{ a = 1, k = 1 }, { a = 2, k = 1 }]', 'input = [{ a = 3, k = 1 }, { a = 2, k = 1 }, { a = 4, k = 1 }]'),
    "update_list_unknown": dict(before='resource "terraform_data" "a" {\n input = ["a", { b = 1 }]\n}\n', after='resource "terraform_data" "n" {}\nresource "terraform_data" "a" {\n input = ["a", { b = terraform_data.n.id }]\n}\n'),
    "update_unknown_really": dict(before='resource "terraform_data" "a" {\n input = { x = "a", y = 1 }\n}\n', after='resource "terraform_data" "n" {\n input = "x"\n}\nresource "terraform_data" "a" {\n input = terraform_data.n.output\n}\n'),
    "update_sensitive_deep": dict(before=SECRET % "x" + 'resource "terraform_data" "a" {\n input = { l = ["a", var.s], m = { k = var.s, o = 1 } }\n}\n', after=SECRET % "y" + 'resource "terraform_data" "a" {\n input = { l = ["a", var.s], m = { k = var.s, o = 2 } }\n}\n'),
    "update_string_long": one('input = "%s"' % ("a" * 100), 'input = "%s"' % ("b" * 100)),
    "update_json_nested": one('input = { j = jsonencode({ a = [{ b = 1, c = 2 }] }), k = 1 }', 'input = { j = jsonencode({ a = [{ b = 1, c = 3 }] }), k = 1 }'),
    "update_json_null": one('input = jsonencode({ a = 1, b = null })', 'input = jsonencode({ a = null, c = null })'),
    "update_json_number": one('input = jsonencode({ a = 1.5 })', 'input = jsonencode({ a = 1.25, b = true })'),
    "update_bool_string": one('input = true', 'input = "true"'),
    "update_list_type": one('input = [1]', 'input = { a = 1 }'),
    # Outputs.
    "outputs_create": dict(before=None, after=SECRET % "x" + 'output "a" {\n value = { a = 1, b = [1, "x"], c = null }\n}\noutput "long_name" {\n value = "x"\n}\noutput "s" {\n value = var.s\n sensitive = true\n}\noutput "m" {\n value = "a\\nb\\n"\n}\noutput "j" {\n value = jsonencode([1])\n}\n'),
    "outputs_change": dict(before='output "a" {\n value = "x"\n}\noutput "b" {\n value = { a = 1, b = 2 }\n}\noutput "c" {\n value = 1\n}\noutput "same" {\n value = 1\n}\noutput "l" {\n value = ["a", "b"]\n}\n', after='output "a" {\n value = "y"\n}\noutput "b" {\n value = { a = 1, b = 3 }\n}\noutput "d" {\n value = 1\n}\noutput "same" {\n value = 1\n}\noutput "l" {\n value = ["a", "c"]\n}\n'),
    "outputs_sensitive": dict(before=SECRET % "x" + 'output "s" {\n value = var.s\n sensitive = true\n}\noutput "t" {\n value = "x"\n}\noutput "u" {\n value = "x"\n}\n', after=SECRET % "y" + 'output "s" {\n value = var.s\n sensitive = true\n}\noutput "t" {\n value = "x"\n sensitive = true\n}\noutput "u" {\n value = "y"\n sensitive = true\n}\n'),
    "outputs_unknown": dict(before='resource "terraform_data" "a" {}\noutput "o" {\n value = { i = "x", j = 1 }\n}\n', after='resource "terraform_data" "a" {}\nresource "terraform_data" "b" {}\noutput "o" {\n value = { i = terraform_data.b.id, j = 1 }\n}\n'),
    # Data sources read during apply.
    "read_later": dict(before=None, after='resource "terraform_data" "a" {}\ndata "terraform_remote_state" "r" {\n backend = "local"\n config = {\n path = "${terraform_data.a.id}.tfstate"\n }\n}\noutput "o" {\n value = data.terraform_remote_state.r.outputs\n}\n'),
    "read_dependency": dict(before=None, after='resource "terraform_data" "a" {}\ndata "terraform_remote_state" "r" {\n backend = "local"\n config = {\n path = "x.tfstate"\n }\n depends_on = [terraform_data.a]\n}\n'),
    # What else a JSON plan says: the configuration, values of variables, sources of changes, conditions.
    "json_references": dict(before=None, after=REFERENCES, files={"m/main.tf": 'variable "in" {\n default = 1\n}\noutput "out" {\n value = { x = var.in }\n}\n'}),
    "json_modules": dict(before=None, after=MODULES, files=MODULE_FILES),
    "json_modules_again": dict(before=MODULES, after=MODULES, files=MODULE_FILES),
    "json_modules_edited": dict(before=MODULES, after=MODULES.replace('"lit"', '"other"'), files=MODULE_FILES),
    "json_variables": dict(before=None, after=VARIABLES, args=["-var", "plain=p", "-var", "listed=[1, 2]"]),
    "json_conditions": dict(before=None, after=CONDITIONS, files=CONDITION_FILES),
    "json_conditions_again": dict(before=CONDITIONS, after=CONDITIONS, files=CONDITION_FILES),
    "json_provisioners": dict(before=None, after='resource "terraform_data" "a" {\n count = 1\n input = "x"\n connection {\n  host = self.id\n }\n provisioner "local-exec" {\n  command = "echo ${self.input} ${count.index}"\n  environment = { A = terraform_data.b.id, B = 1 }\n  interpreter = ["sh", "-c"]\n }\n provisioner "file" {\n  when = destroy\n  on_failure = continue\n  content = "x"\n  destination = "/x"\n }\n}\nresource "terraform_data" "b" {}\n'),
    "json_nothing": dict(before=None, after='variable "v" {\n default = 1\n}\nlocals {\n l = var.v\n}\n'),
    "json_remote_state": dict(before=None, after='data "terraform_remote_state" "r" {\n backend = "local"\n config = {\n path = "other.tfstate"\n }\n}\noutput "q" {\n value = data.terraform_remote_state.r.outputs.q\n}\n', files={"other.tfstate": '{"version":4,"terraform_version":"1.11.4","serial":1,"lineage":"x","outputs":{"q":{"value":"v","type":"string"},"s":{"value":"v","type":"string","sensitive":true}},"resources":[]}'}),
    "no_changes": one('input = "a"', 'input = "a"'),
    "refresh_only_none": one('input = "a"', 'input = "a"', args=["-refresh-only"]),
    "destroy_nothing": dict(before=None, after='', args=["-destroy"]),
}

def run(folder, *args, check=True):
    env = dict(os.environ, TF_CLI_CONFIG_FILE=str(folder / "empty.tfrc"), CHECKPOINT_DISABLE="1", TF_IN_AUTOMATION="1")
    result = subprocess.run(["terraform", *args], cwd=folder, env=env, capture_output=True, text=True)
    if check and result.returncode not in (0, 2):
        raise SystemExit(f"{args}: {result.stdout}{result.stderr}")
    return result.stdout

def body(text):
    """The part of a plan text that describes changes, without the sentences around it."""
    lines = [line.rstrip() for line in text.split("\n")]
    for n, line in enumerate(lines):
        if line.startswith("No changes."):
            return line + "\n"
    heads = [n + 1 for n, line in enumerate(lines) if line == "Terraform will perform the following actions:"]
    heads += [n for n, line in enumerate(lines) if line.startswith("Changes to Outputs:")]
    ends = [n for n, line in enumerate(lines) if line.startswith(("───", "You can apply this plan", "Warning: "))]
    return "\n".join(lines[heads[0] : min(ends, default=len(lines))]).strip("\n") + "\n"

def whole(plan, types):
    """The JSON plan, with what the tests read in any case."""
    kept = {"resource_changes": [], "output_changes": {}} | plan
    if types:
        kept["types"] = types
    return kept

def main(names):
    for name, case in CASES.items():
        if names and name not in names:
            continue
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            (folder / "empty.tfrc").write_text("")
            for file, text in case.get("files", {}).items():
                (folder / file).parent.mkdir(parents=True, exist_ok=True)
                (folder / file).write_text(text)
            main = folder / "main.tf"
            main.write_text(case["before"] or "")
            if case["before"] is not None:
                run(folder, "init", "-no-color")
                run(folder, "apply", "-auto-approve")
            if "taint" in case:
                run(folder, "taint", case["taint"])
            main.write_text(case["after"])
            run(folder, "init", "-no-color")
            run(folder, "plan", "-out=p", "-no-color", *case.get("args", []))
            plan = json.loads(run(folder, "show", "-json", "p"))
            text = run(folder, "show", "-no-color", "p")
            document = whole(plan, case.get("types"))
            document["mode"] = "destroy" if "-destroy" in case.get("args", []) else "refresh-only" if "-refresh-only" in case.get("args", []) else "normal"
            document["files"] = case.get("files", {})
            document["before"], document["after"] = case["before"], case["after"]
            document["args"] = case.get("args", [])
            out = json.dumps(document, indent=1, ensure_ascii=False) + "\n"
            text = body(text)
            # Ids are random; give them fixed ones, in order.
            ids = {}
            for found in re.findall(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", out):
                ids.setdefault(found, "00000000-0000-0000-0000-%012d" % len(ids))
            for found, fixed in ids.items():
                out, text = out.replace(found, fixed), text.replace(found, fixed)
            (HERE / f"{name}.json").write_text(out)
            (HERE / f"{name}.txt").write_text(text)
            print(name)

main(sys.argv[1:])
