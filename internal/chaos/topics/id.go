package topics

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// ID returns the topic's id.
func (r *Reader) ID(ctx context.Context, topic string) ([16]byte, error) {
	return patiently(ctx, func() ([16]byte, error) { return r.id(ctx, topic) })
}

func (r *Reader) id(ctx context.Context, topic string) ([16]byte, error) {
	asked := kmsg.NewMetadataRequestTopic()
	asked.Topic = new(topic)
	request := kmsg.NewPtrMetadataRequest()
	request.Topics = append(request.Topics, asked)
	response, err := request.RequestWith(ctx, r.admin)
	if err != nil {
		return [16]byte{}, fmt.Errorf("ask for topic %s: %w", topic, err)
	}
	if len(response.Topics) == 0 {
		return [16]byte{}, fmt.Errorf("ask for topic %s: no answer", topic)
	}
	answer := response.Topics[0]
	if err := kerr.ErrorForCode(answer.ErrorCode); err != nil {
		return [16]byte{}, fmt.Errorf("ask for topic %s: %w", topic, err)
	}
	return answer.TopicID, nil
}
