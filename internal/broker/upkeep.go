package broker

import (
	"context"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// upkeep looks after the logs on disk until ctx ends: it applies retention and
// writes down the ends of logs that become empty.
func (b *Broker) upkeep(ctx context.Context, interval time.Duration, written []logEnd) {
	deleted := make(chan struct{}, 1)
	defer b.watchDeletes(deleted).Remove()
	again := time.NewTicker(interval)
	defer again.Stop()
	for {
		if err := b.applyRetention(ctx); err != nil && ctx.Err() == nil {
			b.log.log.Warn("the embedded broker could not apply retention", "error", err)
		}
		written = b.keepEnds(written)
		for waiting := true; waiting; {
			select {
			case <-again.C:
				waiting = false
			case <-deleted:
				written = b.keepEnds(written)
			case <-ctx.Done():
				b.keepEnds(written)
				return
			}
		}
	}
}

// watchDeletes tells when records are deleted by request. It looks on the
// goroutine that goes on to serve the request: who is told and asks the cluster
// is answered after that.
func (b *Broker) watchDeletes(deleted chan<- struct{}) *kfake.FaultHandle {
	return b.cluster.Fault(kfake.Fault{
		Keys:    []kmsg.Key{kmsg.DeleteRecords},
		Count:   -1,
		Observe: true,
		When: func(kmsg.Request) bool {
			select {
			case deleted <- struct{}{}:
			default: // it has been told and has not looked yet
			}
			return true
		},
	})
}

func (b *Broker) keepEnds(written []logEnd) []logEnd {
	written, err := b.recordEnds(written)
	if err != nil {
		b.log.log.Error("the embedded broker cannot write down where its empty logs end", "error", err)
	}
	return written
}
