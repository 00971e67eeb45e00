// helm-digest: what Go's encoders make of a release and of values, for the digests by which
// helm-controller knows them again. Reads a JSON object a line: {"record": a release's JSON,
// "ociDigest": TEXT} or {"values": {...}}; answers {"text": TEXT, "digest": "sha256:..."}.
package main

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"sort"

	goyaml "go.yaml.in/yaml/v2"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	release "helm.sh/helm/v4/pkg/release/v1"
	"sigs.k8s.io/yaml"
)

type request struct {
	Record    json.RawMessage `json:"record"`
	OCIDigest string          `json:"ociDigest"`
	Values    map[string]any  `json:"values"`
}

type observed struct {
	Name          string         `json:"name"`
	Version       int            `json:"version"`
	Info          release.Info   `json:"info"`
	ChartMetadata chart.Metadata `json:"chartMetadata"`
	Config        map[string]any `json:"config"`
	Manifest      string         `json:"manifest"`
	Hooks         []release.Hook `json:"hooks"`
	Namespace     string         `json:"namespace"`
	OCIDigest     string         `json:"ociDigest,omitempty"`
}

func observe(r request) ([]byte, error) {
	var rel release.Release
	if err := json.Unmarshal(r.Record, &rel); err != nil {
		return nil, err
	}
	o := observed{Name: rel.Name, Version: rel.Version, Manifest: rel.Manifest,
		Namespace: rel.Namespace, OCIDigest: r.OCIDigest}
	if rel.Info != nil {
		o.Info = *rel.Info
	}
	if rel.Chart != nil && rel.Chart.Metadata != nil {
		o.ChartMetadata = *rel.Chart.Metadata
	}
	if len(rel.Config) > 0 {
		o.Config = rel.Config
	}
	for _, hook := range rel.Hooks {
		if !slices.Contains(hook.Events, release.HookTest) {
			o.Hooks = append(o.Hooks, *hook)
		}
	}
	var out bytes.Buffer
	err := json.NewEncoder(&out).Encode(o)
	return out.Bytes(), err
}

func order(value any) {
	switch value := value.(type) {
	case goyaml.MapSlice:
		sort.Slice(value, func(a, b int) bool {
			return value[a].Key.(string) < value[b].Key.(string)
		})
		for _, item := range value {
			order(item.Value)
		}
	case []any:
		for _, item := range value {
			order(item)
		}
	}
}

func values(from map[string]any) ([]byte, error) {
	if len(from) == 0 {
		return nil, nil
	}
	var out bytes.Buffer
	tree := yaml.JSONObjectToYAMLObject(from)
	order(tree)
	err := goyaml.NewEncoder(&out).Encode(tree)
	return out.Bytes(), err
}

func answer(line []byte) map[string]string {
	var r request
	if err := json.Unmarshal(line, &r); err != nil {
		return map[string]string{"error": err.Error()}
	}
	var text []byte
	var err error
	if r.Record != nil {
		text, err = observe(r)
	} else {
		text, err = values(r.Values)
	}
	if err != nil {
		return map[string]string{"error": err.Error()}
	}
	return map[string]string{"text": string(text),
		"digest": fmt.Sprintf("sha256:%x", sha256.Sum256(text))}
}

func main() {
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := json.NewEncoder(os.Stdout)
	for {
		line, err := in.ReadBytes('\n')
		if len(line) > 1 {
			out.Encode(answer(line))
		}
		if err != nil {
			return
		}
	}
}
