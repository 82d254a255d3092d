package produce

import (
	"fmt"
	"log/slog"
	"sync"

	"github.com/IBM/sarama"

	"github.com/penstock/penstock/router/kafka/internal/client"
)

// leaders knows which brokers lead the partitions. A look-up is for a whole
// topic and shared by all of its partitions, so that a broker that goes away
// with a thousand of them costs one request a backoff, not a thousand.
type leaders struct {
	client sarama.Client
	log    *slog.Logger
	mu     sync.Mutex
	newest map[string]*lookup // by topic
}

// lookup is the state of a topic at one moment. Its fields are set when done
// is closed.
type lookup struct {
	done  chan struct{}
	addrs map[int32]string // by partition; without one: no leader is known
	err   error
}

// after returns the newest look-up of a topic if it is another one than used,
// which has proved wrong, and starts one otherwise. Each caller holds a
// look-up that was the newest once, so what is another is newer.
func (ls *leaders) after(topic string, used *lookup) *lookup {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	newest := ls.newest[topic]
	if newest != nil && newest != used {
		return newest
	}
	next := &lookup{done: make(chan struct{})}
	ls.newest[topic] = next
	go func() {
		// Not waited for by anyone for longer than they want: sarama's
		// look-ups take no context and can hang. One hangs a topic, at most.
		defer close(next.done)
		next.addrs, next.err = ls.ask(topic, used != nil)
		if next.err != nil {
			ls.log.Warn("leaders cannot be looked up", slog.String("topic", topic), slog.Any("error", next.err))
		}
	}()
	return next
}

// ask reads the leaders from sarama's cache, after a refresh if that is asked
// for. A refresh that failed leaves what was known.
func (ls *leaders) ask(topic string, refresh bool) (addrs map[int32]string, err error) {
	if refresh {
		err = ls.client.RefreshMetadata(topic)
	}
	ids, e := ls.client.WritablePartitions(topic)
	if e != nil {
		return nil, e
	}
	addrs = make(map[int32]string, len(ids))
	for _, id := range ids {
		if b, e := ls.client.Leader(topic, id); e == nil {
			addrs[id] = b.Addr()
		}
	}
	return addrs, err
}

// leader returns the address of the partition's leader, newer than the one
// that failed if one has. It waits no longer than the delivery deadline.
func (w *partition) leader() (string, error) {
	l := w.seen
	if l == nil || w.stale {
		l = w.p.leaders.after(w.topic.name, w.seen)
		select {
		case <-l.done:
		case <-w.timer.C:
			return "", fmt.Errorf("%w: the leader could not be looked up", client.ErrDeadline)
		case <-w.p.fence.cut:
			return "", errCut
		}
		w.seen, w.stale = l, false
	}
	addr, ok := l.addrs[w.id]
	switch {
	case ok:
		return addr, nil
	case l.err != nil:
		return "", fmt.Errorf("look up the leader: %w", l.err)
	default:
		return "", sarama.ErrLeaderNotAvailable
	}
}
