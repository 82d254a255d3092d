package sinks_test

import (
	"fmt"

	"github.com/penstock/penstock/filters"
	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/sinks"
)

// The stock of each article is kept in a table:
//
//	CREATE TABLE stock (sku text PRIMARY KEY, count int, source text, source_offset bigint)
//
// However often a message is repeated, a row has what the last one said. While the
// database is away messages wait, and none is poisoned for it.
func ExamplePostgres() {
	type Level struct {
		SKU   string
		Count int
	}

	p := pipeline.New("warehouse")
	levels := pipeline.NewPipe(p, "levels", pipeline.Key(func(l Level) string { return l.SKU }))
	pipeline.Sink(levels, "store", sinks.Postgres(sinks.PostgresConfig[Level]{
		URL:     "postgres://warehouse@127.0.0.1/warehouse",
		Table:   "stock",
		Columns: []string{"sku", "count"},
		Key:     []string{"sku"},
		Values: func(l Level) ([]any, error) {
			if l.Count < 0 {
				return nil, filters.Rejectf("%s has a stock of %d", l.SKU, l.Count)
			}
			return []any{l.SKU, l.Count}, nil
		},
	}))
	graph, err := p.Build()
	if err != nil {
		fmt.Println(err)
		return
	}
	store := graph.Topology().Stages[0]
	fmt.Println("up to", store.BatchMax, "rows a transaction; breaker", store.Breaker)
	// Output: up to 500 rows a transaction; breaker after 1 failures in a row, probed after 500ms to 10s
}
