package router_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/penstock/penstock/internal/brokertest"
	"github.com/penstock/penstock/pipeline"
)

// What comes of a parked message is there exactly when its end is in the log: where
// that cannot be stored, a reader sees nothing, and whoever has the partition next
// runs the message again.
func TestExactlyOnceOutputsOfAParkedMessageComeWithItsEnd(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t)
	addrs := b.Addrs()
	var refused sync.Once
	var runs atomic.Int32
	p := laned(func(ctx context.Context, _ *pipeline.Message[[]byte]) error {
		if pipeline.FromContext(ctx).Attempt == 1 {
			return errBoom
		}
		runs.Add(1)
		refused.Do(func() { // its START is stored, its DONE will be refused for good
			b.Cluster().Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: "laned.work.retry.in", Err: kerr.PolicyViolation, Count: 1})
		})
		return nil
	}, append(parks(), pipeline.ExactlyOnce())...)
	r := start(t, addrs, p, quickly())
	brokertest.Produce(t, addrs, "laned.in", numbered(1, 1)...)
	require.Eventually(t, func() bool { return runs.Load() > 1 }, waitFor, tick, "it is run again")
	r.drained()
	require.Len(t, brokertest.ReadCommitted(t, addrs, "laned.work"), 1)
}
