package pipeline_test

import (
	"context"
	"fmt"
	"time"

	"github.com/penstock/penstock/filters"
	"github.com/penstock/penstock/pipeline"
)

// Entries of an account must not be booked without the one before: where one
// cannot be booked its account waits until an operator has replayed or dropped it.
func ExampleOnPoison() {
	p := pipeline.New("ledger")
	entries := pipeline.NewPipe[string](p, "entries", pipeline.Key(func(account string) string { return account }))
	pipeline.Stage(entries, "book", filters.Map(func(_ context.Context, account string) (string, error) {
		return account, nil
	}),
		pipeline.Park(5, pipeline.Constant(time.Minute)),
		pipeline.OnPoison(pipeline.HoldKey),
		pipeline.Open())

	g, err := p.Build()
	fmt.Println(g.Stages[0].OnPoison, err)
	// Output: hold key <nil>
}
