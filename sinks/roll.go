package sinks

import (
	"context"
	"fmt"
	"io/fs"
	"time"

	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/schemas"
)

// RollConfig says how [JSONLines] and [AvroFiles] cut their files.
type RollConfig struct {
	// MostMessages bounds the messages of a file. Defaults to 10000, and should not
	// be above what a partition may have in flight, which is 16384 unless the
	// program says otherwise.
	MostMessages int

	// Wait is how long the first message of a file waits for others; it is in flight
	// meanwhile. Defaults to 10 s.
	Wait time.Duration

	// Mode is the mode of the files, before the umask. Defaults to 0o644.
	Mode fs.FileMode
}

// fileFormat lays out the messages of a file.
type fileFormat[T any] interface {
	// open prepares it. It is called when the stage starts.
	open() error
	// append adds a message, or says why that has no encoding; then nothing is added.
	append(dst []byte, v *T) ([]byte, error)
	// whole makes the file of the messages that were added, count of them.
	whole(messages []byte, count int) ([]byte, error)
	// extension ends the names of files.
	extension() string
}

// rollSink writes each batch as a file of its own, whole or not at all. So no file
// is open from one message to the next, and what is done is on the disk.
type rollSink[T any] struct {
	dir    string
	cfg    RollConfig
	format fileFormat[T]
}

func newRollSink[T any](dir string, cfg RollConfig, format fileFormat[T]) *rollSink[T] {
	setDefault(&cfg.MostMessages, 10_000)
	setDefault(&cfg.Wait, 10*time.Second)
	setDefault(&cfg.Mode, 0o644)
	return &rollSink[T]{dir: dir, cfg: cfg, format: format}
}

// Batch implements pipeline.BatchFilter.
func (s *rollSink[T]) Batch() (most int, wait time.Duration) { return s.cfg.MostMessages, s.cfg.Wait }

// Open makes the folder.
func (s *rollSink[T]) Open(context.Context) error {
	if err := s.format.open(); err != nil {
		return pipeline.Reject(fmt.Errorf("sink of files in %s: %w", s.dir, err))
	}
	if err := makeFolder(s.dir); err != nil {
		return fmt.Errorf("sink of files: %w", err)
	}
	return nil
}

// Close implements pipeline.Opener. There is nothing to close.
func (s *rollSink[T]) Close(context.Context) error { return nil }

// Filter writes a file of one message.
func (s *rollSink[T]) Filter(_ context.Context, m *pipeline.Message[T], _ *pipeline.Emitter[pipeline.None]) error {
	data, err := s.format.append(nil, &m.Body)
	if err != nil {
		return encodeError(err)
	}
	return s.write(m.Delivery, data, 1)
}

// FilterBatch writes a file of the items that have an encoding.
func (s *rollSink[T]) FilterBatch(_ context.Context, items []pipeline.Item[T, pipeline.None]) error {
	var (
		data  []byte
		first *pipeline.Delivery
		count int
	)
	for _, item := range items {
		longer, err := s.format.append(data, &item.Body)
		if err != nil {
			item.Fail(encodeError(err))
			continue
		}
		data = longer
		count++
		if first == nil {
			first = item.Delivery
		}
	}
	if first == nil {
		return nil
	}
	return s.write(first, data, count)
}

// write writes a file under the name of its first message. A batch that begins with
// the same message replaces it: what the file had more comes again in the next one,
// since what comes again comes in order. The id keeps a topic that was made anew,
// whose offsets begin with 0 again, from replacing what the old one had.
func (s *rollSink[T]) write(first *pipeline.Delivery, messages []byte, count int) error {
	data, err := s.format.whole(messages, count)
	if err != nil {
		return err
	}
	const idChars = 8
	id := schemas.DeriveID(first.ID, "file", 0)[:idChars]
	name := fmt.Sprintf("%s-%d-%020d-%s%s", first.Topic, first.Partition, first.Offset, id, s.format.extension())
	return WriteFile(s.dir, name, data, Mode(s.cfg.Mode))
}
