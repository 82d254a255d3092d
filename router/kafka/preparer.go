package kafka

import (
	"context"
	"sync"
	"time"

	"github.com/penstock/penstock/router/kafka/internal/client"
)

// topicMaxAge is how long what is known of a topic is taken for true: then
// partitions that were added are seen, and a changed limit.
const topicMaxAge = time.Minute

// preparer is a producer that asks about a topic once in a while, not with
// every record: the answer costs round trips.
type preparer struct {
	client.Producer

	mu     sync.Mutex
	topics map[string]preparedTopic
}

type preparedTopic struct {
	info client.Topic
	at   time.Time
}

// topic prepares a topic and returns what is known of it.
func (p *preparer) topic(ctx context.Context, name string) (client.Topic, error) {
	p.mu.Lock()
	known, ok := p.topics[name]
	p.mu.Unlock()
	if ok && time.Since(known.at) < topicMaxAge {
		return known.info, nil
	}
	at := time.Now()
	info, err := p.Prepare(ctx, name)
	if err != nil {
		return client.Topic{}, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.topics == nil {
		p.topics = map[string]preparedTopic{}
	}
	p.topics[name] = preparedTopic{info: info, at: at}
	return info, nil
}
