package filters

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/schemas"
)

// Watermill makes a filter of a Watermill handler. Its payloads are the bytes of
// In and of Out as the codecs of the pipes have them; nothing checks them.
//
// A message has the id as its UUID, the headers that the envelope does not
// interpret as its metadata, and a context in which pipeline.FromContext finds
// all the rest. What the handler returns keeps the key, and its metadata become
// headers. Its UUIDs are not used: ids are derived, because a handler makes new
// ones on every attempt. A handler that calls Nack fails the message.
//
// The handler must not change the payload's bytes in place.
func Watermill[In, Out any](h message.HandlerFunc) pipeline.Filter[In, Out] {
	return watermillFilter[In, Out](h)
}

type watermillFilter[In, Out any] message.HandlerFunc

var errNacked = errors.New("the handler called Nack")

// Filter is never called: a stage calls FilterRaw.
func (watermillFilter[In, Out]) Filter(context.Context, *pipeline.Message[In], *pipeline.Emitter[Out]) error {
	return pipeline.Reject(errors.New("a Watermill handler takes bytes: call FilterRaw"))
}

// FilterRaw calls the handler.
func (h watermillFilter[In, Out]) FilterRaw(ctx context.Context, d *pipeline.Delivery) ([]pipeline.Output, error) {
	m := message.NewMessage(d.ID, d.Value)
	for _, header := range d.Headers {
		m.Metadata.Set(header.Name, string(header.Value))
	}
	m.SetContext(ctx)
	made, err := h(m)
	if err != nil {
		return nil, err
	}
	select {
	case <-m.Nacked():
		return nil, errNacked
	default:
	}
	outs := make([]pipeline.Output, 0, len(made))
	for _, o := range made {
		if o == nil {
			return nil, pipeline.Reject(errors.New("the handler returned a nil message"))
		}
		outs = append(outs, pipeline.Output{Key: d.Key, HasKey: d.HasKey, Value: o.Payload, Headers: headers(o.Metadata)})
	}
	return outs, nil
}

// headers are in the order of their names, so that every attempt writes the same.
// What belongs to the envelope is left to it.
func headers(metadata message.Metadata) []schemas.Header {
	var hs []schemas.Header
	for name, value := range metadata {
		if !schemas.IsReserved(name) {
			hs = append(hs, schemas.Header{Name: name, Value: []byte(value)})
		}
	}
	slices.SortFunc(hs, func(a, b schemas.Header) int { return strings.Compare(a.Name, b.Name) })
	return hs
}
