// Package cmd makes a command-line program of pipelines: the commands that every
// such program has, and those of the operator's binary.
//
// A program is one call of [Execute]:
//
//	func main() { cmd.Execute(Orders()) }
//
// One with flags of its own is a [Program]. All commands reach a cluster in the
// same way: by --brokers, or by the embedded broker of the data directory. Each
// flag can be set by an environment variable too: --data-dir by
// PENSTOCK_DATA_DIR.
package cmd

import "github.com/penstock/penstock/pipeline"

// Execute makes a program of pipelines, runs it and exits. Programs with flags
// of their own use [Program].
func Execute(pipelines ...*pipeline.Pipeline) {
	Program{Pipelines: func() ([]*pipeline.Pipeline, error) { return pipelines, nil }}.Execute()
}
