package checker

import "github.com/penstock/penstock/internal/chaos/flow"

// ids tests that one id is one message.
type ids struct {
	check *check
	names map[string]flow.Message
}

func newIDs(c *check) *ids { return &ids{check: c, names: map[string]flow.Message{}} }

func (i *ids) see(m flow.Message, r *Record) {
	if r.ID == "" {
		i.check.foundf(WrongID, m, r, "it has no id")
		return
	}
	named, known := i.names[r.ID]
	if known && named != m {
		i.check.foundf(WrongID, m, r, "its id %s is also that of message %s of key %s", r.ID, named.Place(), named.Key)
	}
	i.names[r.ID] = m
}

// sameIDs tests that a message that occurs again has the ids of its first
// occurrence.
func (c *check) sameIDs(o occurrence, first *Record) {
	r := o.record
	if r.ID != first.ID || r.Parent != first.Parent || r.Job != first.Job {
		c.foundf(WrongID, o.message, r, "it has id %s, parent %s and job %s, and had %s, %s and %s at offset %d",
			r.ID, r.Parent, r.Job, first.ID, first.Parent, first.Job, first.Offset)
	}
}

// descent tests that a message names its input as its parent, and belongs to the
// same job. An input without an id gets one from the stage: it is unknown here,
// but must be there.
func (c *check) descent(o occurrence, input *Record) {
	job := input.Job
	if job == "" {
		job = input.ID // the trigger of a job
	}
	r := o.record
	switch {
	case r.Parent == "" || r.Job == "":
		c.foundf(WrongID, o.message, r, "it names no parent or no job")
	case input.ID != "" && (r.Parent != input.ID || r.Job != job):
		c.foundf(WrongID, o.message, r, "it has parent %s and job %s, and its input has id %s and job %s", r.Parent, r.Job, input.ID, job)
	case input.ID == "" && r.Parent != r.Job:
		c.foundf(WrongID, o.message, r, "it has parent %s and job %s, and its input is the trigger of the job", r.Parent, r.Job)
	}
}
