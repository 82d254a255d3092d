package sinks

import (
	"context"
	"fmt"

	"github.com/penstock/penstock/pipeline"
)

// Files writes a file below the folder for each message: file says under which
// name, and with which bytes. See [WriteFile] for what a name may be and for what
// is promised. [pipeline.FromContext] finds the message's id, key and value in the
// context that file gets.
//
// The name is the file's identity. A message that comes again writes the same file
// again, where file makes the same of it; of two messages with one name the last
// one stays.
//
// An error of file fails the message. The folder is made, and its errors found,
// when the stage starts.
func Files[T any](dir string, file func(ctx context.Context, v T) (name string, data []byte, err error), opts ...FilesOption) pipeline.Filter[T, pipeline.None] {
	if file == nil {
		return nil // Build says where
	}
	return &filesSink[T]{dir: dir, file: file, opts: opts}
}

type filesSink[T any] struct {
	dir  string
	file func(context.Context, T) (string, []byte, error)
	opts []FilesOption
}

// Open makes the folder.
func (s *filesSink[T]) Open(context.Context) error {
	if err := makeFolder(s.dir); err != nil {
		return fmt.Errorf("sink of files: %w", err)
	}
	return nil
}

// Close implements pipeline.Opener. There is nothing to close.
func (s *filesSink[T]) Close(context.Context) error { return nil }

// Filter writes one file.
func (s *filesSink[T]) Filter(ctx context.Context, m *pipeline.Message[T], _ *pipeline.Emitter[pipeline.None]) error {
	name, data, err := s.file(ctx, m.Body)
	if err != nil {
		return err
	}
	return WriteFile(s.dir, name, data, s.opts...)
}
