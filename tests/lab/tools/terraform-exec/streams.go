package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/hashicorp/terraform-exec/tfexec"
)

func planJSON(s *story) {
	s.begin(pair)
	var lines bytes.Buffer
	expect("changes", got(s.tf.PlanJSON(s.ctx, &lines)), true)
	has(s, lines.String(), `"type":"planned_change"`, `"type":"change_summary"`, `"type":"outputs"`)
}

func applyJSON(s *story) {
	s.begin(pair)
	var lines bytes.Buffer
	s.must(s.tf.ApplyJSON(s.ctx, &lines))
	types := typesOf(s, lines.String())
	for _, kind := range []string{"version", "planned_change", "change_summary", "apply_start", "apply_complete", "outputs"} {
		if types[kind] == 0 {
			s.must(failure("no line of type %s in\n%s", kind, lines.String()))
		}
	}
	expect("objects applied", types["apply_complete"], 2)
	got(s.tf.Plan(s.ctx, tfexec.Out("plan.bin"), tfexec.Var("size=large")))
	lines.Reset()
	s.must(s.tf.ApplyJSON(s.ctx, &lines, tfexec.DirOrPlan("plan.bin")))
	expect("planned changes of a saved plan", typesOf(s, lines.String())["planned_change"], 2)
	lines.Reset()
	s.must(s.tf.DestroyJSON(s.ctx, &lines))
	has(s, lines.String(), `"action":"delete"`)
}

func refreshJSON(s *story) {
	s.begin(pair)
	s.must(s.tf.Apply(s.ctx))
	var lines bytes.Buffer
	s.must(s.tf.RefreshJSON(s.ctx, &lines))
	types := typesOf(s, lines.String())
	expect("objects that were looked at", types["refresh_start"], 2)
	expect("objects that were found", types["refresh_complete"], 2)
}

func failures(s *story) {
	s.begin(`variable "needed" {}`)
	_, err := s.tf.Plan(s.ctx)
	if err == nil || !strings.Contains(err.Error(), "No value for required variable") {
		s.must(failure("a variable without a value gave %v", err))
	}
	s.file("main.tf", `terraform { required_version = ">= 99.0" }`)
	err = s.tf.Init(s.ctx)
	if err == nil || !strings.Contains(err.Error(), "Unsupported Terraform Core version") {
		s.must(failure("a version that does not exist gave %v", err))
	}
}

// The client sends an interrupt when its context ends, as a cancelled job does.
func cancelled(s *story) {
	s.begin("resource \"time_sleep\" \"long\" { create_duration = \"5m\" }\nresource \"terraform_data\" \"after\" { input = time_sleep.long.id }")
	took, err := s.cancelAt(`"hook":{"resource":{"addr":"time_sleep.long"`)
	if !errors.Is(err, context.Canceled) {
		s.must(failure("a cancelled apply gave %v", err))
	}
	soon(s, took)
	if found := resources(s)["terraform_data.after"]; found != nil {
		s.must(failure("something was made after the cancellation: %v", found))
	}
	got(s.tf.Plan(s.ctx))
}

func provisionerCancelled(s *story) {
	s.begin("resource \"terraform_data\" \"p\" {\n  provisioner \"local-exec\" { command = \"sleep 300\" }\n}")
	took, err := s.cancelAt(`"type":"provision_start"`)
	if !errors.Is(err, context.Canceled) {
		s.must(failure("a cancelled apply gave %v", err))
	}
	soon(s, took)
	expect("object of the cancelled provisioner tainted", resources(s)["terraform_data.p"].Tainted, true)
}

// cancelAt applies, cancels as soon as a line of the output holds text, and tells how long the apply went on after that.
func (s *story) cancelAt(text string) (time.Duration, error) {
	ctx, cancel := context.WithCancel(s.ctx)
	defer cancel()
	seen := &watcher{text: text, cancel: cancel}
	err := s.tf.ApplyJSON(ctx, seen)
	if seen.at.IsZero() {
		s.must(failure("no line with %s in\n%s", text, seen.all.String()))
	}
	return time.Since(seen.at), err
}

// soon allows for a slow machine; what is waited for takes minutes.
func soon(s *story, took time.Duration) {
	if took > 10*time.Second {
		s.must(failure("the apply went on for %s after it was cancelled", took))
	}
}

// watcher is written the output of a run and cancels it at a line that holds text.
type watcher struct {
	text   string
	cancel context.CancelFunc
	all    bytes.Buffer
	at     time.Time
}

func (w *watcher) Write(bytes []byte) (int, error) {
	w.all.Write(bytes)
	if w.at.IsZero() && strings.Contains(w.all.String(), w.text) {
		w.at = time.Now()
		w.cancel()
	}
	return len(bytes), nil
}

// typesOf counts the lines of a stream by their type.
func typesOf(s *story, stream string) map[string]int {
	found := map[string]int{}
	for _, line := range strings.Split(strings.TrimSpace(stream), "\n") {
		var message struct{ Type string }
		s.must(json.Unmarshal([]byte(line), &message))
		found[message.Type]++
	}
	return found
}

func has(s *story, text string, parts ...string) {
	for _, part := range parts {
		if !strings.Contains(text, part) {
			s.must(failure("%q is not in\n%s", part, text))
		}
	}
}

func failure(format string, values ...any) error { return fmt.Errorf(format, values...) }
