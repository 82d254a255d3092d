// Orders takes orders over HTTP, splits them into lines, asks somebody else's
// service for their prices, and stores them: in PostgreSQL, or in files.
//
//	go run ./examples/orders --orders 1000
//	go run ./examples/orders poison ls
//	go run ./examples/orders load --orders 1000
//	curl --json '{"customer":"ann","number":1,"items":[{"article":"A1","quantity":2}]}' http://127.0.0.1:8080/orders
package main

import (
	"context"
	"io"
	"time"

	"github.com/spf13/pflag"

	"github.com/penstock/penstock/cmd"
	"github.com/penstock/penstock/pipeline"
)

func main() {
	program().Execute()
}

// settings are the program's own flags, and what it makes of them.
type settings struct {
	dir      string
	database string
	prices   supplier
	load     load

	audited audit
}

func program() cmd.Program {
	s := &settings{load: load{run: newRun(), told: io.Discard}}
	return cmd.Program{
		Name:      "orders",
		Short:     "Take orders over HTTP, price their lines and store them",
		Flags:     s.flags,
		Pipelines: s.pipelines,
		Commands:  []cmd.Command{loadCommand()},
		Drain:     s.loadsItself,
		OnStart: func(context.Context) error {
			s.prices.opened = time.Now()
			return nil
		},
		OnStop:  s.check,
		Summary: func(cmd.Summary) string { return s.audited.String() },
	}
}

func (s *settings) flags(flags *pflag.FlagSet) {
	s.storeFlags(flags)
	flags.DurationVar(&s.prices.takes, "price-takes", 2*time.Millisecond, "how long it takes to ask for a price")
	flags.DurationVar(&s.prices.late, "price-late", 2*time.Second, "how long article "+lateArticle+" has no price, after the start")
	flags.IntVar(&s.load.orders, "orders", 0, "post so many orders, and end when they are through; 0 waits for those of others")
	s.loadFlags(flags)
}

func (s *settings) loadFlags(flags *pflag.FlagSet) {
	flags.IntVar(&s.load.customers, "customers", 100, "how many customers these orders are of")
	flags.IntVar(&s.load.connections, "connections", 32, "how many of them are posted side by side")
	flags.StringVar(&s.load.to, "to", "http://127.0.0.1:8080", "where they are posted")
}

func (s *settings) loadsItself() bool { return s.load.orders > 0 }

func (s *settings) pipelines() ([]*pipeline.Pipeline, error) {
	source := placed()
	if s.loadsItself() {
		if err := s.load.check(); err != nil {
			return nil, err
		}
		source = selfLoaded{source, &s.load}
	}
	return []*pipeline.Pipeline{Orders(shop{source: source, prices: &s.prices, store: s.openStore()})}, nil
}

// check audits a run that has posted its own orders.
func (s *settings) check(ctx context.Context) error {
	if !s.loadsItself() || s.load.accepted.Load() < int64(s.load.orders) {
		return nil
	}
	var err error
	if s.audited, err = s.load.audit(ctx, s.openStore()); err != nil {
		return err
	}
	return s.audited.verdict()
}
