package schemas_test

import (
	"context"
	"fmt"
	"strconv"

	"github.com/penstock/penstock/schemas"
)

// decimal writes numbers as text. It has no fields, so two of it are equal.
type decimal struct{}

func (decimal) Encode(v int) ([]byte, error) { return strconv.AppendInt(nil, int64(v), 10), nil }

func (decimal) Decode(_ context.Context, b []byte) (int, error) { return strconv.Atoi(string(b)) }

func (decimal) ContentType() string { return "text/plain" }

// A codec is three methods.
func ExampleCodec() {
	var codec schemas.Codec[int] = decimal{}
	b, _ := codec.Encode(42)
	v, _ := codec.Decode(context.Background(), b)
	fmt.Println(string(b), v+1)
	// Output: 42 43
}
