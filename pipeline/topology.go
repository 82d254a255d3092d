package pipeline

import (
	"fmt"
	"slices"
)

// Topology is a graph as plain data: what encoding/json writes of it is meant for
// scripts. Text and Mermaid are for people.
type Topology struct {
	Pipeline string           `json:"pipeline"`
	Sources  []TopologySource `json:"sources"`
	Pipes    []TopologyPipe   `json:"pipes"`
	Stages   []TopologyStage  `json:"stages"`
	Edges    []TopologyEdge   `json:"edges"`
	Topics   []TopologyTopic  `json:"topics"`
}

// TopologySource is a source.
type TopologySource struct {
	Name   string `json:"name"`
	Pipe   string `json:"pipe"`
	Once   bool   `json:"once,omitempty"`
	Finite bool   `json:"finite,omitempty"`
	Route  string `json:"route,omitempty"`  // of one that is served over HTTP
	CopyOf string `json:"copyOf,omitempty"` // the topic of one that copies it
}

// TopologyPipe is a pipe. Partitions is 0 where the pipeline does not say.
type TopologyPipe struct {
	Name        string `json:"name"`
	Topic       string `json:"topic"`
	Type        string `json:"type"`
	ContentType string `json:"contentType"`
	Keyed       bool   `json:"keyed"`
	Partitions  int    `json:"partitions,omitempty"`
	Open        bool   `json:"open,omitempty"`
}

// TopologyStage is a stage; one without outputs is a sink. Durations are written
// as Go writes them.
type TopologyStage struct {
	Name        string   `json:"name"`
	Group       string   `json:"group"`
	Inputs      []string `json:"inputs"`
	Outputs     []string `json:"outputs"`
	Outside     []string `json:"outside,omitempty"` // topics of others that it writes to
	PoisonTopic string   `json:"poisonTopic"`
	RetryTopics []string `json:"retryTopics"`
	Lanes       int      `json:"lanes"`
	Attempts    int      `json:"attempts"`
	Backoff     string   `json:"backoff"`
	Parks       int      `json:"parks,omitempty"`
	ParkBackoff string   `json:"parkBackoff,omitempty"`
	OnPoison    string   `json:"onPoison,omitempty"`
	Breaker     string   `json:"breaker,omitempty"`
	Timeout     string   `json:"timeout,omitempty"`
	ExactlyOnce bool     `json:"exactlyOnce,omitempty"`
	CommitEvery string   `json:"commitEvery,omitempty"` // of one that is exactly once
	BatchMax    int      `json:"batchMax,omitempty"`
	BatchWait   string   `json:"batchWait,omitempty"`
	Middleware  int      `json:"middleware,omitempty"`
}

// TopologyEdge leads from a node to a node. A node is its kind and its name, as
// in "source placed", "pipe placed" or "stage validate".
type TopologyEdge struct {
	From string `json:"from"`
	To   string `json:"to"`
}

// TopicKind says what a topic is for.
type TopicKind string

const (
	// TopicPipe holds the messages of a pipe.
	TopicPipe TopicKind = "pipe"
	// TopicPoison holds the messages that a stage could not work on.
	TopicPoison TopicKind = "poison"
	// TopicRetry holds the messages that a stage has parked, and those that it is
	// to do again: its retry log.
	TopicRetry TopicKind = "retry"
	// TopicOnce holds the ids of the triggers that a source has put, compacted.
	TopicOnce TopicKind = "once"
)

// TopologyTopic is a topic that the pipeline needs. Partitions is 0 where the
// pipeline does not say.
type TopologyTopic struct {
	Name       string    `json:"name"`
	Kind       TopicKind `json:"kind"`
	Partitions int       `json:"partitions,omitempty"`
}

// Topology returns the graph as data.
func (g *Graph) Topology() Topology {
	t := Topology{
		Pipeline: g.Name,
		Sources:  []TopologySource{}, // written as [], not as null
		Pipes:    []TopologyPipe{},
		Stages:   []TopologyStage{},
		Edges:    []TopologyEdge{},
		Topics:   []TopologyTopic{},
	}
	for _, n := range g.Pipes {
		t.Pipes = append(t.Pipes, TopologyPipe{
			Name: n.Name, Topic: n.Topic, Type: n.Type, ContentType: n.ContentType,
			Keyed: n.Keyed, Partitions: n.Partitions, Open: n.Open,
		})
		t.Topics = append(t.Topics, TopologyTopic{Name: n.Topic, Kind: TopicPipe, Partitions: n.Partitions})
	}
	for _, n := range g.Sources {
		t.Sources = append(t.Sources, TopologySource{
			Name: n.Name, Pipe: n.Pipe.Name, Once: n.Once, Finite: n.Finite, Route: n.Route, CopyOf: n.CopyOf,
		})
		t.Edges = append(t.Edges, TopologyEdge{From: "source " + n.Name, To: "pipe " + n.Pipe.Name})
		if n.Once {
			t.Topics = append(t.Topics, TopologyTopic{Name: n.OnceTopic, Kind: TopicOnce})
		}
	}
	for _, n := range g.Stages {
		s := n.topology()
		t.Stages = append(t.Stages, s)
		for _, pipe := range s.Inputs {
			t.Edges = append(t.Edges, TopologyEdge{From: "pipe " + pipe, To: "stage " + n.Name})
		}
		for _, pipe := range s.Outputs {
			t.Edges = append(t.Edges, TopologyEdge{From: "stage " + n.Name, To: "pipe " + pipe})
		}
		t.Topics = append(t.Topics, TopologyTopic{Name: n.PoisonTopic, Kind: TopicPoison})
		for i, topic := range n.RetryTopics {
			t.Topics = append(t.Topics, TopologyTopic{Name: topic, Kind: TopicRetry, Partitions: n.Inputs[i].Partitions})
		}
	}
	return t
}

func (n *StageNode) topology() TopologyStage {
	s := TopologyStage{
		Name: n.Name, Group: n.Group, Inputs: pipeNames(n.Inputs), Outputs: pipeNames(n.Outputs),
		PoisonTopic: n.PoisonTopic, Lanes: n.Lanes, Attempts: n.Attempts, Backoff: n.Backoff.String(), Middleware: len(n.Middleware),
		RetryTopics: n.RetryTopics, Parks: n.Parks, Outside: n.OutsideTopics, ExactlyOnce: n.ExactlyOnce,
	}
	if n.Parks > 0 {
		s.ParkBackoff, s.OnPoison = n.ParkBackoff.String(), n.OnPoison.String()
	}
	if n.Breaker != nil {
		s.Breaker = fmt.Sprintf("after %d failures in a row, probed after %v", n.Breaker.Failures, n.Breaker.Probe)
	}
	if n.ExactlyOnce {
		s.CommitEvery = fmt.Sprintf("%v or %d messages", n.CommitInterval, n.CommitMessages)
	}
	if n.Timeout > 0 {
		s.Timeout = n.Timeout.String()
	}
	if n.Batch != nil {
		s.BatchMax, s.BatchWait = n.Batch.Max, n.Batch.Wait.String()
	}
	return s
}

// pipeNames names each pipe once: a filter may list an outlet twice.
func pipeNames(ns []*PipeNode) []string {
	names := []string{}
	for _, n := range ns {
		if !slices.Contains(names, n.Name) {
			names = append(names, n.Name)
		}
	}
	return names
}
