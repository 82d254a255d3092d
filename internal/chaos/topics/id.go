package topics

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// ID returns the topic's id.
func (r *Reader) ID(ctx context.Context, topic string) ([16]byte, error) {
	asked := kmsg.NewMetadataRequestTopic()
	asked.Topic = kmsg.StringPtr(topic)
	request := kmsg.NewPtrMetadataRequest()
	request.Topics = append(request.Topics, asked)
	response, err := request.RequestWith(ctx, r.admin)
	if err != nil {
		return [16]byte{}, fmt.Errorf("ask for topic %s: %w", topic, err)
	}
	for _, t := range response.Topics {
		if err := kerr.ErrorForCode(t.ErrorCode); err != nil {
			return [16]byte{}, fmt.Errorf("ask for topic %s: %w", topic, err)
		}
		return t.TopicID, nil
	}
	return [16]byte{}, fmt.Errorf("ask for topic %s: no answer", topic)
}
