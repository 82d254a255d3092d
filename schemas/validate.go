package schemas

import "fmt"

// Validate returns an [*EnvelopeError] for what ReadEnvelope would refuse to read
// again, so that a broken envelope stops at the one who made it.
func (e *Envelope) Validate() error {
	for _, t := range []struct {
		name, value string
		limit       int
	}{
		{HeaderID, e.ID, MaxAttribute},
		{HeaderSource, e.Source, MaxAttribute},
		{HeaderType, e.Type, MaxAttribute},
		{HeaderJob, e.Job, MaxAttribute},
		{HeaderParent, e.Parent, MaxAttribute},
		{HeaderContentType, e.ContentType, MaxAttribute},
		{HeaderReplyTo, e.ReplyTo, MaxTopic},
	} {
		if reason := checkText([]byte(t.value), t.limit); reason != "" {
			return &EnvelopeError{Name: t.name, Reason: reason}
		}
	}
	switch {
	case e.Sequence < 0:
		return &EnvelopeError{Name: HeaderSequence, Reason: fmt.Sprintf("%d is below 0", e.Sequence)}
	case !isWritable(e.Time.UTC()):
		return &EnvelopeError{Name: HeaderTime, Reason: fmt.Sprintf("the year %d has not four digits", e.Time.UTC().Year())}
	case isStructured(e.ContentType):
		return &EnvelopeError{Name: HeaderContentType, Reason: e.ContentType + " is for events in structured mode, which are read but not written"}
	}
	return nil
}
