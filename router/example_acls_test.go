package router_test

import (
	"context"
	"fmt"

	"github.com/penstock/penstock/filters"
	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/router"
)

func ExampleACLs() {
	p := pipeline.New("orders")
	placed := pipeline.NewPipe[string](p, "placed")
	pipeline.Stage(placed, "price", filters.Map(func(_ context.Context, order string) (string, error) {
		return order, nil
	}), pipeline.Open())
	graph, err := p.Build()
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, acl := range router.ACLs(graph) {
		fmt.Println(acl.For, "needs", acl.Operation, "on", acl.Resource, acl.Name)
	}
	// Output:
	// orders.price needs Read on topic orders.placed
	// orders.price needs DescribeConfigs on topic orders.placed
	// orders.price needs Read on group orders.price
	// orders.price needs Write on topic orders.price
	// orders.price needs DescribeConfigs on topic orders.price
	// orders.price needs Read on topic orders.price.retry.placed
	// orders.price needs Write on topic orders.price.retry.placed
	// orders.price needs Delete on topic orders.price.retry.placed
	// orders.price needs DescribeConfigs on topic orders.price.retry.placed
	// orders.price needs Write on topic orders.price.poison
	// orders.price needs DescribeConfigs on topic orders.price.poison
}
