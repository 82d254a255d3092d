package saramaclient

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/IBM/sarama"

	"github.com/penstock/penstock/router/kafka/internal/connect"
)

// dialPatience bounds the wait for a dial that was broken off: it ends at once,
// unless code of the user runs in it.
const dialPatience = time.Second

// Dial connects to a cluster. Its error names the addresses that were tried and
// says what to do where TLS or SASL failed. Closing the client ends all that goes
// on in it, as [connect.Client] says.
func Dial(ctx context.Context, brokers []string, cfg *sarama.Config) (sarama.Client, error) {
	gate := connect.NewGate(cfg)
	ended := make(chan *connect.Client, 1)
	c, left, err := connect.Aside(ctx, nil, func() (*connect.Client, error) {
		c, err := connect.NewClient(brokers, cfg, gate)
		ended <- c
		return c, err
	})
	if left {
		gate.Shut()
		select {
		case c := <-ended:
			if c != nil { // at the last moment
				_ = c.Close()
			}
		case <-time.After(dialPatience):
			// Its connections are cut: there is nothing to close.
		}
	}
	if err != nil {
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
// take no context and can wait for as long as its time-outs add up to. What is
// left behind ends when the client is closed that it asks.
func Aside[T any](ctx context.Context, f func() (T, error)) (T, error) {
	v, _, err := connect.Aside(ctx, nil, f)
	return v, err
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
