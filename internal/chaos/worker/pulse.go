package worker

import (
	"fmt"
	"io"
	"sync"
)

// pulse tells how many messages are in the filters.
type pulse struct {
	mu  sync.Mutex
	out io.Writer
	n   int
}

func newPulse(out io.Writer) *pulse { return &pulse{out: out} }

func (p *pulse) add(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.n += n
	// Whoever read it is gone if this fails, and then so is this process soon.
	fmt.Fprintln(p.out, p.n)
}
