package sources_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/sources"
)

// Only those who have a token may put something. While it is changed there are
// two: the old one and the new one.
func ExampleBearer() {
	p := pipeline.New("shop")
	pipeline.Source(p, "parcels", sources.HTTP[string]("POST /parcels", sources.Bearer("old-token", "new-token")), pipeline.Open())
	handler, stop := served(p) // a router does that
	defer stop()

	for i, token := range []string{"guessed", "old-token", "new-token"} {
		r := httptest.NewRequest(http.MethodPost, "/parcels", strings.NewReader(`"a book"`))
		r.Header.Set("Authorization", "Bearer "+token)
		r.Header.Set("Idempotency-Key", fmt.Sprintf("parcel-%d", i))
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		fmt.Println(token, w.Code)
	}
	// Output:
	// guessed 401
	// stored parcel-1 "a book"
	// old-token 202
	// stored parcel-2 "a book"
	// new-token 202
}
