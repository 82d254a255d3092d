package broker

import (
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// keepLogs removes what is past retention and writes down the ends of logs that
// become empty, until stop is closed. kfake looks for retention by itself only
// for topics that set it, and not after a restart.
func (b *Broker) keepLogs(interval time.Duration, written []logEnd, stop <-chan struct{}) {
	deleted := b.watchDeletes()
	defer deleted.handle.Remove()
	again := time.NewTicker(interval)
	defer again.Stop()
	for {
		b.cluster.ApplyRetention()
		written = b.keepEnds(written)
		for waiting := true; waiting; {
			select {
			case <-again.C:
				waiting = false
			case <-deleted.wake:
				written = b.keepEnds(written)
			case <-stop:
				b.keepEnds(written)
				return
			}
		}
	}
}

func (b *Broker) keepEnds(written []logEnd) []logEnd {
	if b.dir == nil {
		return nil
	}
	written, err := b.recordEnds(written)
	if err != nil {
		b.log.log.Error("the embedded broker cannot write down where its empty logs end", "error", err)
	}
	return written
}

// deletes tells that records are being deleted on request.
type deletes struct {
	wake   chan struct{}
	handle *kfake.FaultHandle
}

// watchDeletes observes the requests, on the goroutine that goes on to serve
// them: who is woken by it and asks the cluster is answered after that.
func (b *Broker) watchDeletes() deletes {
	d := deletes{wake: make(chan struct{}, 1)}
	d.handle = b.cluster.Fault(kfake.Fault{
		Keys:    []kmsg.Key{kmsg.DeleteRecords},
		Count:   -1,
		Observe: true,
		When: func(kmsg.Request) bool {
			select {
			case d.wake <- struct{}{}:
			default: // somebody is about to look
			}
			return true
		},
	})
	return d
}
