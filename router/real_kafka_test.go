//go:build kafka

package router_test

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/filters"
	"github.com/penstock/penstock/internal/brokertest"
	"github.com/penstock/penstock/internal/kafkatest"
	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/router"
	"github.com/penstock/penstock/router/kafka"
)

// named makes a pipeline whose topics no other test has.
func named(t *testing.T, stages func(p *pipeline.Pipeline)) (*pipeline.Pipeline, string) {
	t.Helper()
	name := strings.ToLower(t.Name()) + time.Now().Format("150405.000")
	name = strings.ReplaceAll(name, ".", "-")
	p := pipeline.New(name)
	stages(p)
	return p, name
}

func twoStagesOf(p *pipeline.Pipeline) {
	in := pipeline.NewPipe[[]byte](p, "in", pipeline.Partitions(4))
	mid := pipeline.Stage(in, "first", filters.Map(same), pipeline.Partitions(3))
	pipeline.Stage(mid, "second", filters.Map(same), pipeline.Open())
}

func TestRealTwoStagesInOrderOverStops(t *testing.T) {
	addrs := kafkatest.Brokers(t)
	p, name := named(t, twoStagesOf)
	for range 3 {
		r := start(t, addrs, p, router.Config{})
		before := r.Stats()[0].In
		brokertest.Produce(t, addrs, name+".in", sequence(t, addrs, name, 40, 500)...)
		require.Eventually(t, func() bool { return r.Stats()[0].In > before }, waitFor, tick)
		r.stop()
	}
	r := start(t, addrs, p, router.Config{})
	r.drained()
	requireSequences(t, brokertest.ReadAll(t, addrs, name+".second"), 40, 1500)
}

// sequence continues the numbers that the pipe's keys have so far.
func sequence(t *testing.T, addrs []string, name string, keys, n int) []brokertest.Record {
	t.Helper()
	done := len(brokertest.ReadAll(t, addrs, name+".in")) / keys
	return numbered(keys, done+n)[done*keys:]
}

func TestRealBadRecordsArePoisoned(t *testing.T) {
	addrs := kafkatest.Brokers(t)
	p, name := named(t, func(p *pipeline.Pipeline) {
		in := pipeline.NewPipe[map[string]int](p, "in")
		pipeline.Stage(in, "work", filters.Map(func(_ context.Context, v map[string]int) (map[string]int, error) { return v, nil }), pipeline.Open())
	})
	g, err := p.Build()
	require.NoError(t, err)
	makeTopics(t, addrs, g)
	admin, err := kafka.NewAdmin(t.Context(), kafka.Config{Brokers: addrs})
	require.NoError(t, err)
	defer func() { require.NoError(t, admin.Close()) }()
	require.NoError(t, admin.Configure(t.Context(), name+".in", map[string]string{"max.message.bytes": "4000000"}))
	r := start(t, addrs, p, router.Config{})
	brokertest.Produce(t, addrs, name+".in",
		brokertest.Record{Key: []byte("garbage"), Value: []byte("{\"a\": x}")},
		brokertest.Record{Key: []byte("empty"), Value: []byte{}},
		brokertest.Record{Value: nil},
		brokertest.Record{Key: []byte("large"), Value: make([]byte, 2<<20)},
		brokertest.Record{Key: []byte("fine"), Value: []byte("{\"a\": 1}")})
	r.drained()
	require.Len(t, brokertest.ReadAll(t, addrs, name+".work"), 1)
	require.Len(t, poisoned(t, addrs, name+".work.poison"), 4)
}

// TestRealKill runs the two stages in processes of their own, kills them with
// SIGKILL while messages are under way, and checks the output: nothing is
// lost, each key's first occurrences are in order, and what is repeated are
// rewinds.
func TestRealKill(t *testing.T) {
	addrs := kafkatest.Brokers(t)
	p, name := named(t, twoStagesOf)
	g, err := p.Build()
	require.NoError(t, err)
	makeTopics(t, addrs, g)
	const keys, each, kills = 30, 400, 4
	for range kills {
		before := len(brokertest.ReadAll(t, addrs, name+".second"))
		child := exec.Command(os.Args[0], "-test.run=^TestChildRouter$", "-test.v")
		child.Env = append(os.Environ(), "PENSTOCK_CHILD_PIPELINE="+name, "PENSTOCK_CHILD_BROKERS="+strings.Join(addrs, ","))
		require.NoError(t, child.Start())
		brokertest.Produce(t, addrs, name+".in", sequence(t, addrs, name, keys, each)...)
		require.Eventually(t, func() bool { return len(brokertest.ReadAll(t, addrs, name+".second")) > before }, waitFor, tick)
		require.NoError(t, child.Process.Kill())
		_ = child.Wait()
	}
	r := start(t, addrs, p, router.Config{SessionTimeout: 2 * time.Second})
	r.drained()
	repeats := requireRewinds(t, brokertest.ReadAll(t, addrs, name+".second"), keys, kills*each)
	t.Logf("%d kills, %d messages, %d repeats", kills, kills*each*keys, repeats)
}

// TestChildRouter is the body of TestRealKill's child process.
func TestChildRouter(t *testing.T) {
	name := os.Getenv("PENSTOCK_CHILD_PIPELINE")
	if name == "" {
		return // run by TestRealKill only
	}
	p := pipeline.New(name)
	twoStagesOf(p)
	g, err := p.Build()
	require.NoError(t, err)
	brokers := strings.Split(os.Getenv("PENSTOCK_CHILD_BROKERS"), ",")
	r, err := router.New(router.Config{Kafka: kafka.Config{Brokers: brokers}, SessionTimeout: 2 * time.Second}, g)
	require.NoError(t, err)
	require.NoError(t, r.Run(t.Context()))
}
