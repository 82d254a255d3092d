package schemas

import (
	"fmt"
	"unicode/utf8"
)

// EnvelopeError says what is broken in a record's envelope. Reading the record
// again does not help: it is poisoned with this reason.
type EnvelopeError struct {
	// Name is the header, or in structured mode the attribute, that is broken.
	// It is empty when a structured event is broken as a whole.
	Name string

	// Structured tells that Name is an attribute of a structured event.
	Structured bool

	// Reason says what is wrong with it.
	Reason string
}

// Error names the place and the reason.
func (e *EnvelopeError) Error() string {
	switch {
	case !e.Structured:
		return fmt.Sprintf("broken header %s: %s", e.Name, e.Reason)
	case e.Name == "":
		return "broken structured event: " + e.Reason
	default:
		return fmt.Sprintf("broken structured event: attribute %s: %s", e.Name, e.Reason)
	}
}

// maxQuoted bounds how much of a broken value is repeated in a reason.
const maxQuoted = 64

// quote shows a broken value without trusting its size or its bytes.
func quote(b []byte) string {
	if len(b) <= maxQuoted {
		return fmt.Sprintf("%q", b)
	}
	cut := b[:maxQuoted]
	for len(cut) > 0 && !utf8.RuneStart(b[len(cut)]) {
		cut = cut[:len(cut)-1]
	}
	return fmt.Sprintf("%q…", cut)
}
