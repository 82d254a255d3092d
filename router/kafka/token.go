package kafka

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/IBM/sarama"
)

// tokenSource asks the user's source for tokens. sarama asks while it holds
// the connection's lock and has no time-out for it, so a call that takes too
// long is left behind here. As long as it is under way no other one is made:
// a source that hangs costs one goroutine.
type tokenSource struct {
	ask     func() (string, error)
	timeout time.Duration

	mu   sync.Mutex
	call *tokenCall // nil: none is under way
}

// tokenCall is one call of the user's source. Its result is set when done is
// closed.
type tokenCall struct {
	done  chan struct{}
	token string
	err   error
}

var errNoToken = errors.New("the token is empty")

// Token implements sarama.AccessTokenProvider.
func (s *tokenSource) Token() (*sarama.AccessToken, error) {
	c := s.join()
	timer := time.NewTimer(s.timeout)
	defer timer.Stop()
	select {
	case <-c.done:
	case <-timer.C:
		return nil, fmt.Errorf("get a token for SASL OAUTHBEARER: its source has not answered within %v", s.timeout)
	}
	if c.err != nil {
		return nil, fmt.Errorf("get a token for SASL OAUTHBEARER: %w", c.err)
	}
	return &sarama.AccessToken{Token: c.token}, nil
}

// join returns the call that is under way, or begins one.
func (s *tokenSource) join() *tokenCall {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.call == nil {
		c := &tokenCall{done: make(chan struct{})}
		s.call = c
		go s.run(c)
	}
	return s.call
}

func (s *tokenSource) run(c *tokenCall) {
	defer func() {
		if v := recover(); v != nil {
			c.err = fmt.Errorf("its source panicked: %v", v)
		}
		s.mu.Lock()
		s.call = nil
		s.mu.Unlock()
		close(c.done)
	}()
	c.token, c.err = s.ask()
	if c.err == nil && c.token == "" {
		c.err = errNoToken
	}
}
