package kafka_test

import (
	"context"
	"fmt"

	"github.com/penstock/penstock/router/kafka"
)

// All that a topic has, in one call.
func ExampleReadTopic() {
	err := inSetting(func(ctx context.Context, cluster kafka.Config) error {
		if err := send(ctx, cluster, "moves", "e4", "e5"); err != nil {
			return err
		}
		return kafka.ReadTopic(ctx, cluster, "moves", func(r *kafka.Record) error {
			fmt.Printf("%s\n", r.Value)
			return nil
		})
	}, "moves")
	if err != nil {
		fmt.Println(err)
	}
	// Output:
	// e4
	// e5
}
