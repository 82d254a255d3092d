// Package journal keeps what the producers of a chaos run saw acknowledged: a
// file that is only appended to, a line a message.
package journal

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
)

// Entry is a message that the broker has acknowledged, and where it is stored.
type Entry struct {
	Key       string // without spaces
	Number    int
	Partition int32
	Offset    int64
}

const format = "%s %d %d %d\n"

// Writer appends to a journal. It may be used from several goroutines.
type Writer struct {
	mu   sync.Mutex
	file *os.File
	buf  *bufio.Writer
	n    int
	err  error // the first that happened
}

// Create begins a journal in a new file.
func Create(path string) (*Writer, error) {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("begin a journal: %w", err)
	}
	return &Writer{file: file, buf: bufio.NewWriter(file)}, nil
}

// Append adds an entry. What goes wrong is told by Close.
func (w *Writer) Append(e Entry) {
	w.mu.Lock()
	defer w.mu.Unlock()
	_, err := fmt.Fprintf(w.buf, format, e.Key, e.Number, e.Partition, e.Offset)
	w.err = errors.Join(w.err, err)
	w.n++
}

// Len returns the number of entries.
func (w *Writer) Len() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.n
}

// Close writes what is not yet written and closes the file.
func (w *Writer) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := errors.Join(w.err, w.buf.Flush(), w.file.Close()); err != nil {
		return fmt.Errorf("write journal %s: %w", w.file.Name(), err)
	}
	return nil
}

// Read returns the entries of a journal. A line that is not whole is an error.
func Read(path string) (entries []Entry, err error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read the journal: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	buf := bufio.NewReader(file)
	for {
		line, err := buf.ReadString('\n')
		if errors.Is(err, io.EOF) && line == "" {
			return entries, nil
		}
		var e Entry
		if err == nil {
			_, err = fmt.Sscanf(line, format, &e.Key, &e.Number, &e.Partition, &e.Offset)
		}
		if err != nil {
			return nil, fmt.Errorf("read journal %s, line %d: %w", path, len(entries)+1, err)
		}
		entries = append(entries, e)
	}
}
