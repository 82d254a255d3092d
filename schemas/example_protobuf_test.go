package schemas_test

import (
	"context"
	"fmt"

	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/penstock/penstock/schemas"
)

// The type is a pointer to any generated message.
func ExampleProtobuf() {
	codec := schemas.Protobuf[*durationpb.Duration]()
	b, _ := codec.Encode(&durationpb.Duration{Seconds: 90})
	v, _ := codec.Decode(context.Background(), b)
	fmt.Println(len(b), v.AsDuration())
	// Output: 2 1m30s
}
