package schemas_test

import (
	"context"
	"fmt"

	"github.com/penstock/penstock/schemas"
)

// What is wrong with a value is told by field.
func ExampleJSON() {
	type Order struct{ Amount int }
	codec := schemas.JSON[Order]()

	b, _ := codec.Encode(Order{Amount: 3})
	fmt.Printf("%s\n", b)

	_, err := codec.Decode(context.Background(), []byte(`{"Amount":"three"}`))
	fmt.Println(err)
	// Output:
	// {"Amount":3}
	// decode JSON as schemas_test.Order: json: cannot unmarshal string into Go struct field Order.Amount of type int
}
