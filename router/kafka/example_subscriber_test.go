package kafka_test

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/ThreeDotsLabs/watermill"
	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/penstock/penstock/internal/broker"
	"github.com/penstock/penstock/router/kafka"
)

// In any Watermill program: a message of a partition at a time, each
// acknowledged before the next is delivered.
func Example() {
	if err := greet(context.Background()); err != nil {
		fmt.Println(err)
	}
	// Output:
	// hello, Ada
	// hello, Grace
}

func greet(ctx context.Context) error {
	quiet := slog.New(slog.DiscardHandler)
	b, err := broker.Start(ctx, broker.Config{Logger: quiet}) // a program has a Kafka
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
	if err := admin.Create(ctx, kafka.NewTopic{Name: "names", Partitions: 1}); err != nil {
		return err
	}

	publisher, err := kafka.NewPublisher(kafka.PublisherConfig{Config: cluster, Logger: quiet})
	if err != nil {
		return err
	}
	defer func() { _ = publisher.Close() }()
	// Sent together; it returns when both are stored.
	err = publisher.Publish("names",
		message.NewMessage(watermill.NewUUID(), []byte("Ada")),
		message.NewMessage(watermill.NewUUID(), []byte("Grace")))
	if err != nil {
		return err
	}

	subscriber, err := kafka.NewSubscriber(kafka.SubscriberConfig{Config: cluster, Group: "greeter", Logger: quiet})
	if err != nil {
		return err
	}
	router, err := message.NewRouter(message.RouterConfig{}, watermill.NopLogger{})
	if err != nil {
		return err
	}
	greeted := make(chan struct{}, 2)
	router.AddConsumerHandler("greet", "names", subscriber, func(m *message.Message) error {
		fmt.Printf("hello, %s\n", m.Payload)
		greeted <- struct{}{}
		return nil
	})
	go func() {
		<-greeted
		<-greeted
		_ = router.Close() // closes the subscriber, which commits first
	}()
	return router.Run(ctx)
}
