// semver: versions and constraints as Masterminds/semver reads them. Reads a JSON object a line,
// {"constraint": TEXT, "versions": [TEXT...]}; answers {"bad": true} for a constraint that is none, or
// {"versions": [...]}, for each version "bad", "no" or "yes"; and {"order": [...]}, the indices of the good
// ones from low to high, equal ones in the order in which they came.
package main

import (
	"bufio"
	"encoding/json"
	"os"
	"sort"

	"github.com/Masterminds/semver/v3"
)

type request struct {
	Constraint string   `json:"constraint"`
	Versions   []string `json:"versions"`
}

type reply struct {
	Bad      bool     `json:"bad"`
	Versions []string `json:"versions"`
	Order    []int    `json:"order"`
}

func verdict(c *semver.Constraints, v *semver.Version) string {
	if c != nil && c.Check(v) {
		return "yes"
	}
	return "no"
}

func answer(r request) reply {
	c, err := semver.NewConstraint(r.Constraint)
	out := reply{Bad: err != nil, Versions: []string{}, Order: []int{}}
	parsed := make([]*semver.Version, len(r.Versions))
	for i, text := range r.Versions {
		v, err := semver.NewVersion(text)
		if err != nil {
			out.Versions = append(out.Versions, "bad")
			continue
		}
		parsed[i] = v
		out.Order = append(out.Order, i)
		out.Versions = append(out.Versions, verdict(c, v))
	}
	sort.SliceStable(out.Order, func(a, b int) bool {
		return parsed[out.Order[a]].LessThan(parsed[out.Order[b]])
	})
	return out
}

func main() {
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := bufio.NewWriter(os.Stdout)
	encoder := json.NewEncoder(out)
	for {
		line, err := in.ReadBytes('\n')
		if len(line) > 1 {
			var r request
			if err := json.Unmarshal(line, &r); err != nil {
				panic(err)
			}
			if err := encoder.Encode(answer(r)); err != nil {
				panic(err)
			}
			out.Flush()
		}
		if err != nil {
			return
		}
	}
}
