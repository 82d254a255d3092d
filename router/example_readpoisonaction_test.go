package router_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/penstock/penstock/filters"
	"github.com/penstock/penstock/router"
	"github.com/penstock/penstock/router/kafka"
)

// What operators do about poisoned messages stands behind them, and can be read
// too: for who keeps a record of it.
func ExampleReadPoisonAction() {
	pay := filters.Map(func(context.Context, string) (string, error) { return "", filters.Rejectf("no account") })
	err := inSetting(pay, []string{"order-1"}, func(s setting) error {
		if err := s.run(router.Config{}); err != nil {
			return err
		}
		poison, err := router.OpenPoison(s.ctx, router.PoisonConfig{Kafka: s.at, Stage: "shop.pay", By: "ada@desk"})
		if err != nil {
			return err
		}
		defer func() { _ = poison.Close() }()
		if _, err := poison.Drop(s.ctx, router.PoisonSelection{}, router.PoisonDropOptions{Reason: "it was a test"}); err != nil {
			return err
		}
		return kafka.ReadTopic(s.ctx, s.at, "shop.pay.poison", func(r *kafka.Record) error {
			action, err := router.ReadPoisonAction(r)
			if errors.Is(err, router.ErrNotAction) {
				return nil // a poisoned message: see ReadPoisoned
			}
			if err != nil {
				return err
			}
			fmt.Printf("%s: %s of the message at %s, because %s\n", action.By, action.Kind, action.Position, action.Reason)
			return nil
		})
	})
	if err != nil {
		fmt.Println(err)
	}
	// Output:
	// ada@desk: drop of the message at 0, because it was a test
}
