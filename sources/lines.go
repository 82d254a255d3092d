package sources

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/penstock/penstock/pipeline"
)

// Lines puts a trigger for each line of a file, in order, and is done at its end;
// the path "-" is standard input. A line is what stands before \n or \r\n, or at the
// end; empty ones are left out. What is in a line the first stage finds out: there
// one that cannot be used is poisoned, and holds up nobody.
//
// Of a file each line is put once, also over restarts: its id is made of the file's
// absolute path, the line's number and its text. So a file that has grown can be
// given again, and only what is new is put; a file that changes while it is read is
// read as it is found. Standard input cannot be read twice, so what is left of it
// when the process stops is lost, and of a line that was put twice after an error
// the id is the same.
//
// A line that is too long (see [MaxLine]) is left out, and all others are taken;
// then the source fails with an error that names its number.
func Lines(path string, opts ...LinesOption) pipeline.Sourcer[[]byte] {
	s := &linesSource{path: path, maxLine: 1 << 20, stdin: os.Stdin}
	for _, opt := range opts {
		opt(s)
	}
	return s
}

// LinesOption is an option of [Lines].
type LinesOption func(*linesSource)

// MaxLine is the longest line, in bytes. Defaults to 1 MiB, which is also the largest
// message unless the program says otherwise.
func MaxLine(bytes int) LinesOption {
	return func(s *linesSource) { s.maxLine = bytes }
}

type linesSource struct {
	path    string
	maxLine int
	stdin   io.Reader
	input   *lineInput // of standard input, over all calls of Source
}

const standardInput = "-"

// Open fails where the file cannot be read, or an option is wrong.
func (s *linesSource) Open(context.Context) error {
	switch {
	case s.path == "":
		return pipeline.Reject(fmt.Errorf("source of lines: the path is empty; give one, or %q for standard input", standardInput))
	case s.maxLine < 1:
		return pipeline.Reject(fmt.Errorf("source of lines of %s: MaxLine(%d) is below 1", s.path, s.maxLine))
	case s.path == standardInput:
		return nil
	}
	f, _, err := s.openFile()
	if err != nil {
		return err
	}
	return f.Close()
}

// Close implements pipeline.Opener. There is nothing to close.
func (s *linesSource) Close(context.Context) error { return nil }

// Once implements pipeline.OnceSource.
func (s *linesSource) Once() bool { return s.path != standardInput }

// Finite implements pipeline.FiniteSource.
func (s *linesSource) Finite() bool { return true }

// Source puts the lines.
func (s *linesSource) Source(ctx context.Context, emit pipeline.Emit[[]byte]) error {
	if s.path == standardInput {
		if s.input == nil {
			s.input = newLineInput(s.stdin, s.maxLine)
		}
		return s.input.put(ctx, emit)
	}
	f, name, err := s.openFile()
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // it was only read
	p := &linePut{what: name, name: name, emit: emit}
	lines := newLineReader(f, s.maxLine)
	for {
		l, err := lines.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("read line %d of %s: %w", l.number, name, withoutPath(err))
		}
		if err := p.take(ctx, l); err != nil {
			return err
		}
	}
	return p.finish(ctx)
}

// openFile returns the file and its absolute path.
func (s *linesSource) openFile() (*os.File, string, error) {
	name, err := filepath.Abs(s.path)
	if err != nil {
		return nil, "", fmt.Errorf("find %s: %w", s.path, err)
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, "", fmt.Errorf("read lines of %s: %w", name, withoutPath(err))
	}
	info, err := f.Stat()
	if err == nil && info.IsDir() {
		err = errors.New("it is a folder; name a file, or use sources.Files for all that are in it")
	}
	if err != nil {
		return nil, "", errors.Join(fmt.Errorf("read lines of %s: %w", name, withoutPath(err)), f.Close())
	}
	return f, name, nil
}
