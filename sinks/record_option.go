package sinks

import (
	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/schemas"
)

// RecordOption is an option of [Topic] and [Reply]. They say how records look in
// topics that are no pipes.
type RecordOption[T any] func(*recordSettings[T])

type recordSettings[T any] struct {
	codec schemas.Codec[T]
	key   func(T) string
}

// RecordCodec says how values are encoded. Where the pipe has the same codec, the
// bytes go on as they are. Defaults to schemas.Raw for []byte and to schemas.JSON
// for everything else.
func RecordCodec[T any](c schemas.Codec[T]) RecordOption[T] {
	return func(s *recordSettings[T]) { s.codec = c }
}

// RecordKey says which records must stay in order. Defaults to the message's key.
func RecordKey[T any](f func(T) string) RecordOption[T] {
	return func(s *recordSettings[T]) { s.key = f }
}

func outside[T any](eventType string, opts []RecordOption[T]) pipeline.Outside[T] {
	var s recordSettings[T]
	for _, opt := range opts {
		opt(&s)
	}
	return pipeline.NewOutside(eventType, s.codec, s.key)
}
