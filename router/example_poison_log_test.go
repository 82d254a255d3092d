package router_test

import (
	"context"
	"fmt"

	"github.com/penstock/penstock/router"
	"github.com/penstock/penstock/router/kafka"
)

// The largest group of what a stage could not do is replayed, ten messages a
// second: somebody has mended the filter. It needs a cluster, and so it is not
// run here.
func ExamplePoisonLog() { //nolint:testableexamples // it needs a cluster
	ctx := context.Background()
	poison, err := router.OpenPoison(ctx, router.PoisonConfig{
		Kafka: kafka.Config{Brokers: []string{"127.0.0.1:9092"}}, Stage: "shop.pay", By: "ada@desk",
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = poison.Close() }()
	groups, _, err := poison.Groups(ctx, router.PoisonSelection{})
	if err != nil || len(groups) == 0 {
		return
	}
	done, err := poison.Replay(ctx, router.PoisonSelection{Group: groups[0].ID}, router.PoisonReplayOptions{Rate: 10})
	fmt.Println(done.Done, "messages replayed:", groups[0].Signature, err)
}
