package pipeline_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/penstock/penstock/pipeline"
)

// button is a source that is pressed over HTTP.
type button struct {
	pressed chan string
}

func (button) Route() string { return "POST /press/{item}" }

func (b button) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.pressed <- r.PathValue("item")
	w.WriteHeader(http.StatusAccepted)
}

func (b button) Source(ctx context.Context, emit pipeline.Emit[Line]) error {
	for {
		select {
		case item := <-b.pressed:
			if err := emit(ctx, pipeline.Trigger[Line]{Body: Line{Item: item}}); err != nil {
				return err
			}
		case <-ctx.Done():
			return nil
		}
	}
}

// A source that is served shares one listener with all others: what runs the
// pipeline routes requests to it. One for every day is sources.HTTP.
func ExampleServedSource() {
	p := pipeline.New("shop")
	pipeline.Source(p, "button", button{make(chan string)}, pipeline.Open())
	graph, err := p.Build()
	if err != nil {
		fmt.Println(err)
		return
	}
	source := graph.Sources[0]

	// A router does this.
	ctx, stop := context.WithCancel(context.Background())
	stopped := make(chan error, 1)
	go func() {
		stopped <- source.Run(ctx, func(_ context.Context, ts ...pipeline.RawTrigger) error {
			fmt.Printf("stored %s\n", ts[0].Value)
			stop()
			return nil
		})
	}()
	mux := http.NewServeMux()
	mux.Handle(source.Route, source.Handler)
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/press/pen", http.NoBody))
	fmt.Println(<-stopped, w.Code)
	// Output:
	// stored {"Customer":"","Item":"pen","Cents":0}
	// <nil> 202
}
