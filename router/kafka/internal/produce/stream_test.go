package produce_test

import (
	"encoding/binary"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/penstock/penstock/internal/brokertest"
	"github.com/penstock/penstock/router/kafka/internal/client"
	"github.com/penstock/penstock/router/kafka/internal/produce"
)

// stream enqueues numbered outputs to every partition, as fast as their fates
// come back, and keeps what it is told.
type stream struct {
	slice int           // outputs a partition in a call of Enqueue
	slots chan struct{} // bounds what is in flight
	stop  chan struct{}
	ended chan struct{} // the feeder has stopped
	next  [partitions]int64

	fenced  atomic.Bool   // OnFence was called
	fencing chan struct{} // closed then

	mu     sync.Mutex
	fates  [partitions]map[int64][]client.Fate
	order  [partitions]int64 // the number after the last one whose fate was told
	faults []string          // what was told wrongly
	stored int
	errs   []error
}

func newStream(slice int) *stream {
	s := &stream{
		slice: slice, slots: make(chan struct{}, 64),
		stop: make(chan struct{}), ended: make(chan struct{}), fencing: make(chan struct{}),
	}
	for i := range s.fates {
		s.fates[i] = map[int64][]client.Fate{}
	}
	return s
}

// onFence is the producer's OnFence.
func (s *stream) onFence(error) {
	s.fenced.Store(true)
	close(s.fencing)
}

// done is the producer's Done.
func (s *stream) done(r client.Result) {
	s.mu.Lock()
	defer s.mu.Unlock()
	wrong := func(format string, args ...any) { s.faults = append(s.faults, fmt.Sprintf(format, args...)) }
	if r.Fate != client.Stored && !s.fenced.Load() {
		wrong("partition %d: a fate is told before the fence: %s", r.Partition, r.Fate)
	}
	if (r.Err == nil) != (r.Fate == client.Stored) {
		wrong("partition %d: fate %s with error %v", r.Partition, r.Fate, r.Err)
	}
	if r.Err != nil {
		s.errs = append(s.errs, r.Err)
	}
	for _, out := range r.Outputs {
		n := out.Entry
		if n != s.order[r.Partition] {
			wrong("partition %d: the fate of %d is told when that of %d is due", r.Partition, n, s.order[r.Partition])
		}
		s.order[r.Partition] = n + 1
		s.fates[r.Partition][n] = append(s.fates[r.Partition][n], r.Fate)
		if r.Fate == client.Stored {
			s.stored++
		}
		if (n+1)%int64(s.slice) == 0 {
			<-s.slots
		}
	}
}

// feed enqueues until the producer refuses or halt is called.
func (s *stream) feed(p *produce.Producer) {
	defer close(s.ended)
	for {
		for range partitions {
			select {
			case s.slots <- struct{}{}:
			case <-s.stop:
				return
			}
		}
		var outs []client.Output
		for i := range s.slice {
			for id := range int32(partitions) {
				n := s.next[id] + int64(i)
				outs = append(outs, client.Output{
					Partition: id, Ticket: client.Ticket{Entry: n},
					Value: append(binary.BigEndian.AppendUint64(nil, uint64(n)), make([]byte, 100)...),
				})
			}
		}
		if p.Enqueue(topic, outs) != nil {
			return
		}
		for id := range s.next {
			s.next[id] += int64(s.slice)
		}
	}
}

func (s *stream) halt() {
	close(s.stop)
	<-s.ended
}

func (s *stream) storedSoFar() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stored
}

// goesOn waits until so many more outputs are stored.
func (s *stream) goesOn(t testing.TB, more int) {
	t.Helper()
	want := s.storedSoFar() + more
	require.Eventually(t, func() bool { return s.storedSoFar() >= want }, patience, time.Millisecond, "the stream goes on")
}

// violations compares what the log has with what was enqueued and told. None
// of an empty list of fates is accepted: each output has one.
func (s *stream) violations(log [partitions][]int64) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := append([]string(nil), s.faults...)
	for id := range log {
		has := map[int64]bool{}
		for i, n := range log[id] {
			switch {
			case has[n]:
				found = append(found, fmt.Sprintf("partition %d: %d is stored again at %d", id, n, i))
			case n != int64(len(has)):
				found = append(found, fmt.Sprintf("partition %d: %d is stored where %d is due: a gap, or out of order", id, n, len(has)))
			}
			has[n] = true
		}
		for n := range s.next[id] {
			fates := s.fates[id][n]
			switch {
			case len(fates) != 1:
				found = append(found, fmt.Sprintf("partition %d: %d fates of %d are told", id, len(fates), n))
			case fates[0] == client.Stored && !has[n]:
				found = append(found, fmt.Sprintf("partition %d: %d is told stored and lost", id, n))
			case fates[0] == client.NotStored && has[n]:
				found = append(found, fmt.Sprintf("partition %d: %d is told not stored, and is", id, n))
			}
		}
	}
	return found
}

// readLog reads what the brokers have, by a client that shares no code with
// the producer, once the requests that were cut off on their way have arrived
// or are lost.
func readLog(t testing.TB, c *kfake.Cluster, w *wire, arrived *kfake.FaultHandle) (log [partitions][]int64) {
	t.Helper()
	for end := time.Now().Add(200 * time.Millisecond); time.Now().Before(end) && int64(arrived.Hits()) < w.whole.Load(); {
		c.CurrentNode() // one turn of the cluster's own goroutine, in which it takes requests
	}
	for _, r := range brokertest.ReadAll(t, c.ListenAddrs(), topic) {
		log[r.Partition] = append(log[r.Partition], int64(binary.BigEndian.Uint64(r.Value)))
	}
	return log
}

// watchProduce counts the produce requests that reach the cluster.
func watchProduce(c *kfake.Cluster) *kfake.FaultHandle {
	return c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Observe: true, Count: -1})
}
