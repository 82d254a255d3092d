package sources

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"

	"github.com/penstock/penstock/pipeline"
)

// lineInput is standard input. A read of it cannot be ended, so a goroutine of its
// own reads, from the first call of the source to the end of the input or of the
// process; what it has read and nobody has put waits for the next call.
type lineInput struct {
	lines  chan textLine // closed at the end; its buffer bounds what was read ahead
	failed error         // why the end came too early; set before lines is closed
	state  *linePut
}

const linesAhead = 32

func newLineInput(r io.Reader, longest int) *lineInput {
	in := &lineInput{lines: make(chan textLine, linesAhead), state: &linePut{what: "standard input", name: rand.Text()}}
	go func() {
		defer close(in.lines)
		lines := newLineReader(r, longest)
		for {
			l, err := lines.next()
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				in.failed = fmt.Errorf("read line %d of standard input: %w", l.number, err)
				return
			}
			in.lines <- l
		}
	}()
	return in
}

// put puts lines until the input ends. While no more come what is there is put, so
// that a line that somebody types does not wait for others.
func (in *lineInput) put(ctx context.Context, emit pipeline.Emit[[]byte]) error {
	p := in.state
	p.emit = emit
	for {
		if len(in.lines) == 0 || len(p.batch) >= linesBatch { // the latter where an earlier call failed
			if err := p.flush(ctx); err != nil {
				return err
			}
		}
		select {
		case l, more := <-in.lines:
			if !more {
				return errors.Join(p.finish(ctx), in.failed)
			}
			if err := p.take(ctx, l); err != nil {
				return err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
