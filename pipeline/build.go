package pipeline

import (
	"fmt"
	"slices"
	"strings"
)

// Build validates the pipeline and freezes it. Its error is a [*BuildError] that
// lists every mistake. Calling it again returns the same graph; what is declared
// in between is a mistake.
func (p *Pipeline) Build() (*Graph, error) {
	if p.graph != nil && len(p.problems) == 0 {
		return p.graph, nil
	}
	c := &checks{p: p, found: slices.Clone(p.problems)}
	c.names()
	c.topics()
	c.readers()
	c.branches()
	c.cycles()
	c.checkCopy()
	if len(c.found) > 0 {
		return nil, newBuildError(p.name, c.found)
	}
	p.inheritKeys()
	p.graph = &Graph{
		Name:    p.name,
		Pipes:   slices.Clone(p.pipes),
		Stages:  sortStages(p.stages),
		Sources: slices.Clone(p.sources),
	}
	return p.graph, nil
}

// checks looks for the mistakes that show only when all is declared.
type checks struct {
	p     *Pipeline
	found []problem
}

func (c *checks) problemf(at place, format string, args ...any) {
	c.found = append(c.found, problem{at, fmt.Sprintf(format, args...)})
}

// Names that stand for something of the framework in the names of topics.
const (
	nameOfRetry  = "retry"
	nameOfPoison = "poison"
)

// wrongName says what is wrong with a name, or "".
func wrongName(name string) string {
	switch name {
	case "":
		return "is empty; give it letters, digits, - and _"
	case nameOfRetry, nameOfPoison:
		return "is reserved for the topics of failed messages; use another"
	}
	for _, r := range name {
		if !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_", r) {
			return fmt.Sprintf("has %q in it; use letters, digits, - and _", r)
		}
	}
	return ""
}

func (c *checks) names() {
	if wrong := wrongName(c.p.name); wrong != "" {
		c.problemf(c.p.at, "the pipeline's name %q %s", c.p.name, wrong)
	}
	if len(c.p.pipes) == 0 {
		c.problemf(c.p.at, "pipeline %q declares nothing; begin with pipeline.Source or pipeline.NewPipe", c.p.name)
	}
	c.pipeNames()
	unique := make(map[string]place)
	for _, n := range c.p.stages {
		c.name(unique, kindStage, n.Name, n.at)
	}
	for _, n := range c.p.sources {
		c.name(unique, kindSource, n.Name, n.at)
	}
}

// Kinds of what has a name.
const (
	kindStage  = "stage"
	kindSource = "source"
)

func (c *checks) name(unique map[string]place, kind, name string, at place) {
	if wrong := wrongName(name); wrong != "" {
		c.problemf(at, "the name %q of a %s %s", name, kind, wrong)
	}
	node := kind + " " + name
	if first, ok := unique[node]; ok {
		c.problemf(at, "%s %q is declared already at %s; give one of them another name", kind, name, first)
		return
	}
	unique[node] = at
}

// pipeNames leaves alone what names reports already: a pipe that has the bad or
// double name of its stage or source.
func (c *checks) pipeNames() {
	unique := make(map[string]*PipeNode)
	for _, n := range c.p.pipes {
		if wrong := wrongName(n.Name); wrong != "" && n.namedBy == "" {
			c.problemf(n.at, "the name %q of a pipe %s", n.Name, wrong)
		}
		first, ok := unique[n.Name]
		if !ok {
			unique[n.Name] = n
			continue
		}
		if n.namedBy == "" || n.namedBy != first.namedBy {
			c.problemf(n.at, "pipe %q is declared already at %s; give one of them another name, with pipeline.Named where a stage or source makes it", n.Name, first.at)
		}
	}
}

// maxTopicName is Kafka's bound.
const maxTopicName = 249

// topics checks the names that Kafka will see. To Kafka two topics collide also
// when only . and _ tell them apart.
func (c *checks) topics() {
	seen := make(map[string]string)
	topic := func(name, what string, at place) {
		if len(name) > maxTopicName {
			c.problemf(at, "the topic of %s has a name of %d bytes, and Kafka takes %d; shorten the names", what, len(name), maxTopicName)
		}
		flat := strings.ReplaceAll(name, ".", "_")
		if other, ok := seen[flat]; ok && other != name {
			c.problemf(at, "the topic of %s, %s, collides with topic %s: Kafka does not tell . from _; use another name", what, name, other)
		}
		seen[flat] = name
	}
	for _, n := range c.p.pipes {
		topic(n.Topic, fmt.Sprintf("pipe %q", n.Name), n.at)
	}
	for _, n := range c.p.stages {
		topic(n.PoisonTopic, fmt.Sprintf("the poison of stage %q", n.Name), n.at)
		for i, t := range n.RetryTopics {
			topic(t, fmt.Sprintf("the retry log of stage %q for pipe %q", n.Name, n.Inputs[i].Name), n.at)
		}
	}
	for _, n := range c.p.sources {
		if n.Once {
			topic(n.OnceTopic, fmt.Sprintf("the ids of source %q", n.Name), n.at)
		}
	}
}

func (c *checks) readers() {
	for _, n := range c.p.pipes {
		if n.readers > 0 || n.Open {
			continue
		}
		if n.fromBranch != "" {
			c.problemf(n.at, "case %q of branch %q is read by no stage; add one, or mark it with pipeline.Open() if other programs read its topic", n.Name, n.fromBranch)
			continue
		}
		c.problemf(n.at, "pipe %q is read by no stage; add one, or mark it with pipeline.Open() if other programs read its topic", n.Name)
	}
}

func (c *checks) branches() {
	for _, b := range c.p.branches {
		if b.cases == 0 {
			c.problemf(b.at, "branch %q has no case; add When or Otherwise", b.name)
		}
	}
}

// inheritKeys marks the pipes all of whose messages have a key: a pipe without a
// Key of its own has one where all that feeds it has. It repeats until nothing
// changes, at most once a pipe.
func (p *Pipeline) inheritKeys() {
	keyed := func(n *PipeNode) bool { return n.Keyed }
	for changed := true; changed; {
		changed = false
		for _, n := range p.pipes {
			if n.Keyed || n.fromOutside {
				continue
			}
			all := true
			for _, s := range p.stages {
				if slices.Contains(s.Outputs, n) {
					all = all && !slices.ContainsFunc(s.Inputs, func(i *PipeNode) bool { return !keyed(i) })
				}
			}
			if all {
				n.Keyed, changed = true, true
			}
		}
	}
}
