package router_test

import (
	"bytes"
	"context"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/filters"
	"github.com/penstock/penstock/internal/brokertest"
	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/router"
)

// Stored with the same key and value, so that order can be told at every pipe.
func same(_ context.Context, v []byte) ([]byte, error) { return v, nil }

func twoStages() *pipeline.Pipeline {
	p := pipeline.New("flow")
	in := pipeline.NewPipe[[]byte](p, "in", pipeline.Partitions(4))
	mid := pipeline.Stage(in, "first", filters.Map(same), pipeline.Partitions(3))
	pipeline.Stage(mid, "second", filters.Map(same), pipeline.Open())
	return p
}

func TestMessagesGoThroughTwoStagesInOrder(t *testing.T) {
	t.Parallel()
	addrs := brokertest.New(t).Addrs()
	r := start(t, addrs, twoStages(), router.Config{})
	brokertest.Produce(t, addrs, "flow.in", numbered(50, 200)...)
	r.drained()
	requireSequences(t, brokertest.ReadAll(t, addrs, "flow.first"), 50, 200)
	requireSequences(t, brokertest.ReadAll(t, addrs, "flow.second"), 50, 200)

	stats := r.Stats()
	require.Equal(t, router.Stats{Stage: "flow.first", In: 10_000, Out: 10_000}, stats[0])
	require.Equal(t, router.Stats{Stage: "flow.second", In: 10_000, Out: 10_000}, stats[1])
}

func TestNothingIsRepeatedOverAStop(t *testing.T) {
	t.Parallel()
	addrs := brokertest.New(t).Addrs()
	records := numbered(20, 300)
	for third := range slices.Chunk(records, len(records)/3) { // each run stops somewhere in the middle of one
		r := start(t, addrs, twoStages(), router.Config{})
		brokertest.Produce(t, addrs, "flow.in", third...)
		require.Eventually(t, func() bool { return r.Stats()[0].In > 0 }, waitFor, tick)
		r.stop()
	}
	r := start(t, addrs, twoStages(), router.Config{})
	r.drained()
	requireSequences(t, brokertest.ReadAll(t, addrs, "flow.second"), 20, 300)
}

func TestOutputsCarryTheEnvelope(t *testing.T) {
	t.Parallel()
	addrs := brokertest.New(t).Addrs()
	r := start(t, addrs, twoStages(), router.Config{})
	brokertest.Produce(t, addrs, "flow.in",
		brokertest.Record{Value: []byte("bare")},
		brokertest.Record{Key: []byte{}, Value: []byte("event"), Headers: []brokertest.Header{
			{Key: "ce_specversion", Value: []byte("1.0")},
			{Key: "ce_id", Value: []byte("e-1")},
			{Key: "ce_source", Value: []byte("shop")},
			{Key: "ce_type", Value: []byte("placed")},
			{Key: "reply-to", Value: []byte("answers")},
			{Key: "x-other", Value: []byte("left behind")},
		}})
	r.drained()
	for _, out := range brokertest.ReadAll(t, addrs, "flow.second") {
		require.Equal(t, "1.0", header(out, "ce_specversion"))
		require.Equal(t, "flow.second", header(out, "ce_source"))
		require.Equal(t, "flow.second", header(out, "ce_type"))
		require.Len(t, header(out, "ce_id"), 22, "a derived id")
		require.Empty(t, header(out, "x-other"), "a hop carries only what it needs")
		job := header(out, "ce_correlationid")
		switch string(out.Value) {
		case "bare":
			require.Nil(t, out.Key, "no key stays no key")
			require.Regexp(t, `^[\w-]{22}\.\d+\.0$`, job, "topic id, partition, offset")
		case "event":
			require.Equal(t, []byte{}, out.Key, "an empty key is a key")
			require.Equal(t, "e-1", job)
			require.Equal(t, "answers", header(out, "reply-to"))
		}
	}
}

func TestFanOutAndFanIn(t *testing.T) {
	t.Parallel()
	addrs := brokertest.New(t).Addrs()
	p := pipeline.New("fan")
	a := pipeline.NewPipe[[]byte](p, "a")
	b := pipeline.NewPipe[[]byte](p, "b")
	merged := pipeline.Stage(pipeline.Merge(a, b), "both", filters.Map(same))
	routes := pipeline.Branch(merged, "route")
	even := routes.When("even", func(v []byte) bool { return bytes.ContainsAny(v[len(v)-1:], "02468") })
	odd := routes.Otherwise("odd")
	pipeline.Stage(even, "keep-even", filters.Map(same), pipeline.Open())
	pipeline.Stage(odd, "keep-odd", filters.Map(same), pipeline.Open())
	pipeline.Stage(merged, "second-reader", filters.Map(same), pipeline.Open())
	r := start(t, addrs, p, router.Config{})
	brokertest.Produce(t, addrs, "fan.a", numbered(5, 20)...)
	brokertest.Produce(t, addrs, "fan.b", numbered(5, 20)...)
	r.drained()
	require.Len(t, brokertest.ReadAll(t, addrs, "fan.keep-even"), 100)
	require.Len(t, brokertest.ReadAll(t, addrs, "fan.keep-odd"), 100)
	require.Len(t, brokertest.ReadAll(t, addrs, "fan.second-reader"), 200)
}
