// Prints what kstatus says of each object on stdin, one JSON text a line, or of {"object": ...,
// "pods": [...]} by its readers in a cluster of these pods: the status, or "error"; or of {"object":
// ..., "exprs": {...}} by these expressions: the status, "Unknown" where one cannot be evaluated,
// "invalid" where one cannot be read.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/fluxcd/cli-utils/pkg/kstatus/polling/statusreaders"
	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"github.com/fluxcd/pkg/apis/kustomize"
	"github.com/fluxcd/pkg/runtime/cel"
	fluxreaders "github.com/fluxcd/pkg/runtime/statusreaders"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Flux reads Jobs by a rule of its own.
func compute(object *unstructured.Unstructured) string {
	if object.GetKind() == "Job" && object.GroupVersionKind().Group == "batch" {
		return string(fluxreaders.ComputeJobStatus(object).Status)
	}
	result, err := status.Compute(object)
	if err != nil {
		return "error"
	}
	return string(result.Status)
}

// A cluster of pods.
type pods []unstructured.Unstructured

func (p pods) Get(context.Context, client.ObjectKey, *unstructured.Unstructured) error {
	return nil
}

func (p pods) ListNamespaceScoped(_ context.Context, list *unstructured.UnstructuredList, _ string,
	selector labels.Selector) error {
	for _, pod := range p {
		if list.GetKind() == "Pod" && selector.Matches(labels.Set(pod.GetLabels())) {
			list.Items = append(list.Items, pod)
		}
	}
	return nil
}

func (p pods) ListClusterScoped(context.Context, *unstructured.UnstructuredList, labels.Selector) error {
	return nil
}

func (p pods) Sync(context.Context) error {
	return nil
}

// By the reader that a controller uses for the kind.
func computeIn(cluster pods, object *unstructured.Unstructured) string {
	core, apps := schema.GroupVersion{Version: "v1"}, schema.GroupVersion{Group: "apps", Version: "v1"}
	mapper := meta.NewDefaultRESTMapper([]schema.GroupVersion{core, apps})
	mapper.Add(core.WithKind("Pod"), meta.RESTScopeNamespace)
	mapper.Add(apps.WithKind("ReplicaSet"), meta.RESTScopeNamespace)
	reader := statusreaders.NewStatusReader(mapper, fluxreaders.NewCustomJobStatusReader(mapper))
	result, err := reader.ReadStatusForObject(context.Background(), cluster, object)
	if err != nil {
		return "error"
	}
	return string(result.Status)
}

func computeBy(exprs *kustomize.HealthCheckExpressions, object *unstructured.Unstructured) string {
	evaluator, err := cel.NewStatusEvaluator(exprs)
	if err != nil {
		return "invalid"
	}
	result, err := evaluator.Evaluate(context.Background(), object)
	if err != nil {
		return string(status.UnknownStatus)
	}
	return string(result.Status)
}

type whole struct {
	Object *unstructured.Unstructured
	Pods   pods
	Exprs  *kustomize.HealthCheckExpressions
}

func (w whole) compute() string {
	if w.Exprs != nil {
		return computeBy(w.Exprs, w.Object)
	}
	return computeIn(w.Pods, w.Object)
}

func main() {
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 1<<24)
	for in.Scan() {
		var line whole
		if json.Unmarshal(in.Bytes(), &line) == nil && line.Object != nil {
			fmt.Println(line.compute())
			continue
		}
		object := &unstructured.Unstructured{}
		// As the client does: whole numbers are int64.
		if err := object.UnmarshalJSON(in.Bytes()); err != nil {
			var tree map[string]any
			if json.Unmarshal(in.Bytes(), &tree) != nil {
				fmt.Println("error")
				continue
			}
			object.Object = tree
		}
		fmt.Println(compute(object))
	}
}
