package chaos

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/penstock/penstock/internal/chaos/retrylog"
	"github.com/penstock/penstock/internal/chaos/topics"
)

// What a former owner of a retry log has sent can come late: when the owner that
// followed has read the log and works on. It must be void then. That happens by
// itself too seldom to be tried, so records are stored again in place of it.

// lateness keeps, of a partition of a retry log, the first PARK of a message that
// its owner wrote last, and the same of the owners before.
type lateness struct{ own, former *kgo.Record }

func (l *lateness) see(r *retrylog.Record, stored *kgo.Record) {
	switch {
	case r.Kind == retrylog.Take && l.own != nil:
		l.own, l.former = nil, l.own
	case r.Kind == retrylog.Park && r.Prev < 0:
		l.own = stored
	}
}

// late is a record of a former owner, whose message is not parked any more.
func (f *follower) late() *kgo.Record {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, log := range f.logs {
		for p, l := range f.lateness[log] {
			if l.former == nil {
				continue
			}
			r, err := retrylog.FromClient(l.former)
			if err != nil || f.folds[log][p].Live(r.Entry) != nil {
				continue
			}
			former := l.former
			l.former = nil // each only once
			return &kgo.Record{
				Topic: former.Topic, Partition: p, Key: slices.Clone(former.Key), Value: slices.Clone(former.Value), Headers: former.Headers,
			}
		}
	}
	return nil
}

// latePatience is how long a record is waited for that could come late.
const latePatience = 3 * time.Second

// comeLate stores a record of a former owner, where there is one.
func (c *crew) comeLate(ctx context.Context) error {
	record := c.logs.late()
	for until := time.Now().Add(latePatience); record == nil && time.Now().Before(until); record = c.logs.late() {
		if err := pause(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
	if record == nil {
		c.logf("no former owner has left anything that could come late")
		return nil
	}
	c.logf("a PARK of %s/%d comes late", record.Topic, record.Partition)
	if err := topics.Store(ctx, c.cfg.Brokers, record); err != nil {
		return fmt.Errorf("let a record come late: %w", err)
	}
	return nil
}
