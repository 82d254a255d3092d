//go:build sabotage

package worker

import "github.com/penstock/penstock/internal/sabotage"

// breakRule breaks a rule of the router.
func breakRule(name string) error {
	if name == "" {
		return nil
	}
	return sabotage.Break(name)
}
