package main

import (
	"context"
	"strings"
	"time"
)

// contestant moves every message of the job's input topic through the filter
// and into the output topic, with its key, at least once, or where it says so
// exactly once, and in order of keys,
// until ctx ends. Then it finishes what it is at, commits and returns.
type contestant func(ctx context.Context, j job, filter filterFunc) error

// filterFunc is what a stage does to a message's value.
type filterFunc func(context.Context, []byte) ([]byte, error)

var contestants = map[string]contestant{
	"ours":   ours,
	"stock":  stock,
	"byhand": byHand,
	"kgo":    franz,

	"ours-exactly":   ours,
	"byhand-exactly": byHandExactly,
}

// job is what a contestant is told.
type job struct {
	Contestant string   `json:"contestant"`
	Brokers    []string `json:"brokers"`
	Run        string   `json:"run"` // names the output topic and the group
	Input      string   `json:"input"`
	Messages   int64    `json:"messages"` // to be measured; the topic may hold more
	Load       load     `json:"load"`
	Profile    string   `json:"profile,omitempty"` // file for a CPU profile
}

// isExactly tells whether the job's contestant works in transactions: who reads what
// it writes reads committed records only.
func (j job) isExactly() bool { return strings.HasSuffix(j.Contestant, "-exactly") }

// isOurs tells whether it is the framework.
func (j job) isOurs() bool { return strings.HasPrefix(j.Contestant, "ours") }

// pipelineName is the first part of all names of topics and groups.
const pipelineName = "bench"

func (j job) inputTopic() string  { return pipelineName + "." + j.Input }
func (j job) outputTopic() string { return pipelineName + "." + j.Run }
func (j job) group() string       { return pipelineName + "." + j.Run }

// What all contestants have in common. Every one waits for all replicas in
// sync, and sends whatever has gathered while the batch before was under way,
// without waiting for more: that was no slower than a linger for any of them.
const (
	batchBytes     = 900 << 10
	commitInterval = 500 * time.Millisecond
	inFlight       = 4 * 16384 // messages, of all partitions
)

// stopTimeout bounds how long a contestant takes to finish what it is at.
func (job) stopTimeout() time.Duration { return 20 * time.Second }
