package router

import (
	"context"

	"github.com/penstock/penstock/router/internal/parking"
	"github.com/penstock/penstock/router/kafka"
)

// BeforeSend has f called with what is about to be stored. An error of it is that
// of the send.
func (l *PoisonLog) BeforeSend(f func(outs []kafka.Output) error) {
	l.send = func(ctx context.Context, outs ...kafka.Output) error {
		if err := f(outs); err != nil {
			return err
		}
		return l.pub.Send(ctx, outs...)
	}
}

// RecordHeaders are those of the record that says so.
func (p *Poisoned) RecordHeaders() []kafka.Header { return p.headers() }

// RecordHeaders are those of the record that says so.
func (a *PoisonAction) RecordHeaders() []kafka.Header { return a.headers() }

// Parking is what the claims of a stage have in their indexes, by input topic and
// partition. It is for tests that compare it with the log.
func (r *Router) Parking(stage string) map[string]map[int32]parking.State {
	states := map[string]map[int32]parking.State{}
	for _, s := range r.stages {
		if s.node.Name != stage {
			continue
		}
		for _, p := range s.allParkers() {
			topic := p.claim.Topic()
			if states[topic] == nil {
				states[topic] = map[int32]parking.State{}
			}
			states[topic][p.claim.Partition()] = p.index.Snapshot()
		}
	}
	return states
}

// PoisonPace keeps to a rate.
func PoisonPace(rate float64) func(ctx context.Context, n int) error {
	return (&poisonPace{rate: rate}).wait
}
