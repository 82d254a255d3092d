package pipeline

import "context"

// CopySource is implemented by a source whose triggers are the records of a topic
// that is no pipe of this pipeline. What runs the pipeline copies them in place of
// calling Source: as a member of the group "<pipeline>.<source>.source", with the
// values as they are.
type CopySource interface {
	// CopyOf is the topic. It is called once, when the source is declared.
	CopyOf() string
}

// copies completes the node of a source that copies a topic.
func copies[T any](n *SourceNode, pipeline string, s *pipeSpec[T], src any) {
	c, ok := src.(CopySource)
	if !ok {
		return
	}
	n.CopyOf, n.Group = c.CopyOf(), pipeline+"."+n.Name+"."+kindSource
	n.Copy = func(ctx context.Context, d *Delivery) (RawTrigger, error) {
		t := RawTrigger{
			Output: Output{
				Pipe: s.node, ID: d.ID, Key: d.Key, HasKey: d.HasKey,
				Value: d.Value, Headers: d.Headers, Sequence: d.Sequence,
			},
			ReplyTo: d.ReplyTo, Time: d.Time,
		}
		if s.key == nil {
			return t, nil
		}
		v, err := s.decode(ctx, d.Value)
		switch verdict, _ := Judge(err); verdict {
		case Done:
			t.Key, t.HasKey = s.key(v), true
		case Rejected: // it goes on with the key that it has, and the stage that reads it tells why
		case Skipped, Again:
			return t, err
		}
		return t, nil
	}
}

// checkCopy finds what is wrong with the topic that a source copies.
func (c *checks) checkCopy() {
	for _, n := range c.p.sources {
		if _, copied := n.source.(CopySource); !copied || isNil(n.source) {
			continue
		}
		if wrong := WrongTopic(n.CopyOf); wrong != "" {
			c.problemf(n.at, "source %q copies topic %q, whose name %s", n.Name, n.CopyOf, wrong)
		}
		for _, pipe := range c.p.pipes {
			if pipe.Topic == n.CopyOf {
				c.problemf(n.at, "source %q copies topic %q, which is pipe %q of this pipeline; let a stage read the pipe", n.Name, n.CopyOf, pipe.Name)
			}
		}
	}
}

// WrongTopic says what is wrong with a topic's name in the eyes of Kafka, or "".
func WrongTopic(name string) string {
	switch {
	case name == "":
		return "is empty"
	case name == "." || name == "..":
		return "is reserved"
	case len(name) > maxTopicName:
		return "is longer than the 249 characters that Kafka takes"
	}
	for _, r := range name {
		if !isTopicRune(r) {
			return "has a character in it that Kafka does not take; it takes letters, digits, ., _ and -"
		}
	}
	return ""
}

func isTopicRune(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '.' || r == '_' || r == '-'
}
