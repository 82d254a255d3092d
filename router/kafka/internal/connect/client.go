package connect

import (
	"sync"
	"time"

	"github.com/IBM/sarama"
)

// endPatience bounds the wait for what is still running when a client is closed.
// Without its connections it ends at once, or after a wait before another try; but
// code of the user may run for longer, as what gives a token.
const endPatience = 5 * time.Second

// Client is a client of sarama's whose Close ends all that goes on in it: what
// waits for an answer gets none, and nobody tries again. So what was left behind
// of calls that know no context is over when it returns.
type Client struct {
	sarama.Client

	gate *Gate

	mu      sync.Mutex
	running int           // calls
	ended   chan struct{} // closed when the last one ends after Close has begun; nil before
}

// NewClient connects to a cluster. It can take as long as sarama's time-outs add
// up to, unless the gate is shut, which is the client's own from now on.
func NewClient(brokers []string, template *sarama.Config, gate *Gate) (*Client, error) {
	conf := *template
	conf.Net.Proxy.Enable, conf.Net.Proxy.Dialer = true, gate
	backoff := conf.Metadata.Retry.Backoff
	conf.Metadata.Retry.BackoffFunc = func(int, int) time.Duration {
		if gate.IsShut() {
			return 0 // each further try fails at once
		}
		return backoff
	}
	c, err := sarama.NewClient(brokers, &conf)
	if err != nil {
		return nil, err
	}
	return &Client{Client: c, gate: gate}, nil
}

// Close disconnects, and returns when all that was going on has ended, or at the
// latest after a few seconds. Calling it again fails.
func (c *Client) Close() error {
	c.gate.Shut()
	err := c.Client.Close()
	c.mu.Lock()
	if c.ended == nil {
		c.ended = make(chan struct{})
		if c.running == 0 {
			close(c.ended)
		}
	}
	c.mu.Unlock()
	timer := time.NewTimer(endPatience)
	defer timer.Stop()
	select {
	case <-c.ended:
	case <-timer.C:
	}
	return err
}

// begin counts a call in; end counts it out. One that begins after Close has
// nothing to wait for.
func (c *Client) begin() (end func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended != nil {
		return func() {}
	}
	c.running++
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.running--
		if c.running == 0 && c.ended != nil {
			close(c.ended)
		}
	}
}

func counted[T any](c *Client, call func() (T, error)) (T, error) {
	end := c.begin()
	defer end()
	return call()
}
