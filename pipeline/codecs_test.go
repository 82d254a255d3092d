package pipeline_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/schemas"
)

const orderSchema = `{"type":"record","name":"Order","fields":[{"name":"ID","type":"string"},{"name":"Amount","type":"int"}]}`

func (s outsideSink) OutsideCodec() any { return s.to.Codec() }

func TestStagesAndSourcesTellWhichCodecsTheyUse(t *testing.T) {
	t.Parallel()
	p := pipeline.New("test")
	avro, other := schemas.Avro[order](orderSchema), schemas.Avro[order](orderSchema)
	in := pipeline.Source(p, "in", orders{}, pipeline.Codec(avro))
	legacy := pipeline.Source(p, "legacy", copied("old"), pipeline.Codec(other))
	both := pipeline.Stage(pipeline.Merge(in, legacy), "both", doubled(), pipeline.Codec(avro))
	inherits := pipeline.Stage(both, "inherits", doubled())
	plain := pipeline.Stage(inherits, "plain", pipeline.FilterFunc[order, line](
		func(context.Context, *pipeline.Message[order], *pipeline.Emitter[line]) error { return nil }))
	pipeline.Sink(plain, "drop", pipeline.FilterFunc[line, pipeline.None](
		func(context.Context, *pipeline.Message[line], *pipeline.Emitter[pipeline.None]) error { return nil }))
	pipeline.Sink[order](both, "outside", outsideSink{to: pipeline.NewOutside("order", other, nil), topics: []string{"books", "audit"}})
	g := build(t, p)

	a, b := avro.(schemas.Opener), other.(schemas.Opener)
	uses := map[string][]pipeline.CodecUse{}
	for _, s := range g.Stages {
		uses[s.Name] = s.Codecs()
	}
	for _, s := range g.Sources {
		uses[s.Name] = s.Codecs()
	}
	require.Equal(t, map[string][]pipeline.CodecUse{
		"in":       {{a, "test.in", true}},
		"legacy":   {{b, "test.legacy", false}},
		"both":     {{a, "test.in", false}, {b, "test.legacy", false}, {a, "test.both", true}},
		"inherits": {{a, "test.both", false}, {a, "test.inherits", true}},
		"plain":    {{a, "test.inherits", false}},
		"drop":     nil,
		"outside":  {{a, "test.both", false}, {b, "books", true}, {b, "audit", true}},
	}, uses)
	for _, n := range g.Pipes {
		require.Equal(t, n.Name != "plain", n.Codec() != nil, n.Name)
	}
}
