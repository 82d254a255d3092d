// Package broker runs the embedded broker: the Kafka protocol inside this
// process, for development and tests.
package broker

import (
	"context"
	"fmt"
	"sync"

	"github.com/twmb/franz-go/pkg/kfake"
)

// Broker is a running embedded broker. Its methods are safe for concurrent
// use.
type Broker struct {
	cluster *kfake.Cluster
	addrs   []string
	close   func() error
}

// Start starts an embedded broker on 127.0.0.1. ctx bounds the start only.
func Start(ctx context.Context, config Config) (*Broker, error) {
	config, err := config.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("start the embedded broker: %w", err)
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("start the embedded broker: %w", err)
	}
	cluster, err := kfake.NewCluster(
		kfake.NumBrokers(config.Brokers),
		kfake.GroupMinSessionTimeout(config.MinSessionTimeout),
		kfake.WithLogger(&clusterLog{config.Logger}),
	)
	if err != nil {
		return nil, fmt.Errorf("start the embedded broker: %w", err)
	}
	b := &Broker{cluster: cluster, addrs: cluster.ListenAddrs()}
	b.close = sync.OnceValue(func() error {
		cluster.Close()
		return nil
	})
	return b, nil
}

// Addrs returns the addresses of the brokers, "host:port" each.
func (b *Broker) Addrs() []string {
	return append([]string(nil), b.addrs...)
}

// Cluster gives access to the cluster behind the broker, for tests that
// inject faults. It must not be used after Close: its methods then block.
func (b *Broker) Cluster() *kfake.Cluster {
	return b.cluster
}

// Close ends the broker and lets go of its data directory. Closing twice is
// fine.
func (b *Broker) Close() error {
	return b.close()
}
