package router

import (
	"cmp"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Takeover is a partition whose retry log is being read before work on it
// begins.
type Takeover struct {
	Topic     string // of the input
	Partition int32
	Since     time.Time
	Read      int64 // records of the log, so far
	Of        int64 // about as many there are; 0: not known yet
}

// takeover is one that is under way.
type takeover struct {
	all       *takeovers
	topic     string
	partition int32
	begun     time.Time
	read, of  atomic.Int64
}

// takeovers are those of a stage.
type takeovers struct {
	mu    sync.Mutex
	under map[*takeover]struct{}
	done  int64
	took  time.Duration // all that are done
}

// begin says that a partition is being taken over. Who does it adds to read,
// sets of, and calls end in any case.
func (ts *takeovers) begin(topic string, partition int32) *takeover {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	if ts.under == nil {
		ts.under = map[*takeover]struct{}{}
	}
	t := &takeover{all: ts, topic: topic, partition: partition, begun: time.Now()}
	ts.under[t] = struct{}{}
	return t
}

// end says that the takeover is over. One that failed is not counted.
func (t *takeover) end(err error) {
	t.all.mu.Lock()
	defer t.all.mu.Unlock()
	delete(t.all.under, t)
	if err == nil {
		t.all.done++
		t.all.took += time.Since(t.begun)
	}
}

// underWay lists the takeovers that are, by topic and partition.
func (ts *takeovers) underWay() []Takeover {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	list := make([]Takeover, 0, len(ts.under))
	for t := range ts.under {
		list = append(list, Takeover{Topic: t.topic, Partition: t.partition, Since: t.begun, Read: t.read.Load(), Of: t.of.Load()})
	}
	slices.SortFunc(list, func(a, b Takeover) int {
		return cmp.Or(cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Partition, b.Partition))
	})
	return list
}

// sum is how many are done, and how long they took in all.
func (ts *takeovers) sum() (done int64, took time.Duration) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	return ts.done, ts.took
}
