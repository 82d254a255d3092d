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
	conn     sarama.Client // looks up leaders and bounds; guarded by dialling

	quick *links // of what is answered at once
	wait  *links // of what waits for records

	mu    sync.Mutex
	polls map[string]*poll // by the broker's address
}

// NewReader returns a Reader, which has to be closed. onError is told of
// errors that a tail goes on from.
func NewReader(brokers []string, cfg *sarama.Config, onError func(error)) *Reader {
	r := &Reader{brokers: brokers, cfg: cfg, onError: onError, dialling: make(chan struct{}, 1), polls: map[string]*poll{}}
	r.quick, r.wait = newLinks(cfg), newLinks(cfg)
	r.ctx, r.cancel = context.WithCancelCause(context.Background())
	return r
}

// Close ends the reader and all its tails, and disconnects.
func (r *Reader) Close() error {
	r.cancel(ErrReaderClosed)
	r.quick.close()
	r.wait.close()
	r.dialling <- struct{}{}
	defer func() { <-r.dialling }()
	if r.conn == nil {
		return nil
	}
	defer func() { r.conn = nil }()
	return r.conn.Close()
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

// connect returns the client, and connects if nobody has.
func (r *Reader) connect(ctx context.Context) (sarama.Client, error) {
	select {
	case r.dialling <- struct{}{}:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	defer func() { <-r.dialling }()
	if err := context.Cause(r.ctx); err != nil {
		return nil, err
	}
	if r.conn == nil {
		conn, err := Dial(ctx, r.brokers, r.cfg)
		if err != nil {
			return nil, err
		}
		r.conn = conn
	}
	return r.conn, nil
}
