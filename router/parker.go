package router

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/penstock/penstock/router/internal/parking"
	"github.com/penstock/penstock/router/kafka"
)

// parker parks messages of one claim, and has them tried again when their time
// has come. What is parked is what the claim's partition of the retry log says:
// the parker writes events there and reads the log, its own events too, into an
// index. Nothing counts before it has come back.
//
// That is so because of owners that are one no more and do not know it. Their
// records are void in the log, by the epoch that they carry, and so are ours as
// soon as another owner's TAKE stands before them. A producer's confirmation does
// not tell; what was read up to our event, without another's TAKE before it, does.
// Only then a parked message's offset may be committed, a key may be free, an
// attempt may begin.
//
// A message on its way, each step behind the one before:
//
//	park:  the key counts as parked → PARK is sent → PARK is read: in the index → its ledger entry closes
//	try:   due → START is sent → START is read → attempt, in the lane of the key
//	       → outputs, or poison, sent → all confirmed → DONE is sent → DONE is read: out of the index
//	       → the key's next, or the key is free
//
// All messages of a key go through one lane, also when they run again, so only one
// goroutine asks whether the key is parked and parks more of it, and the producer
// keeps the order of that goroutine's sends. From the moment before the send the
// key counts as parked. When DONE of its last message is read between the question
// and that moment, one is parked that need not be: it runs at once.
//
// A nil parker parks nothing: of a stage without a retry log.
type parker struct {
	stage  *stage
	claim  *kafka.Claim
	meta   *metadata
	topic  string // the retry log
	in     *input
	runner parkedRunner
	mail   *mailbox
	tail   *kafka.Tail
	log    *slog.Logger
	index  *parking.Index // safe for concurrent use

	// The goroutine's own.
	epoch    int64     // the offset of our TAKE
	read     int64     // the log has been read up to here
	behind   []awaited // what waits for the log to be read further, by offset
	runs     map[*parkedRun]struct{}
	draining bool
	cleaning *cleaning // nil: none is under way

	cleanAfter time.Time // no clean-up is begun before
}

// parkedRunner is where parked messages are tried: one after the other with all
// else of their key.
type parkedRunner interface {
	// start hands a run over and returns. False: the claim drains, and the run was
	// not taken. Else the runner calls the run's end when it is done with it.
	start(run *parkedRun) bool
}

// errTakenOver means that somebody else wrote to the log as its owner.
var errTakenOver = errors.New("another owner has taken over the retry log")

func newParker(s *stage, claim *kafka.Claim, meta *metadata, in *input) *parker {
	return &parker{
		stage: s, claim: claim, meta: meta, in: in, topic: in.retryLog, mail: newMailbox(),
		log:   s.log.With("log", in.retryLog, "partition", claim.Partition()),
		index: parking.New(parking.Config{}), runs: map[*parkedRun]struct{}{},
	}
}

// begin has the parker run what is parked, in runner, until the claim ends.
func (p *parker) begin(runner parkedRunner) {
	p.runner = runner
	forget := p.stage.stats.parking.watch(p.claim, p.look)
	context.AfterFunc(p.claim.Context(), forget)
	records := make(chan []kafka.Record, 1) // so that the tail asks on meanwhile
	go p.follow(p.claim.Context(), records)
	go p.serve(p.claim.Context(), records)
}

// look tells what is parked.
func (p *parker) look() Parked {
	now := p.index.Stats()
	return Parked{Messages: int64(now.Live), Oldest: now.Oldest}
}

// serve works until the claim ends.
func (p *parker) serve(ctx context.Context, records <-chan []kafka.Record) {
	drains := p.claim.Draining()
	for {
		timer, stop := p.untilDue()
		var err error
		select {
		case batch := <-records:
			err = p.apply(batch)
		case <-p.mail.wake:
			err = p.answer()
		case <-timer:
		case <-drains:
			p.draining, drains = true, nil
		case <-ctx.Done():
			stop()
			return
		}
		stop()
		if err == nil {
			err = p.goOn(ctx)
		}
		if err != nil {
			p.claim.Fail(err)
			return
		}
	}
}

// answer makes the calls that others have left.
func (p *parker) answer() error {
	for _, call := range p.mail.take() {
		if err := call(); err != nil {
			return err
		}
	}
	return nil
}

// follow reads the log on, until the claim ends.
func (p *parker) follow(ctx context.Context, to chan<- []kafka.Record) {
	defer func() { _ = p.tail.Close() }()
	for {
		records, err := p.tail.Next(ctx)
		if err != nil {
			if ctx.Err() == nil {
				p.claim.Fail(fmt.Errorf("read the retry log %s/%d: %w", p.topic, p.claim.Partition(), err))
			}
			return
		}
		select {
		case to <- records:
		case <-ctx.Done():
			return
		}
	}
}

// goOn begins what can be begun now.
func (p *parker) goOn(ctx context.Context) error {
	if p.draining {
		return nil
	}
	if err := p.dispatch(ctx); err != nil {
		return err
	}
	return p.clean(ctx)
}

// untilDue is a timer for the next message's time.
func (p *parker) untilDue() (<-chan time.Time, func()) {
	if p.draining || len(p.runs) >= p.maxRuns() {
		return nil, func() {}
	}
	due, ok := p.index.NextDue()
	if !ok {
		return nil, func() {}
	}
	t := time.NewTimer(time.Until(due))
	return t.C, func() { t.Stop() }
}
