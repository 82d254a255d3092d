package sources_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/penstock/penstock/pipeline"
)

// served runs the source of a pipeline as a router does, until it is stopped, and
// tells what it would store.
func served(p *pipeline.Pipeline) (handler http.Handler, stop func()) {
	graph, err := p.Build()
	if err != nil {
		panic(err)
	}
	source := graph.Sources[0]
	ctx, cancel := context.WithCancel(context.Background())
	stopped := make(chan error, 1)
	go func() {
		stopped <- source.Run(ctx, func(_ context.Context, ts ...pipeline.RawTrigger) error {
			for i := range ts {
				fmt.Println("stored", ts[i].ID, string(ts[i].Value))
			}
			return nil
		})
	}()
	for { // until it lets requests in; this one it refuses then
		w := httptest.NewRecorder()
		source.Handler.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/", http.NoBody))
		if w.Code != http.StatusServiceUnavailable {
			return source.Handler, func() {
				cancel()
				if err := <-stopped; err != nil {
					fmt.Println(err)
				}
			}
		}
	}
}
