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
	Variable       = variable
)

// LogProgress logs how far a run is until ctx ends, all the time.
func LogProgress(ctx context.Context, log *slog.Logger, admin *kafka.Admin, r *router.Router, graphs ...*pipeline.Graph) {
	p := newProgress(ctx, admin, r, graphs)
	p.linesEvery = time.Millisecond
	p.lines(ctx, log)
}
