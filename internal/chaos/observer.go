package chaos

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/penstock/penstock/internal/chaos/checker"
	"github.com/penstock/penstock/internal/chaos/flow"
	"github.com/penstock/penstock/internal/chaos/topics"
)

// observer reads all pipes and poison topics while the run goes on, as a consumer
// would that heeds what is committed only.
type observer struct {
	stop  context.CancelFunc
	ended chan struct{}
	err   error // of the end

	mu   sync.Mutex
	next map[string][]int64      // by topic and partition: the offset behind what was read
	seen map[string][][]sighting // likewise
}

type sighting struct {
	checker.Sighting

	at time.Time // when it was seen
}

// readEvery is how often what the run leaves is read: recoveries are measured so
// exactly, and what is parked is read before it is cut.
const readEvery = 50 * time.Millisecond

// observe begins to read. Close ends it.
func observe(ctx context.Context, cfg Config, stages []flow.Stage) (*observer, error) {
	o := &observer{ended: make(chan struct{}), next: map[string][]int64{}, seen: map[string][][]sighting{}}
	of := map[string]int{flow.Topic(cfg.Pipeline, flow.In): flow.Partitions}
	for _, s := range stages {
		of[flow.Topic(cfg.Pipeline, s.Name)] = flow.Partitions
		of[flow.PoisonTopic(cfg.Pipeline, s.Name)] = flow.PoisonPartitions
	}
	for topic, partitions := range of {
		o.next[topic], o.seen[topic] = make([]int64, partitions), make([][]sighting, partitions)
	}
	reader, err := topics.New(cfg.Brokers)
	if err != nil {
		return nil, err
	}
	ctx, o.stop = context.WithCancel(ctx)
	go func() {
		defer close(o.ended)
		defer reader.Close()
		o.err = reader.Follow(ctx, of, readEvery, o.take)
	}()
	return o, nil
}

// close ends the reading, and returns what went wrong with it.
func (o *observer) close() error {
	o.stop()
	<-o.ended
	return o.err
}

func (o *observer) take(r *kgo.Record, _ int64) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.next[r.Topic][r.Partition] = r.Offset + 1
	if !r.Attrs.IsControl() {
		of := o.seen[r.Topic]
		of[r.Partition] = append(of[r.Partition], sighting{checker.Sighting{
			Partition: r.Partition, Offset: r.Offset, Sum: checker.Sum(string(r.Key), string(r.Value), topics.Headers(r.Headers)),
		}, time.Now()})
	}
	return nil
}

// unread is how many offsets of the topic are not read yet.
func (o *observer) unread(ctx context.Context, reader *topics.Reader, topic string) (n int64, err error) {
	o.mu.Lock()
	partitions := len(o.next[topic])
	o.mu.Unlock()
	ends, err := reader.Ends(ctx, topic, partitions)
	if err != nil {
		return 0, err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for p, end := range ends {
		n += max(0, end-o.next[topic][p])
	}
	return n, nil
}

// lag is how many records of the stage's input are not committed, or not known yet.
func (o *observer) lag(ctx context.Context, reader *topics.Reader, pipeline string, s flow.Stage) (int64, error) {
	topic := flow.Topic(pipeline, s.Input)
	n, err := o.unread(ctx, reader, topic)
	if err != nil {
		return 0, err
	}
	committed, err := reader.Committed(ctx, flow.Group(pipeline, s.Name), topic, flow.Partitions)
	if err != nil {
		return 0, err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for p, seen := range o.seen[topic] {
		from, _ := slices.BinarySearchFunc(seen, committed[int32(p)], func(s sighting, offset int64) int { return int(s.Offset - offset) })
		n += int64(len(seen) - from)
	}
	return n, nil
}

// of is what was seen of a topic, partition after partition.
func (o *observer) of(topic string) (all []checker.Sighting) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, seen := range o.seen[topic] {
		for _, s := range seen {
			all = append(all, s.Sighting)
		}
	}
	return all
}

// times are when the records of each partition of a topic were seen.
func (o *observer) times(topic string) [][]time.Time {
	o.mu.Lock()
	defer o.mu.Unlock()
	times := make([][]time.Time, len(o.seen[topic]))
	for p, seen := range o.seen[topic] {
		for _, s := range seen {
			times[p] = append(times[p], s.at)
		}
	}
	return times
}
