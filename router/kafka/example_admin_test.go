package kafka_test

import (
	"context"
	"fmt"

	"github.com/penstock/penstock/router/kafka"
)

// Topics are made, changed and looked at; how far a group is can be asked too.
func ExampleAdmin() {
	err := inSetting(func(ctx context.Context, cluster kafka.Config) error {
		admin, err := kafka.NewAdmin(ctx, cluster)
		if err != nil {
			return err
		}
		defer func() { _ = admin.Close() }()
		if err := admin.Create(ctx, kafka.NewTopic{Name: "moves", Partitions: 2}); err != nil {
			return err
		}
		if err := admin.Configure(ctx, "moves", map[string]string{"retention.ms": "60000"}); err != nil {
			return err
		}
		topics, err := admin.Topics(ctx, "moves", "pieces")
		if err != nil {
			return err
		}
		moves, pieces := topics["moves"], topics["pieces"]
		fmt.Println(moves.Name, moves.Partitions, moves.Configs["retention.ms"])
		fmt.Printf("%q does not exist\n", pieces.Name)
		lags, err := admin.Lag(ctx, "players", "moves")
		for _, lag := range lags {
			fmt.Println("partition", lag.Partition, "committed", lag.Committed, "of", lag.End)
		}
		return err
	})
	if err != nil {
		fmt.Println(err)
	}
	// Output:
	// moves 2 60000
	// "" does not exist
	// partition 0 committed -1 of 0
	// partition 1 committed -1 of 0
}
