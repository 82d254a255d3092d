package sources_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"time"

	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/sources"
)

// Another service calls when something has happened, and signs what it says. The
// id that it signs is the trigger's, so that a call that is repeated is the same
// job.
func ExampleSigned() {
	const secret = "what both of them know"
	p := pipeline.New("shop")
	pipeline.Source(p, "paid", sources.HTTP[string]("POST /paid", sources.Signed(secret)), pipeline.Open())
	handler, stop := served(p) // a router does that
	defer stop()

	// The other side, in the way of Standard Webhooks.
	call := func(body, signed string) int {
		now := strconv.FormatInt(time.Now().Unix(), 10)
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write([]byte("payment-7." + now + "." + signed))
		r := httptest.NewRequest(http.MethodPost, "/paid", strings.NewReader(body))
		r.Header.Set("Webhook-Id", "payment-7")
		r.Header.Set("Webhook-Timestamp", now)
		r.Header.Set("Webhook-Signature", "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		return w.Code
	}
	fmt.Println(call(`"10 euros"`, `"10 euros"`))
	fmt.Println(call(`"10,000 euros"`, `"10 euros"`))
	// Output:
	// stored payment-7 "10 euros"
	// 202
	// 401
}
