package router_test

import (
	"fmt"

	"github.com/penstock/penstock/router"
)

// What went wrong with many messages is told in one line for each kind of error.
func ExampleErrorSignature() {
	for _, text := range []string{
		`order 17: customer "ada" is locked`,
		`order 18: customer "bob" is locked`,
	} {
		signature := router.ErrorSignature(text)
		fmt.Println(router.PoisonGroupID("shop.pay", signature), signature)
	}
	// Output:
	// 6f5982c1 order #: customer … is locked
	// 6f5982c1 order #: customer … is locked
}
