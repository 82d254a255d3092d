package sources

import (
	"fmt"
	"strings"
)

// leftBehind collects why files were not taken. It keeps the first few reasons and
// counts the others.
type leftBehind struct {
	reasons []error
	more    int
}

const maxReasons = 8

func (l *leftBehind) add(reason error) {
	if len(l.reasons) == maxReasons {
		l.more++
		return
	}
	l.reasons = append(l.reasons, reason)
}

// err is nil where nothing was left behind.
func (l *leftBehind) err(dir string) error {
	if len(l.reasons) == 0 {
		return nil
	}
	return &leftBehindError{dir: dir, leftBehind: *l}
}

type leftBehindError struct {
	dir string
	leftBehind
}

// Error is one line, for a log.
func (e *leftBehindError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "not all files in %s were taken: ", e.dir)
	for i, reason := range e.reasons {
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString(reason.Error())
	}
	if e.more > 0 {
		fmt.Fprintf(&b, "; and %d more", e.more)
	}
	return b.String()
}

// Unwrap returns the reasons.
func (e *leftBehindError) Unwrap() []error { return e.reasons }
