package kafka_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/penstock/penstock/router/kafka"
)

// Records with keys are sent together, and are stored when Send returns. Of one
// partition they are in the order of the call.
func ExamplePublisher_Send() {
	err := inSetting(func(ctx context.Context, cluster kafka.Config) error {
		publisher, err := kafka.NewPublisher(kafka.PublisherConfig{Config: cluster, Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			return err
		}
		defer func() { _ = publisher.Close() }()
		err = publisher.Send(ctx,
			kafka.Output{Topic: "moves", Key: []byte("white"), Value: []byte("e4")},
			kafka.Output{Topic: "moves", Key: []byte("black"), Value: []byte("e5")})
		fmt.Println("stored:", err == nil)

		err = publisher.Send(ctx, kafka.Output{Topic: "moves", Value: make([]byte, 2<<20)})
		_, tooLarge := errors.AsType[*kafka.TooLargeError](err)
		fmt.Println("too large:", tooLarge)
		return nil
	}, "moves")
	if err != nil {
		fmt.Println(err)
	}
	// Output:
	// stored: true
	// too large: true
}
