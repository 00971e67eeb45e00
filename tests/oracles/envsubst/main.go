// Expands ${...} as Flux does: reads one JSON case a line and prints one JSON answer a line.
package main

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"

	"github.com/fluxcd/pkg/envsubst"
)

type testCase struct {
	Text   string            `json:"text"`
	Vars   map[string]string `json:"vars"`
	Strict bool              `json:"strict"`
}

type answer struct {
	Value *string `json:"value,omitempty"` // in base64: a slice may cut a character
	Error string  `json:"error,omitempty"`
}

// What panics ends one reconcile, as an error does.
func expand(asked testCase) (told answer) {
	defer func() {
		if reason := recover(); reason != nil {
			told = answer{Error: fmt.Sprint(reason)}
		}
	}()
	value, err := envsubst.Eval(asked.Text, func(name string) (string, bool) {
		value, exists := asked.Vars[name]
		return value, exists || !asked.Strict
	})
	if err != nil {
		return answer{Error: err.Error()}
	}
	encoded := base64.StdEncoding.EncodeToString([]byte(value))
	return answer{Value: &encoded}
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<24)
	out := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		var asked testCase
		if err := json.Unmarshal(lines.Bytes(), &asked); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		if err := out.Encode(expand(asked)); err != nil {
			os.Exit(1)
		}
	}
}
