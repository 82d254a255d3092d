package kafka_test

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/penstock/penstock/router/kafka"
)

// With batches a Watermill message is all that a partition had at hand. What comes
// of each record goes out through an outbox, and the record is done, and committed,
// when that is stored.
func ExampleSubscriber() {
	err := inSetting(func(ctx context.Context, cluster kafka.Config) error {
		if err := send(ctx, cluster, "names", "Ada", "Grace"); err != nil {
			return err
		}
		subscriber, err := kafka.NewSubscriber(kafka.SubscriberConfig{
			Config: cluster, Group: "greeter", Batches: true, Logger: slog.New(slog.DiscardHandler),
		})
		if err != nil {
			return err
		}
		messages, err := subscriber.Subscribe(ctx, "names")
		if err != nil {
			return err
		}
		for done := 0; done < 2; {
			msg := <-messages
			batch, _ := kafka.FromMessage(msg)
			if err := greetAll(batch); err != nil {
				return err
			}
			done += len(batch.Records)
			msg.Ack() // handed over; what is done is committed by itself
		}
		if err := subscriber.Close(); err != nil { // when all is stored, and committed
			return err
		}
		return kafka.ReadTopic(ctx, cluster, "greetings", func(r *kafka.Record) error {
			fmt.Printf("%s\n", r.Value)
			return nil
		})
	}, "names", "greetings")
	if err != nil {
		fmt.Println(err)
	}
	// Output:
	// hello, Ada
	// hello, Grace
}

func greetAll(batch *kafka.Batch) error {
	out := batch.Claim.NewOutbox()
	for i := range batch.Records {
		hello := kafka.Output{Topic: "greetings", Value: fmt.Appendf(nil, "hello, %s", batch.Records[i].Value)}
		if err := out.Add(batch.Entry(i), &hello); err != nil {
			return err
		}
		out.Settle(batch.Entry(i))
	}
	return out.Flush()
}
