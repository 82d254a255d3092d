package chaos

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/penstock/penstock/internal/chaos/flow"
	"github.com/penstock/penstock/internal/chaos/retrylog"
	"github.com/penstock/penstock/internal/chaos/topics"
)

// follower reads the retry logs of the stages while the run goes on, because their
// owners cut them. A few records can be cut before they are read: a fold can begin
// where the log does then, and the checker knows that something is missing.
type follower struct {
	cfg    Config
	stages []flow.Stage // by their retry logs
	logs   []string
	stop   context.CancelFunc
	ended  chan struct{}
	err    error // of the end

	mu      sync.Mutex
	records map[string][]retrylog.Record
	folds   map[string]map[int32]*retrylog.Fold
	next    map[string]map[int32]int64

	lateness map[string]map[int32]*lateness
}

// follow begins to read the logs. Close ends it.
func follow(ctx context.Context, cfg Config, stages []flow.Stage) (*follower, error) {
	f := &follower{
		cfg: cfg, ended: make(chan struct{}), records: map[string][]retrylog.Record{},
		folds: map[string]map[int32]*retrylog.Fold{}, next: map[string]map[int32]int64{},
		lateness: map[string]map[int32]*lateness{},
	}
	for _, s := range stages {
		if !s.Parking() {
			continue
		}
		log := flow.RetryLog(cfg.Pipeline, s)
		f.stages, f.logs = append(f.stages, s), append(f.logs, log)
		f.folds[log], f.next[log], f.lateness[log] = map[int32]*retrylog.Fold{}, map[int32]int64{}, map[int32]*lateness{}
	}
	ctx, f.stop = context.WithCancel(ctx)
	if len(f.logs) == 0 {
		close(f.ended)
		return f, nil
	}
	reader, err := topics.New(cfg.Brokers)
	if err != nil {
		f.stop()
		return nil, err
	}
	go func() {
		defer close(f.ended)
		defer reader.Close()
		of := map[string]int{}
		for _, log := range f.logs {
			of[log] = flow.Partitions
		}
		f.err = reader.Follow(ctx, of, readEvery, f.take)
	}()
	return f, nil
}

// close ends the reading, and returns what went wrong with it.
func (f *follower) close() error {
	f.stop()
	<-f.ended
	return f.err
}

func (f *follower) take(stored *kgo.Record, start int64) error {
	if stored.Attrs.IsControl() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.next[stored.Topic][stored.Partition] = stored.Offset + 1
		return nil
	}
	r, err := retrylog.FromClient(stored)
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	fold := f.folds[r.Topic][r.Partition]
	// What is missing otherwise is of transactions: their ends, or those that were
	// given up.
	if due := f.next[r.Topic][r.Partition]; start > due {
		if r.Kind != retrylog.Scan {
			return fmt.Errorf("follow %s/%d: offset %d was due, and %d came, where no fold can begin", r.Topic, r.Partition, due, r.Offset)
		}
		r.Removed, fold = start-due, nil // it begins anew
	}
	f.records[r.Topic] = append(f.records[r.Topic], r)
	if fold == nil {
		fold = retrylog.NewFold()
		f.folds[r.Topic][r.Partition], f.lateness[r.Topic][r.Partition] = fold, &lateness{}
	}
	if fold.Counts(&r.Event) {
		f.lateness[r.Topic][r.Partition].see(&r, stored)
	}
	fold.Apply(&r)
	f.next[r.Topic][r.Partition] = r.Offset + 1
	return nil
}

// left is how many records of a stage's log are not read yet, and how many messages
// are parked that are not to stay.
func (f *follower) left(ctx context.Context, reader *topics.Reader, s flow.Stage) (unread int64, parked int, err error) {
	if !s.Parking() {
		return 0, 0, nil
	}
	log := flow.RetryLog(f.cfg.Pipeline, s)
	ends, err := reader.Ends(ctx, log, flow.Partitions)
	if err != nil {
		return 0, 0, err
	}
	select {
	case <-f.ended:
		return 0, 0, f.err
	default:
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for p, end := range ends {
		unread += max(0, end-f.next[log][p])
	}
	for _, fold := range f.folds[log] {
		fold.Each(func(l *retrylog.Live) {
			m, err := flow.Parse([]byte(l.Value))
			if err != nil || !s.Stays(m) {
				parked++
			}
		})
	}
	return unread, parked, nil
}

// of are the records of a stage's log, partition after partition.
func (f *follower) of(s flow.Stage) []retrylog.Record {
	f.mu.Lock()
	defer f.mu.Unlock()
	records := f.records[flow.RetryLog(f.cfg.Pipeline, s)]
	slices.SortStableFunc(records, func(a, b retrylog.Record) int { return int(a.Partition) - int(b.Partition) })
	return records
}

// all are the records of all logs, by topic.
func (f *follower) all() map[string][]retrylog.Record {
	all := map[string][]retrylog.Record{}
	for i, s := range f.stages {
		all[f.logs[i]] = f.of(s)
	}
	return all
}
