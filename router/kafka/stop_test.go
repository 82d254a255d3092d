package kafka_test

import (
	"context"
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

// trouble is what a coordinator does to a member that stops.
type trouble struct {
	key   kmsg.Key
	fault *kerr.Error // nil: it does not answer
}

// begin returns how often it was met, and what ends it.
func (tr trouble) begin(b *broker.Broker) (met func() int, end func()) {
	if tr.fault == nil {
		q := hush(b, tr.key)
		return func() int { return int(q.unsaid.Load()) }, q.end
	}
	h := b.Cluster().Fault(kfake.Fault{Keys: []kmsg.Key{tr.key}, Err: tr.fault, TopLevel: tr.key != kmsg.OffsetCommit, Count: -1})
	return h.Hits, h.Remove
}

// A member that stops comes to its end, though the coordinator refuses what it says on
// its way out, has it for evicted, or does not answer at all. What was done meanwhile
// may be done again; nothing is lost.
func TestAStopEndsWhateverTheCoordinatorDoes(t *testing.T) {
	t.Parallel()
	troubles := map[string][]trouble{"nothing is answered": {
		{key: kmsg.Heartbeat},
		{key: kmsg.OffsetCommit},
		{key: kmsg.TxnOffsetCommit},
		{key: kmsg.LeaveGroup},
		{key: kmsg.JoinGroup},
		{key: kmsg.SyncGroup},
		{key: kmsg.FindCoordinator},
		{key: kmsg.EndTxn},
	}}
	for _, key := range []kmsg.Key{kmsg.Heartbeat, kmsg.OffsetCommit, kmsg.LeaveGroup} {
		troubles[key.Name()+" unanswered"] = []trouble{{key, nil}}
		for _, fault := range []*kerr.Error{kerr.UnknownMemberID, kerr.RebalanceInProgress, kerr.IllegalGeneration, kerr.CoordinatorNotAvailable} {
			troubles[key.Name()+" "+fault.Message] = []trouble{{key, fault}}
		}
	}
	for mode, transactions := range map[string]*kafka.TransactionsConfig{"at least once": nil, "exactly once": {Timeout: patience}} {
		for name, all := range troubles {
			t.Run(mode+" "+name, func(t *testing.T) {
				t.Parallel()
				stops(t, transactions, all)
			})
		}
	}
}

func stops(t *testing.T, transactions *kafka.TransactionsConfig, all []trouble) {
	t.Helper()
	b := brokertest.New(t, brokertest.Topic("in", 12), brokertest.Topic("out", 3))
	cfg := quick(b.Addrs())
	cfg.Transactions = transactions
	// Longer than the test has patience: what waits for these to pass, or once for each
	// partition, fails.
	cfg.RebalanceTimeout, cfg.DrainTimeout = 5*patience, 4*patience
	cfg.SessionTimeout, cfg.RequestTimeout = 2*time.Second, 5*time.Second
	begun, goOn := make(chan struct{}, 1000), make(chan struct{})
	m := join(t, cfg, func(b *kafka.Batch, out *kafka.Outbox) error {
		begun <- struct{}{}
		select {
		case <-goOn:
			return copied(20)(b, out)
		case <-b.Claim.Context().Done():
			return context.Cause(b.Claim.Context())
		}
	})
	feed(t, b.Addrs(), 20, 20)
	<-begun
	var ends []func()
	for _, tr := range all {
		met, end := tr.begin(b)
		ends = append(ends, end)
		t.Cleanup(end)                // again: nothing
		if tr.key == kmsg.Heartbeat { // of the others a member at rest sends none
			until(t, func() bool { return met() > 0 }, "no heartbeat is sent")
		}
	}
	close(goOn) // what is at work ends while it stops
	m.leave()
	for _, end := range ends {
		end()
	}

	cfg = quick(b.Addrs())
	cfg.Transactions = transactions
	next := join(t, cfg, copied(20))
	caughtUp(t, b)
	require.Empty(t, next.failures())
	requireRewindsOnly(t, look(t, b))
}
