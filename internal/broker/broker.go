package broker

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
)

// ClusterID is the cluster id that an embedded broker tells its clients. No
// Kafka has it, so a program can tell which of the two it talks to.
const ClusterID = "penstock-embedded"

// Broker is a running embedded broker. Its methods are safe for concurrent use.
type Broker struct {
	cluster *kfake.Cluster
	addrs   []string
	dir     *directory // nil when everything is in memory
	guards  []*guard
	log     *clusterLog

	failOnce sync.Once
	failed   chan struct{} // closed when the broker can go on no more
	failure  error         // why; set before failed is closed

	close func() error
}

// Start starts an embedded broker that listens on 127.0.0.1 only. When another
// one runs on the data directory, the error is an *InUseError with its
// addresses; when the data has a newer format, a *VersionError. ctx bounds the
// start, not the run.
func Start(ctx context.Context, config Config) (*Broker, error) {
	b, err := start(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("start the embedded broker: %w", err)
	}
	return b, nil
}

func start(ctx context.Context, config Config) (_ *Broker, err error) {
	config, err = config.withDefaults()
	if err != nil {
		return nil, err
	}
	b := &Broker{failed: make(chan struct{})}
	b.log = &clusterLog{log: config.Logger, writeFailure: b.fail}

	var last lastRun
	var ends []logEnd
	options := clusterOptions(config, b.log)
	if config.Dir != "" {
		if b.dir, err = openDirectory(ctx, config.Dir); err != nil {
			return nil, err
		}
		defer func() {
			if err != nil {
				err = errors.Join(err, b.dir.unlock())
			}
		}()
		options = append(options, kfake.DataDir(b.dir.file(clusterName)))
		if last, ends, err = b.dir.prepare(config); err != nil {
			return nil, err
		}
	}

	listeners, err := listen(ctx, config, last.Ports)
	if err != nil {
		return nil, err
	}
	var ports []int
	b.addrs, ports = addresses(listeners)
	b.guards = guardAll(listeners)
	if b.dir != nil {
		// Before the first request: what is written from here on is not closed.
		if err := b.dir.write(lastRunName, lastRun{Ports: ports}); err != nil {
			closeAll(listeners)
			return nil, err
		}
	}
	if b.cluster, err = kfake.NewCluster(append(options, kfake.ListenFn(handOut(b.guards)))...); err != nil {
		closeAll(listeners)
		if b.dir != nil {
			err = damaged(b.dir.path, err)
		}
		return nil, err
	}
	b.close = b.run(config, ends, lastRun{Ports: ports, Closed: true})
	if err := b.announce(config); err != nil {
		return nil, errors.Join(err, b.close())
	}
	return b, nil
}

// segmentBytes is the size of a file of a log. Files are read whole, one of each
// partition at a time, when the broker starts.
const segmentBytes = 16 << 20

// clusterOptions returns the settings of the cluster, but for where its data
// is and where it listens.
func clusterOptions(config Config, log kfake.Logger) []kfake.Opt {
	const aYear = 365 * 24 * time.Hour
	options := []kfake.Opt{
		kfake.NumBrokers(config.Brokers),
		kfake.ClusterID(ClusterID),
		kfake.DefaultNumPartitions(1),
		kfake.GroupMinSessionTimeout(config.MinSessionTimeout),
		kfake.WithLogger(log),
		kfake.BrokerConfigs(map[string]string{
			"log.segment.bytes":            strconv.Itoa(segmentBytes),
			"group.min.session.timeout.ms": strconv.FormatInt(config.MinSessionTimeout.Milliseconds(), 10),
			"offsets.retention.minutes":    strconv.Itoa(int(aYear.Minutes())),
			// kfake looks after retention and compaction at this interval.
			// The one is done here, the other is not: see the package comment.
			"log.cleaner.backoff.ms": strconv.FormatInt((100 * aYear).Milliseconds(), 10),
		}),
	}
	if config.SyncWrites {
		options = append(options, kfake.SyncWrites())
	}
	return options
}

// prepare makes the directory ready for the cluster to be started on it.
func (d *directory) prepare(config Config) (last lastRun, ends []logEnd, err error) {
	// First of all, so that nobody takes the address of a broker that was
	// killed for that of this one.
	if err := d.remove(addressName); err != nil {
		return last, nil, explain(d.path, err)
	}
	if err := d.checkFormat(); err != nil {
		return last, nil, err
	}
	if last, err = d.readLastRun(); err != nil {
		return last, nil, damaged(d.path, err)
	}
	if ends, err = d.restoreEnds(); err != nil {
		return last, nil, err
	}
	if !last.Closed {
		err = d.mend(config)
	}
	return last, ends, err
}

// announce tells the world where the broker is.
func (b *Broker) announce(config Config) error {
	data := "memory"
	if b.dir != nil {
		data = b.dir.path
		err := b.dir.write(addressName, address{Addrs: b.addrs, PID: os.Getpid(), Started: time.Now()})
		if err != nil {
			return err
		}
	}
	config.Logger.Info("the embedded broker runs, for development and tests only", "data", data, "addresses", strings.Join(b.addrs, ","))
	return nil
}

// Addrs returns the addresses of the brokers, "host:port" each.
func (b *Broker) Addrs() []string {
	return append([]string(nil), b.addrs...)
}

// Cluster gives tests access to the cluster behind the broker, to inject
// faults. Do not close it, and do not use it after Close: its methods would
// block.
func (b *Broker) Cluster() *kfake.Cluster {
	return b.cluster
}

// Wait waits until ctx ends, and returns nil, or until the broker cannot go on
// because it cannot write its data, and returns why. It then has stopped
// answering and acknowledged nothing that is not stored; Close is still to be
// called.
func (b *Broker) Wait(ctx context.Context) error {
	select {
	case <-b.failed:
		return b.failure
	case <-ctx.Done():
		return nil
	}
}

// Close writes out everything, ends the broker and lets go of the data
// directory. Closing twice is fine and returns the same.
func (b *Broker) Close() error {
	return b.close()
}
