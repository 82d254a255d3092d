package router_test

import (
	"context"
	"fmt"

	"github.com/penstock/penstock/filters"
	"github.com/penstock/penstock/router"
	"github.com/penstock/penstock/router/kafka"
)

// What a stage has still to do is seen by anybody, whether it runs or not: here
// before it has run and after.
func ExampleBacklogs() {
	pay := filters.Map(func(_ context.Context, order string) (string, error) { return order, nil })
	err := inSetting(pay, []string{"order-1", "order-2"}, func(s setting) error {
		if err := printBacklog(s); err != nil {
			return err
		}
		if err := s.run(router.Config{}); err != nil {
			return err
		}
		return printBacklog(s)
	})
	if err != nil {
		fmt.Println(err)
	}
	// Output:
	// shop.pay has 2 messages of shop.in to do
	// shop.pay has 0 messages of shop.in to do
}

func printBacklog(s setting) error {
	admin, err := kafka.NewAdmin(s.ctx, s.at)
	if err != nil {
		return err
	}
	defer func() { _ = admin.Close() }()
	reader, err := kafka.NewReader(s.ctx, s.at)
	if err != nil {
		return err
	}
	defer func() { _ = reader.Close() }()
	backlogs, err := router.NewBacklogs(admin, reader, s.graph.Stages...).Read(s.ctx)
	for i := range backlogs {
		fmt.Println(backlogs[i].Stage, "has", backlogs[i].Runnable, "messages of", backlogs[i].Topic, "to do")
	}
	return err
}
