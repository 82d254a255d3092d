package sinks

import (
	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/schemas"
)

// JSONLines writes messages into files of JSON lines below the folder: one line a
// message, in the order of the partition that they are of. A file is there whole or
// not at all, and is not written to again; a new one is begun for each batch (see
// [RollConfig]). Its name says the topic, the partition and the offset of its first
// message, so that the names of a partition's files sort in the order of time.
//
// Messages are done when their file is on the disk. After a crash some may be written
// again, most often into a file of the same name, which is replaced.
func JSONLines[T any](dir string, cfg RollConfig) pipeline.Filter[T, pipeline.None] {
	return newRollSink(dir, cfg, jsonLines[T]{schemas.JSON[T]()})
}

type jsonLines[T any] struct{ codec schemas.Codec[T] }

func (jsonLines[T]) open() error { return nil }

func (j jsonLines[T]) append(dst []byte, v *T) ([]byte, error) {
	line, err := j.codec.Encode(*v)
	if err != nil {
		return dst, err
	}
	return append(append(dst, line...), '\n'), nil // encoding/json leaves no \n in a value
}

func (jsonLines[T]) whole(messages []byte, _ int) ([]byte, error) { return messages, nil }

func (jsonLines[T]) extension() string { return ".jsonl" }
