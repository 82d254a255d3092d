package kafka

import (
	"fmt"

	"github.com/IBM/sarama"
)

// LostRange says what to do when records that were still to be read are gone
// from the log: retention removed them, or the topic was made anew.
type LostRange string

// The choices. Whatever is chosen, it is told: an error, or a warning with the
// offsets that were skipped.
const (
	// FailOnLostRange ends the membership with a *LostRangeError, again and again,
	// until somebody decides. Nothing behind the gap is read.
	FailOnLostRange LostRange = ""
	// OldestOnLostRange goes on at the oldest record that is left.
	OldestOnLostRange LostRange = "oldest"
	// NewestOnLostRange goes on behind the newest record: all that is there is
	// skipped too.
	NewestOnLostRange LostRange = "newest"
)

// offset is sarama's name for where to go on, or 0.
func (l LostRange) offset() int64 {
	switch l {
	case OldestOnLostRange:
		return sarama.OffsetOldest
	case NewestOnLostRange:
		return sarama.OffsetNewest
	default:
		return 0
	}
}

func (l LostRange) validate() error {
	switch l {
	case FailOnLostRange, OldestOnLostRange, NewestOnLostRange:
		return nil
	default:
		return fmt.Errorf("LostRange is %q: it must be %q, %q or empty", string(l), OldestOnLostRange, NewestOnLostRange)
	}
}
