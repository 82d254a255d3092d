package router_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/internal/brokertest"
	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/router"
)

// replies writes each message to the topic that it names.
type replies struct{ to pipeline.Outside[[]byte] }

func (s replies) Filter(_ context.Context, m *pipeline.Message[[]byte], out *pipeline.Emitter[pipeline.None]) error {
	pipeline.ForwardOutside(out, s.to, m.ReplyTo, m)
	return nil
}

func TestOutputsGoOutsideInOrderAndAWrongTopicPoisonsOnlyItsMessage(t *testing.T) {
	t.Parallel()
	addrs := brokertest.New(t, brokertest.Topic("answers", 3)).Addrs()
	p := pipeline.New("desk")
	pipeline.Sink[[]byte](pipeline.NewPipe[[]byte](p, "in", pipeline.Partitions(2)), "reply",
		replies{pipeline.NewOutside[[]byte]("reply", nil, nil)})
	start(t, addrs, p, router.Config{})
	to := func(topic string) []brokertest.Header {
		return []brokertest.Header{{Key: "reply-to", Value: []byte(topic)}}
	}
	records := numbered(5, 100)
	for i := range records {
		records[i].Headers = to("answers")
	}
	lost := brokertest.Record{Key: []byte("key-0"), Value: []byte("lost"), Headers: to("nobody.has.this")}
	brokertest.Produce(t, addrs, "desk.in", append(append([]brokertest.Record{lost}, records...), lost)...)
	require.Eventually(t, func() bool { return lag(t, addrs, "desk.reply", "desk.in") == 0 }, waitFor, tick)
	answers := brokertest.ReadAll(t, addrs, "answers")
	requireSequences(t, answers, 5, 100)
	require.Equal(t, "reply", header(answers[0], "ce_type"))
	require.Empty(t, header(answers[0], "reply-to"))
	poison := brokertest.ReadAll(t, addrs, "desk.reply.poison")
	require.Len(t, poison, 2)
	for _, r := range poison {
		require.Equal(t, "lost", string(r.Value))
		require.Contains(t, header(r, "reason_poisoned"), "topic nobody.has.this cannot be written to")
	}
}
