// Drives infra as programs drive Terraform: through terraform-exec, the library behind many of them.
//
//	terraform-exec INFRA FOLDER
//
// Each scenario runs in a folder of its own below FOLDER and prints "ok NAME" or "failed NAME: why". The exit code is 1
// when one of them failed. INFRA has to answer as Terraform does: INFRA_COMPAT=terraform is set here.
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/hashicorp/terraform-exec/tfexec"
)

// A scenario is one story, told in a folder that it has for itself.
type scenario struct {
	name string
	run  func(*story)
}

var scenarios = []scenario{
	{"version", version},
	{"init as JSON", initJSON},
	{"plan, show, apply a file", planAndApply},
	{"plan as JSON", planJSON},
	{"apply as JSON", applyJSON},
	{"refresh as JSON", refreshJSON},
	{"outputs", outputs},
	{"import", importObject},
	{"taint", taint},
	{"state moved and forgotten", stateSurgery},
	{"state pulled and pushed", statePushed},
	{"workspaces", workspaces},
	{"backend given by flags", backendConfig},
	{"backend that moved", backendMoved},
	{"validate and format", validateAndFormat},
	{"schemas, functions, graph", looks},
	{"tests", tests},
	{"errors", failures},
	{"apply cancelled", cancelled},
	{"provisioner cancelled", provisionerCancelled},
	{"project", project},
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: terraform-exec INFRA FOLDER")
		os.Exit(2)
	}
	failed := 0
	for _, one := range scenarios {
		if err := tell(one, os.Args[1], os.Args[2]); err != nil {
			failed++
			fmt.Printf("failed %s: %v\n", one.name, err)
			continue
		}
		fmt.Printf("ok %s\n", one.name)
	}
	if failed > 0 {
		os.Exit(1)
	}
}

// story is a scenario that runs: a folder and the client that works in it. The first thing that is wrong ends it.
type story struct {
	ctx    context.Context
	folder string
	tf     *tfexec.Terraform
}

// wrong ends a scenario; it is the only thing that tell recovers from.
type wrong struct{ error }

func tell(one scenario, infra, below string) (err error) {
	folder, err := os.MkdirTemp(below, "scenario")
	if err != nil {
		return err
	}
	defer func() {
		if found, ok := recover().(wrong); ok {
			err = found.error
		}
	}()
	tf, err := tfexec.NewTerraform(folder, infra)
	if err != nil {
		return err
	}
	environment := map[string]string{"INFRA_COMPAT": "terraform", "HOME": below, "PATH": os.Getenv("PATH")}
	if err := tf.SetEnv(environment); err != nil {
		return err
	}
	one.run(&story{ctx: context.Background(), folder: folder, tf: tf})
	return nil
}

// file writes a file of the folder; folders on its way are made.
func (s *story) file(name, content string) {
	path := filepath.Join(s.folder, name)
	s.must(os.MkdirAll(filepath.Dir(path), 0o755))
	s.must(os.WriteFile(path, []byte(content), 0o644))
}

// begin writes main.tf and initialises the folder.
func (s *story) begin(content string) {
	s.file("main.tf", content)
	s.must(s.tf.Init(s.ctx))
}

// must ends the scenario on an error.
func (s *story) must(err error) {
	if err != nil {
		panic(wrong{err})
	}
}

// expect ends the scenario unless what it found is what it should be.
func expect[T comparable](what string, found, want T) {
	if found != want {
		panic(wrong{fmt.Errorf("%s: found %v, expected %v", what, found, want)})
	}
}

// got is the value of a call that must not fail.
func got[T any](value T, err error) T {
	if err != nil {
		panic(wrong{err})
	}
	return value
}
