package broker

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// run starts what runs beside the cluster, and returns the function that ends
// it all.
func (b *Broker) run(config Config, ends []logEnd, closed lastRun) func() error {
	ctx, cancel := context.WithCancel(context.Background())
	var beside sync.WaitGroup
	if b.dir != nil {
		beside.Go(func() { b.upkeep(ctx, config.RetentionInterval, ends) })
	}
	return sync.OnceValue(func() error {
		cancel()
		beside.Wait() // its calls to the cluster would block after this
		b.cluster.Close()
		for _, g := range b.guards {
			g.cut()
		}
		errs := b.log.errors()
		if b.dir != nil {
			errs = append(errs, b.leave(closed)...)
		}
		if err := errors.Join(errs...); err != nil {
			return fmt.Errorf("close the embedded broker: %w", err)
		}
		return nil
	})
}

// leave leaves the directory to the next run.
func (b *Broker) leave(closed lastRun) []error {
	var errs []error
	select {
	case <-b.failed:
		// kfake has taken the batch that it could not write for stored: its
		// producer would be told so when it tries again. Without this file it
		// is stored then.
		errs = append(errs, b.dir.remove(clusterName, "seq_windows.json"))
	default:
		errs = append(errs, b.dir.write(lastRunName, closed))
	}
	return append(errs, b.dir.remove(addressName), b.dir.unlock())
}

// fail ends the service at once, on the goroutine of the cluster: the answer to
// the request that failed must reach nobody. kfake would refuse a batch that it
// cannot write, and acknowledge it as a duplicate when it comes again.
func (b *Broker) fail(err error) {
	b.failOnce.Do(func() {
		b.failure = fmt.Errorf("the embedded broker cannot write to its data directory, free space on its disk or check its permissions, and start it again: %w", err)
		for _, g := range b.guards {
			g.cut()
		}
		b.log.log.Error("the embedded broker has stopped", "error", b.failure)
		close(b.failed)
	})
}
