package produce

import (
	"sync/atomic"

	"github.com/penstock/penstock/router/kafka/internal/client"
)

// topic has the queues of a topic, at their partitions' numbers.
type topic struct {
	name       string
	maxBytes   atomic.Int64
	partitions []*partition // guarded by Producer.mu
}

func (t *topic) info() client.Topic {
	return client.Topic{Partitions: len(t.partitions), MaxBytes: int(t.maxBytes.Load())}
}
