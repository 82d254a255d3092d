package saramaclient

import (
	"context"
	"errors"
	"sync"

	"github.com/IBM/sarama"
)

// ErrReaderClosed is what a Reader and its tails fail with after a Close.
var ErrReaderClosed = errors.New("the reader is closed")

// Reader reads partitions outside of any group, from connections of its own: a
// broker serves a connection's requests one by one, so what waits for records
// to come would hold up what is behind it. It connects when it is first used.
// It is safe for concurrent use.
type Reader struct {
	brokers []string
	cfg     *sarama.Config
	onError func(error)

	ctx    context.Context //nolint:containedctx // ends with the reader
	cancel context.CancelCauseFunc

	dialling chan struct{} // a place for who connects
	ask      sarama.Client // of what is answered at once; guarded by dialling
	wait     sarama.Client // of what waits for records; guarded by dialling

	mu    sync.Mutex
	polls map[*sarama.Broker]*poll
}

// NewReader returns a Reader, which has to be closed. onError is told of
// errors that a tail goes on from.
func NewReader(brokers []string, cfg *sarama.Config, onError func(error)) *Reader {
	r := &Reader{brokers: brokers, cfg: cfg, onError: onError, dialling: make(chan struct{}, 1), polls: map[*sarama.Broker]*poll{}}
	r.ctx, r.cancel = context.WithCancelCause(context.Background())
	return r
}

// Close ends the reader and all its tails, and disconnects.
func (r *Reader) Close() error {
	r.cancel(ErrReaderClosed)
	r.dialling <- struct{}{}
	defer func() { <-r.dialling }()
	var errs []error
	for _, c := range []sarama.Client{r.ask, r.wait} {
		if c != nil {
			errs = append(errs, c.Close())
		}
	}
	r.ask, r.wait = nil, nil
	return errors.Join(errs...)
}

// within returns a context that ends with ctx and with the reader.
func (r *Reader) within(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	detach := context.AfterFunc(r.ctx, func() { cancel(context.Cause(r.ctx)) })
	return ctx, func() {
		detach()
		cancel(nil)
	}
}

// connect returns the clients, and connects if nobody has.
func (r *Reader) connect(ctx context.Context) (ask, wait sarama.Client, err error) {
	select {
	case r.dialling <- struct{}{}:
	case <-ctx.Done():
		return nil, nil, context.Cause(ctx)
	}
	defer func() { <-r.dialling }()
	if err := context.Cause(r.ctx); err != nil {
		return nil, nil, err
	}
	for _, c := range []*sarama.Client{&r.ask, &r.wait} {
		if *c == nil {
			made, err := Dial(ctx, r.brokers, r.cfg)
			if err != nil {
				return nil, nil, err
			}
			*c = made
		}
	}
	return r.ask, r.wait, nil
}
