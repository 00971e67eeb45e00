// threeway: how Helm's client-side apply changes an object. Reads a JSON object a line,
// {"original": OBJECT, "modified": OBJECT, "current": OBJECT}; answers with what the API server
// makes of the patch: {"result": OBJECT} or {"error": TEXT}. With -table it prints the fields of
// all types that are not merged as plain maps and atomic lists.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"sort"
	"strings"

	apiext "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
	"k8s.io/client-go/kubernetes/scheme"
)

type request struct {
	Original, Modified, Current json.RawMessage
}

type head struct {
	APIVersion, Kind string
}

func apply(r request) (json.RawMessage, error) {
	var h head
	if err := json.Unmarshal(r.Modified, &h); err != nil {
		return nil, err
	}
	object, err := scheme.Scheme.New(schema.FromAPIVersionAndKind(h.APIVersion, h.Kind))
	if err != nil {
		return nil, err
	}
	meta, err := strategicpatch.NewPatchMetaFromStruct(object)
	if err != nil {
		return nil, err
	}
	patch, err := strategicpatch.CreateThreeWayMergePatch(r.Original, r.Modified, r.Current, meta, true)
	if err != nil {
		return nil, err
	}
	return strategicpatch.StrategicMergePatchUsingLookupPatchMeta(r.Current, patch, meta)
}

func answer(line []byte) any {
	var r request
	err := json.Unmarshal(line, &r)
	if err == nil {
		var result json.RawMessage
		if result, err = apply(r); err == nil {
			return map[string]json.RawMessage{"result": result}
		}
	}
	return map[string]string{"error": err.Error()}
}

func walk(kind string, parent string, t reflect.Type, seen map[reflect.Type]bool, rows map[string]bool) {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice || t.Kind() == reflect.Map {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || seen[t] {
		return
	}
	seen[t] = true
	defer delete(seen, t)
	for i := range t.NumField() {
		field := t.Field(i)
		name := strings.Split(field.Tag.Get("json"), ",")[0]
		inner := name
		if name == "" {
			inner = parent
		}
		strategy, key := field.Tag.Get("patchStrategy"), field.Tag.Get("patchMergeKey")
		if strategy != "" {
			rows[fmt.Sprintf("%s/%s %s %s [%s]", parent, name, strategy, key, kind)] = true
		}
		walk(kind, inner, field.Type, seen, rows)
	}
}

func table() {
	rows := map[string]bool{}
	for gvk, t := range scheme.Scheme.AllKnownTypes() {
		walk(gvk.GroupVersion().String()+"/"+gvk.Kind, "", t, map[reflect.Type]bool{}, rows)
	}
	var list []string
	for row := range rows {
		list = append(list, row)
	}
	sort.Strings(list)
	fmt.Println(strings.Join(list, "\n"))
}

func main() {
	if err := apiext.AddToScheme(scheme.Scheme); err != nil {
		panic(err)
	}
	if len(os.Args) > 1 {
		table()
		return
	}
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
