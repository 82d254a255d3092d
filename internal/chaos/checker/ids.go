package checker

import (
	"fmt"
	"strings"

	"github.com/penstock/penstock/internal/chaos/flow"
)

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
// same job. What is made of the trigger itself names the job alone, which is its
// parent. A trigger without an id has one by where it is stored.
func (c *check) descent(o occurrence, input *Record) {
	r := o.record
	parent := r.Parent
	if parent == "" {
		parent = r.Job
	}
	place := fmt.Sprintf(".%d.%d", input.Partition, input.Offset)
	switch {
	case r.Job == "":
		c.foundf(WrongID, o.message, r, "it names no job")
	case input.ID == "" && (parent != r.Job || !strings.HasSuffix(r.Job, place)):
		c.foundf(WrongID, o.message, r, "it has parent %s and job %s, and its input is the trigger of the job, whose id ends with %s", parent, r.Job, place)
	case input.ID != "" && (parent != input.ID || r.Job != input.job()):
		c.foundf(WrongID, o.message, r, "it has parent %s and job %s, and its input has id %s and job %s", parent, r.Job, input.ID, input.job())
	}
}

// job is the id of the trigger that the message comes from: it can be the trigger.
func (r *Record) job() string {
	if r.Job == "" {
		return r.ID
	}
	return r.Job
}
