// Package wire listens to what the workers of a chaos run and the brokers say to each
// other. So a run knows what a worker is at, and no line of Penstock has to tell it.
package wire

import "sync"

// Activity is what a client is at.
type Activity struct {
	Rebalances   int // requests to join a group, or for a share of it, without answer yet
	Commits      int // requests to commit, without answer yet
	Transactions int // transactions that are open
}

// Traffic is what all clients are at. It may be used from several goroutines.
type Traffic struct {
	mu      sync.Mutex
	clients map[string]*traffic
}

type traffic struct {
	rebalances, commits int
	open                map[string]bool // transactions by their ids
}

// NewTraffic is that of clients that have said nothing yet.
func NewTraffic() *Traffic { return &Traffic{clients: map[string]*traffic{}} }

// Of is what a client is at, by its client id.
func (t *Traffic) Of(client string) Activity {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := t.clients[client]
	if c == nil {
		return Activity{}
	}
	return Activity{Rebalances: c.rebalances, Commits: c.commits, Transactions: len(c.open)}
}

// count takes in that a request was sent (+1), or has its answer or never gets one (-1).
func (t *Traffic) count(q request, n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := t.clients[q.client]
	if c == nil {
		c = &traffic{open: map[string]bool{}}
		t.clients[q.client] = c
	}
	switch q.kind {
	case joinGroup, syncGroup:
		c.rebalances += n
	case offsetCommit, commitInTransac:
		c.commits += n
	case addPartitions, addOffsets:
		c.open[q.transaction] = true
	case endTransaction:
		c.commits += n
		if n < 0 {
			delete(c.open, q.transaction)
		}
	case initProducerID:
		delete(c.open, q.transaction)
	}
}

// conversation is what is said on one connection.
type conversation struct {
	traffic *Traffic
	mu      sync.Mutex
	asked   map[int32]request // without answer
	ended   bool
}

func (c *conversation) request(head []byte) {
	q := parseRequest(head)
	switch q.kind {
	case offsetCommit, joinGroup, syncGroup, initProducerID, addPartitions, addOffsets, endTransaction, commitInTransac:
	default:
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.ended {
		c.asked[q.number] = q
		c.traffic.count(q, +1)
	}
}

func (c *conversation) answer(head []byte) {
	number := (&fields{rest: head}).number()
	c.mu.Lock()
	defer c.mu.Unlock()
	if q, ok := c.asked[number]; ok {
		delete(c.asked, number)
		c.traffic.count(q, -1)
	}
}

// end takes in that nothing is answered any more.
func (c *conversation) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended = true
	for number, q := range c.asked {
		delete(c.asked, number)
		if q.kind != endTransaction {
			c.traffic.count(q, -1)
			continue
		}
		c.traffic.unanswered(q)
	}
}

// unanswered takes in that the end of a transaction may not have been heard.
func (t *Traffic) unanswered(q request) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.clients[q.client].commits--
}
