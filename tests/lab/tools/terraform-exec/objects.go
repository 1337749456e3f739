package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"

	"github.com/hashicorp/terraform-exec/tfexec"
	tfjson "github.com/hashicorp/terraform-json"
)

const pair = `
variable "size" { default = "small" }
resource "terraform_data" "a" { input = var.size }
resource "terraform_data" "b" { input = terraform_data.a.output }
output "size" { value = terraform_data.b.output }
output "secret" {
  value     = "s3cret"
  sensitive = true
}
`

func version(s *story) {
	found, _, err := s.tf.Version(s.ctx, true)
	s.must(err)
	expect("major version", found.Segments()[0], 1)
	s.begin(`resource "random_pet" "p" {}`)
	_, providers, err := s.tf.Version(s.ctx, true)
	s.must(err)
	if providers["registry.terraform.io/hashicorp/random"] == nil {
		s.must(failure("version lists no provider random: %v", providers))
	}
}

func initJSON(s *story) {
	s.file("main.tf", pair)
	var lines bytes.Buffer
	s.must(s.tf.InitJSON(s.ctx, &lines))
	has(s, lines.String(), `"type":"version"`, `"init_output"`, "initialized")
}

func planAndApply(s *story) {
	s.begin(pair)
	expect("changes in the first plan", got(s.tf.Plan(s.ctx, tfexec.Out("plan.bin"), tfexec.LockTimeout("3m"))), true)
	plan := got(s.tf.ShowPlanFile(s.ctx, "plan.bin"))
	expect("resource changes", len(plan.ResourceChanges), 2)
	for _, change := range plan.ResourceChanges {
		expect("creation of "+change.Address, change.Change.Actions.Create(), true)
	}
	text := got(s.tf.ShowPlanFileRaw(s.ctx, "plan.bin"))
	has(s, text, "Terraform will perform the following actions:", "Plan: 2 to add, 0 to change, 0 to destroy.")
	s.must(s.tf.Apply(s.ctx, tfexec.DirOrPlan("plan.bin")))
	if err := s.tf.Apply(s.ctx, tfexec.DirOrPlan("plan.bin")); err == nil {
		s.must(failure("a plan that was applied was applied again"))
	}
	expect("changes after the apply", got(s.tf.Plan(s.ctx)), false)
	expect("changes by another value", got(s.tf.Plan(s.ctx, tfexec.Var("size=large"))), true)
	expect("replacement", got(s.tf.Plan(s.ctx, tfexec.Replace("terraform_data.a"), tfexec.Target("terraform_data.a"))), true)
	s.must(s.tf.Destroy(s.ctx))
	expect("objects after the destroy", len(resources(s)), 0)
}

func outputs(s *story) {
	s.begin(pair)
	s.must(s.tf.Apply(s.ctx))
	found := got(s.tf.Output(s.ctx))
	expect("output size", string(found["size"].Value), `"small"`)
	expect("output secret", found["secret"].Sensitive, true)
	state := got(s.tf.Show(s.ctx))
	expect("output in state", state.Values.Outputs["size"].Value.(string), "small")
	s.must(s.tf.Refresh(s.ctx))
}

func importObject(s *story) {
	s.begin(`resource "random_string" "s" { length = 6 }
resource "terraform_data" "d" {}`)
	s.must(s.tf.Import(s.ctx, "random_string.s", "abcdef", tfexec.AllowMissingConfig(false), tfexec.Lock(true)))
	s.must(s.tf.Import(s.ctx, "terraform_data.d", "some-id"))
	imported := resources(s)
	expect("imported value", imported["random_string.s"].AttributeValues["result"].(string), "abcdef")
	expect("imported id", imported["terraform_data.d"].AttributeValues["id"].(string), "some-id")
	if err := s.tf.Import(s.ctx, "random_string.missing", "abcdef"); err == nil {
		s.must(failure("an address without a block was imported"))
	}
}

func taint(s *story) {
	s.begin(pair)
	s.must(s.tf.Apply(s.ctx))
	s.must(s.tf.Taint(s.ctx, "terraform_data.a", tfexec.Lock(true), tfexec.LockTimeout("1s")))
	expect("taint in state", resources(s)["terraform_data.a"].Tainted, true)
	s.must(s.tf.Untaint(s.ctx, "terraform_data.a"))
	expect("changes after untaint", got(s.tf.Plan(s.ctx)), false)
}

func stateSurgery(s *story) {
	s.begin(pair)
	s.must(s.tf.Apply(s.ctx))
	s.must(s.tf.StateMv(s.ctx, "terraform_data.b", "terraform_data.c", tfexec.Lock(true)))
	moved := resources(s)
	if moved["terraform_data.c"] == nil || moved["terraform_data.b"] != nil {
		s.must(failure("state mv left %v", moved))
	}
	s.must(s.tf.StateMv(s.ctx, "terraform_data.c", "terraform_data.c", tfexec.StateOut("other.tfstate")))
	other := got(s.tf.ShowStateFile(s.ctx, "other.tfstate"))
	expect("moved into another file", other.Values.RootModule.Resources[0].Address, "terraform_data.c")
	s.must(s.tf.StateRm(s.ctx, "terraform_data.a", tfexec.Backup("kept.tfstate")))
	expect("objects after state rm", len(resources(s)), 0)
	kept := got(s.tf.ShowStateFile(s.ctx, "kept.tfstate"))
	expect("kept in the copy", kept.Values.RootModule.Resources[0].Address, "terraform_data.a")
}

func statePushed(s *story) {
	s.begin(pair)
	s.must(s.tf.Apply(s.ctx))
	pulled := got(s.tf.StatePull(s.ctx))
	s.file("pulled.json", pulled)
	s.must(s.tf.StatePush(s.ctx, "pulled.json"))
	foreign := strings.Replace(pulled, `"lineage": "`, `"lineage": "0`, 1)
	if foreign == pulled {
		s.must(failure("no lineage in %s", pulled))
	}
	s.file("foreign.json", foreign)
	if err := s.tf.StatePush(s.ctx, "foreign.json"); err == nil {
		s.must(failure("a state of another lineage was pushed"))
	}
	s.must(s.tf.StatePush(s.ctx, "foreign.json", tfexec.Force(true), tfexec.Lock(true)))
	expect("objects after the push", len(resources(s)), 2)
}

func workspaces(s *story) {
	s.begin(pair)
	s.must(s.tf.WorkspaceNew(s.ctx, "blue", tfexec.LockTimeout("1s")))
	names, current, err := s.tf.WorkspaceList(s.ctx)
	s.must(err)
	expect("workspaces", strings.Join(names, " "), "default blue")
	expect("workspace in use", current, "blue")
	s.must(s.tf.Apply(s.ctx))
	s.must(s.tf.WorkspaceSelect(s.ctx, "default"))
	expect("workspace shown", got(s.tf.WorkspaceShow(s.ctx)), "default")
	if err := s.tf.WorkspaceDelete(s.ctx, "blue"); err == nil {
		s.must(failure("a workspace with objects was deleted"))
	}
	s.must(s.tf.WorkspaceDelete(s.ctx, "blue", tfexec.Force(true)))
	if err := s.tf.WorkspaceSelect(s.ctx, "blue"); err == nil {
		s.must(failure("a workspace that is gone was selected"))
	}
}

func backendConfig(s *story) {
	s.file("main.tf", "terraform {\n  backend \"local\" {}\n}\n"+pair)
	s.must(s.tf.Init(s.ctx, tfexec.BackendConfig("path=elsewhere/state.tfstate"), tfexec.Reconfigure(true)))
	s.must(s.tf.Apply(s.ctx))
	_, err := os.Stat(filepath.Join(s.folder, "elsewhere/state.tfstate"))
	s.must(err)
	expect("objects behind the flag", len(resources(s)), 2)
}

func backendMoved(s *story) {
	local := func(path string) string {
		return "terraform {\n  backend \"local\" { path = \"" + path + "\" }\n}\n" + pair
	}
	s.begin(local("one.tfstate"))
	s.must(s.tf.Apply(s.ctx))
	s.file("main.tf", local("two.tfstate"))
	if _, err := s.tf.Plan(s.ctx); err == nil {
		s.must(failure("a plan was made for a backend that is not initialised"))
	}
	s.must(s.tf.Init(s.ctx, tfexec.ForceCopy(true)))
	expect("changes after the move", got(s.tf.Plan(s.ctx)), false)
}

func validateAndFormat(s *story) {
	s.begin(pair)
	expect("valid", got(s.tf.Validate(s.ctx)).Valid, true)
	s.file("bad.tf", `output "x" { value = var.none }`)
	found := got(s.tf.Validate(s.ctx))
	expect("valid with a mistake", found.Valid, false)
	expect("the mistake", found.Diagnostics[0].Summary, "Reference to undeclared input variable")
	expect("formatted", got(s.tf.FormatString(s.ctx, "a=1\n")), "a = 1\n")
	s.file("bad.tf", "output \"x\" {\nvalue=1\n}\n")
	is, files, err := s.tf.FormatCheck(s.ctx)
	s.must(err)
	expect("formatted folder", is, false)
	expect("files to format", strings.Join(files, " "), "bad.tf")
	s.must(s.tf.FormatWrite(s.ctx, tfexec.Recursive(true)))
}

func looks(s *story) {
	s.begin(pair)
	schemas := got(s.tf.ProvidersSchema(s.ctx))
	own := schemas.Schemas["terraform.io/builtin/terraform"]
	if own == nil || own.ResourceSchemas["terraform_data"] == nil {
		s.must(failure("no schema of the built-in provider: %v", schemas.Schemas))
	}
	functions := got(s.tf.MetadataFunctions(s.ctx))
	if functions.Signatures["abs"] == nil {
		s.must(failure("no function abs"))
	}
	has(s, got(s.tf.Graph(s.ctx)), "digraph", "terraform_data.a")
	s.must(s.tf.Get(s.ctx, tfexec.Update(true)))
}

func tests(s *story) {
	s.file("pair.tftest.hcl", "run \"small\" {\n  assert {\n    condition     = output.size == \"small\"\n    error_message = \"no\"\n  }\n}\n")
	s.begin(pair)
	var lines bytes.Buffer
	s.must(s.tf.Test(s.ctx, &lines))
	has(s, lines.String(), `"type":"test_summary"`, `"passed":1`)
}

func project(s *story) {
	s.file("infra.hcl", "project { name = \"p\" }\nstate \"local\" { path = \"state\" }\nenvironment \"dev\" {}\nenvironment \"prod\" {}\nlayer \"a\" { source = \"a\" }\n")
	s.file("a/main.tf", "resource \"terraform_data\" \"x\" { input = terraform.workspace }\n")
	s.must(s.tf.Init(s.ctx))
	s.must(s.tf.WorkspaceSelect(s.ctx, "dev"))
	expect("environment", got(s.tf.WorkspaceShow(s.ctx)), "dev")
	expect("changes in dev", got(s.tf.Plan(s.ctx, tfexec.Out("plan.bin"))), true)
	expect("resource changes", len(got(s.tf.ShowPlanFile(s.ctx, "plan.bin")).ResourceChanges), 1)
	s.must(s.tf.Apply(s.ctx, tfexec.DirOrPlan("plan.bin")))
	expect("changes after the apply", got(s.tf.Plan(s.ctx)), false)
	s.must(s.tf.WorkspaceSelect(s.ctx, "prod"))
	expect("changes in prod", got(s.tf.Plan(s.ctx)), true)
}

// resources are the objects of state by address.
func resources(s *story) map[string]*tfjson.StateResource {
	state := got(s.tf.Show(context.Background()))
	found := map[string]*tfjson.StateResource{}
	if state.Values == nil || state.Values.RootModule == nil {
		return found
	}
	for _, resource := range state.Values.RootModule.Resources {
		found[resource.Address] = resource
	}
	return found
}
