#!/usr/bin/env python3
"""Writes a root module of N linked terraform_data resources, to time plan and apply.

usage: gen.py N DIR [linked|chain|modules|foreach|wide]

linked   N blocks, every fifth reads the output of an earlier one
chain    N blocks in chains of 100, each reading the one before
modules  N/20 calls of one child module with 20 blocks each
foreach  one block with for_each over N keys, and one with count over N reading it
wide     N independent blocks
"""
import pathlib
import sys

HEAD = """variable "env" {
  type    = string
  default = "staging"
}
locals {
  tags = { env = var.env, owner = "bench" }
}
"""


def block(number, up):
    return f"""resource "terraform_data" "r{number}" {{
  input = {{
    name  = "svc-{number}-${{var.env}}"
    up    = {up}
    tags  = merge(local.tags, {{ idx = "{number}" }})
    ports = [for p in [80, 443, {number}] : p + 1]
  }}
}}
"""


def rows(count, shape):
    for number in range(count):
        up = '"x"'
        if shape == "linked" and number and number % 5 == 0:
            up = f"terraform_data.r{number - 1 - (number * 7919 % min(number, 50))}.output"
        if shape == "chain" and number % 100:
            up = f"terraform_data.r{number - 1}.output.name"
        yield block(number, up)
    yield f'output "last" {{\n  value = terraform_data.r{count - 1}.output\n}}\n'


def modules(count, folder):
    child = folder / "child"
    child.mkdir(exist_ok=True)
    inner = [block(number, f"terraform_data.r{number - 1}.output.name" if number else "var.name") for number in range(20)]
    text = 'variable "name" {\n  type = string\n}\n' + HEAD + "".join(inner)
    (child / "main.tf").write_text(text + 'output "last" {\n  value = terraform_data.r19.output.name\n}\n')
    for number in range(count // 20):
        up = f"module.m{number - 1}.last" if number % 10 else '"root"'
        yield f'module "m{number}" {{\n  source = "./child"\n  name   = {up}\n}}\n'


def foreach(count):
    yield f"""locals {{
  keys = toset(slice(flatten([for a in range({-(-count // 1000)}) : [for b in range(1000) : "k${{a * 1000 + b}}"]]), 0, {count}))
}}
resource "terraform_data" "a" {{
  for_each = local.keys
  input    = "${{each.key}}-${{var.env}}"
}}
resource "terraform_data" "b" {{
  count = {count}
  input = terraform_data.a["k${{count.index}}"].output
}}
"""


def main():
    count, folder = int(sys.argv[1]), pathlib.Path(sys.argv[2])
    shape = sys.argv[3] if len(sys.argv) > 3 else "linked"
    folder.mkdir(parents=True, exist_ok=True)
    makers = {"modules": lambda: modules(count, folder), "foreach": lambda: foreach(count)}
    if shape not in ("linked", "chain", "wide", *makers):
        sys.exit(f"unknown shape {shape}")
    body = makers.get(shape, lambda: rows(count, shape))()
    (folder / "main.tf").write_text(HEAD + "".join(body))


main()
