package pipeline

import (
	"reflect"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/penstock/penstock/schemas"
)

// Key says which messages of a pipe must stay in order: those for which f
// returns the same string, the empty one too. Defaults to the key of the message
// that the filter was given; messages that have none are spread and have no
// order.
func Key[T any](f func(T) string) Option[T] {
	return func(s *Settings) {
		if f == nil {
			s.wrongf("Key is nil; give it a function, or leave it out to keep the parent's key")
			return
		}
		s.give(optKey, false) // functions cannot be compared
		s.key = f
	}
}

// Codec says how a pipe's values are encoded. Defaults to the codec of the
// stage's input where the type is the same, else to schemas.Raw for []byte and
// schemas.JSON for everything else.
func Codec[T any](c schemas.Codec[T]) Option[T] {
	return func(s *Settings) {
		if isNil(c) {
			s.wrongf("Codec is nil; give it a codec, or leave it out for the default")
			return
		}
		s.give(optCodec, sameCodec(s.codec, c))
		s.codec = c
	}
}

// sameCodec compares without the panic that == has for types that cannot be.
func sameCodec(a, b any) bool {
	return a != nil && reflect.ValueOf(a).Comparable() && reflect.ValueOf(b).Comparable() && a == b
}

// Named names the pipe that a source or a stage makes. Defaults to the name of
// the source or stage.
func Named(pipe string) Setting {
	return func(s *Settings) {
		s.give(optNamed, s.name == pipe)
		s.name = pipe
	}
}

// Open marks a pipe that other programs read, so that Build does not miss a
// reader.
func Open() Setting {
	return func(s *Settings) {
		s.give(optOpen, true)
		s.open = true
	}
}

// Partitions is how many partitions the pipe's topic has: at least 1. It bounds
// how many copies of a stage share the work. Defaults to what the command that
// makes the topics is told.
func Partitions(n int) Setting {
	return func(s *Settings) {
		if n < 1 {
			s.wrongf("Partitions(%d) is below 1; give it at least 1", n)
		}
		s.give(optPartitions, s.partitions == n)
		s.partitions = n
	}
}

// Retry says how often a message is tried before it is poisoned, the first
// attempt included, and how long to wait in between. The key of the message
// waits with it; other keys go on, but those of a batch. Defaults to 3 attempts and
// Exponential(100 ms, 5 s). Retry(1, Backoff{}) tries once.
func Retry(attempts int, b Backoff) Setting {
	return func(s *Settings) {
		if attempts < 1 {
			s.wrongf("Retry(%d, …) is below 1; the first attempt counts", attempts)
		}
		if wrong := b.wrong(); wrong != "" {
			s.wrongf("Retry: %s", wrong)
		}
		s.give(optRetry, s.attempts == attempts && s.backoff == b)
		s.attempts, s.backoff = attempts, b
	}
}

const defaultAttempts = 3

var defaultBackoff = Exponential(100*time.Millisecond, 5*time.Second)

// Lanes is how many messages of one partition a stage works on side by side:
// those of one key one after the other and in order, those of different keys,
// and those without one, together. A filter that is quick runs in one loop all
// the same, because handing over would cost more than it brings. Lanes(1) works
// on one message of a partition at a time; it is for filters that compute, and
// for those that need much memory. Defaults to 16.
func Lanes(n int) Setting {
	return func(s *Settings) {
		if n < 1 || n > maxLanes {
			s.wrongf("Lanes(%d) is not between 1 and %d", n, maxLanes)
		}
		s.give(optLanes, s.lanes == n)
		s.lanes = n
	}
}

const (
	defaultLanes = 16
	maxLanes     = 4096
)

// Timeout bounds one attempt: its context ends after d. An attempt that returns
// an error then has failed like any other. Defaults to no bound.
func Timeout(d time.Duration) Setting {
	return func(s *Settings) {
		if d <= 0 {
			s.wrongf("Timeout(%v) is not above 0; leave it out for no bound", d)
		}
		s.give(optTimeout, s.timeout == d)
		s.timeout = d
	}
}

// Use puts Watermill middleware around the stage's filter, message by message
// and attempt by attempt; the first is the outermost. Several Use add up.
func Use(mw ...message.HandlerMiddleware) Setting {
	return func(s *Settings) {
		for i, m := range mw {
			if m == nil {
				s.wrongf("middleware %d of Use is nil; leave it out", i+1)
				return
			}
		}
		s.give(optUse, true)
		s.middleware = append(s.middleware, mw...)
	}
}

// Options makes one setting of several, to be shared by stages.
func Options(opts ...SinkOption) Setting {
	return func(s *Settings) {
		for i, o := range opts {
			if o == nil {
				s.wrongf("option %d of Options is nil; leave it out", i+1)
				continue
			}
			o(s)
		}
	}
}

// isNil holds for a nil interface and for a nil function or pointer in one.
func isNil(v any) bool {
	if v == nil {
		return true
	}
	switch r := reflect.ValueOf(v); r.Kind() {
	case reflect.Func, reflect.Pointer:
		return r.IsNil()
	default:
		return false
	}
}
