// gotmpl: Helm's own engine on many small charts in one process, so that thousands of templates can
// be compared within a test run. Reads a JSON object a line, {"templates": {NAME: TEXT}, "values":
// {...}, "files": {NAME: TEXT}}; answers each with {"out": {NAME: TEXT}} or {"error": TEXT}.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"sort"

	"helm.sh/helm/v4/pkg/chart/common"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/engine"
)

type request struct {
	Templates map[string]string `json:"templates"`
	Files     map[string]string `json:"files"`
	Values    map[string]any    `json:"values"`
	Strict    bool              `json:"strict"`
}

type reply struct {
	Out   map[string]string `json:"out,omitempty"`
	Error string            `json:"error,omitempty"`
}

func files(from map[string]string, prefix string) []*common.File {
	var list []*common.File
	for name, text := range from {
		list = append(list, &common.File{Name: prefix + name, Data: []byte(text)})
	}
	sort.Slice(list, func(a, b int) bool { return list[a].Name < list[b].Name })
	return list
}

func render(line []byte) (answer reply) {
	defer func() {
		if cause := recover(); cause != nil {
			answer = reply{Error: fmt.Sprintf("panic: %v", cause)}
		}
	}()
	var r request
	if err := json.Unmarshal(line, &r); err != nil {
		return reply{Error: "request: " + err.Error()}
	}
	c := &chart.Chart{
		Metadata:  &chart.Metadata{Name: "c", Version: "0.1.0", APIVersion: "v2"},
		Templates: files(r.Templates, "templates/"),
		Files:     files(r.Files, ""),
	}
	if r.Values == nil {
		r.Values = map[string]any{}
	}
	values := common.Values{
		"Values":       common.Values(r.Values),
		"Capabilities": common.DefaultCapabilities,
		"Release": map[string]any{"Name": "r", "Namespace": "n", "Revision": 1,
			"IsInstall": true, "IsUpgrade": false, "Service": "Helm"},
	}
	out, err := engine.Engine{Strict: r.Strict}.Render(c, values)
	if err != nil {
		return reply{Error: err.Error()}
	}
	return reply{Out: out}
}

func main() {
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := bufio.NewWriter(os.Stdout)
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	for {
		line, err := in.ReadBytes('\n')
		if len(line) > 1 {
			if err := encoder.Encode(render(line)); err != nil {
				panic(err)
			}
			out.Flush()
		}
		if err != nil {
			return
		}
	}
}
