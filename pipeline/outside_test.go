package pipeline_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/schemas"
)

// outsideSink writes each message to the topics.
type outsideSink struct {
	to     pipeline.Outside[order]
	topics []string
	whole  bool // with its headers
}

func (s outsideSink) OutsideTopics() []string { return s.topics }

func (s outsideSink) Filter(_ context.Context, m *pipeline.Message[order], out *pipeline.Emitter[pipeline.None]) error {
	for _, topic := range s.topics {
		if s.whole {
			pipeline.ForwardOutside(out, s.to, topic, m)
		} else {
			pipeline.EmitOutside(out, s.to, topic, m.Body)
		}
	}
	return nil
}

func sinkTo(t *testing.T, s outsideSink) *pipeline.StageNode {
	t.Helper()
	p := pipeline.New("test")
	pipeline.Sink[order](pipeline.NewPipe[order](p, "in"), "out", s)
	return build(t, p).Stages[0]
}

func TestASinkWritesOutside(t *testing.T) {
	t.Parallel()
	n := sinkTo(t, outsideSink{pipeline.NewOutside("bill", nil, orderID), []string{"bills", "answers"}, false})
	require.Equal(t, []string{"bills", "answers"}, n.OutsideTopics)
	d := delivery(`{"ID":"a","Amount":2}`)
	d.ReplyTo = "answers"
	outs, err := call(t, n, d)
	require.NoError(t, err)
	require.Len(t, outs, 2)
	for i, topic := range []string{"bills", "answers"} {
		require.Equal(t, topic, outs[i].Topic())
		require.Equal(t, "a", outs[i].Key)
		require.JSONEq(t, `{"ID":"a","Amount":2}`, string(outs[i].Value))
		env := n.Envelope(d, i, &outs[i])
		require.Equal(t, "bill", env.Type)
		require.Equal(t, schemas.ContentTypeJSON, env.ContentType)
		require.Equal(t, schemas.DeriveID(d.ID, "test.out", i), env.ID)
	}
	bill, answer := n.Envelope(d, 0, &outs[0]), n.Envelope(d, 1, &outs[1])
	require.Equal(t, "answers", bill.ReplyTo)
	require.Empty(t, answer.ReplyTo, "nobody replies to a reply")
}

func TestForwardOutsideKeepsBytesAndHeaders(t *testing.T) {
	t.Parallel()
	n := sinkTo(t, outsideSink{pipeline.NewOutside[order]("bill", nil, nil), []string{"bills"}, true})
	d := delivery(`{ "ID": "as it came" }`)
	d.Key, d.HasKey, d.Sequence, d.Headers = "k", true, 3, []schemas.Header{{Name: "x", Value: []byte("1")}}
	outs, err := call(t, n, d)
	require.NoError(t, err)
	require.Equal(t, `{ "ID": "as it came" }`, string(outs[0].Value)) //nolint:testifylint // not only the same JSON
	require.Equal(t, "k", outs[0].Key)
	require.Equal(t, int64(3), outs[0].Sequence)
	require.Equal(t, d.Headers, outs[0].Headers)
}

func TestWhatCannotGoOutsideIsRejected(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]func(*pipeline.Emitter[order]){
		"bad name": func(out *pipeline.Emitter[order]) {
			pipeline.EmitOutside(out, pipeline.NewOutside[order]("x", nil, nil), "a/b", order{})
		},
		"zero value": func(out *pipeline.Emitter[order]) {
			pipeline.EmitOutside(out, pipeline.Outside[order]{}, "topic", order{})
		},
		"bad option": func(out *pipeline.Emitter[order]) {
			pipeline.EmitOutside(out, pipeline.NewOutside[order]("x", nil, nil), "topic", order{}, pipeline.WithID(""))
		},
		"no encoding": func(out *pipeline.Emitter[order]) {
			pipeline.EmitOutside(out, pipeline.NewOutside[func()]("x", nil, nil), "topic", func() {})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := oneStage(t, pipeline.FilterFunc[order, order](func(_ context.Context, _ *pipeline.Message[order], out *pipeline.Emitter[order]) error {
				f(out)
				return nil
			}))
			outs, err := call(t, s, delivery(`{}`))
			verdict, _ := pipeline.Judge(err)
			require.Equal(t, pipeline.Rejected, verdict, "%v", err)
			require.Empty(t, outs)
		})
	}
}

func TestBuildReportsWrongTopicsOutside(t *testing.T) {
	t.Parallel()
	for _, topic := range []string{"", ".", "..", "a b", "ä", strings.Repeat("x", 250)} {
		p := pipeline.New("test")
		pipeline.Sink[order](pipeline.NewPipe[order](p, "in"), "out", outsideSink{topics: []string{topic}})
		_, err := p.Build()
		require.ErrorContains(t, err, `sink "out" writes to topic`)
	}
}
