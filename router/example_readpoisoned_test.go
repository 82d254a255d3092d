package router_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/penstock/penstock/filters"
	"github.com/penstock/penstock/router"
	"github.com/penstock/penstock/router/kafka"
)

// A program that looks at the poison topic of a stage by itself: to alert, say.
func ExampleReadPoisoned() {
	pay := filters.Map(func(_ context.Context, order string) (string, error) {
		return "", filters.Rejectf("there is no account for %s", order)
	})
	err := inSetting(pay, []string{"order-1"}, func(s setting) error {
		if err := s.run(router.Config{}); err != nil {
			return err
		}
		return kafka.ReadTopic(s.ctx, s.at, "shop.pay.poison", func(r *kafka.Record) error {
			poisoned, err := router.ReadPoisoned(r)
			if errors.Is(err, router.ErrNotPoison) {
				return nil // what an operator has done, say: see ReadPoisonAction
			}
			if err != nil {
				return err
			}
			fmt.Printf("%s could not do %s of %s: %s\n", poisoned.Stage, poisoned.Value, poisoned.Topic, poisoned.LastError)
			return nil
		})
	})
	if err != nil {
		fmt.Println(err)
	}
	// Output:
	// shop.pay could not do "order-1" of shop.in: there is no account for order-1
}
