package saramaclient

import (
	"context"
	"io"
	"sync/atomic"

	"github.com/IBM/sarama"

	"github.com/penstock/penstock/router/kafka/internal/client"
)

type claim struct {
	s sarama.ConsumerGroupSession
	c sarama.ConsumerGroupClaim

	conn    sarama.Client
	start   int64 // where the claim begins, once it is located
	located bool

	revoked chan struct{}
	gate    *gate
	frozen  atomic.Int32 // the generation that revoked it; 0: none
	fetcher *fetcher
	feed    *feed        // nil before the first call of Start
	high    atomic.Int64 // the high watermark that the feed was told of last
	passed  int64        // what Next has told of; of its caller
}

// Topic implements client.Claim.
func (c *claim) Topic() string { return c.c.Topic() }

// Partition implements client.Claim.
func (c *claim) Partition() int32 { return c.c.Partition() }

// Revoked implements client.Claim.
func (c *claim) Revoked() <-chan struct{} { return c.revoked }

// Generation implements client.Claim.
func (c *claim) Generation() int32 {
	if g := c.frozen.Load(); g != 0 {
		return g
	}
	return c.gate.generation.Load()
}

// HighWatermark implements client.Claim.
func (c *claim) HighWatermark() int64 { return c.high.Load() }

// Passed implements client.Claim.
func (c *claim) Passed() int64 { return c.passed }

// over reports whether no more is to be handed out. What was fetched ahead must
// not win over an end that has come. sarama's channel never carries a message:
// it is closed when a claim ends, also one that was revoked before it was served.
func (c *claim) over() bool {
	select {
	case <-c.s.Context().Done():
		return true
	case <-c.revoked:
		return true
	case <-c.c.Messages():
		return true
	default:
		return false
	}
}

// Next implements client.Claim.
func (c *claim) Next(ctx context.Context, limit, maxBytes int) ([]client.Record, error) {
	if _, err := c.Start(ctx); err != nil {
		return nil, err
	}
	for {
		if c.over() {
			return nil, io.EOF
		}
		records, err := c.feed.next(limit, maxBytes)
		if n := len(records); n > 0 {
			c.passed = records[n-1].Offset + 1
		}
		if len(records) > 0 || err != nil {
			return records, err
		}
		if at, ok := c.feed.passed(); ok && at > c.passed {
			c.passed = at
			return nil, nil
		}
		select {
		case <-c.feed.ready:
		case <-c.s.Context().Done():
		case <-c.revoked:
		case <-c.c.Messages():
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// close ends what is fetched ahead.
func (c *claim) close() {
	if c.feed != nil {
		c.feed.close()
	}
}
