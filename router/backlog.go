package router

import (
	"context"
	"fmt"
	"time"

	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/router/internal/parking"
	"github.com/penstock/penstock/router/kafka"
)

// Backlog is what a stage has still to do of one partition of a pipe, whichever
// process runs it.
type Backlog struct {
	Stage     string // "<pipeline>.<stage>"
	Topic     string // of the pipe
	Partition int32

	Committed int64 // the first offset that is not done; -1: nothing was committed
	End       int64 // the offset behind the last record
	Behind    int64 // offsets between them

	// Runnable is how many of those are messages: the markers of transactions are
	// none, nor is what belongs to an aborted one or to one that is open. It is
	// counted where the stage is at most CountWithin offsets behind, and Behind
	// where it is more.
	Runnable int64

	// Parked are the messages that wait in the retry log to be tried again, Held
	// those of them that wait for an operator, or behind one that does. Oldest is
	// when the message that is parked longest failed first; zero: none.
	Parked, Held int64
	Oldest       time.Time
}

// CountWithin is up to how many offsets a [Backlog] counts messages.
const CountWithin = 1000

// Backlogs tells what the stages of pipelines have to do. It remembers what it
// has read of their retry logs, so that the next look is cheap. It is for one
// goroutine.
type Backlogs struct {
	admin  *kafka.Admin
	reader *kafka.Reader
	stages []*pipeline.StageNode
	logs   map[string]map[int32]*foldedLog
}

// foldedLog is how far one partition of a retry log was read, and what it says.
type foldedLog struct {
	next  int64
	index *parking.Index
}

// NewBacklogs returns one for some stages. It uses admin and reader, and closes
// neither.
func NewBacklogs(admin *kafka.Admin, reader *kafka.Reader, stages ...*pipeline.StageNode) *Backlogs {
	return &Backlogs{admin: admin, reader: reader, stages: stages, logs: map[string]map[int32]*foldedLog{}}
}

// Read tells what there is to do now, by stage, pipe and partition.
func (b *Backlogs) Read(ctx context.Context) ([]Backlog, error) {
	var all []Backlog
	for _, s := range b.stages {
		for i, pipe := range s.Inputs {
			lags, err := b.admin.Lag(ctx, s.Group, pipe.Topic)
			if err != nil {
				return nil, err
			}
			retryLog := ""
			if len(s.RetryTopics) > 0 {
				retryLog = s.RetryTopics[i]
			}
			for _, l := range lags {
				one, err := b.of(ctx, s, l, retryLog)
				if err != nil {
					return nil, fmt.Errorf("look what stage %s has to do: %w", s.Group, err)
				}
				all = append(all, one)
			}
		}
	}
	return all, nil
}

func (b *Backlogs) of(ctx context.Context, s *pipeline.StageNode, l kafka.Lag, retryLog string) (Backlog, error) {
	one := Backlog{
		Stage: s.Group, Topic: l.Topic, Partition: l.Partition,
		Committed: l.Committed, End: l.End, Behind: l.Behind(), Runnable: l.Behind(),
	}
	if one.Behind > 0 && one.Behind <= CountWithin {
		one.Runnable = 0
		_, err := b.reader.Read(ctx, l.Topic, l.Partition, l.Committed, func(r *kafka.Record) error {
			if r.Offset < l.End {
				one.Runnable++
			}
			return nil
		})
		if err != nil {
			return one, err
		}
	}
	if retryLog == "" {
		return one, nil
	}
	index, err := b.fold(ctx, retryLog, l.Partition)
	if err != nil {
		return one, err
	}
	now := index.Stats()
	one.Parked, one.Oldest = int64(now.Live), now.Oldest
	one.Held = one.Parked - int64(countToTry(index))
	return one, nil
}

// toTry is how many messages of a stage the retry logs say are parked and are to be
// tried again, whichever process has them.
func (b *Backlogs) toTry(ctx context.Context, s *pipeline.StageNode) (n int, err error) {
	for _, log := range s.RetryTopics {
		bounds, err := b.reader.Bounds(ctx, log)
		if err != nil {
			return 0, fmt.Errorf("look what is parked: %w", err)
		}
		for i := range bounds {
			index, err := b.fold(ctx, log, bounds[i].Partition)
			if err != nil {
				return 0, fmt.Errorf("look what is parked: %w", err)
			}
			n += countToTry(index)
		}
	}
	return n, nil
}

// fold reads on in a partition of a retry log.
func (b *Backlogs) fold(ctx context.Context, topic string, partition int32) (*parking.Index, error) {
	if b.logs[topic] == nil {
		b.logs[topic] = map[int32]*foldedLog{}
	}
	log := b.logs[topic][partition]
	if log == nil {
		log = &foldedLog{index: parking.New(parking.Config{CacheBytes: -1})}
		b.logs[topic][partition] = log
	}
	next, err := b.reader.Read(ctx, topic, partition, log.next, func(r *kafka.Record) error {
		e, err := parking.Decode(r)
		if err != nil {
			return fmt.Errorf("%s/%d@%d: %w", topic, partition, r.Offset, err)
		}
		log.index.Apply(e, r.Offset)
		log.next = r.Offset + 1 // what was applied is not read again, also after an error
		return nil
	})
	if err != nil {
		return nil, err
	}
	log.next = next
	return log.index, nil
}
