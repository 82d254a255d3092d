package pipelinetest_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/penstock/penstock/filters"
	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/pipelinetest"
	"github.com/penstock/penstock/sources"
)

// A test that begins where a client does, with a request.
func ExampleDriver_Handler() {
	p := pipeline.New("greet")
	names := pipeline.Source(p, "names", sources.HTTP[string]("POST /names"))
	pipeline.Stage(names, "greetings", filters.Map(func(_ context.Context, name string) (string, error) {
		return "Hello, " + name, nil
	}), pipeline.Open())

	t := &tb{} // a test function is given one
	defer t.end()
	d := pipelinetest.New(t, p)
	w := httptest.NewRecorder()
	d.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/names", strings.NewReader(`"Ada"`)))
	fmt.Println(w.Code, pipelinetest.Values[string](d, "greetings"))
	// Output: 202 [Hello, Ada]
}
