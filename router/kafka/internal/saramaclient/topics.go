package saramaclient

import (
	"context"
	"fmt"

	"github.com/IBM/sarama"
)

// TopicIDs asks for the ids that the cluster gave topics when they were made.
// Unlike its name, the id of a topic changes when it is deleted and made anew.
func TopicIDs(ctx context.Context, c sarama.Client, topics []string) (map[string][16]byte, error) {
	ids, err := Aside(ctx, func() (map[string][16]byte, error) {
		b := c.LeastLoadedBroker()
		if b == nil {
			return nil, sarama.ErrOutOfBrokers
		}
		_ = b.Open(c.Config()) // already open is fine, and a failure shows below
		res, err := b.GetMetadata(sarama.NewMetadataRequest(c.Config().Version, topics))
		if err != nil {
			return nil, err
		}
		ids := make(map[string][16]byte, len(topics))
		for _, t := range res.Topics {
			if t.Err != sarama.ErrNoError {
				return nil, fmt.Errorf("topic %s: %w", t.Name, t.Err)
			}
			ids[t.Name] = t.Uuid
		}
		return ids, nil
	})
	if err != nil {
		return nil, fmt.Errorf("ask for the ids of topics %v: %w", topics, err)
	}
	return ids, nil
}
