package saramaclient

import (
	"context"
	"fmt"

	"github.com/IBM/sarama"
)

// Start implements client.Claim. Where nothing is committed sarama has asked
// for the log's first offset before, so that what is asked for here may be
// later, never earlier, if records were removed meanwhile. Those of them that
// were fetched already are dropped: Next hands out nothing below Start.
func (c *claim) Start(ctx context.Context) (int64, error) {
	if at := c.c.InitialOffset(); at >= 0 {
		return at, nil
	}
	at, err := Aside(ctx, func() (int64, error) { return c.conn.GetOffset(c.Topic(), c.Partition(), sarama.OffsetOldest) })
	if err != nil {
		return 0, fmt.Errorf("ask for the first offset of %s/%d: %w", c.Topic(), c.Partition(), err)
	}
	c.start = at
	return at, nil
}
