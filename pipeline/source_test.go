package pipeline_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/schemas"
)

// onceOrders is a source that is finite and puts each trigger once.
type onceOrders struct{ orders }

func (onceOrders) Once() bool   { return true }
func (onceOrders) Finite() bool { return true }

// source builds a pipeline of a single source.
func source(t *testing.T, s pipeline.Sourcer[order], opts ...pipeline.Option[order]) *pipeline.SourceNode {
	t.Helper()
	p := pipeline.New("test")
	pipeline.Source(p, "placed", s, append(opts, pipeline.Open())...)
	return build(t, p).Sources[0]
}

// put runs a source and returns what it put.
func put(t *testing.T, n *pipeline.SourceNode) ([]pipeline.RawTrigger, error) {
	t.Helper()
	var all []pipeline.RawTrigger
	err := n.Run(t.Context(), func(_ context.Context, ts ...pipeline.RawTrigger) error {
		all = append(all, ts...)
		return nil
	})
	return all, err
}

func TestSourcePutsEncodedTriggers(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 22, 21, 20, 0, 0, time.UTC)
	headers := []schemas.Header{{Name: "x", Value: []byte("1")}}
	n := source(t, orders{
		{Body: order{ID: "a", Amount: 1}},
		{Body: order{ID: "b"}, ID: "1", Key: "mine", ReplyTo: "answers", Time: at, Sequence: 7, Headers: headers},
	}, pipeline.Key(orderID))
	got, err := put(t, n)
	require.NoError(t, err)
	require.Equal(t, []pipeline.RawTrigger{
		{Output: pipeline.Output{Pipe: n.Pipe, Key: "a", HasKey: true, Value: []byte(`{"ID":"a","Amount":1}`)}},
		{
			Output: pipeline.Output{
				Pipe: n.Pipe, ID: "1", Key: "mine", HasKey: true, Value: []byte(`{"ID":"b","Amount":0}`), Headers: headers, Sequence: 7,
			},
			ReplyTo: "answers", Time: at,
		},
	}, got)
	require.Equal(t, schemas.Envelope{
		ID: "1", Key: "mine", HasKey: true, Sequence: 7, Time: at, Type: "test.placed", Source: "who",
		ReplyTo: "answers", ContentType: "application/json", Headers: headers,
	}, got[1].Envelope("who"))
}

func TestTriggerWithoutKeyHasNone(t *testing.T) {
	t.Parallel()
	got, err := put(t, source(t, orders{{}}))
	require.NoError(t, err)
	require.False(t, got[0].HasKey)
}

func TestBrokenTriggersAreRefused(t *testing.T) {
	t.Parallel()
	for want, trigger := range map[string]pipeline.Trigger[order]{
		"broken header ce_id: it has 1025 bytes":                 {ID: strings.Repeat("x", 1025)},
		"broken header ce_sequence: -1 is below 0":               {Sequence: -1},
		"broken header reply-to: it has 250 bytes":               {ReplyTo: strings.Repeat("x", 250)},
		"header ce_id belongs to the envelope; use another name": {Headers: []schemas.Header{{Name: "ce_id"}}},
	} {
		got, err := put(t, source(t, orders{{}, trigger}))
		require.Empty(t, got, "all are put, or none")
		require.ErrorContains(t, err, "source placed, trigger 2 of 2: "+want)
		verdict, _ := pipeline.Judge(err)
		require.Equal(t, pipeline.Rejected, verdict, "an HTTP source answers 400 and not 503")
	}

	_, err := put(t, source(t, orders{{}}, pipeline.Codec[order](failing{errors.New("no encoding")})))
	require.ErrorContains(t, err, "source placed, trigger 1 of 1: pipe placed: no encoding")
}

func TestOnceSourceMustNameItsTriggers(t *testing.T) {
	t.Parallel()
	n := source(t, onceOrders{orders{{ID: "1"}, {}}})
	require.True(t, n.Once)
	require.Equal(t, "test.placed.once", n.OnceTopic)
	require.True(t, n.Finite)
	_, err := put(t, n)
	require.ErrorContains(t, err, "trigger 2 of 2: it has no ID, which a source that puts each trigger once needs")

	n = source(t, orders{})
	require.False(t, n.Once)
	require.Empty(t, n.OnceTopic)
	require.False(t, n.Finite)
}

func TestSourceGetsTheErrorOfPut(t *testing.T) {
	t.Parallel()
	down := errors.New("brokers are down")
	err := source(t, orders{{}}).Run(t.Context(), func(context.Context, ...pipeline.RawTrigger) error { return down })
	require.ErrorIs(t, err, down)
}

func TestSourcePipeCanHaveAnotherName(t *testing.T) {
	t.Parallel()
	n := source(t, orders{}, pipeline.Named("incoming"))
	require.Equal(t, "placed", n.Name)
	require.Equal(t, "incoming", n.Pipe.Name)
	require.Equal(t, "test.incoming", n.Pipe.Topic)
}
