package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"github.com/spf13/pflag"

	"github.com/penstock/penstock/cmd"
)

// loadCommand is "orders load".
func loadCommand() cmd.Command {
	s := &settings{load: load{run: newRun()}}
	var patience time.Duration
	return cmd.Command{
		Name:  "load",
		Short: "Post orders to a running program",
		Long: `Load posts orders to a running program, waits until all of them are stored, and
says what became of them. It fails when one is missing, repeated or out of order.`,
		Examples: []string{"load --orders 1000", "load --orders 100000 --rate 500 --database postgres://orders@127.0.0.1/orders"},
		Flags: func(flags *pflag.FlagSet) {
			s.storeFlags(flags)
			flags.IntVar(&s.load.orders, "orders", 1000, "how many orders to post")
			s.loadFlags(flags)
			flags.IntVar(&s.load.rate, "rate", 0, "how many to post a second, at most; 0 is no limit")
			flags.DurationVar(&patience, "patience", 2*time.Minute, "how long to wait while nothing more gets stored")
		},
		Run: func(ctx context.Context, _ []string, stdout, stderr io.Writer) error {
			s.load.told = stderr
			result, err := s.loadAndWait(ctx, patience)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(stdout, result)
			return err
		},
	}
}

// loadAndWait posts the orders and waits until what is stored is all of them, or
// does not change any more.
func (s *settings) loadAndWait(ctx context.Context, patience time.Duration) (audit, error) {
	if err := s.load.check(); err != nil {
		return audit{}, err
	}
	begun := time.Now()
	if err := s.load.post(ctx); err != nil {
		return audit{}, fmt.Errorf("%d of %d orders are accepted: %w", s.load.accepted.Load(), s.load.orders, err)
	}
	fmt.Fprintf(s.load.told, "all %d orders are accepted after %v\n", s.load.orders, time.Since(begun).Round(time.Millisecond))
	var last audit
	changed := time.Now()
	for {
		now, err := s.load.audit(ctx, s.openStore())
		if err != nil {
			return now, err
		}
		if now.verdict() == nil || time.Since(changed) > patience {
			fmt.Fprintf(s.load.told, "looked at what is stored after %v\n", time.Since(begun).Round(time.Millisecond))
			return now, now.verdict()
		}
		if now != last {
			last, changed = now, time.Now()
		}
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
			return now, ctx.Err()
		}
	}
}

func (s *settings) storeFlags(flags *pflag.FlagSet) {
	flags.StringVar(&s.database, "database", "", "`URL` of the PostgreSQL that lines are stored in, as postgres://user@host/name, the password by PGPASSWORD or PGPASSFILE; tables.sql makes the tables")
	flags.StringVar(&s.dir, "out", filepath.Join("out", "orders"), "`folder` that lines are stored in without a database: for one process")
}

// openStore is where the settings say.
func (s *settings) openStore() store {
	if s.database != "" {
		return postgresStore{s.database}
	}
	return fileStore{s.dir}
}
