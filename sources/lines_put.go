package sources

import (
	"context"
	"errors"
	"fmt"

	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/schemas"
)

// Bounds of the lines that are put at once.
const (
	linesBatch      = 256
	linesBatchBytes = 1 << 20
)

// linePut puts lines, many at a time.
type linePut struct {
	what, name string // for errors, and for ids
	emit       pipeline.Emit[[]byte]
	batch      []pipeline.Trigger[[]byte]
	numbers    []int // of the lines in the batch
	bytes      int
	left       leftLines
}

// take puts a line, with others.
func (p *linePut) take(ctx context.Context, l textLine) error {
	if l.tooLong {
		p.left.add(l.number, errLineTooLong)
		return nil
	}
	p.batch, p.numbers = append(p.batch, lineTrigger(p.name, l)), append(p.numbers, l.number)
	p.bytes += len(l.text)
	if len(p.batch) < linesBatch && p.bytes < linesBatchBytes {
		return nil
	}
	return p.flush(ctx)
}

func lineTrigger(name string, l textLine) pipeline.Trigger[[]byte] {
	return pipeline.Trigger[[]byte]{Body: l.text, ID: schemas.DeriveID(name, string(l.text), l.number)}
}

// flush puts what was taken. A line that is refused, because no topic would take
// it, must not hold up the others of its batch.
func (p *linePut) flush(ctx context.Context) error {
	if len(p.batch) == 0 {
		return nil
	}
	err := p.emit(ctx, p.batch...)
	if isRefused(err) {
		err = p.flushEach(ctx)
	}
	if err != nil {
		return fmt.Errorf("put lines of %s: %w", p.what, err)
	}
	p.batch, p.numbers, p.bytes = nil, nil, 0 // emit may keep the slice
	return nil
}

func (p *linePut) flushEach(ctx context.Context) error {
	for len(p.batch) > 0 {
		switch err := p.emit(ctx, p.batch[0]); {
		case isRefused(err):
			p.left.add(p.numbers[0], err)
		case err != nil:
			return err
		}
		p.batch, p.numbers = p.batch[1:], p.numbers[1:]
	}
	return nil
}

func (p *linePut) finish(ctx context.Context) error {
	if err := p.flush(ctx); err != nil {
		return err
	}
	return p.left.err(p.what)
}

var errLineTooLong = errors.New("it is longer than MaxLine allows")

// leftLines are the lines that could not be put.
type leftLines struct {
	count int
	first int   // its number
	why   error // of the first
}

func (l *leftLines) add(number int, why error) {
	if l.count == 0 {
		l.first, l.why = number, why
	}
	l.count++
}

func (l *leftLines) err(what string) error {
	if l.count == 0 {
		return nil
	}
	return fmt.Errorf("%d of the lines of %s were left out and all others put; the first of them is line %d: %w", l.count, what, l.first, l.why)
}
