package cmd

import (
	"context"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/pflag"

	"github.com/penstock/penstock/pipeline"
)

// Program is a command-line program. The zero value is the operator's binary:
// it has the commands that need no pipeline.
type Program struct {
	// Name is what the program is called in its help and its messages. Defaults
	// to the name of its file.
	Name string

	// Short says in one line what the program does, and Long at length. Default
	// to a line that names it, and to Short.
	Short string
	Long  string

	// Flags adds the program's own flags to the commands that need its
	// pipelines. Defaults to none.
	Flags func(*pflag.FlagSet)

	// Pipelines returns the pipelines. It is called once, after the flags are
	// parsed, and an error of it is a wrong use of the program. Defaults to nil:
	// the program has no pipelines, and only the commands that need none.
	Pipelines func() ([]*pipeline.Pipeline, error)

	// Commands are the program's own commands. Default to none.
	Commands []Command

	// Drain tells whether a run of everything, without --stage and --source, ends
	// when all is done, unless --drain says. It is called after the flags are
	// parsed. Defaults to no: the run goes on until it is stopped.
	Drain func() bool

	// OnStart is called when a run begins, before anything is opened, and OnStop
	// when all of it has stopped: see router.Config. Default to nothing.
	OnStart func(ctx context.Context) error
	OnStop  func(ctx context.Context) error

	// Summary says in the program's own words what a run that drained has done;
	// it stands below the figures of each stage. Defaults to a line of how long
	// it took and how many messages were poisoned.
	Summary func(Summary) string
}

// Execute runs the program with the arguments of the process and exits. The
// first SIGINT or SIGTERM stops it gracefully, the second ends it at once.
func (p Program) Execute() {
	ctx := untilSignal(os.Stderr, p.name())
	os.Exit(p.Main(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) //nolint:revive // this is what Execute is for
}

// Main runs the program with arguments, without its name, and returns the exit
// status. When ctx ends, it stops gracefully. It is what tests call: it neither
// exits nor listens to signals.
func (p Program) Main(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	a := &app{program: p, name: p.name(), stdin: stdin, stdout: &output{to: stdout}, stderr: stderr}
	return a.execute(ctx, args)
}

func (p Program) name() string {
	if p.Name != "" {
		return p.Name
	}
	return filepath.Base(os.Args[0])
}
