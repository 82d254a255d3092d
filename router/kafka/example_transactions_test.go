package kafka_test

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/penstock/penstock/internal/broker"
	"github.com/penstock/penstock/router/kafka"
)

// Exactly once: what readers of committed records see of a message, and that it is
// done, are in one transaction.
func ExampleTransactionsConfig() {
	if err := shipOnce(context.Background()); err != nil {
		fmt.Println(err)
	}
	// Output: shipped apples
}

func shipOnce(ctx context.Context) error {
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
	for _, topic := range []string{"orders", "shipments"} {
		if err := admin.Create(ctx, kafka.NewTopic{Name: topic, Partitions: 1}); err != nil {
			return err
		}
	}
	seen := make(chan string, 1)
	subscriber, err := kafka.NewSubscriber(kafka.SubscriberConfig{
		Config: cluster, Group: "shipping", Batches: true, Logger: quiet,
		Transactions: &kafka.TransactionsConfig{},
		OnClaim: func(_ context.Context, k *kafka.Claim) error {
			go func() { seen <- firstShipment(k) }()
			order := []kafka.Output{{Topic: "orders", Value: []byte("apples")}}
			return k.Send(order, nil)
		},
	})
	if err != nil {
		return err
	}
	defer func() { _ = subscriber.Close() }()
	messages, err := subscriber.Subscribe(ctx, "orders")
	if err != nil {
		return err
	}
	msg := <-messages
	batch, _ := kafka.FromMessage(msg)
	if err := ship(batch); err != nil {
		return err
	}
	msg.Ack()
	fmt.Println(<-seen)
	return nil
}

func ship(batch *kafka.Batch) error {
	out := batch.Claim.NewOutbox()
	for i := range batch.Records {
		shipment := kafka.Output{Topic: "shipments", Value: fmt.Appendf(nil, "shipped %s", batch.Records[i].Value)}
		if err := out.Add(batch.Entry(i), &shipment); err != nil {
			return err
		}
		out.Settle(batch.Entry(i))
	}
	return out.Flush()
}

// firstShipment reads what is committed.
func firstShipment(k *kafka.Claim) string {
	tail, err := k.Tail("shipments", 0, 0)
	if err != nil {
		return err.Error()
	}
	defer func() { _ = tail.Close() }()
	records, err := tail.Next(k.Context())
	if err != nil {
		return err.Error()
	}
	return string(records[0].Value)
}
