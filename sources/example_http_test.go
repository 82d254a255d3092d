package sources_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/sources"
)

type Purchase struct {
	Customer string `json:"customer"`
	Amount   int    `json:"amount"`
}

// Purchases come over HTTP. A client is told that its purchase is accepted only
// when it is stored; one that is sent twice under one key is the same job.
func ExampleHTTP() {
	p := pipeline.New("shop")
	pipeline.Source(p, "purchases", sources.HTTP[Purchase]("POST /purchases", sources.MaxBody(64<<10)),
		pipeline.Key(func(p Purchase) string { return p.Customer }),
		pipeline.Open())
	graph, err := p.Build()
	if err != nil {
		fmt.Println(err)
		return
	}

	// A router listens, and runs the source like this.
	source := graph.Sources[0]
	ctx, stop := context.WithCancel(context.Background())
	stopped := make(chan error, 1)
	go func() {
		stopped <- source.Run(ctx, func(_ context.Context, ts ...pipeline.RawTrigger) error {
			fmt.Println("stored", ts[0].ID, ts[0].Key, string(ts[0].Value))
			return nil
		})
	}()
	post := func(key, body string) *httptest.ResponseRecorder {
		for {
			r := httptest.NewRequest(http.MethodPost, "/purchases", strings.NewReader(body))
			r.Header.Set("Idempotency-Key", key)
			w := httptest.NewRecorder()
			source.Handler.ServeHTTP(w, r)
			if w.Code != http.StatusServiceUnavailable { // it starts
				return w
			}
		}
	}
	for _, body := range []string{`{"customer":"ann","amount":3}`, `{"customer":"ann","amount":"three"}`} {
		w := post("purchase-7", body)
		fmt.Println(w.Code, strings.TrimSpace(w.Body.String()))
	}
	stop()
	fmt.Println(<-stopped)
	// Output:
	// stored purchase-7 ann {"customer":"ann","amount":3}
	// 202 {"id":"purchase-7"}
	// 400 {"title":"Bad Request","status":400,"detail":"the JSON type of field amount, string, is not the one that is expected","field":"amount"}
	// <nil>
}
