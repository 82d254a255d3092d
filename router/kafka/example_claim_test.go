package kafka_test

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/penstock/penstock/internal/broker"
	"github.com/penstock/penstock/router/kafka"
)

// A claim keeps a log of its own beside its partition. Before anything is read
// it reads what its last owner left there, then it writes to it.
func ExampleClaim() {
	if err := keepLog(context.Background()); err != nil {
		fmt.Println(err)
	}
	// Output:
	// begins with ""
	// noted at 0
	// begins with "noted up to 0"
	// found "seen"
	// noted at 1
}

func keepLog(ctx context.Context) error {
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
	for _, topic := range []string{"orders", "notes"} {
		if err := admin.Create(ctx, kafka.NewTopic{Name: topic, Partitions: 1}); err != nil {
			return err
		}
	}
	for range 2 { // one owner after the other
		prepared := make(chan error, 1)
		subscriber, err := kafka.NewSubscriber(kafka.SubscriberConfig{
			Config: cluster, Group: "keeper", Batches: true, Logger: quiet,
			OnClaim: func(ctx context.Context, k *kafka.Claim) error {
				err := note(ctx, k)
				prepared <- err
				return err
			},
		})
		if err != nil {
			return err
		}
		if _, err := subscriber.Subscribe(ctx, "orders"); err != nil {
			return err
		}
		if err := <-prepared; err != nil {
			return err
		}
		if err := subscriber.Close(); err != nil { // commits the metadata
			return err
		}
	}
	return nil
}

func note(ctx context.Context, k *kafka.Claim) error {
	fmt.Printf("begins with %q\n", k.Metadata())
	if k.Metadata() != "" {
		tail, err := k.Tail("notes", k.Partition(), 0)
		if err != nil {
			return err
		}
		defer func() { _ = tail.Close() }()
		records, err := tail.Next(ctx)
		if err != nil {
			return err
		}
		fmt.Printf("found %q\n", records[0].Value)
	}
	stored := make(chan int64, 1)
	err := k.Send([]kafka.Output{{Topic: "notes", Value: []byte("seen"), Placed: true, Partition: k.Partition()}},
		func(offsets []int64) { stored <- offsets[0] })
	if err != nil {
		return err
	}
	select {
	case at := <-stored:
		fmt.Println("noted at", at)
		return k.SetMetadata(fmt.Sprintf("noted up to %d", at))
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
