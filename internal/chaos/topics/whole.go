package topics

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// AwaitWhole waits until all nodes are there, and each partition of each topic has all
// its replicas in sync.
func (r *Reader) AwaitWhole(ctx context.Context, nodes int) error {
	for {
		why := r.whole(ctx, nodes)
		if why == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait until the cluster is whole: %w: %w", context.Cause(ctx), why)
		case <-time.After(awaitPoll):
		}
	}
}

var errPartial = errors.New("the cluster is not whole")

func (r *Reader) whole(ctx context.Context, nodes int) error {
	request := kmsg.NewPtrMetadataRequest()
	request.Topics = nil // all
	response, err := request.RequestWith(ctx, r.admin)
	if err != nil {
		return fmt.Errorf("ask for all topics: %w", err)
	}
	if n := len(response.Brokers); n < nodes {
		return fmt.Errorf("%w: %d nodes are there", errPartial, n)
	}
	for _, t := range response.Topics {
		for _, p := range t.Partitions {
			if err := kerr.ErrorForCode(p.ErrorCode); err != nil || len(p.ISR) < len(p.Replicas) {
				return fmt.Errorf("%w: of partition %d of %s %d of %d replicas are in sync", errPartial, p.Partition, *t.Topic, len(p.ISR), len(p.Replicas))
			}
		}
	}
	return nil
}
