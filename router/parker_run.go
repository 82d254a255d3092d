package router

import (
	"context"
	"fmt"
	"time"

	"github.com/penstock/penstock/internal/sabotage"
	"github.com/penstock/penstock/router/internal/parking"
)

// How many messages of a key are tried in a row before it is written down how far
// that came, and about how many bytes they may have: a key that has piled up
// should not pay three round trips for each of its messages.
const (
	runLength = 16
	runBytes  = 1 << 20
)

// maxRuns is how many keys may be on their way at a time: enough for every lane
// to have one while others wait for the broker.
func (p *parker) maxRuns() int { return max(8, 2*p.stage.node.Lanes) }

// dispatch begins the runs whose time has come.
func (p *parker) dispatch(ctx context.Context) error {
	for len(p.runs) < p.maxRuns() {
		taken, ok := p.index.Take(time.Now(), runLength)
		if !ok {
			return nil
		}
		run := newParkedRun(p, taken)
		p.runs[run] = struct{}{}
		// Either the drain sees this piece of work, or the drain is seen here.
		run.release = p.claim.Work()
		if p.drains() {
			p.letGo(run)
			return nil
		}
		if err := p.load(ctx, run); err != nil {
			return err
		}
	}
	return nil
}

// load sees to it that the run has its messages, and then starts it.
func (p *parker) load(ctx context.Context, run *parkedRun) error {
	if run.loaded() {
		return p.start(run)
	}
	go func() { // beside the parker: others need not wait for this
		err := run.fetch(ctx)
		p.mail.put(func() error {
			if err != nil {
				return err
			}
			return p.start(run)
		})
	}()
	return nil
}

// start writes START, and when it counts hands the run to the runner.
func (p *parker) start(run *parkedRun) error {
	return p.write(func(int64) error {
		if !p.runner.start(run) {
			p.letGo(run)
		}
		return nil
	}, nil, &parking.Start{Epoch: p.epoch, Entries: run.entries(0, len(run.items))})
}

// finish writes down how far a run came, when all that it sent is stored. What it has
// kept goes with that, into one transaction.
func (p *parker) finish(run *parkedRun) error {
	if !run.ended || run.stored < run.sent {
		return nil
	}
	events := run.events()
	if len(events) == 0 {
		p.letGo(run)
		return nil
	}
	if sabotage.Broken(sabotage.FreeOnDone) && run.next == nil {
		p.freeEarly(run, events)
		return nil
	}
	return p.writeEnd(run, events)
}

func (p *parker) writeEnd(run *parkedRun, events []parking.Event) error {
	err := p.write(func(int64) error {
		p.letGo(run)
		return nil
	}, run.kept, events...)
	return p.cannotPark(&run.items[min(run.through, len(run.items)-1)].record, err)
}

// freeEarly breaks a rule: the key is free before its DONE is in the log, for long
// enough that it does harm.
func (p *parker) freeEarly(run *parkedRun, events []parking.Event) {
	for _, e := range events {
		p.index.Apply(e, p.read)
	}
	p.index.Ran(run.taken)
	time.AfterFunc(30*time.Millisecond, func() {
		p.mail.put(func() error { return p.writeEnd(run, events) })
	})
}

// letGo lets the key of a run be begun again.
func (p *parker) letGo(run *parkedRun) {
	p.index.Ran(run.taken)
	delete(p.runs, run)
	run.release()
}

// fetch reads the messages that the index does not keep in memory. Where these
// are large, what is behind them waits for another run.
func (run *parkedRun) fetch(ctx context.Context) error {
	bytes := 0
	for i := range run.items {
		if i > 0 && bytes > runBytes {
			run.items = run.items[:i]
			return nil
		}
		item := &run.items[i]
		payload, err := run.parker.payload(ctx, &item.Item)
		if err != nil {
			return err
		}
		item.Payload = payload
		bytes += len(payload.Message.Value)
	}
	return nil
}

// payload is a parked message with all that its record says. It is fetched where
// the index does not keep it.
func (p *parker) payload(ctx context.Context, item *parking.Item) (*parking.Park, error) {
	if item.Payload != nil {
		return item.Payload, nil
	}
	var payload *parking.Park
	r, err := p.claim.ReadAt(ctx, p.topic, p.claim.Partition(), item.Offset)
	if err == nil {
		payload, err = parking.DecodeParked(&r)
	}
	if err != nil {
		return nil, fmt.Errorf("fetch a parked message from %s/%d@%d: %w", p.topic, p.claim.Partition(), item.Offset, err)
	}
	return payload, nil
}
