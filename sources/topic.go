package sources

import (
	"context"
	"errors"

	"github.com/penstock/penstock/pipeline"
)

// Topic copies a topic of somebody else, in the same cluster, into the source's
// pipe: from the oldest record on, and from there as it grows. What runs the
// pipeline copies it, as a member of the consumer group
// "<pipeline>.<source>.source", so that several processes share the partitions, and
// each restart goes on where the last one ended. To begin elsewhere, set the
// offsets of that group before the first run.
//
// A record goes on as it is: key, value, headers and time; so the pipe's codec must
// be the one that the values are written in. Nothing is decoded on the way, unless
// the pipe has a Key, which replaces the record's where the value decodes. What
// does not decode is poisoned by the stage that reads the pipe, with its whole
// story, and holds up nobody.
//
// Records of one key keep their order. Each is copied at least once; its id is its
// ce_id, or where there is none made of the topic, the partition and the offset, so
// it is the same when it is copied again. Headers which have the names of ours and
// cannot be read as such go on with "original-" before their names.
//
// A record that is larger than the pipe takes stops its partition, since the source
// has no place to put it: the log says how large max.message.bytes has to be.
func Topic[T any](topic string) pipeline.Sourcer[T] { return topicSource[T]{topic} }

type topicSource[T any] struct{ topic string }

// CopyOf implements pipeline.CopySource.
func (s topicSource[T]) CopyOf() string { return s.topic }

// Source is not called: the topic is copied by what runs the pipeline.
func (s topicSource[T]) Source(context.Context, pipeline.Emit[T]) error {
	return errors.New("topic " + s.topic + " is copied by a router, not by its source")
}
