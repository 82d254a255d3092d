package router

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/penstock/penstock/pipeline"
)

// TopicSpec is a topic that pipelines need and how it has to be.
type TopicSpec struct {
	Name       string             `json:"name"`
	Kind       pipeline.TopicKind `json:"kind"`
	Partitions int                `json:"partitions"`
	Configs    map[string]string  `json:"configs"`

	// follows are the pipes whose messages a poison topic or a retry log must be
	// able to take. A retry log has one, and as many partitions as it.
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
	retentionBytes  = "retention.bytes"
	timestampType   = "message.timestamp.type"
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
			specs = append(specs, retryLogsOf(s, o)...)
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
	return TopicSpec{Name: p.Topic, Kind: pipeline.TopicPipe, Partitions: n, Configs: map[string]string{
		cleanupPolicy:   "delete",
		retentionMs:     strconv.FormatInt(o.Retention.Milliseconds(), 10),
		maxMessageBytes: strconv.Itoa(o.MaxMessageBytes + overhead),
	}}
}

// poisonTopicOf keeps without limit: deleting it after a time would delete the
// evidence. One partition keeps it in the order of what happened.
func poisonTopicOf(s *pipeline.StageNode, o TopicOptions) TopicSpec {
	t := TopicSpec{Name: s.PoisonTopic, Kind: pipeline.TopicPoison, Partitions: 1, Configs: map[string]string{
		cleanupPolicy:   "delete",
		retentionMs:     forever,
		maxMessageBytes: strconv.Itoa(o.MaxMessageBytes + 2*overhead),
	}}
	for _, in := range s.Inputs {
		t.follows = append(t.follows, in.Topic)
	}
	return t
}

// retryLogsOf keep what they have until the stage deletes it. The time that counts
// for what waits in them is that of the brokers, since many processes write.
func retryLogsOf(s *pipeline.StageNode, o TopicOptions) []TopicSpec {
	logs := make([]TopicSpec, len(s.Inputs))
	for i, in := range s.Inputs {
		pipe := pipeTopic(in, o)
		logs[i] = TopicSpec{
			Name: s.RetryTopics[i], Kind: pipeline.TopicRetry, Partitions: pipe.Partitions, follows: []string{pipe.Name},
			Configs: map[string]string{
				cleanupPolicy:   "delete",
				retentionMs:     forever,
				retentionBytes:  forever,
				timestampType:   "LogAppendTime",
				maxMessageBytes: strconv.Itoa(o.MaxMessageBytes + 2*overhead),
			},
		}
	}
	return logs
}

func onceTopicOf(s *pipeline.SourceNode) TopicSpec {
	return TopicSpec{Name: s.OnceTopic, Kind: pipeline.TopicOnce, Partitions: 1, Configs: map[string]string{cleanupPolicy: "compact"}}
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
		for _, log := range retryLogsOf(s.node, o) {
			add(log)
		}
	}
	for _, s := range r.sources {
		add(pipeTopic(s.node.Pipe, o))
		if s.node.Once {
			add(onceTopicOf(s.node))
		}
	}
	return slices.SortedFunc(maps.Values(byName), func(a, b TopicSpec) int { return strings.Compare(a.Name, b.Name) })
}
