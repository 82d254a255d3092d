package schemas_test

import (
	"fmt"

	"github.com/penstock/penstock/schemas"
)

// An envelope travels as headers with CloudEvents names.
func ExampleEnvelope() {
	type Header struct{ Key, Value []byte } // what a Kafka client has

	headers, _ := schemas.AppendHeaders([]Header(nil), nil, &schemas.Envelope{
		ID: "line-1", Job: "order-1", Parent: "order-1", Source: "orders.split", ContentType: "application/json",
	})
	for _, h := range headers {
		fmt.Printf("%s: %s\n", h.Key, h.Value)
	}

	var read schemas.Envelope
	value, err := schemas.ReadEnvelope(&read, []byte("customer-7"), []byte(`{"sku":"a"}`), headers, nil)
	fmt.Println(read.ID, "of job", read.Job, "with key", read.Key, "and value", string(value), err)
	// Output:
	// ce_specversion: 1.0
	// ce_id: line-1
	// ce_source: orders.split
	// ce_correlationid: order-1
	// ce_causationid: order-1
	// content-type: application/json
	// line-1 of job order-1 with key customer-7 and value {"sku":"a"} <nil>
}
