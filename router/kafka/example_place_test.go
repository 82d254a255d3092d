package kafka_test

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/penstock/penstock/internal/broker"
	"github.com/penstock/penstock/router/kafka"
)

// The owner of a partition opens a chapter of a log, and then tells where it begins:
// readers see both or neither.
func ExampleClaim_Place() {
	if err := openChapter(context.Background()); err != nil {
		fmt.Println(err)
	}
	// Output: the chapter at offset 0 is open
}

func openChapter(ctx context.Context) error {
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
	for _, topic := range []string{"orders", "chapters"} {
		if err := admin.Create(ctx, kafka.NewTopic{Name: topic, Partitions: 1}); err != nil {
			return err
		}
	}
	open := make(chan string, 1)
	subscriber, err := kafka.NewSubscriber(kafka.SubscriberConfig{
		Config: cluster, Group: "shipping", Batches: true, Logger: quiet,
		Transactions: &kafka.TransactionsConfig{},
		OnClaim: func(_ context.Context, k *kafka.Claim) error {
			return k.Place(chapter("a chapter"), func(at []int64) {
				told := fmt.Sprintf("the chapter at offset %d is open", at[0])
				go func() { // the callback must be quick
					if err := k.Send(chapter(told), func([]int64) { open <- told }); err != nil {
						open <- err.Error()
					}
				}()
			})
		},
	})
	if err != nil {
		return err
	}
	defer func() { _ = subscriber.Close() }()
	if _, err := subscriber.Subscribe(ctx, "orders"); err != nil {
		return err
	}
	fmt.Println(<-open)
	return nil
}

func chapter(text string) []kafka.Output {
	return []kafka.Output{{Topic: "chapters", Value: []byte(text)}}
}
