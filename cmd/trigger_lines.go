package cmd

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
)

// tooLongError is the error of a line or file that is larger than any value that
// is taken.
type tooLongError struct{ limit int }

// Error says what the bound is.
func (e *tooLongError) Error() string {
	return fmt.Sprintf("it has more than %d bytes, four times what --%s allows a value", e.limit, maxMessageBytesFlag)
}

// inputLimit bounds what is read for one trigger: its encoding is smaller than
// its JSON, but not by much more than this.
func inputLimit(maxMessageBytes int) int { return 4 * maxMessageBytes }

// lines reads the values of triggers from lines.
type lines struct {
	in    *bufio.Reader
	limit int
	n     int // lines that were read
}

func newLines(in io.Reader, limit int) *lines {
	return &lines{in: bufio.NewReaderSize(in, 64<<10), limit: limit}
}

// next returns the next line without its end, or io.EOF. The last line needs no
// end.
func (l *lines) next() ([]byte, error) {
	var line []byte
	for {
		part, err := l.in.ReadSlice('\n')
		line = append(line, part...)
		content := bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r"))
		switch {
		case len(content) > l.limit:
			l.n++
			return nil, &tooLongError{l.limit}
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF) && len(line) == 0:
			return nil, io.EOF
		case err != nil && !errors.Is(err, io.EOF):
			return nil, fmt.Errorf("read standard input after line %d: %w", l.n, err)
		}
		l.n++
		return content, nil
	}
}

// more tells whether another whole line is there already, so that who feeds
// lines one by one does not wait for the next before this one is stored.
func (l *lines) more() bool {
	there, _ := l.in.Peek(l.in.Buffered())
	return bytes.IndexByte(there, '\n') >= 0
}

// readWhole reads the value of a single trigger.
func (a *app) readWhole(file string, limit int) (_ []byte, err error) {
	in := a.stdin
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return nil, wrongUse("--%s: %w", fileFlag, err)
		}
		defer func() { err = errors.Join(err, f.Close()) }()
		in = f
	}
	value, err := io.ReadAll(io.LimitReader(in, int64(limit)+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", file, err)
	}
	if len(value) > limit {
		return nil, fmt.Errorf("%s: %w", file, &tooLongError{limit})
	}
	return value, nil
}

// aside runs f beside the caller, who goes on when ctx ends: a read of standard
// input cannot be broken off.
func aside[T any](ctx context.Context, f func() (T, error)) (T, error) {
	type result struct {
		v   T
		err error
	}
	ch := make(chan result, 1)
	go func() {
		v, err := f()
		ch <- result{v, err}
	}()
	select {
	case r := <-ch:
		return r.v, r.err
	case <-ctx.Done():
		var none T
		return none, interrupted("stopped by %w", context.Cause(ctx))
	}
}
