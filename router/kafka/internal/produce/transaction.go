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

	mu      sync.Mutex
	joined  map[partitionKey]*joining
	waiting *joining // what the next request will carry
	running bool     // a request is under way
	touched bool     // the coordinator knows of the transaction
}

type partitionKey struct {
	topic string
	id    int32
}

// joining is a request that adds partitions to the transaction.
type joining struct {
	partitions map[string][]int32
	done       chan struct{}
	err        error // set when done is closed
}

func newTransaction(p *Producer) *transaction { return &transaction{p: p} }

func (x *transaction) begin() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.state = txnOpen
	x.joined = map[partitionKey]*joining{}
	x.waiting, x.touched = nil, false
}

func (x *transaction) touch() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.touched = true
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
}

// join returns when the partition is in the transaction. Whoever finds a
// request waiting and none under way sends it.
func (w *partition) join() error {
	x := w.p.txn
	x.mu.Lock()
	j := x.joined[partitionKey{w.topic.name, w.id}]
	if !x.running && x.waiting != nil {
		x.running = true
		go x.send()
	}
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

// send adds what waits until nothing does.
func (x *transaction) send() {
	for {
		x.mu.Lock()
		j := x.waiting
		x.waiting = nil
		if j == nil {
			x.running = false
			x.mu.Unlock()
			return
		}
		x.touched = true // also by a request whose answer is lost
		x.mu.Unlock()
		j.err = x.add(j.partitions)
		close(j.done)
	}
}

func (x *transaction) add(partitions map[string][]int32) error {
	p := x.p
	ctx, cancel := context.WithTimeout(context.Background(), p.cfg.DeliveryTimeout)
	defer cancel()
	err := p.askOrFence(ctx, p.ownCoordinator(), func(b *sarama.Broker) (sarama.KError, error) {
		resp, err := b.AddPartitionsToTxn(&sarama.AddPartitionsToTxnRequest{
			Version: 2, TransactionalID: p.cfg.TransactionalID, ProducerID: p.id.id, ProducerEpoch: p.id.epoch, TopicPartitions: partitions,
		})
		if err != nil {
			return 0, err
		}
		return firstError(resp.Errors), nil
	})
	if err != nil {
		return fmt.Errorf("add partitions to the transaction %s: %w", p.cfg.TransactionalID, err)
	}
	return nil
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
