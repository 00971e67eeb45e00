// Evaluates CEL as Kubernetes 1.34 and as Flux do: reads one JSON case a line and prints one JSON
// answer a line. With the argument "functions" it prints the function table of both environments.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"sort"
	"strings"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
	"github.com/google/cel-go/ext"
	"k8s.io/apimachinery/pkg/util/version"
	"k8s.io/apiserver/pkg/cel/environment"
)

type testCase struct {
	Env       string         `json:"env"` // kube or flux
	Expr      string         `json:"expr"`
	Vars      map[string]any `json:"vars"`
	ParseOnly bool           `json:"parseOnly"`
}

type answer struct {
	Compile string  `json:"compile,omitempty"`
	Error   string  `json:"error,omitempty"`
	Type    string  `json:"type,omitempty"`
	Value   *string `json:"value,omitempty"`
	Cost    uint64  `json:"cost,omitempty"`
	Panic   string  `json:"panic,omitempty"`
}

func environmentOf(name string, vars map[string]any) (*cel.Env, []cel.ProgramOption, error) {
	var opts []cel.EnvOption
	for key := range vars {
		opts = append(opts, cel.Variable(key, cel.DynType))
	}
	if name == "flux" {
		opts = append(opts, ext.Strings(), ext.Sets(), ext.Encoders(), cel.OptionalTypes(),
			cel.HomogeneousAggregateLiterals(), cel.EagerlyValidateDeclarations(true),
			cel.DefaultUTCTimeZone(true), cel.CrossTypeNumericComparisons(true))
		env, err := cel.NewEnv(opts...)
		return env, []cel.ProgramOption{cel.EvalOptions(cel.OptOptimize)}, err
	}
	set := environment.MustBaseEnvSet(version.MajorMinor(1, 34), true)
	extended, err := set.Extend(environment.VersionedOptions{
		IntroducedVersion: version.MajorMinor(1, 0), EnvOptions: opts})
	if err != nil {
		return nil, nil, err
	}
	return extended.StoredExpressionsEnv(), nil, nil
}

// Text that tells type and value apart: the map's keys are sorted by their text.
func show(val ref.Val) string {
	switch v := val.(type) {
	case types.String:
		text, _ := json.Marshal(string(v))
		return string(text)
	case types.Bytes:
		return fmt.Sprintf("b%x", []byte(v))
	case types.Uint:
		return fmt.Sprintf("%du", uint64(v))
	case types.Double:
		return fmt.Sprintf("double(%s)", strings.TrimSuffix(fmt.Sprintf("%.17g", float64(v)), ".0"))
	case types.Timestamp:
		return "timestamp(" + v.Time.UTC().Format("2006-01-02T15:04:05.999999999Z") + ")"
	case types.Duration:
		return fmt.Sprintf("duration(%d)", v.Duration.Nanoseconds())
	case types.Null:
		return "null"
	case *types.Optional:
		if v.HasValue() {
			return "optional(" + show(v.GetValue()) + ")"
		}
		return "optional.none"
	case *types.Type:
		return "type(" + v.TypeName() + ")"
	case traits.Mapper:
		var parts []string
		for it := v.Iterator(); it.HasNext() == types.True; {
			key := it.Next()
			parts = append(parts, show(key)+":"+show(v.Get(key)))
		}
		sort.Strings(parts)
		return "{" + strings.Join(parts, ",") + "}"
	case traits.Lister:
		var parts []string
		for it := v.Iterator(); it.HasNext() == types.True; {
			parts = append(parts, show(it.Next()))
		}
		return "[" + strings.Join(parts, ",") + "]"
	}
	switch val.Type().TypeName() {
	case "int", "bool":
		return fmt.Sprintf("%v", val.Value())
	}
	return val.Type().TypeName() + "(" + fmt.Sprintf("%v", val.Value()) + ")"
}

// JSON numbers as Kubernetes reads them: integers are int64.
func numbers(value any) any {
	switch v := value.(type) {
	case json.Number:
		if i, err := v.Int64(); err == nil {
			return i
		}
		f, _ := v.Float64()
		return f
	case map[string]any:
		for key := range v {
			v[key] = numbers(v[key])
		}
	case []any:
		for i := range v {
			v[i] = numbers(v[i])
		}
	}
	return value
}

func evaluate(c testCase) (out answer) {
	defer func() {
		if p := recover(); p != nil {
			out = answer{Panic: fmt.Sprint(p)}
		}
	}()
	env, opts, err := environmentOf(c.Env, c.Vars)
	if err != nil {
		return answer{Compile: "environment: " + err.Error()}
	}
	var ast *cel.Ast
	var issues *cel.Issues
	if c.ParseOnly {
		ast, issues = env.Parse(c.Expr)
	} else {
		ast, issues = env.Compile(c.Expr)
	}
	if issues.Err() != nil {
		return answer{Compile: issues.Err().Error()}
	}
	if !c.ParseOnly {
		out.Type = ast.OutputType().String()
	}
	program, err := env.Program(ast, opts...)
	if err != nil {
		return answer{Compile: "program: " + err.Error()}
	}
	vars := c.Vars
	if vars == nil {
		vars = map[string]any{}
	}
	val, details, err := program.Eval(numbers(vars))
	if details != nil && details.ActualCost() != nil {
		out.Cost = *details.ActualCost()
	}
	if err != nil {
		out.Error = err.Error()
		return out
	}
	text := show(val)
	out.Value = &text
	return out
}

func functions() {
	for _, name := range []string{"kube", "flux"} {
		env, _, err := environmentOf(name, nil)
		if err != nil {
			panic(err)
		}
		for fn, decl := range env.Functions() {
			for _, overload := range decl.OverloadDecls() {
				var args []string
				for _, arg := range overload.ArgTypes() {
					args = append(args, arg.String())
				}
				fmt.Printf("%s %s %s member=%v (%s) -> %s\n", name, fn, overload.ID(),
					overload.IsMemberFunction(), strings.Join(args, ", "), overload.ResultType())
			}
		}
		for _, variable := range env.Variables() {
			fmt.Printf("%s VAR %s %s\n", name, variable.Name(), variable.Type())
		}
	}
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == "functions" {
		functions()
		return
	}
	in := bufio.NewReader(os.Stdin)
	out := bufio.NewWriter(os.Stdout)
	for {
		line, err := in.ReadBytes('\n')
		if len(line) == 0 && err != nil {
			return
		}
		var c testCase
		decoder := json.NewDecoder(strings.NewReader(string(line)))
		decoder.UseNumber()
		if err := decoder.Decode(&c); err != nil {
			panic(err)
		}
		text, _ := json.Marshal(evaluate(c))
		out.Write(text)
		out.WriteByte('\n')
		out.Flush()
	}
}
