package filters_test

import (
	"bytes"
	"context"
	"fmt"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/penstock/penstock/filters"
	"github.com/penstock/penstock/pipeline"
)

// A handler that was written for Watermill becomes a stage. It says which types
// its bytes are of.
func ExampleWatermill() {
	shout := func(m *message.Message) ([]*message.Message, error) {
		return message.Messages{message.NewMessage("", bytes.ToUpper(m.Payload))}, nil
	}

	made, err := pipeline.Apply(context.Background(), filters.Watermill[[]byte, []byte](shout), []byte("hello"))
	fmt.Printf("%s %v\n", made[0], err)
	// Output: HELLO <nil>
}
