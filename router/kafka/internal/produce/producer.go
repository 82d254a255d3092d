package produce

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/IBM/sarama"

	"github.com/penstock/penstock/router/kafka/internal/client"
	"github.com/penstock/penstock/router/kafka/internal/connect"
)

// Producer stores outputs in order. A worker a partition keeps one batch in
// flight; a sender a broker merges the batches that wait into requests. It is
// safe for concurrent use.
//
// An idle partition costs a parked goroutine, a few KiB.
type Producer struct {
	cfg     Config
	log     *slog.Logger
	codec   *codec
	memory  memory
	gate    *connect.Gate
	conn    *sarama.Config
	id      producerID // changed only while nothing is under way, and nothing can be enqueued
	leaders *leaders
	senders *senders
	workers sync.WaitGroup
	scratch sync.Pool // of *scatter
	txn     *transaction
	lines   lines       // of a transactional one
	adrift  atomic.Bool // a request to a coordinator was not answered, and may arrive yet

	mu      sync.RWMutex // shared by Enqueue, exclusive to whatever makes it refuse
	closing bool
	topics  map[string]*topic
	fence   fence

	closed struct {
		once sync.Once
		err  error
	}
	broken breakage
}

// breakage says which of the rules are broken on purpose, by tests of what
// checks them.
type breakage struct {
	goOn      bool // go on with the next batch after one has failed, without a fence
	tellFirst bool // tell the fates before the fence
}

var _ client.Producer = (*Producer)(nil)

// New asks a broker for a producer id and returns a running producer, which
// has to be closed. ctx bounds the start only.
func New(ctx context.Context, cfg Config) (*Producer, error) {
	if cfg.TransactionalID != "" {
		return nil, errors.New("configuration of the producer: TransactionalID is for NewTransactional")
	}
	return start(ctx, cfg)
}

func start(ctx context.Context, cfg Config) (*Producer, error) {
	cfg = cfg.withDefaults()
	codec, err := newCodec(cfg.Compression, cfg.CompressionLevel)
	if err := cfg.validate(err); err != nil {
		return nil, err
	}
	p := &Producer{
		cfg:    cfg,
		log:    cfg.Logger,
		codec:  codec,
		gate:   connect.NewGate(cfg.Sarama),
		topics: map[string]*topic{},
		fence:  fence{cut: make(chan struct{}), told: make(chan struct{})},
	}
	p.conn = cfg.connection()
	if err := p.conn.Validate(); err != nil {
		return nil, fmt.Errorf("configuration of the producer: %w", err)
	}
	p.leaders = &leaders{client: cfg.Client, log: p.log, newest: map[string]*lookup{}}
	p.senders = &senders{p: p, byAddr: map[string]*sender{}}
	if cfg.TransactionalID != "" {
		p.txn, p.lines = newTransaction(p), newLines(p.conn, p.gate)
	}
	id, err := p.newID(ctx)
	if err != nil {
		p.gate.Shut()
		p.closeLines()
		return nil, err
	}
	p.id = id
	return p, nil
}

// Prepare learns about a topic, makes its queues and starts their workers. It
// is called before the first Enqueue to that topic, and again to see
// partitions that were added since: it costs nothing while what is known is less than
// a minute old. It needs the right to describe the topic and its configuration.
func (p *Producer) Prepare(ctx context.Context, name string) (client.Topic, error) {
	d := p.cfg.Topics.of(name)
	select {
	case <-d.done:
	case <-ctx.Done():
		return client.Topic{}, fmt.Errorf("prepare topic %s: %w", name, context.Cause(ctx))
	case <-p.fence.cut:
		return client.Topic{}, p.fencedErr()
	}
	if d.err != nil {
		return client.Topic{}, fmt.Errorf("prepare topic %s: %w", name, d.err)
	}
	if p.isPrepared(name, d.info) {
		return d.info, nil
	}
	return d.info, p.prepare(name, d.info)
}

// isPrepared tells whether all that is known of a topic is heeded.
func (p *Producer) isPrepared(name string, info client.Topic) bool {
	p.mu.RLock()
	defer p.mu.RUnlock()
	t := p.topics[name]
	return t != nil && p.refusal() == nil && !p.closing && len(t.partitions) >= info.Partitions && t.maxBytes.Load() == int64(info.MaxBytes)
}

func (p *Producer) prepare(name string, info client.Topic) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.refusal(); err != nil {
		return err
	}
	if p.closing {
		return client.ErrClosed
	}
	t := p.topics[name]
	if t == nil {
		t = &topic{name: name}
		p.topics[name] = t
	}
	t.maxBytes.Store(int64(info.MaxBytes))
	for len(t.partitions) < info.Partitions {
		w := newPartition(p, t, int32(len(t.partitions)))
		t.partitions = append(t.partitions, w)
		p.workers.Go(w.run)
	}
	return nil
}

// Enqueue takes all of outs or, with an error, none of them, and returns
// without waiting for the broker. They are encoded here: it keeps no reference
// to the slice, nor to what it points to. The caller bounds what is in flight, and has asked client.Topic.Takes of every
// output: here a *client.TooLargeError refuses the whole slice.
func (p *Producer) Enqueue(topic string, outs []client.Output) error {
	p.mu.RLock()
	defer p.mu.RUnlock()
	if err := p.accepts(); err != nil {
		return err
	}
	t := p.topics[topic]
	if t == nil {
		return fmt.Errorf("topic %s was not prepared", topic)
	}
	s, _ := p.scratch.Get().(*scatter)
	if s == nil {
		s = new(scatter)
	}
	defer p.scratch.Put(s)
	defer s.reset()
	if err := s.sort(t, outs); err != nil {
		return err
	}
	if p.txn != nil {
		p.txn.want(t, s.touched)
	}
	now := time.Now()
	for _, id := range s.touched {
		t.partitions[id].add(outs, s, now)
	}
	return nil
}

// accepts says why nothing can be enqueued now. The caller holds mu.
func (p *Producer) accepts() error {
	if err := p.refusal(); err != nil {
		return err
	}
	if p.closing {
		return client.ErrClosed
	}
	if p.txn != nil && p.txn.state != txnOpen {
		return errNoTransaction
	}
	return nil
}

// Flush waits until the fate of everything enqueued so far has been told. It
// fails when ctx ends before that, and with the cause of the fence when the
// producer is fenced.
func (p *Producer) Flush(ctx context.Context) error {
	p.mu.RLock()
	var marks []<-chan struct{}
	for _, t := range p.topics {
		for _, w := range t.partitions {
			if m := w.mark(); m != nil {
				marks = append(marks, m)
			}
		}
	}
	p.mu.RUnlock()
	for _, m := range marks {
		select {
		case <-m:
		case <-ctx.Done():
			return fmt.Errorf("flush: %w", context.Cause(ctx))
		}
	}
	return p.fencedErr()
}

// Close refuses new outputs, flushes until ctx ends, then fences. It returns
// when every fate has been told and every connection is closed; nil means that
// everything was stored. Further calls return the same.
func (p *Producer) Close(ctx context.Context) error {
	p.closed.once.Do(func() { p.closed.err = p.close(ctx) })
	return p.closed.err
}

func (p *Producer) close(ctx context.Context) error {
	p.mu.Lock()
	p.closing = true
	p.mu.Unlock()
	err := p.Flush(ctx)
	if err != nil {
		p.Fence(fmt.Errorf("%w: %w", client.ErrClosed, err))
	} else if p.shut(client.ErrClosed) {
		close(p.fence.told) // nothing is left whose fate the owner could be told
	}
	p.workers.Wait()
	p.senders.running.Wait()
	p.closeLines()
	return err
}

func (p *Producer) closeLines() {
	if p.txn != nil {
		p.lines.close()
	}
}
