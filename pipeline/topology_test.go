package pipeline_test

import (
	"context"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/pipeline"
)

var update = flag.Bool("update", false, "write the golden files anew")

// shop has something of everything that a topology shows.
func shop() *pipeline.Pipeline {
	p := pipeline.New("shop")
	placed := pipeline.Source(p, "placed", onceOrders{}, pipeline.Key(orderID), pipeline.Partitions(12))
	imported := pipeline.NewPipe[order](p, "imported")
	late := pipeline.NewPipe[order](p, "late", pipeline.Open())
	doubles := pipeline.Stage(pipeline.Merge(placed, imported), "double", doubled(),
		pipeline.Named("doubles"), pipeline.Retry(5, pipeline.Constant(time.Second)), pipeline.Timeout(2*time.Second), pipeline.Use(pass),
		pipeline.ExactlyOnce(), pipeline.CommitEvery(50*time.Millisecond, 500))
	route := pipeline.Branch(doubles, "route", pipeline.Retry(1, pipeline.Backoff{}))
	large := route.When("large", isLarge)
	end := route.Otherwise("end", pipeline.Key(orderID))
	texts := pipeline.Stage(large, "print", pipeline.FilterFunc[order, []byte](
		func(_ context.Context, m *pipeline.Message[order], out *pipeline.Emitter[[]byte]) error {
			out.Emit([]byte(m.Body.ID))
			return nil
		}), pipeline.Open())
	pipeline.Sink(texts, "printer", pipeline.FilterFunc[[]byte, pipeline.None](
		func(context.Context, *pipeline.Message[[]byte], *pipeline.Emitter[pipeline.None]) error { return nil }))
	pipeline.Sink(pipeline.Merge(large, end), "store", batches(100),
		pipeline.Park(20, pipeline.Exponential(time.Minute, time.Hour)), pipeline.OnPoison(pipeline.HoldKey), pipeline.Breaker(3, pipeline.Constant(time.Second)))
	pipeline.Sink(end, "sort-out", toOutlets{late, late})
	return p
}

func TestTopologyIsDrawn(t *testing.T) {
	t.Parallel()
	topology := build(t, shop()).Topology()
	asJSON, err := json.MarshalIndent(topology, "", "  ")
	require.NoError(t, err)
	golden(t, "shop.txt", topology.Text())
	golden(t, "shop.json", string(asJSON)+"\n")
	golden(t, "shop.mmd", topology.Mermaid())

	var read pipeline.Topology
	require.NoError(t, json.Unmarshal(asJSON, &read))
	require.Equal(t, topology, read)
}

func TestTopologyOfLittleHasNoEmptyTables(t *testing.T) {
	t.Parallel()
	p := pipeline.New("little")
	pipeline.NewPipe[order](p, "in", pipeline.Open())
	topology := build(t, p).Topology()
	golden(t, "little.txt", topology.Text())
	asJSON, err := json.Marshal(topology)
	require.NoError(t, err)
	require.NotContains(t, string(asJSON), "null")
}

// golden compares with a file that a person has looked at.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", "topology", name)
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(got), 0o600))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(want), got)
}

// A stage's settings are not shared with those of the graph's topology.
func TestTopologyIsACopy(t *testing.T) {
	t.Parallel()
	g := build(t, shop())
	g.Topology().Stages[0].Inputs[0] = "changed"
	require.Equal(t, "placed", g.Topology().Stages[0].Inputs[0])
}
