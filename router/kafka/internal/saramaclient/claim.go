package saramaclient

import (
	"context"
	"io"
	"slices"

	"github.com/IBM/sarama"

	"github.com/penstock/penstock/router/kafka/internal/client"
)

type claim struct {
	s sarama.ConsumerGroupSession
	c sarama.ConsumerGroupClaim

	conn  sarama.Client
	start int64 // nothing below it is handed out

	revoked chan struct{}
	fetch   *pausing

	taken []*sarama.ConsumerMessage // scratch of Next
}

// Topic implements client.Claim.
func (c *claim) Topic() string { return c.c.Topic() }

// Partition implements client.Claim.
func (c *claim) Partition() int32 { return c.c.Partition() }

// Revoked implements client.Claim.
func (c *claim) Revoked() <-chan struct{} { return c.revoked }

// HighWatermark implements client.Claim.
func (c *claim) HighWatermark() int64 { return c.c.HighWaterMarkOffset() }

// Next implements client.Claim. The end of the session is looked at beside the
// channel of messages, because sarama closes that one late while the partition
// has no leader.
func (c *claim) Next(ctx context.Context, limit, maxBytes int) ([]client.Record, error) {
	select { // what is buffered must not win over an end that has come
	case <-c.s.Context().Done():
		return nil, io.EOF
	default:
	}
	clear(c.taken)
	c.taken = c.taken[:0]
	c.fetch.wait()
	messages := c.c.Messages()
	select {
	case m, ok := <-messages:
		if !ok {
			return nil, io.EOF
		}
		c.taken = append(c.taken, m)
	case <-c.s.Context().Done():
		return nil, io.EOF
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	bytes := size(c.taken[0])
	for open := true; open && len(c.taken) < limit && bytes < maxBytes; {
		var m *sarama.ConsumerMessage
		select {
		case m, open = <-messages:
		default:
			open = false
		}
		if m != nil {
			c.taken = append(c.taken, m)
			bytes += size(m)
		}
	}
	c.fetch.took(len(c.taken), bytes)
	c.taken = slices.DeleteFunc(c.taken, func(m *sarama.ConsumerMessage) bool { return m.Offset < c.start })
	if len(c.taken) == 0 {
		return c.Next(ctx, limit, maxBytes)
	}
	return records(c.taken), nil // an end of the claim is what the next call says
}

func size(m *sarama.ConsumerMessage) int {
	n := len(m.Key) + len(m.Value)
	for _, h := range m.Headers {
		n += len(h.Key) + len(h.Value)
	}
	return n
}

// records copies messages into two slabs, one of records and one of headers:
// users may keep what they are handed, so the slabs are never used again.
func records(messages []*sarama.ConsumerMessage) []client.Record {
	n := 0
	for _, m := range messages {
		n += len(m.Headers)
	}
	out := make([]client.Record, len(messages))
	headers := make([]client.Header, 0, n)
	for i, m := range messages {
		first := len(headers)
		for _, h := range m.Headers {
			headers = append(headers, client.Header(*h))
		}
		out[i] = client.Record{
			Topic: m.Topic, Partition: m.Partition, Offset: m.Offset, Time: m.Timestamp,
			Key: m.Key, Value: m.Value, Headers: headers[first:len(headers):len(headers)],
		}
	}
	return out
}
