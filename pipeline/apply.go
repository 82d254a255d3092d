package pipeline

import (
	"context"
	"errors"
	"fmt"
)

// Apply runs a filter on one value and returns what it emits into its own pipe.
// It is for tests and examples: there is no pipeline, no Kafka and no second
// attempt. The values go through the default codecs, as they would in a pipeline.
// A filter that is an Opener is opened before and closed after.
//
// The filter sees the delivery of ctx, if it has one (see [WithDelivery]), with v
// as its value. The error is the filter's own: [Judge] reads it.
func Apply[In, Out any](ctx context.Context, f Filter[In, Out], v In) (made []Out, err error) {
	in := &pipeSpec[In]{node: &PipeNode{Name: "in"}, codec: defaultCodec[In]()}
	out := &pipeSpec[Out]{node: &PipeNode{Name: "out"}, codec: defaultCodec[Out]()}
	d := Delivery{Attempt: 1}
	if given := FromContext(ctx); given != nil {
		d = *given
	}
	if d.Value, _, _, err = in.encode(v); err != nil {
		return nil, err
	}
	if err := openAny(ctx, f); err != nil {
		return nil, fmt.Errorf("open the filter: %w", err)
	}
	defer func() {
		if closeErr := closeAny(ctx, f); closeErr != nil {
			err = errors.Join(err, fmt.Errorf("close the filter: %w", closeErr))
		}
	}()

	var outlets []*PipeNode
	if o, ok := f.(Outletter); ok {
		for _, a := range o.Outlets() {
			outlets = append(outlets, a.nodes()...)
		}
	}
	var outs Outputs
	if err := makeCall(in, out, outlets, f)(ctx, &d, &outs); err != nil {
		return nil, err
	}
	for _, o := range outs.List {
		if o.Pipe != out.node {
			continue
		}
		v, err := out.decode(ctx, o.Value)
		if err != nil {
			return nil, err
		}
		made = append(made, v)
	}
	return made, nil
}
