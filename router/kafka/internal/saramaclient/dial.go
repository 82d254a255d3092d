package saramaclient

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/IBM/sarama"
)

// Dial connects to a cluster. Its error names the addresses that were tried and
// says what to do where TLS or SASL failed.
func Dial(ctx context.Context, brokers []string, cfg *sarama.Config) (sarama.Client, error) {
	ch := make(chan sarama.Client, 1)
	c, err := Aside(ctx, func() (sarama.Client, error) {
		c, err := sarama.NewClient(brokers, cfg)
		ch <- c
		return c, err
	})
	if err != nil {
		go func() { // given up meanwhile: sarama cannot break off a dial
			if c := <-ch; c != nil {
				_ = c.Close()
			}
		}()
		return nil, fmt.Errorf("connect to Kafka at %s%s: %w", strings.Join(brokers, ", "), security(cfg), withAdvice(err))
	}
	return c, nil
}

// security says how a connection is secured, for errors: many brokers only
// hang up on who comes with a wrong password or without TLS.
func security(cfg *sarama.Config) string {
	s := ""
	if cfg.Net.TLS.Enable {
		s = " with TLS"
	}
	if cfg.Net.SASL.Enable {
		s += fmt.Sprintf(" with SASL %s", cfg.Net.SASL.Mechanism)
		if cfg.Net.SASL.User != "" {
			s += fmt.Sprintf(" as %q", cfg.Net.SASL.User)
		}
	}
	return s
}

// Aside runs f beside the caller, who goes on when ctx ends: sarama's calls
// take no context and can wait for as long as its time-outs add up to.
func Aside[T any](ctx context.Context, f func() (T, error)) (T, error) {
	type result struct {
		v   T
		err error
	}
	ch := make(chan result, 1)
	go func() {
		v, err := f()
		ch <- result{v, err}
	}()
	select {
	case r := <-ch:
		return r.v, r.err
	case <-ctx.Done():
		var zero T
		return zero, context.Cause(ctx)
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
