package sinks_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"

	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/sinks"
)

// A shop is told of each parcel. It says by the status whether trying again helps,
// and knows a parcel that it was told of before by the message's id.
func ExampleHTTP() {
	type Parcel struct{ Number string }

	shop := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Println("told", r.Header.Get("Idempotency-Key"), string(body), "signed:", r.Header.Get("Webhook-Signature") != "")
		if string(body) == `{"Number":""}` {
			w.WriteHeader(http.StatusUnprocessableEntity)
		}
	}))
	defer shop.Close()
	sink := sinks.HTTP(sinks.HTTPConfig[Parcel]{URL: shop.URL, Secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"})

	for i, parcel := range []Parcel{{"4711"}, {}} {
		d := &pipeline.Delivery{Attempt: 1}
		d.ID = fmt.Sprint("parcel-", i)
		_, err := pipeline.Apply(pipeline.WithDelivery(context.Background(), d), sink, parcel)
		verdict, _ := pipeline.Judge(err)
		fmt.Println(verdict)
	}
	// Output:
	// told parcel-0 {"Number":"4711"} signed: true
	// done
	// told parcel-1 {"Number":""} signed: true
	// rejected
}
