package sources_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/sources"
)

// A field that is misspelt is told to who sent it, not passed over.
func ExampleStrict() {
	p := pipeline.New("shop")
	pipeline.Source(p, "purchases", sources.HTTP[Purchase]("POST /purchases", sources.Strict()), pipeline.Open())
	handler, stop := served(p) // a router does that
	defer stop()

	w := httptest.NewRecorder()
	handler.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/purchases", strings.NewReader(`{"customer":"ann","amuont":3}`)))
	fmt.Println(w.Code, strings.TrimSpace(w.Body.String()))
	// Output:
	// 400 {"title":"Bad Request","status":400,"detail":"field \"amuont\" is unknown","field":"amuont"}
}
