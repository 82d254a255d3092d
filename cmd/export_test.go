package cmd

import (
	"context"
	"io"
	"log/slog"
	"time"

	"github.com/spf13/cobra"

	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/router"
	"github.com/penstock/penstock/router/kafka"
)

// Root is the tree of a program's commands.
func Root(p Program) (*cobra.Command, error) {
	a := &app{program: p, name: p.name(), stdout: &output{to: io.Discard}, stderr: io.Discard}
	return a.root()
}

// Table is a table as a terminal of this width shows it. The column cut may be
// cut, and those of spare may be left out.
func Table(width, cut int, spare []int, head []string, rows ...[]string) string {
	return (&table{head: head, rows: rows, cut: cut, spare: spare}).render(width)
}

// What else is tested by itself.
var (
	NewTextHandler = newTextHandler
	ShortText      = shortText
	WriteBody      = writeBody
	VersionOf      = versionOf
	ShellQuote     = shellQuote
	InvocationOf   = invocationOf
	Variable       = variable
)

// Progress begins to count how far a run is. What it returns logs that all the
// time, until its context ends.
func Progress(ctx context.Context, admin *kafka.Admin, r *router.Router, graphs ...*pipeline.Graph) func(context.Context, *slog.Logger) {
	p := newProgress(ctx, admin, r, graphs)
	p.linesEvery = time.Millisecond
	return p.lines
}

// StopTime is a time to stop, and what begins it and tells when it ends.
func StopTime(takes time.Duration) (begin func() time.Time, share func(context.Context) (context.Context, context.CancelFunc)) {
	s := &stopTime{takes: takes}
	return s.begin, s.context
}
