// Flaky charges payments through a bank that fails now and then, is down for a
// while, and has locked one customer's account for longer: that customer's
// payments wait in order, everybody else's go through, and nothing is lost.
//
//	go run ./examples/flaky
//	go run ./examples/flaky --payments 200 --down 10s --locked 20s
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/pflag"

	"github.com/penstock/penstock/cmd"
	"github.com/penstock/penstock/pipeline"
)

func main() { program().Execute() }

func program() cmd.Program {
	f := &flaky{books: newBooks()}
	return cmd.Program{
		Name:  "flaky",
		Short: "Charge payments through a bank that fails",
		Flags: func(flags *pflag.FlagSet) {
			flags.IntVar(&f.payments, "payments", 50, "payments of each customer")
			flags.DurationVar(&f.bank.outage, "down", 3*time.Second, "how long the bank is down, soon after the start")
			flags.DurationVar(&f.bank.locked, "locked", 6*time.Second, "how long carol's account is locked")
		},
		Pipelines: func() ([]*pipeline.Pipeline, error) {
			if f.payments < 1 {
				return nil, errors.New("--payments is the number of payments of each customer: at least 1")
			}
			return []*pipeline.Pipeline{Payments(f)}, nil
		},
		OnStart: func(ctx context.Context) error {
			f.bank.told, f.books.told = os.Stderr, os.Stderr
			return f.bank.open(ctx)
		},
		OnStop:  func(context.Context) error { return f.bank.close() },
		Drain:   func() bool { return true },
		Summary: f.summary,
	}
}

func (f *flaky) summary(s cmd.Summary) string {
	charged, disordered, passed := f.books.audit()
	return fmt.Sprintf("%d payments charged, %d of other customers while carol waited; parked=%d poisoned=%d disordered=%d",
		charged, passed, s.Stage("charge").Parked, s.Poisoned(), disordered)
}
