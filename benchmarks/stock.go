package main

import (
	"context"

	"github.com/IBM/sarama"
	"github.com/ThreeDotsLabs/watermill"
	wmkafka "github.com/ThreeDotsLabs/watermill-kafka/v3/pkg/kafka"
	"github.com/ThreeDotsLabs/watermill/message"
)

// stock is Watermill's router on watermill-kafka, with their own defaults but
// for what makes it comparable: the protocol's version, which Kafka 4 refuses
// by default, acks=all, reading from the beginning, and the key, which a handler
// has to carry over itself.
func stock(ctx context.Context, j job, filter filterFunc) error {
	subscriber := wmkafka.DefaultSaramaSubscriberConfig()
	subscriber.Version = sarama.V4_0_0_0
	subscriber.Consumer.Offsets.Initial = sarama.OffsetOldest
	subscriber.Consumer.Offsets.AutoCommit.Interval = commitInterval
	publisher := wmkafka.DefaultSaramaSyncPublisherConfig()
	publisher.Version = sarama.V4_0_0_0
	publisher.Producer.RequiredAcks = sarama.WaitForAll
	publisher.Producer.MaxMessageBytes = batchBytes

	marshaler := wmkafka.NewWithPartitioningMarshaler(func(_ string, m *message.Message) (string, error) {
		key, _ := wmkafka.MessageKeyFromCtx(m.Context())
		return string(key), nil
	})
	log := watermill.NopLogger{}
	sub, err := wmkafka.NewSubscriber(wmkafka.SubscriberConfig{
		Brokers: j.Brokers, ConsumerGroup: j.group(), Unmarshaler: marshaler, OverwriteSaramaConfig: subscriber,
	}, log)
	if err != nil {
		return err
	}
	pub, err := wmkafka.NewPublisher(wmkafka.PublisherConfig{
		Brokers: j.Brokers, Marshaler: marshaler, OverwriteSaramaConfig: publisher,
	}, log)
	if err != nil {
		return err
	}
	router, err := message.NewRouter(message.RouterConfig{}, log)
	if err != nil {
		return err
	}
	router.AddHandler("work", j.inputTopic(), sub, j.outputTopic(), pub, func(m *message.Message) ([]*message.Message, error) {
		value, err := filter(m.Context(), m.Payload)
		if err != nil {
			return nil, err
		}
		out := message.NewMessage(m.UUID, value)
		out.SetContext(m.Context())
		return []*message.Message{out}, nil
	})
	return router.Run(ctx) // closes both ends when ctx does
}
