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

// TopicKind is what a topic is for.
type TopicKind string

// The kinds of topics.
const (
	// PipeTopic carries the messages of a pipe.
	PipeTopic TopicKind = "pipe"
	// PoisonTopic keeps what a stage could not do.
	PoisonTopic TopicKind = "poison"
	// OnceTopic keeps the ids of what a source has put.
	OnceTopic TopicKind = "once"
)

// TopicSpec is a topic that pipelines need and how it has to be.
type TopicSpec struct {
	Name       string            `json:"name"`
	Kind       TopicKind         `json:"kind"`
	Partitions int               `json:"partitions"`
	Configs    map[string]string `json:"configs"`

	// follows are the pipes whose messages a poison topic must be able to take.
	follows []string
}

// TopicOptions is what the topics of a pipeline are made with where it leaves
// that open.
type TopicOptions struct {
	// Partitions of a pipe that does not say. Defaults to 6.
	Partitions int

	// Retention of pipes: what is older is deleted whether it was read or not.
	// Defaults to 7 days.
	Retention time.Duration

	// MaxMessageBytes is the largest value of a message; pipes take that and
	// 64 KiB for key, headers and framing. Defaults to 1 MiB.
	MaxMessageBytes int
}

func (o TopicOptions) withDefaults() TopicOptions {
	if o.Partitions == 0 {
		o.Partitions = 6
	}
	if o.Retention == 0 {
		o.Retention = 7 * 24 * time.Hour
	}
	if o.MaxMessageBytes == 0 {
		o.MaxMessageBytes = DefaultMaxMessageBytes
	}
	return o
}

// overhead is what a topic takes beyond what it has to: pipes for keys,
// headers and framing, poison topics for the story.
const overhead = 64 << 10

const (
	maxMessageBytes = "max.message.bytes"
	retentionMs     = "retention.ms"
	cleanupPolicy   = "cleanup.policy"
	minISR          = "min.insync.replicas"
	forever         = "-1"
)

// Topics lists the topics that pipelines need, sorted by name.
func Topics(o TopicOptions, graphs ...*pipeline.Graph) []TopicSpec {
	o = o.withDefaults()
	var specs []TopicSpec
	for _, g := range graphs {
		for _, p := range g.Pipes {
			specs = append(specs, pipeTopic(p, o))
		}
		for _, s := range g.Stages {
			specs = append(specs, poisonTopicOf(s, o))
		}
		for _, s := range g.Sources {
			if s.Once {
				specs = append(specs, onceTopicOf(s))
			}
		}
	}
	slices.SortFunc(specs, func(a, b TopicSpec) int { return strings.Compare(a.Name, b.Name) })
	return specs
}

func pipeTopic(p *pipeline.PipeNode, o TopicOptions) TopicSpec {
	n := p.Partitions
	if n == 0 {
		n = o.Partitions
	}
	return TopicSpec{Name: p.Topic, Kind: PipeTopic, Partitions: n, Configs: map[string]string{
		cleanupPolicy:   "delete",
		retentionMs:     strconv.FormatInt(o.Retention.Milliseconds(), 10),
		maxMessageBytes: strconv.Itoa(o.MaxMessageBytes + overhead),
	}}
}

// poisonTopicOf keeps without limit: deleting it after a time would delete the
// evidence. One partition keeps it in the order of what happened.
func poisonTopicOf(s *pipeline.StageNode, o TopicOptions) TopicSpec {
	t := TopicSpec{Name: s.PoisonTopic, Kind: PoisonTopic, Partitions: 1, Configs: map[string]string{
		cleanupPolicy:   "delete",
		retentionMs:     forever,
		maxMessageBytes: strconv.Itoa(o.MaxMessageBytes + 2*overhead),
	}}
	for _, in := range s.Inputs {
		t.follows = append(t.follows, in.Topic)
	}
	return t
}

func onceTopicOf(s *pipeline.SourceNode) TopicSpec {
	return TopicSpec{Name: s.OnceTopic, Kind: OnceTopic, Partitions: 1, Configs: map[string]string{cleanupPolicy: "compact"}}
}

// needed are the topics of the stages and sources that this router runs.
func (r *Router) needed() []TopicSpec {
	o := TopicOptions{MaxMessageBytes: r.cfg.MaxMessageBytes}.withDefaults()
	byName := map[string]TopicSpec{}
	add := func(t TopicSpec) { byName[t.Name] = t }
	for _, s := range r.stages {
		for _, p := range s.node.Inputs {
			add(pipeTopic(p, o))
		}
		for _, p := range s.node.Outputs {
			add(pipeTopic(p, o))
		}
		add(poisonTopicOf(s.node, o))
	}
	for _, s := range r.sources {
		add(pipeTopic(s.node.Pipe, o))
		if s.node.Once {
			add(onceTopicOf(s.node))
		}
	}
	return slices.SortedFunc(maps.Values(byName), func(a, b TopicSpec) int { return strings.Compare(a.Name, b.Name) })
}

// Action is what has to be done for a topic to be as it should.
type Action string

// The actions. What is to be done by hand, no command does: more partitions
// move keys, which breaks their order across the change, and fewer are
// impossible.
const (
	Nothing   Action = "ok"
	Make      Action = "create"
	Configure Action = "configure"
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
	names := make([]string, len(specs))
	for i := range specs {
		names[i] = specs[i].Name
	}
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
	if spec.Kind == PoisonTopic {
		// Who let an input take more has to be able to poison it.
		for _, name := range spec.follows {
			if in := number(have[name].Configs[maxMessageBytes]); in+overhead > number(c.Configs[maxMessageBytes]) {
				c.Configs[maxMessageBytes] = strconv.Itoa(in + overhead)
			}
		}
	}
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
	if t.Partitions != spec.Partitions {
		c.Notes = append(c.Notes, fmt.Sprintf("has %d partitions, %d are asked for: changing that moves keys, so no command does it", t.Partitions, spec.Partitions))
		if c.Action == Nothing {
			c.Action = ByHand
		}
	}
	return c
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

// Apply does what a plan says, and returns after each change what it did to
// done.
func Apply(ctx context.Context, admin *kafka.Admin, changes []Change, done func(Change)) error {
	for _, c := range changes {
		var err error
		switch c.Action {
		case Make:
			err = admin.Create(ctx, kafka.NewTopic{Name: c.Name, Partitions: c.Partitions, Replication: c.Replication, Configs: c.Configs})
		case Configure:
			err = admin.Configure(ctx, c.Name, c.Set)
		case Nothing, ByHand:
			continue
		}
		if err != nil {
			return err
		}
		done(c)
	}
	return nil
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
// exist, poison topics that could not take what their inputs can, or would
// delete it, and memories that would forget.
func missing(changes []Change) error {
	e := &MissingTopicsError{}
	for _, c := range changes {
		switch {
		case c.Action == Make:
			e.Missing = append(e.Missing, c.Name)
		case c.Action == Configure && c.Kind != PipeTopic:
			e.Wrong = append(e.Wrong, fmt.Sprintf("%s (%s)", c.Name, strings.Join(c.Notes, ", ")))
		}
	}
	if len(e.Missing)+len(e.Wrong) == 0 {
		return nil
	}
	return e
}
