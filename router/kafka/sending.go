package kafka

import (
	"fmt"
	"sync"

	"github.com/penstock/penstock/router/kafka/internal/client"
)

// sending is one call of Publisher.Send, waiting for the fates of its outputs.
type sending struct {
	mu   sync.Mutex
	left int
	err  error // the first one
	done chan struct{}
}

func (w *sending) told(n int, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == nil {
		w.err = err
	}
	if w.left -= n; w.left == 0 {
		close(w.done)
	}
}

// tellSending takes fates from a Publisher's producer.
func tellSending(r client.Result) {
	var err error
	if r.Err != nil {
		err = fmt.Errorf("send to %s/%d (%s): %w", r.Topic, r.Partition, r.Fate, r.Err)
	}
	r.ByOwner(func(owner any, outs []client.Ticket) {
		owner.(*sending).told(len(outs), err) //nolint:forcetypeassert // only Send enqueues here
	})
}
