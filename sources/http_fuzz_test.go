package sources_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/penstock/penstock/schemas"
	"github.com/penstock/penstock/sources"
)

// Whatever comes, the answer is one of those that are documented, and what is
// accepted is one trigger that a stage can read.
func FuzzHTTP(f *testing.F) {
	f.Add(`{"customer":"ann","lines":[{"sku":"pen","amount":2}]}`, "application/json", "a-1", "", "2026-11-22T21:20:00Z", "1")
	f.Add(`{"lines":[{"amount":1e400}]}`, "", "", `x`, "", "")
	f.Add(`{} {}`, "text/plain", `"`, "\x00", "0000-00-00T00:00:00Z", "-9223372036854775808")
	f.Add("{\"customer\":\"\xff\"}", "application/x+json;a=b", `""`, "", "9999-12-31T23:59:59-23:59", "9223372036854775808")
	var s store
	h, _ := accepting[order](f, &s, sources.MaxBody(1<<10))
	f.Fuzz(func(t *testing.T, body, contentType, key, event, at, sequence string) {
		r := httptest.NewRequest(http.MethodPost, "/orders", strings.NewReader(body))
		for name, v := range map[string]string{
			"Content-Type": contentType, "Idempotency-Key": key, "Ce-Id": event, "Ce-Time": at, "Ce-Sequence": sequence,
		} {
			r.Header.Set(name, v)
		}
		w := httptest.NewRecorder()
		s.mu.Lock()
		s.got = nil
		s.mu.Unlock()
		h.ServeHTTP(w, r)
		s.mu.Lock()
		got := s.got
		s.mu.Unlock()
		var a answer
		if err := json.Unmarshal(w.Body.Bytes(), &a); err != nil {
			t.Fatalf("the answer is no JSON: %v: %q", err, w.Body)
		}
		switch w.Code {
		case http.StatusAccepted:
			if len(got) != 1 || a.ID == "" || got[0].ID != a.ID {
				t.Fatalf("accepted as %q, stored: %+v", a.ID, got)
			}
			env := got[0].Envelope("shop.placed")
			headers, _ := schemas.AppendHeaders([]kafkaHeader(nil), nil, &env)
			var read schemas.Envelope
			if _, err := schemas.ReadEnvelope(&read, nil, got[0].Value, headers, nil); err != nil || read.ID != a.ID {
				t.Fatalf("a stage cannot read it: %v", err)
			}
			var o order
			if err := json.Unmarshal(got[0].Value, &o); err != nil {
				t.Fatal(err)
			}
		case http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity:
			if len(got) != 0 || a.Status != w.Code || a.Detail == "" {
				t.Fatalf("refused with %+v, stored: %+v", a, got)
			}
		default:
			t.Fatalf("answered %d", w.Code)
		}
	})
}

type kafkaHeader struct{ Key, Value []byte }
