package cmd

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/penstock/penstock/internal/broker"
)

func (a *app) broker() *cobra.Command {
	c := &cobra.Command{
		Use:   "broker",
		Short: "Run the embedded broker, for development and tests",
		Long: `Broker runs the embedded broker until a signal stops it, and prints its address on
standard output. Commands that are given no --brokers find it by its data
directory. It is for development and tests: it does not replace a Kafka cluster.`,
		Example: a.example("{} broker", "{} broker --port 9092 --data-dir /tmp/penstock"),
		Args:    cobra.NoArgs,
	}
	var cfg broker.Config
	addDataDir(c.Flags(), &cfg.Dir)
	c.Flags().IntVar(&cfg.Port, "port", 0, "listen on this `port` of 127.0.0.1 (default: that of the last run, or any free one)")
	log := newLogFlags(c.Flags())
	return a.does(c, func(ctx context.Context, _ []string) (err error) {
		if cfg.Port < 0 || cfg.Port > 1<<16-1 {
			return wrongUse("%s is %d: it must be between 0 and 65535", given(c.Flags(), "port"), cfg.Port)
		}
		if cfg.Dir == "" {
			return wrongUse("%s is empty: name a directory", given(c.Flags(), dataDirFlag))
		}
		cfg.Logger = log.logger(a.stderr)
		starting, cancel := context.WithTimeout(ctx, startPatience)
		defer cancel()
		b, err := broker.Start(starting, cfg)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, b.Close()) }()
		fmt.Fprintln(a.stdout, strings.Join(b.Addrs(), ","))
		if err := b.Wait(ctx); err != nil {
			return err
		}
		cfg.Logger.Info("stopping", "because", context.Cause(ctx))
		return nil
	})
}
