// Prints what kstatus says of each object on stdin, one JSON text a line: the status, or "error".
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"github.com/fluxcd/pkg/runtime/statusreaders"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Flux reads Jobs by a rule of its own.
func compute(object *unstructured.Unstructured) string {
	if object.GetKind() == "Job" && object.GroupVersionKind().Group == "batch" {
		return string(statusreaders.ComputeJobStatus(object).Status)
	}
	result, err := status.Compute(object)
	if err != nil {
		return "error"
	}
	return string(result.Status)
}

func main() {
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 1<<24)
	for in.Scan() {
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
