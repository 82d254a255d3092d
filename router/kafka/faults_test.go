package kafka_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/penstock/penstock/internal/broker"
	"github.com/penstock/penstock/internal/brokertest"
	"github.com/penstock/penstock/router/kafka"
)

// newFlow starts a broker with the topics of a flow.
func newFlow(t testing.TB) *broker.Broker {
	t.Helper()
	return brokertest.New(t, brokertest.Topic("in", 4), brokertest.Topic("out", 3))
}

// refuse makes the broker refuse n requests to write to topic "out"; -1: all
// until it is removed.
func refuse(b *broker.Broker, n int, err *kerr.Error) *kfake.FaultHandle {
	return b.Cluster().Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: "out", Err: err, Count: n})
}

func TestWhatIsStoredIsCommittedAndNothingElse(t *testing.T) {
	t.Parallel()
	b := newFlow(t)
	join(t, quick(b.Addrs()), copied(20))
	for _, fault := range []struct {
		err *kerr.Error
		n   int
	}{
		{kerr.NotEnoughReplicas, 3},
		{kerr.MessageTooLarge, 1},
		{kerr.RequestTimedOut, 2},
		{kerr.InvalidProducerEpoch, 1},
		{kerr.NotLeaderForPartition, 2},
		{kerr.OutOfOrderSequenceNumber, 1},
		{kerr.TopicAuthorizationFailed, 1},
		{kerr.PolicyViolation, 1},
	} {
		h := refuse(b, fault.n, fault.err)
		feed(t, b.Addrs(), 20, 20)
		require.NoError(t, h.Wait(within(t), fault.n))
		require.Empty(t, look(t, b).committed, "right after %v", fault.err)
	}
	caughtUp(t, b)
	f := look(t, b)
	require.Empty(t, f.lost)
	require.Empty(t, f.disordered)
	require.Empty(t, f.jumps)
}

func TestWhileNothingCanBeStoredNothingIsCommitted(t *testing.T) {
	t.Parallel()
	b := newFlow(t)
	h := refuse(b, -1, kerr.NotEnoughReplicas)
	m := join(t, quick(b.Addrs()), copied(20))
	feed(t, b.Addrs(), 20, 20)
	require.NoError(t, h.Wait(within(t), 10))
	for _, offset := range committed(b) {
		require.Zero(t, offset)
	}
	h.Remove()
	caughtUp(t, b)
	require.Equal(t, findings{}, look(t, b), "a stall repeats nothing")
	require.Empty(t, m.failures())
}

// A delivery that is not through by its deadline ends the membership; the
// next one does it all again.
func TestTheDeliveryDeadlineEndsTheMembership(t *testing.T) {
	t.Parallel()
	b := newFlow(t)
	h := refuse(b, -1, kerr.NotEnoughReplicas)
	cfg := quick(b.Addrs())
	cfg.Producer.DeliveryTimeout = 200 * time.Millisecond
	m := join(t, cfg, copied(20))
	feed(t, b.Addrs(), 20, 20)
	until(t, func() bool { return len(m.failures()) > 1 }, "nothing fails")
	require.Empty(t, look(t, b).committed)
	h.Remove()
	caughtUp(t, b)
	f := look(t, b)
	require.Empty(t, f.lost)
	require.Empty(t, f.disordered)
	require.Empty(t, f.jumps)
	require.ErrorContains(t, m.failures()[0], "outputs could not be delivered")
}

// The negative control: with the rule broken the checker has something to say.
func TestCommitBeforeDeliveryIsSeenAsLoss(t *testing.T) {
	t.Parallel()
	b := newFlow(t)
	h := refuse(b, -1, kerr.NotEnoughReplicas)
	join(t, quick(b.Addrs()), func(b *kafka.Batch, out *kafka.Outbox) error {
		for i := range b.Records {
			if err := copyOne(b, i, out); err != nil {
				return err
			}
		}
		out.ForgetOutputs()
		return out.Flush()
	})
	feed(t, b.Addrs(), 20, 20)
	caughtUp(t, b)
	require.NotEmpty(t, look(t, b).committed)
	h.Remove()
}
