//go:build sabotage

package sabotage

import "fmt"

var broken [rules]bool

// Broken tells whether a rule is broken.
func Broken(r Rule) bool { return broken[r] }

// Break breaks the rule of this name, before anything runs.
func Break(name string) error {
	for r := range rules {
		if r.String() == name {
			broken[r] = true
			return nil
		}
	}
	return fmt.Errorf("there is no rule %q", name)
}
