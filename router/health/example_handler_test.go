package health_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/penstock/penstock/router"
	"github.com/penstock/penstock/router/health"
)

// reported stands for a *router.Router.
type reported struct{}

func (reported) Status() router.Status {
	return router.Status{
		Life: router.Life{State: router.StateRunning},
		Stages: []router.StageStatus{{
			Stats: router.Stats{Stage: "orders.price"},
			Life:  router.Life{State: router.StateStarting},
		}},
	}
}

// The health of a router beside the other pages of a program.
func Example() {
	mux := http.NewServeMux()
	mux.Handle("/stages/", http.StripPrefix("/stages", health.Handler(reported{})))

	for _, path := range []string{"/stages/healthz", "/stages/readyz"} {
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, http.NoBody))
		fmt.Println(path, w.Code)
	}
	// Output:
	// /stages/healthz 200
	// /stages/readyz 503
}
