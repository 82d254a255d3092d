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
	// ce_source: orders.split
	// content-type: application/json
	// ce_id: line-1
	// ce_correlationid: order-1
	// ce_causationid: order-1
	// line-1 of job order-1 with key customer-7 and value {"sku":"a"} <nil>
}

// A stage makes the headers that all of its messages share once.
func ExampleAppendCommon() {
	type Header struct{ Key, Value []byte }

	common := schemas.AppendCommon([]Header(nil), &schemas.Envelope{Source: "orders.split", Type: "orders.lines"})
	for _, id := range []string{"line-1", "line-2"} {
		headers, _ := schemas.AppendOwn(append([]Header(nil), common...), nil, &schemas.Envelope{ID: id})
		for _, h := range headers {
			fmt.Printf("%s: %s\n", h.Key, h.Value)
		}
	}
	// Output:
	// ce_specversion: 1.0
	// ce_source: orders.split
	// ce_type: orders.lines
	// ce_id: line-1
	// ce_specversion: 1.0
	// ce_source: orders.split
	// ce_type: orders.lines
	// ce_id: line-2
}
