package kafka_test

import (
	"context"
	"log/slog"

	"github.com/penstock/penstock/internal/broker"
	"github.com/penstock/penstock/router/kafka"
)

// inSetting has an example told with a Kafka at hand, which has the topics, of one
// partition each.
func inSetting(tell func(ctx context.Context, cluster kafka.Config) error, topics ...string) error {
	ctx := context.Background()
	b, err := broker.Start(ctx, broker.Config{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	defer func() { _ = b.Close() }()
	cluster := kafka.Config{Brokers: b.Addrs()}
	admin, err := kafka.NewAdmin(ctx, cluster)
	if err != nil {
		return err
	}
	defer func() { _ = admin.Close() }()
	for _, name := range topics {
		if err := admin.Create(ctx, kafka.NewTopic{Name: name, Partitions: 1}); err != nil {
			return err
		}
	}
	return tell(ctx, cluster)
}

// send stores values in a topic.
func send(ctx context.Context, cluster kafka.Config, topic string, values ...string) error {
	publisher, err := kafka.NewPublisher(kafka.PublisherConfig{Config: cluster, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	defer func() { _ = publisher.Close() }()
	for _, v := range values {
		if err := publisher.Send(ctx, kafka.Output{Topic: topic, Value: []byte(v)}); err != nil {
			return err
		}
	}
	return nil
}
