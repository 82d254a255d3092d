package topics

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// awaitPoll is how often a broker is asked whether it knows the topics by now.
const awaitPoll = 100 * time.Millisecond

// Await waits until each broker knows the topics: one that was made is known to the
// others a little later, and who asks one of these is told that there is none.
func (r *Reader) Await(ctx context.Context, topics ...string) error {
	request := kmsg.NewPtrMetadataRequest()
	for _, name := range topics {
		topic := kmsg.NewMetadataRequestTopic()
		topic.Topic = new(name)
		request.Topics = append(request.Topics, topic)
	}
	for _, broker := range r.admin.SeedBrokers() {
		for {
			response, err := broker.RetriableRequest(ctx, request)
			if err != nil {
				return fmt.Errorf("ask a broker for the topics: %w", err)
			}
			var unknown error
			for _, t := range response.(*kmsg.MetadataResponse).Topics { //nolint:forcetypeassert // it answers the request
				if err := kerr.ErrorForCode(t.ErrorCode); err != nil {
					unknown = err
				}
			}
			if unknown == nil {
				break
			}
			select {
			case <-ctx.Done():
				return fmt.Errorf("wait until each broker knows the topics: %w: %w", context.Cause(ctx), unknown)
			case <-time.After(awaitPoll):
			}
		}
	}
	return nil
}
