package produce

import (
	"context"
	"fmt"
	"sync"

	"github.com/IBM/sarama"

	"github.com/penstock/penstock/router/kafka/internal/client"
)

type txnState uint8

const (
	txnNone   txnState = iota
	txnOpen            // outputs are taken
	txnFailed          // can only be aborted, or is being ended
)

// transaction knows which partitions the coordinator has been told of. A
// partition has to be in the transaction before its first batch is sent.
type transaction struct {
	p     *Producer
	state txnState // guarded by Producer.mu
	stale bool     // its offsets were refused, and not taken since; guarded too

	mu      sync.Mutex
	joined  map[partitionKey]*joining
	waiting *joining // what the next request will carry
	group   *joining // the group's, which is told behind the first partitions
	asked   bool     // the group's turn was, or is now
	running bool     // a request is under way
	touched bool     // the coordinator knows of the transaction
}

type partitionKey struct {
	topic string
	id    int32
}

// joining is a request that adds partitions to the transaction, or a group whose
// offsets will be in it.
type joining struct {
	partitions map[string][]int32
	group      string
	done       chan struct{}
	err        error // set when done is closed
}

func newTransaction(p *Producer) *transaction { return &transaction{p: p} }

func (x *transaction) begin() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.state, x.stale = txnOpen, false
	x.joined = map[partitionKey]*joining{}
	x.waiting, x.group, x.asked, x.touched = nil, nil, false, false
}

func (x *transaction) isTouched() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.touched
}

// want notes that partitions are about to get outputs, so that one request
// adds all that one call of Enqueue needs.
func (x *transaction) want(t *topic, ids []int32) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, id := range ids {
		key := partitionKey{t.name, id}
		if x.joined[key] != nil {
			continue
		}
		if x.waiting == nil {
			x.waiting = &joining{partitions: map[string][]int32{}, done: make(chan struct{})}
		}
		x.waiting.partitions[t.name] = append(x.waiting.partitions[t.name], id)
		x.joined[key] = x.waiting
	}
	if x.group == nil && x.p.cfg.Group != "" {
		x.group = &joining{group: x.p.cfg.Group, done: make(chan struct{})}
	}
}

// join returns when the partition is in the transaction. Whoever finds a
// request waiting and none under way sends it.
func (w *partition) join() error {
	x := w.p.txn
	x.mu.Lock()
	j := x.joined[partitionKey{w.topic.name, w.id}]
	x.start()
	x.mu.Unlock()
	select {
	case <-j.done:
		return j.err
	case <-w.timer.C:
		return fmt.Errorf("add partition %d of topic %s to the transaction: %w", w.id, w.topic.name, client.ErrDeadline)
	case <-w.p.fence.cut:
		return errCut
	}
}

// joinGroup returns when the group is in the transaction, or could not be added.
// Without having been wanted before, it is now.
func (x *transaction) joinGroup(ctx context.Context, group string) error {
	x.mu.Lock()
	if x.group == nil {
		x.group = &joining{group: group, done: make(chan struct{})}
	}
	if x.group.group != group {
		x.mu.Unlock()
		return fmt.Errorf("the transaction %s has offsets of group %s already", x.p.cfg.TransactionalID, x.group.group)
	}
	x.start()
	x.mu.Unlock()
	return x.awaitGroup(ctx)
}

// awaitGroup returns when no request adds a group. One that is left behind could
// reach into the next transaction.
func (x *transaction) awaitGroup(ctx context.Context) error {
	x.mu.Lock()
	j := x.group
	x.mu.Unlock()
	if j == nil {
		return nil
	}
	select {
	case <-j.done:
		return j.err
	case <-ctx.Done():
		err := fmt.Errorf("%w: %w", errUnanswered, context.Cause(ctx))
		x.p.Fence(err)
		return err
	case <-x.p.fence.cut:
		return x.p.fencedErr()
	}
}

// start has what waits be sent, unless it is already. The caller holds the lock.
func (x *transaction) start() {
	if !x.running && (x.waiting != nil || x.group != nil && !x.asked) {
		x.running = true
		go x.send()
	}
}

// send adds what waits until nothing does: one request at a time, since the
// coordinator refuses another one for the same id while it stores what the first has
// brought. Partitions come first, because batches wait for them.
func (x *transaction) send() {
	for {
		x.mu.Lock()
		j := x.waiting
		x.waiting = nil
		if j == nil && x.group != nil && !x.asked {
			j, x.asked = x.group, true
		}
		if j == nil {
			x.running = false
			x.mu.Unlock()
			return
		}
		x.touched = true // also by a request whose answer is lost
		x.mu.Unlock()
		j.err = x.add(j)
		close(j.done)
	}
}

func (x *transaction) add(j *joining) error {
	p := x.p
	ctx, cancel := context.WithTimeout(context.Background(), p.cfg.DeliveryTimeout)
	defer cancel()
	what, request := "partitions", x.addPartitions(j.partitions)
	if j.group != "" {
		what, request = "group "+j.group, x.addGroup(j.group)
	}
	if err := p.askOrFence(ctx, p.ownCoordinator(), request); err != nil {
		return fmt.Errorf("add %s to the transaction %s: %w", what, p.cfg.TransactionalID, err)
	}
	return nil
}

func (x *transaction) addPartitions(partitions map[string][]int32) request {
	return func(b *sarama.Broker) (sarama.KError, error) {
		resp, err := b.AddPartitionsToTxn(&sarama.AddPartitionsToTxnRequest{
			Version: 2, TransactionalID: x.p.cfg.TransactionalID, ProducerID: x.p.id.id, ProducerEpoch: x.p.id.epoch, TopicPartitions: partitions,
		})
		if err != nil {
			return 0, err
		}
		return firstError(resp.Errors), nil
	}
}

func (x *transaction) addGroup(group string) request {
	return func(b *sarama.Broker) (sarama.KError, error) {
		resp, err := b.AddOffsetsToTxn(&sarama.AddOffsetsToTxnRequest{
			Version: 2, TransactionalID: x.p.cfg.TransactionalID, ProducerID: x.p.id.id, ProducerEpoch: x.p.id.epoch, GroupID: group,
		})
		if err != nil {
			return 0, err
		}
		return resp.Err, nil
	}
}

// firstError returns the most telling error of a coordinator's answer: those
// not attempted only follow from another one.
func firstError(topics map[string][]*sarama.PartitionError) sarama.KError {
	code := sarama.ErrNoError
	for _, partitions := range topics {
		for _, p := range partitions {
			switch p.Err {
			case sarama.ErrNoError:
			case sarama.ErrOperationNotAttempted:
				code = p.Err
			default:
				return p.Err
			}
		}
	}
	return code
}
