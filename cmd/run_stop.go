package cmd

import (
	"context"
	"sync"
	"time"
)

// stopTime is how long a run may take to stop. What is stopped one after the other
// shares it.
type stopTime struct {
	takes time.Duration
	once  sync.Once
	ends  time.Time
}

// begin starts it, where it has not begun, and tells when it ends.
func (s *stopTime) begin() time.Time {
	s.once.Do(func() { s.ends = time.Now().Add(s.takes) })
	return s.ends
}

// context is one that ends with the time, whether ctx has ended or not.
func (s *stopTime) context(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithDeadline(context.WithoutCancel(ctx), s.begin())
}
