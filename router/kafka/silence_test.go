package kafka_test

import (
	"sync"
	"sync/atomic"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/penstock/penstock/internal/broker"
)

// silence is a broker that does not answer requests of some kinds. What comes behind
// one of them on its connection waits too.
type silence struct {
	over   chan struct{}
	end    func()       // answers them, and all that come; again: nothing
	unsaid atomic.Int64 // how many requests came
}

// hush has the broker be silent until the silence is ended.
func hush(b *broker.Broker, kinds ...kmsg.Key) *silence {
	s := &silence{over: make(chan struct{})}
	s.end = sync.OnceFunc(func() { close(s.over) })
	cluster := b.Cluster()
	for _, kind := range kinds {
		cluster.ControlKey(int16(kind), func(kmsg.Request) (kmsg.Response, error, bool) {
			select {
			case <-s.over:
			default:
				s.unsaid.Add(1)
				cluster.SleepControl(func() { <-s.over })
			}
			return nil, nil, false //nolint:nilnil // the broker answers
		})
	}
	return s
}
