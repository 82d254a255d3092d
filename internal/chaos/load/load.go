// Package load feeds the pipeline of a chaos run, and keeps a journal of what the
// brokers acknowledged. It shares no code with the transport.
package load

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/penstock/penstock/internal/chaos/flow"
	"github.com/penstock/penstock/internal/chaos/journal"
)

// Config says what is produced.
type Config struct {
	Brokers  []string
	Pipeline string
	Seed     uint64
	Keys     int // how many keys there are
	Rate     int // messages a second
	Journal  *journal.Writer
}

// Generator produces until its context ends.
type Generator struct {
	cfg     Config
	client  *kgo.Client
	random  *rand.Rand
	numbers []int // the next of each key
	failed  atomic.Int64
}

// New returns a Generator. Its Run closes it.
func New(cfg Config) (*Generator, error) {
	client, err := kgo.NewClient(kgo.SeedBrokers(cfg.Brokers...), kgo.DefaultProduceTopic(flow.Topic(cfg.Pipeline, flow.In)),
		kgo.RequiredAcks(kgo.AllISRAcks()), kgo.ProducerLinger(5*time.Millisecond))
	if err != nil {
		return nil, fmt.Errorf("make a producer for %v: %w", cfg.Brokers, err)
	}
	return &Generator{
		cfg: cfg, client: client, random: rand.New(rand.NewPCG(cfg.Seed, 1)), //nolint:gosec // a seed makes it the same again
		numbers: make([]int, cfg.Keys),
	}, nil
}

// tick is how often a share of the messages is produced.
const tick = 10 * time.Millisecond

// flushTimeout bounds the wait for the last acknowledgements.
const flushTimeout = 30 * time.Second

// Run produces at the configured rate until ctx ends, and waits for the last
// acknowledgements.
func (g *Generator) Run(ctx context.Context) error {
	defer g.client.Close()
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	last, due, produced := time.Now(), 0.0, 0
	for {
		select {
		case <-ctx.Done():
			return g.flush(context.WithoutCancel(ctx))
		case now := <-ticker.C:
			due += now.Sub(last).Seconds() * float64(g.cfg.Rate)
			last = now
			for ; produced < int(due); produced++ {
				g.produce(context.WithoutCancel(ctx))
			}
		}
	}
}

func (g *Generator) flush(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, flushTimeout)
	defer cancel()
	if err := g.client.Flush(ctx); err != nil {
		return fmt.Errorf("wait for the last acknowledgements: %w", err)
	}
	return nil
}

func (g *Generator) produce(ctx context.Context) {
	key := g.random.IntN(g.cfg.Keys)
	m := flow.Message{Pipe: flow.In, Key: flow.Key(key), Number: g.numbers[key]}
	g.numbers[key]++
	record := &kgo.Record{Key: []byte(m.Key), Value: []byte(m.Value())}
	if m.Number%2 == 0 { // the others get their ids from the stage that reads them
		record.Headers = envelope(g.cfg.Pipeline, m)
	}
	g.client.Produce(ctx, record, func(r *kgo.Record, err error) {
		if err != nil {
			g.failed.Add(1) // it may be stored all the same: nobody has promised anything
			return
		}
		g.cfg.Journal.Append(journal.Entry{Key: m.Key, Number: m.Number, Partition: r.Partition, Offset: r.Offset})
	})
}

// envelope is what a producer of CloudEvents sends with a message.
func envelope(pipeline string, m flow.Message) []kgo.RecordHeader {
	return []kgo.RecordHeader{
		{Key: "ce_specversion", Value: []byte("1.0")},
		{Key: "ce_id", Value: []byte(pipeline + "/" + m.Key + "/" + m.Place().String())},
		{Key: "ce_type", Value: []byte("chaos.message")},
		{Key: "ce_source", Value: []byte("/chaos")},
	}
}

// ErrRefused is returned where messages were not acknowledged.
var ErrRefused = errors.New("messages were not acknowledged")

// Refused returns an error that says how many messages were not acknowledged, or
// nil.
func (g *Generator) Refused() error {
	if n := g.failed.Load(); n > 0 {
		return fmt.Errorf("%d %w", n, ErrRefused)
	}
	return nil
}
