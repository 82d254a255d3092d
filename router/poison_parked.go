package router

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/penstock/penstock/router/internal/parking"
	"github.com/penstock/penstock/router/kafka"
)

// parkedPoison is what the retry logs of a stage know of poisoned messages.
type parkedPoison struct {
	replays map[parking.Entry]bool // that are pending
	held    map[parking.Entry]bool // messages' own entries
	logs    map[string]kafka.Topic
}

// parked folds the stage's retry logs, one partition after the other. As a stage
// cuts its logs this is bounded by what is parked; values are not kept.
func (l *PoisonLog) parked(ctx context.Context) (parkedPoison, error) {
	p := parkedPoison{replays: map[parking.Entry]bool{}, held: map[parking.Entry]bool{}}
	names, err := l.admin.TopicNames(ctx)
	if err != nil {
		return p, fmt.Errorf("look for the retry logs of stage %s: %w", l.cfg.Stage, err)
	}
	names = slices.DeleteFunc(names, func(name string) bool { return !strings.HasPrefix(name, l.cfg.Stage+".retry.") })
	if len(names) == 0 {
		return p, nil
	}
	if p.logs, err = l.admin.Topics(ctx, names...); err != nil {
		return p, fmt.Errorf("look for the retry logs of stage %s: %w", l.cfg.Stage, err)
	}
	for _, name := range slices.Sorted(maps.Keys(p.logs)) {
		if err := p.fold(ctx, l.cfg.Kafka, name); err != nil {
			return p, err
		}
	}
	return p, nil
}

func (p *parkedPoison) fold(ctx context.Context, cfg kafka.Config, topic string) error {
	var index *parking.Index
	partition, next := int32(-1), int64(0)
	err := kafka.ReadTopic(ctx, cfg, topic, func(r *kafka.Record) error {
		if r.Partition != partition && index != nil {
			p.note(index)
		}
		event, err := parking.Decode(r)
		if err != nil {
			return fmt.Errorf("record %s/%d@%d: %w", topic, r.Partition, r.Offset, err)
		}
		// Where offsets are missing before a SCAN the owner has cut the log meanwhile:
		// behind that is all that is live. Elsewhere they are markers of transactions.
		_, scan := event.(*parking.Scan)
		if index == nil || r.Partition != partition || scan && r.Offset != next {
			index = parking.New(parking.Config{CacheBytes: -1})
		}
		partition, next = r.Partition, r.Offset+1
		index.Apply(event, r.Offset)
		return nil
	})
	if err != nil {
		return fmt.Errorf("read retry log %s: %w", topic, err)
	}
	if index != nil {
		p.note(index)
	}
	return nil
}

// note takes what a partition's fold has come to.
func (p *parkedPoison) note(index *parking.Index) {
	for _, live := range index.Snapshot().Live {
		switch {
		case live.Held:
			p.held[live.Of] = true
		case live.Entry != live.Of:
			p.replays[live.Entry] = true
		}
	}
}
