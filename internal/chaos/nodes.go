package chaos

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"sync"
	"time"

	"github.com/penstock/penstock/internal/chaos/topics"
)

// nodes are the brokers' processes. One at a time is away, so that all partitions
// have a majority of their replicas.
type nodes struct {
	cfg  Config
	back sync.WaitGroup

	mu  sync.Mutex
	err error // of the last one that was away
}

// wholePatience is how long a node may take to come back and catch up.
const wholePatience = 2 * time.Minute

// do has the command do something to a node: kill, stop or start it.
func (n *nodes) do(ctx context.Context, what string, node int) error {
	command := append(append([]string{}, n.cfg.NodeCommand...), what, strconv.Itoa(node+1))
	out, err := exec.CommandContext(ctx, command[0], command[1:]...).CombinedOutput() //nolint:gosec // it is what the run was told to run
	if err != nil {
		return fmt.Errorf("%s node %d: %w: %s", what, node+1, err, out)
	}
	return nil
}

// away ends a node, as the command says, and has it come back after a while. It returns
// when the node has gone.
func (n *nodes) away(ctx context.Context, what string, node int, down time.Duration) error {
	if err := n.do(ctx, what, node); err != nil {
		return err
	}
	n.back.Go(func() {
		err := pause(ctx, down)
		if err == nil {
			err = n.do(ctx, "start", node)
		}
		if err == nil {
			err = n.whole(ctx)
		}
		n.mu.Lock()
		defer n.mu.Unlock()
		n.err = errors.Join(n.err, err)
	})
	return nil
}

// await waits until the node that was away last is back, and has caught up.
func (n *nodes) await() error {
	n.back.Wait()
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.err
}

func (n *nodes) whole(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, wholePatience)
	defer cancel()
	reader, err := topics.New(n.cfg.Brokers)
	if err != nil {
		return err
	}
	defer reader.Close()
	return reader.AwaitWhole(ctx, len(n.cfg.Brokers))
}
