package sources_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/sources"
)

// What comes from outside is bounded: the size of a body, the time of a request,
// and how many there are at once.
func ExampleMaxBody() {
	p := pipeline.New("guests")
	pipeline.Source(p, "notes", sources.HTTP[string]("POST /notes",
		sources.MaxBody(20), sources.MaxRequests(100), sources.RequestTimeout(5*time.Second)), pipeline.Open())
	handler, stop := served(p) // a router does that
	defer stop()

	for _, body := range []string{`"a short one"`, `"one that is much too long"`} {
		r := httptest.NewRequest(http.MethodPost, "/notes", strings.NewReader(body))
		r.Header.Set("Idempotency-Key", "note-1")
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		fmt.Println(w.Code, strings.TrimSpace(w.Body.String()))
	}
	// Output:
	// stored note-1 "a short one"
	// 202 {"id":"note-1"}
	// 413 {"title":"Request Entity Too Large","status":413,"detail":"the body has more than 20 bytes"}
}
