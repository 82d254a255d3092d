package saramaclient

import (
	"context"
	"fmt"

	"github.com/IBM/sarama"
)

// Start implements client.Claim. Where nothing is committed it is where the log
// begins when it is first asked for. From there on is fetched ahead at once: who still
// prepares the claim does not wait for a fetch afterwards.
func (c *claim) Start(ctx context.Context) (int64, error) {
	if c.located {
		return c.start, nil
	}
	at := c.c.InitialOffset()
	if at < 0 {
		s := &scan{c: c.conn, topic: c.Topic(), partition: c.Partition()}
		err := s.again(ctx, func() (err error) {
			at, err = c.conn.GetOffset(c.Topic(), c.Partition(), sarama.OffsetOldest)
			return err
		})
		if err != nil {
			return 0, fmt.Errorf("ask for the first offset of %s/%d: %w", c.Topic(), c.Partition(), err)
		}
	}
	c.start, c.located, c.passed = at, true, at
	c.feed = c.fetcher.feed(c.Topic(), c.Partition(), at, &c.high)
	return at, nil
}
