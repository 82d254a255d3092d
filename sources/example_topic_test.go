package sources_test

import (
	"fmt"

	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/sources"
)

type Booking struct {
	Account string
	Cents   int64
}

// Another team writes its bookings to a topic of its own. They become triggers, in
// order by account, whatever key they were written with.
func ExampleTopic() {
	p := pipeline.New("ledger")
	pipeline.Source(p, "bookings", sources.Topic[Booking]("bank.bookings.v1"),
		pipeline.Key(func(b Booking) string { return b.Account }),
		pipeline.Open())

	graph, err := p.Build()
	if err != nil {
		fmt.Println(err)
		return
	}
	source := graph.Sources[0]
	fmt.Println("group", source.Group, "copies", source.CopyOf, "into", source.Pipe.Topic)
	// Output: group ledger.bookings.source copies bank.bookings.v1 into ledger.bookings
}
