package main

import (
	"context"
	"time"

	"github.com/penstock/penstock/filters"
	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/sinks"
	"github.com/penstock/penstock/sources"
)

// flaky is what the parts of the example share.
type flaky struct {
	payments int
	bank     bank
	books    *books
}

// Payment is one payment of a customer, who has them numbered from 1.
type Payment struct {
	Customer string `json:"customer"`
	Number   int    `json:"number"`
	Cents    int    `json:"cents"`
}

// Payments declares the pipeline: due → charge → book.
func Payments(f *flaky) *pipeline.Pipeline {
	p := pipeline.New("flaky")

	due := pipeline.Source(p, "due", sources.Func(f.put, sources.Finite()),
		pipeline.Key(func(p Payment) string { return p.Customer }),
		pipeline.Partitions(2))

	charged := pipeline.Stage(due, "charge", filters.Map(f.bank.charge),
		pipeline.Partitions(2),
		pipeline.Timeout(2*time.Second),
		// A failure that is over soon: the key waits where it is.
		pipeline.Retry(3, pipeline.Exponential(20*time.Millisecond, 100*time.Millisecond)),
		// One that lasts: the key waits in the retry log, and holds up nobody.
		pipeline.Park(1000, pipeline.Exponential(200*time.Millisecond, time.Second)),
		// The bank is down: one payment at a time finds out whether it is back.
		pipeline.Breaker(3, pipeline.Exponential(100*time.Millisecond, 500*time.Millisecond)))

	pipeline.Sink(charged, "book", sinks.Func(f.books.enter))
	return p
}

var customers = []string{"alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi"}

// put puts the payments, one of each customer at a time.
func (f *flaky) put(ctx context.Context, emit pipeline.Emit[Payment]) error {
	for n := 1; n <= f.payments; n++ {
		payments := make([]pipeline.Trigger[Payment], len(customers))
		for i, c := range customers {
			payments[i].Body = Payment{Customer: c, Number: n, Cents: 100*n + i}
		}
		if err := emit(ctx, payments...); err != nil {
			return err
		}
	}
	return nil
}
