package saramaclient

import (
	"fmt"

	"github.com/IBM/sarama"
)

// skipLost moves the claims of a new session whose offset is not in the log any
// more to its oldest or newest record, as SkipLostTo says.
func (g *Group) skipLost(conn sarama.Client, s sarama.ConsumerGroupSession, committed func(topic string, partition int32) (int64, error)) error {
	if g.cfg.SkipLostTo == 0 {
		return nil
	}
	for topic, partitions := range s.Claims() {
		for _, p := range partitions {
			at, err := committed(topic, p)
			if err != nil {
				return err
			}
			oldest, err := conn.GetOffset(topic, p, sarama.OffsetOldest)
			if err != nil {
				return fmt.Errorf("ask for the oldest record of %s/%d: %w", topic, p, err)
			}
			newest, err := conn.GetOffset(topic, p, sarama.OffsetNewest)
			if err != nil {
				return fmt.Errorf("ask for the newest record of %s/%d: %w", topic, p, err)
			}
			if at < 0 || (oldest <= at && at <= newest) {
				continue
			}
			to := oldest
			if g.cfg.SkipLostTo == sarama.OffsetNewest {
				to = newest
			}
			// One of the two moves forward only, the other back only.
			s.MarkOffset(topic, p, to, "")
			s.ResetOffset(topic, p, to, "")
			g.cfg.OnSkip(topic, p, at, to)
		}
	}
	return nil
}
