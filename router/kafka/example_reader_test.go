package kafka_test

import (
	"context"
	"fmt"

	"github.com/penstock/penstock/router/kafka"
)

// A reader looks at a topic, from any offset on, and disturbs nobody: it belongs to
// no group.
func ExampleReader() {
	err := inSetting(func(ctx context.Context, cluster kafka.Config) error {
		if err := send(ctx, cluster, "moves", "e4", "e5", "Nf3"); err != nil {
			return err
		}
		reader, err := kafka.NewReader(ctx, cluster)
		if err != nil {
			return err
		}
		defer func() { _ = reader.Close() }()
		bounds, err := reader.Bounds(ctx, "moves")
		if err != nil {
			return err
		}
		fmt.Println("offsets", bounds[0].Start, "to", bounds[0].End)
		next, err := reader.Read(ctx, "moves", 0, 1, func(r *kafka.Record) error {
			fmt.Printf("%d %s\n", r.Offset, r.Value)
			return nil
		})
		fmt.Println("next time from", next, "on")
		return err
	}, "moves")
	if err != nil {
		fmt.Println(err)
	}
	// Output:
	// offsets 0 to 3
	// 1 e5
	// 2 Nf3
	// next time from 3 on
}
