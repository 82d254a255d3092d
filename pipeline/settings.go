package pipeline

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
)

// Settings is what options set. Its fields are the package's own.
type Settings struct {
	key, codec any // a func(T) string and a schemas.Codec[T]
	name       string
	open       bool
	partitions int
	lanes      int
	attempts   int
	backoff    Backoff
	timeout    time.Duration
	breaker    *BreakerNode

	parks       int
	parkBackoff Backoff
	onPoison    PoisonPolicy

	exactlyOnce    bool
	commitInterval time.Duration
	commitMessages int

	middleware []message.HandlerMiddleware

	given []string // the options that were given
	wrong []string // what is wrong with their values
}

// Setting is an option that needs no type. It is an alias of an unnamed type,
// so that it fits every list of options: Option[T] of any T, and SinkOption.
type Setting = func(*Settings)

// Option is an option of what makes a pipe of T: a Setting, or what Key or Codec
// returns.
type Option[T any] func(*Settings)

// SinkOption is an option of what makes no pipe of its own: a Setting.
type SinkOption func(*Settings)

// Names of the options, for the messages of Build.
const (
	optKey         = "Key"
	optCodec       = "Codec"
	optNamed       = "Named"
	optOpen        = "Open"
	optPartitions  = "Partitions"
	optRetry       = "Retry"
	optTimeout     = "Timeout"
	optLanes       = "Lanes"
	optUse         = "Use"
	optPark        = "Park"
	optOnPoison    = "OnPoison"
	optBreaker     = "Breaker"
	optExactlyOnce = "ExactlyOnce"
	optCommitEvery = "CommitEvery"
)

// pipeOptions say something of a pipe, stageOptions of a filter that runs.
var (
	pipeOptions  = []string{optKey, optCodec, optNamed, optOpen, optPartitions}
	stageOptions = []string{optLanes, optRetry, optPark, optOnPoison, optBreaker, optTimeout, optExactlyOnce, optCommitEvery, optUse}
)

// apply runs the options and reports what is wrong with them.
func apply[O ~func(*Settings)](p *Pipeline, at place, what string, opts []O) *Settings {
	s := &Settings{lanes: defaultLanes, attempts: defaultAttempts, backoff: defaultBackoff}
	for i, o := range opts {
		if o == nil {
			s.wrongf("option %d is nil; leave it out", i+1)
			continue
		}
		o(s)
	}
	for _, w := range s.wrong {
		p.problemf(at, "%s: %s", what, w)
	}
	return s
}

func (s *Settings) wrongf(format string, args ...any) {
	s.wrong = append(s.wrong, fmt.Sprintf(format, args...))
}

func (s *Settings) has(option string) bool { return slices.Contains(s.given, option) }

// give notes that an option was given. Twice is wrong unless both said the same:
// a reader should not have to know which of two wins.
func (s *Settings) give(option string, same bool) {
	if s.has(option) && !same {
		s.wrongf("%s is given twice with different values; keep one", option)
	}
	if !s.has(option) {
		s.given = append(s.given, option)
	}
}

// refuse reports options that say nothing where they were given. In change, IT
// stands for them.
func (s *Settings) refuse(p *Pipeline, at place, why, change string, options ...string) {
	var bad []string
	for _, o := range options {
		if s.has(o) {
			bad = append(bad, o)
		}
	}
	if len(bad) == 0 {
		return
	}
	it, list := "it", bad[0]
	if last := len(bad) - 1; last > 0 {
		it, list = "them", strings.Join(bad[:last], ", ")+" and "+bad[last]
	}
	p.problemf(at, "%s, so it cannot take %s; %s", why, list, strings.ReplaceAll(change, "IT", it))
}
