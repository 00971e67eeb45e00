// kustomize-builds: real builds of many directories in one process, so that thousands of random
// trees can be compared within a test run. Reads a directory a line; answers each with
// "OK LENGTH\n" or "ERROR LENGTH\n" and that many bytes.
package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"

	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

// A panic is a failure of that build like any other.
func build(dir string) (text []byte, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("panic: %v", cause)
		}
	}()
	options := krusty.MakeDefaultOptions()
	options.Reorder = krusty.ReorderOptionNone
	objects, err := krusty.MakeKustomizer(options).Run(filesys.MakeFsOnDisk(), dir)
	if err != nil {
		return nil, err
	}
	text, err = objects.AsYaml()
	// The library knows no version of its own; the program does.
	return bytes.ReplaceAll(text, []byte("kustomize-(devel)"), []byte("kustomize-v5.8.1")), err
}

func main() {
	in := bufio.NewScanner(os.Stdin)
	out := bufio.NewWriter(os.Stdout)
	for in.Scan() {
		text, err := build(in.Text())
		word := "OK"
		if err != nil {
			word, text = "ERROR", []byte(err.Error())
		}
		fmt.Fprintf(out, "%s %d\n%s", word, len(text), text)
		out.Flush()
	}
}
