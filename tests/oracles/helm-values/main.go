// helm-values: the values of a HelmRelease as the library of upstream's controller composes them.
// Reads a JSON object a line: {"values": {...}, "valuesFrom": [reference, ...], "objects":
// {NAME: {KEY: TEXT}}}; answers {"values": {...}} or {"error": TEXT}.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/fluxcd/pkg/apis/meta"
	"github.com/fluxcd/pkg/chartutil"
	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

type request struct {
	Values     map[string]any               `json:"values"`
	ValuesFrom []meta.ValuesReference       `json:"valuesFrom"`
	Objects    map[string]map[string]string `json:"objects"`
}

// cluster answers from a request's objects, as ConfigMaps.
type cluster struct {
	client.Client
	objects map[string]map[string]string
}

func (c cluster) Get(_ context.Context, key client.ObjectKey, out client.Object, _ ...client.GetOption) error {
	data, found := c.objects[key.Name]
	config, is := out.(*corev1.ConfigMap)
	if !found || !is {
		return errors.New("unexpected object")
	}
	config.Data = data
	return nil
}

func compose(r request) (map[string]any, error) {
	return chartutil.ChartValuesFromReferences(context.Background(), logr.Discard(),
		cluster{objects: r.Objects}, "ns", r.Values, r.ValuesFrom...)
}

func answer(line []byte) any {
	var r request
	if err := json.Unmarshal(line, &r); err != nil {
		return map[string]any{"error": fmt.Sprintf("bad request: %v", err)}
	}
	values, err := compose(r)
	if err != nil {
		return map[string]any{"error": err.Error()}
	}
	return map[string]any{"values": values}
}

func main() {
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := json.NewEncoder(os.Stdout)
	for {
		line, err := in.ReadBytes('\n')
		if err != nil {
			return
		}
		if out.Encode(answer(line)) != nil {
			return
		}
	}
}
