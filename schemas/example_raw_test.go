package schemas_test

import (
	"context"
	"fmt"

	"github.com/penstock/penstock/schemas"
)

// Raw does not look at the bytes.
func ExampleRaw() {
	b, err := schemas.Raw().Decode(context.Background(), []byte{0xff, 0x00})
	fmt.Printf("%v %v\n", b, err)
	// Output: [255 0] <nil>
}
