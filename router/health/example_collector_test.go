package health_test

import (
	"fmt"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/penstock/penstock/router/health"
)

// The metrics of a router among a program's own.
func ExampleNewCollector() {
	registry := prometheus.NewRegistry()
	registry.MustRegister(health.NewCollector(reported{}))
	families, err := registry.Gather()
	fmt.Println(err)
	stages := 0
	for _, f := range families {
		if strings.HasPrefix(f.GetName(), "penstock_stage_") {
			stages++
		}
	}
	fmt.Println("metrics of stages:", stages > 0)
	// Output:
	// <nil>
	// metrics of stages: true
}
