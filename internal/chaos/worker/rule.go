//go:build !sabotage

package worker

import "fmt"

// breakRule breaks a rule of the router, which this program cannot.
func breakRule(name string) error {
	if name != "" {
		return fmt.Errorf("%s is %q, and only a worker that is built with the tag sabotage can break a rule", RuleVariable, name)
	}
	return nil
}
