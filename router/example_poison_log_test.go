package router_test

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/penstock/penstock/filters"
	"github.com/penstock/penstock/router"
)

// The largest group of what a stage could not do is replayed, a hundred messages a
// second: somebody has mended the filter.
func ExamplePoisonLog() {
	var mended atomic.Bool
	pay := filters.Map(func(_ context.Context, order string) (string, error) {
		if !mended.Load() {
			return "", filters.Rejectf("the tax of %s is not known", order)
		}
		fmt.Println("paid", order)
		return order, nil
	})
	err := inSetting(pay, []string{"order-1"}, func(s setting) error {
		if err := s.run(router.Config{}); err != nil {
			return err
		}
		mended.Store(true)
		if err := replayLargest(s); err != nil {
			return err
		}
		return s.run(router.Config{}) // it need not be running while one replays
	})
	if err != nil {
		fmt.Println(err)
	}
	// Output:
	// 1 messages replayed: the tax of # is not known
	// paid order-1
}

func replayLargest(s setting) error {
	poison, err := router.OpenPoison(s.ctx, router.PoisonConfig{Kafka: s.at, Stage: "shop.pay", By: "ada@desk"})
	if err != nil {
		return err
	}
	defer func() { _ = poison.Close() }()
	groups, _, err := poison.Groups(s.ctx, router.PoisonSelection{})
	if err != nil || len(groups) == 0 {
		return err
	}
	done, err := poison.Replay(s.ctx, router.PoisonSelection{Group: groups[0].ID}, router.PoisonReplayOptions{Rate: 100})
	fmt.Println(done.Done, "messages replayed:", groups[0].Signature)
	return err
}
