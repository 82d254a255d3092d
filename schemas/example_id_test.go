package schemas_test

import (
	"fmt"

	"github.com/penstock/penstock/schemas"
)

// The ids of a message's outputs are the same on every attempt.
func ExampleDeriveID() {
	for range 2 {
		fmt.Println(schemas.DeriveID("order-1", "orders.split", 0), schemas.DeriveID("order-1", "orders.split", 1))
	}
	// Output:
	// E-thLw7HNZuW8qU-ydsvLg i5XUbfO3h9AzLgyFTDbKOQ
	// E-thLw7HNZuW8qU-ydsvLg i5XUbfO3h9AzLgyFTDbKOQ
}

// A record that came without an id has one nevertheless, and it can be found by
// it: topic id, partition, offset.
func ExampleEnvelope_Identify() {
	var e schemas.Envelope
	e.Identify([16]byte{0x7f}, 3, 1042)
	fmt.Println(e.ID, e.Job == e.ID)
	// Output: fwAAAAAAAAAAAAAAAAAAAA.3.1042 true
}
