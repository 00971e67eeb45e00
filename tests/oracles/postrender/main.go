// postrender: Helm's own rendering with a post-renderer that does what helm-controller's last one
// does, adding two labels to every object and writing them as sigs.k8s.io/yaml does. Reads a JSON
// object a line, {"templates": {NAME: TEXT}, "strategy": "combined"}; answers each with {"objects":
// TEXT, "hooks": TEXT} or {"error": TEXT}.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"sort"
	"strings"

	"helm.sh/helm/v4/pkg/action"
	"helm.sh/helm/v4/pkg/chart/common"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	release "helm.sh/helm/v4/pkg/release/v1"
	"sigs.k8s.io/kustomize/kyaml/kio"
	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"
	"sigs.k8s.io/yaml"
)

type request struct {
	Templates map[string]string `json:"templates"`
	Strategy  string            `json:"strategy"`
}

type reply struct {
	Objects string `json:"objects"`
	Hooks   string `json:"hooks"`
	Error   string `json:"error,omitempty"`
}

type labeller struct{}

// What kustomize does with an object: kyaml reads it, and its JSON becomes YAML.
func label(object *kyaml.RNode) (string, error) {
	for key, value := range map[string]string{"origin/name": "n", "origin/namespace": "ns"} {
		if err := object.PipeE(kyaml.SetLabel(key, value)); err != nil {
			return "", err
		}
	}
	text, err := object.MarshalJSON()
	if err != nil {
		return "", err
	}
	out, err := yaml.JSONToYAML(text)
	return string(out), err
}

func (labeller) Run(in *bytes.Buffer) (*bytes.Buffer, error) {
	objects, err := kio.FromBytes(in.Bytes())
	if err != nil {
		return nil, err
	}
	var texts []string
	for _, object := range objects {
		text, err := label(object)
		if err != nil {
			return nil, err
		}
		texts = append(texts, text)
	}
	return bytes.NewBufferString(strings.Join(texts, "---\n")), nil
}

func render(line []byte) reply {
	var r request
	if err := json.Unmarshal(line, &r); err != nil {
		return reply{Error: "request: " + err.Error()}
	}
	c := &chart.Chart{Metadata: &chart.Metadata{Name: "c", Version: "0.1.0", APIVersion: "v2"}}
	for name, text := range r.Templates {
		c.Templates = append(c.Templates, &common.File{Name: "templates/" + name, Data: []byte(text)})
	}
	sort.Slice(c.Templates, func(a, b int) bool { return c.Templates[a].Name < c.Templates[b].Name })
	install := action.NewInstall(action.NewConfiguration())
	install.ReleaseName, install.Namespace = "r", "n"
	install.DryRunStrategy, install.Replace = action.DryRunClient, true
	install.PostRenderer = labeller{}
	install.PostRenderStrategy = action.PostRenderStrategy(r.Strategy)
	result, err := install.Run(c, map[string]any{})
	if err != nil {
		return reply{Error: err.Error()}
	}
	made := result.(*release.Release)
	answer := reply{Objects: made.Manifest}
	for _, hook := range made.Hooks {
		answer.Hooks += fmt.Sprintf("---\n# Source: %s\n%s\n", hook.Path, hook.Manifest)
	}
	return answer
}

func main() {
	slog.SetDefault(slog.New(slog.DiscardHandler))
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	encoder := json.NewEncoder(os.Stdout)
	encoder.SetEscapeHTML(false)
	for {
		line, err := in.ReadBytes('\n')
		if len(line) > 1 {
			if err := encoder.Encode(render(line)); err != nil {
				panic(err)
			}
		}
		if err != nil {
			return
		}
	}
}
