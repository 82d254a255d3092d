package kafka

import (
	"context"
	"errors"
	"fmt"

	"github.com/IBM/sarama"

	"github.com/penstock/penstock/router/kafka/internal/saramaclient"
)

// Lag is how far a group is in one partition.
type Lag struct {
	Topic     string
	Partition int32
	Start     int64 // the oldest offset that the log still has
	Committed int64 // the group's first offset that is not done; -1: nothing was committed
	End       int64 // the offset behind the last record
}

// Behind is how many offsets are between what is committed and the end. Where
// transactions are used, their markers count too until they are passed.
func (l Lag) Behind() int64 {
	from := max(l.Committed, l.Start)
	return max(l.End-from, 0)
}

// Lag tells how far a group is in every partition of topics.
func (a *Admin) Lag(ctx context.Context, group string, topics ...string) ([]Lag, error) {
	lags, err := saramaclient.Aside(ctx, func() ([]Lag, error) { return a.lag(group, topics) })
	if err != nil {
		return nil, fmt.Errorf("look up the lag of group %s: %w", group, err)
	}
	return lags, nil
}

func (a *Admin) lag(group string, topics []string) ([]Lag, error) {
	partitions := make(map[string][]int32, len(topics))
	for _, t := range topics {
		ids, err := a.conn.Partitions(t)
		if err != nil {
			return nil, fmt.Errorf("topic %s: %w", t, err)
		}
		partitions[t] = ids
	}
	committed, err := a.admin.ListConsumerGroupOffsets(group, partitions)
	switch {
	case errors.Is(err, sarama.ErrGroupIDNotFound): // it has committed nothing yet
		committed = &sarama.OffsetFetchResponse{}
	case err != nil:
		return nil, err
	}
	var lags []Lag
	for _, t := range topics {
		for _, p := range partitions[t] {
			l := Lag{Topic: t, Partition: p, Committed: -1}
			if b := committed.GetBlock(t, p); b != nil {
				if b.Err != sarama.ErrNoError {
					return nil, fmt.Errorf("%s/%d: %w", t, p, b.Err)
				}
				l.Committed = b.Offset
			}
			if l.Start, err = a.conn.GetOffset(t, p, sarama.OffsetOldest); err != nil {
				return nil, fmt.Errorf("%s/%d: %w", t, p, err)
			}
			if l.End, err = a.conn.GetOffset(t, p, sarama.OffsetNewest); err != nil {
				return nil, fmt.Errorf("%s/%d: %w", t, p, err)
			}
			lags = append(lags, l)
		}
	}
	return lags, nil
}
