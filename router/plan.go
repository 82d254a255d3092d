package router

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/router/kafka"
)

// Action is what has to be done for a topic to be as it should.
type Action string

// The actions. Extend gives a retry log the partitions that it lacks, and other
// settings where needed. What is to be done by hand, no command does: more
// partitions of a pipe move keys, which breaks their order across the change, and
// fewer are impossible.
const (
	Nothing   Action = "ok"
	Make      Action = "create"
	Configure Action = "configure"
	Extend    Action = "extend"
	ByHand    Action = "by hand"
)

// Change is a topic that is needed, and what has to be done for it.
type Change struct {
	TopicSpec

	Action      Action            `json:"action"`
	Replication int               `json:"replication"` // to make it with
	Set         map[string]string `json:"set,omitempty"`
	Notes       []string          `json:"notes,omitempty"`
}

// Plan compares what is needed with what the cluster has. It changes nothing.
func Plan(ctx context.Context, admin *kafka.Admin, specs []TopicSpec) ([]Change, error) {
	brokers, err := admin.Brokers(ctx)
	if err != nil {
		return nil, err
	}
	var names []string
	for i := range specs {
		names = append(names, specs[i].Name)
		names = append(names, specs[i].follows...)
	}
	slices.Sort(names)
	names = slices.Compact(names)
	have, err := admin.Topics(ctx, names...)
	if err != nil {
		return nil, err
	}
	changes := make([]Change, len(specs))
	for i, spec := range specs {
		changes[i] = change(spec, have, brokers)
	}
	return changes, nil
}

func change(spec TopicSpec, have map[string]kafka.Topic, brokers int) Change {
	c := Change{TopicSpec: spec, Replication: min(3, brokers)}
	c.Configs = maps.Clone(spec.Configs)
	if brokers >= 3 {
		c.Configs[minISR] = "2"
	}
	follow(&c, have)
	t, exists := have[spec.Name]
	if !exists {
		c.Action, c.Set = Make, c.Configs
		return c
	}
	c.Action = Nothing
	c.Set = map[string]string{}
	for k, want := range c.Configs {
		if got := t.Configs[k]; got != want && !enough(k, got, want) {
			c.Set[k] = want
			c.Notes = append(c.Notes, fmt.Sprintf("%s is %s", k, got))
		}
	}
	slices.Sort(c.Notes)
	if len(c.Set) > 0 {
		c.Action = Configure
	}
	if t.Partitions == c.Partitions {
		return c
	}
	switch {
	case spec.Kind != pipeline.TopicRetry:
		c.Notes = append(c.Notes, fmt.Sprintf("has %d partitions, %d are asked for: changing that moves keys, so no command does it", t.Partitions, spec.Partitions))
		if c.Action == Nothing {
			c.Action = ByHand
		}
	case t.Partitions < c.Partitions: // each has one writer, so more of them move nothing
		c.Notes = append(c.Notes, fmt.Sprintf("has %d partitions, and its pipe %s has %d", t.Partitions, spec.follows[0], c.Partitions))
		c.Action = Extend
	default: // the pipe was made anew with fewer
		c.Notes = append(c.Notes, fmt.Sprintf("has %d partitions, and its pipe %s has %d: nobody reads the others; where nothing is parked in them, delete the topic and apply again", t.Partitions, spec.follows[0], c.Partitions))
		if c.Action == Nothing {
			c.Action = ByHand
		}
	}
	return c
}

// follow fits a topic to those whose messages it takes, as they are: who let an
// input take more has to be able to park and to poison it, and a partition of a
// retry log is that of its input.
func follow(c *Change, have map[string]kafka.Topic) {
	for _, name := range c.follows {
		in, exists := have[name]
		if room := number(in.Configs[maxMessageBytes]) + overhead; room > number(c.Configs[maxMessageBytes]) {
			c.Configs[maxMessageBytes] = strconv.Itoa(room)
		}
		if exists && c.Kind == pipeline.TopicRetry {
			c.Partitions = in.Partitions
		}
	}
}

// enough tells that what a topic has does as well as what is asked for: an
// operator may give more.
func enough(config, got, want string) bool {
	switch config {
	case maxMessageBytes:
		return number(got) >= number(want)
	case retentionMs:
		return got == forever || (want != forever && number(got) >= number(want))
	default:
		return false
	}
}

func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		return 0
	}
	return n
}

// Apply does what a plan says, and calls done after each change. It returns
// when the cluster shows the changes: brokers hear of them one after the other.
func Apply(ctx context.Context, admin *kafka.Admin, changes []Change, done func(Change)) error {
	var applied []TopicSpec
	for _, c := range changes {
		var err error
		switch c.Action {
		case Make:
			err = admin.Create(ctx, kafka.NewTopic{Name: c.Name, Partitions: c.Partitions, Replication: c.Replication, Configs: c.Configs})
		case Configure:
			err = admin.Configure(ctx, c.Name, c.Set)
		case Extend:
			if len(c.Set) > 0 {
				err = admin.Configure(ctx, c.Name, c.Set)
			}
			if err == nil {
				err = admin.AddPartitions(ctx, c.Name, c.Partitions)
			}
		case Nothing, ByHand:
			continue
		}
		if err != nil {
			return err
		}
		applied = append(applied, c.TopicSpec)
		done(c)
	}
	return awaitApplied(ctx, admin, applied)
}

// How often the cluster is asked whether it shows a change, and for how long.
const (
	applyPoll    = 50 * time.Millisecond
	applyTimeout = 30 * time.Second
)

func awaitApplied(ctx context.Context, admin *kafka.Admin, specs []TopicSpec) error {
	if len(specs) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeoutCause(ctx, applyTimeout, fmt.Errorf("the cluster does not show the changes after %v", applyTimeout))
	defer cancel()
	t := time.NewTicker(applyPoll)
	defer t.Stop()
	for {
		changes, err := Plan(ctx, admin, specs)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(changes, func(c Change) bool { return c.Action != Nothing && c.Action != ByHand }) {
			return nil
		}
		select {
		case <-t.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// MissingTopicsError says that topics have to be made, or to be given other
// settings, before a router can run.
type MissingTopicsError struct {
	Missing []string
	// Wrong are the topics that would lose messages as they are.
	Wrong []string
}

// Error implements error.
func (e *MissingTopicsError) Error() string {
	var parts []string
	if len(e.Missing) > 0 {
		parts = append(parts, "these topics do not exist: "+strings.Join(e.Missing, ", "))
	}
	if len(e.Wrong) > 0 {
		parts = append(parts, "these topics would lose messages as they are: "+strings.Join(e.Wrong, ", "))
	}
	return strings.Join(parts, "; ") + "; look at them with `topics plan`, make them with `topics apply`"
}

// missing finds in a plan what keeps a router from running: topics that do not
// exist, poison topics and retry logs that could not take what their inputs can,
// or would delete it, and memories that would forget.
func missing(changes []Change) error {
	e := &MissingTopicsError{}
	for _, c := range changes {
		switch {
		case c.Action == Make:
			e.Missing = append(e.Missing, c.Name)
		case c.Action == Extend, c.Action == Configure && c.Kind != pipeline.TopicPipe:
			e.Wrong = append(e.Wrong, fmt.Sprintf("%s (%s)", c.Name, strings.Join(c.Notes, ", ")))
		}
	}
	if len(e.Missing)+len(e.Wrong) == 0 {
		return nil
	}
	return e
}
