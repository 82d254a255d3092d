package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/penstock/penstock/router/kafka/internal/client"
)

// Heartbeat asks the group whether the member is one still, and returns nil when
// it was after the call began: until then no other member had the partition since
// the claim began, and so nobody else has committed an offset of it. While the
// group hands out its partitions anew it waits. An error says that the claim is
// over, or that no answer came; it does not end the claim by itself.
func (k *Claim) Heartbeat(ctx context.Context) error {
	for {
		err := k.beat(ctx)
		if !errors.Is(err, client.ErrRejoining) {
			return err
		}
		select { // the heartbeat crossed the answer that ends the rejoin
		case <-time.After(rejoinPause):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func (k *Claim) beat(ctx context.Context) error {
	err := k.sess.s.Pass(ctx)
	if err == nil {
		limited, cancel := context.WithTimeout(ctx, commitTimeout)
		defer cancel()
		err = k.sess.s.Heartbeat(limited)
	}
	if err == nil && k.reading.Err() != nil {
		err = ErrClaimLost // the partition may have been given up while the answer was on its way
	}
	if err != nil {
		return fmt.Errorf("make sure of the claim of %s/%d: %w", k.Topic(), k.Partition(), err)
	}
	return nil
}
