package sinks_test

import (
	"context"
	"fmt"

	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/sinks"
)

// Who sends a trigger says where the result is to go. Only topics that begin with
// "replies." may be named: a trigger comes from outside.
func ExampleReply() {
	p := pipeline.New("quotes")
	priced := pipeline.NewPipe[string](p, "priced")
	pipeline.Sink(priced, "answer", sinks.Reply[string]([]string{"replies.*"}))
	graph, err := p.Build()
	if err != nil {
		fmt.Println(err)
		return
	}

	// A router calls the stage like this.
	stage := graph.Stages[0]
	for _, topic := range []string{"replies.web-1", "quotes.answer.poison"} {
		d := &pipeline.Delivery{Value: []byte(`"12.50 EUR"`)}
		d.ID, d.Job, d.ReplyTo = "price-of-7", "quote-7", topic
		var outs pipeline.Outputs
		err := stage.Calls[0](context.Background(), d, &outs)
		verdict, _ := pipeline.Judge(err)
		fmt.Println(topic, verdict)
		for i := range outs.List {
			o := &outs.List[i]
			fmt.Println("to", o.Topic(), "for job", stage.Envelope(d, i, o).Job, string(o.Value))
		}
	}
	// Output:
	// replies.web-1 done
	// to replies.web-1 for job quote-7 "12.50 EUR"
	// quotes.answer.poison rejected
}
