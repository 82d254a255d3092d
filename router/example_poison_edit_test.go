package router_test

import (
	"fmt"

	"github.com/penstock/penstock/router"
)

// The id of an edited message names the one that it was made of.
func ExampleEditedID() {
	fmt.Println(router.EditedID("order-17", []byte(`{"total":7}`)))
	// Output: order-17~30ec76b729d8089e
}
