package router_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/filters"
	"github.com/penstock/penstock/internal/brokertest"
	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/router"
	"github.com/penstock/penstock/sources"
)

func copying() *pipeline.Pipeline {
	p := pipeline.New("copy")
	in := pipeline.Source(p, "in", sources.Topic[[]byte]("legacy.events"), pipeline.Partitions(3))
	pipeline.Stage(in, "work", filters.Map(same), pipeline.Open())
	return p
}

// Over stops in the middle nothing is lost or repeated, and each key is in order.
func TestATopicOfOthersIsCopiedInOrder(t *testing.T) {
	t.Parallel()
	addrs := brokertest.New(t, brokertest.Topic("legacy.events", 4)).Addrs()
	records := numbered(20, 300)
	for i := range 3 {
		r := start(t, addrs, copying(), router.Config{})
		brokertest.Produce(t, addrs, "legacy.events", records[i*len(records)/3:(i+1)*len(records)/3]...)
		require.Eventually(t, func() bool { return len(brokertest.ReadAll(t, addrs, "copy.in")) > i*len(records)/3 }, waitFor, tick)
		r.stop()
	}
	r := start(t, addrs, copying(), router.Config{})
	require.Eventually(t, func() bool { return lag(t, addrs, "copy.in.source", "legacy.events") == 0 }, waitFor, tick)
	r.drained()
	requireSequences(t, brokertest.ReadAll(t, addrs, "copy.work"), 20, 300)
}

func TestACopyIsIdentifiedByItsRecord(t *testing.T) {
	t.Parallel()
	addrs := brokertest.New(t, brokertest.Topic("legacy.events", 1)).Addrs()
	h := func(name, value string) brokertest.Header {
		return brokertest.Header{Key: name, Value: []byte(value)}
	}
	brokertest.Produce(t, addrs, "legacy.events",
		brokertest.Record{Value: []byte("plain")},
		brokertest.Record{Key: []byte("k"), Value: []byte("event"), Headers: []brokertest.Header{
			h("ce_specversion", "1.0"), h("ce_id", "e-1"), h("ce_source", "theirs"), h("ce_type", "t"), h("ce_correlationid", "job-1"), h("x", "1"),
		}},
		brokertest.Record{Value: []byte("by chance"), Headers: []brokertest.Header{h("ce_time", "yesterday"), h("x", "2")}},
		brokertest.Record{Key: []byte("gone"), Value: nil},
	)
	start(t, addrs, copying(), router.Config{})
	require.Eventually(t, func() bool { return len(brokertest.ReadAll(t, addrs, "copy.in")) == 4 }, waitFor, tick)
	byValue := map[string]brokertest.Record{}
	for _, r := range brokertest.ReadAll(t, addrs, "copy.in") {
		byValue[string(r.Value)] = r
	}
	require.Regexp(t, `\.0\.0$`, header(byValue["plain"], "ce_id"))
	require.Nil(t, byValue["plain"].Key)
	event := byValue["event"]
	require.Equal(t, []string{"e-1", "job-1", "1", "copy.in"},
		[]string{header(event, "ce_id"), header(event, "ce_correlationid"), header(event, "x"), header(event, "ce_source")})
	require.Equal(t, "k", string(event.Key))
	chance := byValue["by chance"]
	require.Regexp(t, `\.0\.2$`, header(chance, "ce_id"))
	require.Equal(t, []string{"yesterday", "2", ""}, []string{header(chance, "original-ce_time"), header(chance, "x"), header(chance, "ce_time")})
	require.Equal(t, "gone", string(byValue[""].Key))
	require.Nil(t, byValue[""].Value, "a tombstone stays one")
}

func TestRunSaysWhichTopicOfOthersIsMissing(t *testing.T) {
	t.Parallel()
	addrs := brokertest.New(t).Addrs()
	g, err := copying().Build()
	require.NoError(t, err)
	makeTopics(t, addrs, g)
	cfg := router.Config{Logger: logger(t)}
	cfg.Kafka.Brokers = addrs
	r, err := router.New(cfg, g)
	require.NoError(t, err)
	require.ErrorContains(t, r.Run(t.Context()), "these topics of others do not exist: legacy.events")
}

func TestACopyNeedsRightsOnTheTopicOfOthers(t *testing.T) {
	t.Parallel()
	g, err := copying().Build()
	require.NoError(t, err)
	var got []string
	for _, a := range router.ACLs(g) {
		if a.For == "copy.in" {
			got = append(got, fmt.Sprint(a.Resource, " ", a.Name, " ", a.Operation))
		}
	}
	require.Equal(t, []string{
		"topic copy.in Write", "topic copy.in DescribeConfigs",
		"topic legacy.events Read", "topic legacy.events DescribeConfigs", "group copy.in.source Read",
	}, got)
}
