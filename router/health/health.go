// Package health shows over HTTP how the stages and sources of a process are,
// for what watches processes: [Handler] answers at /healthz, /readyz and
// /metrics, and a [Server] serves that. [NewCollector] gives the metrics to a
// program that has a registry of its own.
package health

import (
	"encoding/json"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/penstock/penstock/router"
)

// Reporter tells how a router is. A *router.Router is one. It is called from many
// goroutines.
type Reporter interface {
	Status() router.Status
}

// Handler answers with the health of a router:
//
//   - /healthz: 200 while the process does its work, 503 when an attempt has been
//     under way for too long: then it is to be restarted. A stage that fails and
//     is begun again does not make it so, nor does an open breaker.
//   - /readyz: 200 when all stages work, 503 while one is starting, restarting or
//     stopping, or a partition is being taken over.
//   - /metrics: the metrics of the stages and sources, of Go and of the process,
//     as Prometheus reads them.
//
// The first two say why, as JSON: a [Report].
func Handler(r Reporter) http.Handler {
	registry := prometheus.NewRegistry()
	registry.MustRegister(NewCollector(r), collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { answer(w, alive(r.Status())) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) { answer(w, ready(r.Status())) })
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{MaxRequestsInFlight: maxScrapes}))
	return mux
}

// maxScrapes bounds what is asked for at once.
const maxScrapes = 4

func answer(w http.ResponseWriter, report Report) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	if !report.OK {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	_ = enc.Encode(report) //nolint:errchkjson // an error is the connection's: nobody is there to be told
}
