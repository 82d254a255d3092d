package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/sinks"
)

// fileStore has a file of JSON lines for each table. It is for one process: see
// postgresStore for several.
type fileStore struct{ dir string }

func (s fileStore) path(table string) string { return filepath.Join(s.dir, table+".jsonl") }

func (s fileStore) sink(table string) pipeline.Filter[Line, pipeline.None] {
	t := &fileTable{path: s.path(table)}
	return sinks.Batch(100, 20*time.Millisecond, t.write)
}

func (s fileStore) read(_ context.Context, table, prefix string, each func(Line)) error {
	lines, _, err := readTable(s.path(table))
	for _, l := range lines {
		if strings.HasPrefix(l.Customer, prefix) {
			each(l)
		}
	}
	return err
}

// readTable returns the lines of a file, and how long it is without what a crash
// may have left half written at its end.
func readTable(path string) (lines []Line, size int64, err error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0, nil
	}
	data = data[:bytes.LastIndexByte(data, '\n')+1]
	for text := range bytes.Lines(data) {
		var l Line
		if err := json.Unmarshal(text, &l); err != nil {
			return nil, 0, fmt.Errorf("read %s: %w", path, err)
		}
		lines = append(lines, l)
	}
	return lines, int64(len(data)), err
}

// fileTable appends to the file of a table.
type fileTable struct {
	path string

	mu   sync.Mutex
	seen map[place]bool // nil: not known
	size int64
}

// place is the identity of a line.
type place struct {
	customer     string
	number, line int
}

func placeOf(l Line) place { return place{l.Customer, l.Number, l.Line} }

// write appends the lines that are not there yet. Whatever fails, the next call
// looks at the file again.
func (t *fileTable) write(_ context.Context, lines []Line) (err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	defer func() {
		if err != nil {
			t.seen = nil
		}
	}()
	if t.seen == nil {
		if err := t.load(); err != nil {
			return err
		}
	}
	var added bytes.Buffer
	encoder := json.NewEncoder(&added)
	for _, l := range lines {
		if t.seen[placeOf(l)] {
			continue
		}
		t.seen[placeOf(l)] = true
		if err := encoder.Encode(l); err != nil {
			return err
		}
	}
	if added.Len() == 0 {
		return nil
	}
	return t.append(added.Bytes())
}

func (t *fileTable) load() error {
	if err := os.MkdirAll(filepath.Dir(t.path), 0o750); err != nil {
		return err
	}
	lines, size, err := readTable(t.path)
	if err != nil {
		return err
	}
	t.seen, t.size = make(map[place]bool, len(lines)), size
	for _, l := range lines {
		t.seen[placeOf(l)] = true
	}
	return nil
}

// append writes behind what is whole, and returns when it is on the disk.
func (t *fileTable) append(data []byte) (err error) {
	file, err := os.OpenFile(t.path, os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if err := file.Truncate(t.size); err != nil {
		return err
	}
	n, err := file.WriteAt(data, t.size)
	t.size += int64(n)
	return errors.Join(err, file.Sync())
}
