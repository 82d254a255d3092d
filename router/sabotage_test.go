//go:build sabotage

package router_test

import (
	"os"

	"github.com/penstock/penstock/internal/sabotage"
)

// Each rule that PENSTOCK_BREAK can name is one without which a test of this
// package fails:
//
//	PENSTOCK_BREAK=epochs go test -tags sabotage -run Zombie .
func init() { //nolint:gochecknoinits // before any test
	if name := os.Getenv("PENSTOCK_BREAK"); name != "" {
		if err := sabotage.Break(name); err != nil {
			panic(err)
		}
	}
}
