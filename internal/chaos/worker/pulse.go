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

// newPulse tells at once that there is none: the process has begun to heed signals.
func newPulse(out io.Writer) *pulse {
	p := &pulse{out: out}
	p.add(0)
	return p
}

func (p *pulse) add(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.n += n
	// Whoever read it is gone if this fails, and then so is this process soon.
	fmt.Fprintln(p.out, p.n)
}
