package pipeline

import (
	"context"

	"github.com/penstock/penstock/schemas"
)

// Message is one message as a filter sees it: its decoded value, and the
// delivery that brought it. A filter may keep it.
type Message[T any] struct {
	// Body is the value.
	Body T

	*Delivery
}

// Delivery is one attempt at one message. Nobody may change it, nor what it
// points to.
type Delivery struct {
	// Envelope is what came with the value.
	schemas.Envelope

	// Value is the record's value as it came. nil is a null value.
	Value []byte

	// Stage is the name of the stage that works on the message.
	Stage string

	// Attempt counts from 1.
	Attempt int

	// Topic, Partition and Offset say where the message is stored. For one
	// partition the offset grows: a sink can write under the condition that it
	// has not seen a higher one.
	Topic     string
	Partition int32
	Offset    int64

	codec any // what decoded Value, for Forward
}

type deliveryKey struct{}

// FromContext returns the delivery that a plain function is working on, or nil.
// A filter that takes batches works on many: it finds them in its items.
func FromContext(ctx context.Context) *Delivery {
	if c, ok := ctx.(*callState); ok {
		return c.d
	}
	d, _ := ctx.Value(deliveryKey{}).(*Delivery)
	return d
}

// WithDelivery returns a context that carries d. It is for what runs filters.
func WithDelivery(ctx context.Context, d *Delivery) context.Context {
	return context.WithValue(ctx, deliveryKey{}, d)
}
