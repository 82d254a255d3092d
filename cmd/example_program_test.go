package cmd_test

import (
	"context"
	"os"
	"strings"

	"github.com/spf13/pflag"

	"github.com/penstock/penstock/cmd"
	"github.com/penstock/penstock/filters"
	"github.com/penstock/penstock/pipeline"
)

// A program with a flag of its own. A main function would call Execute in place
// of Main, which is for tests.
func ExampleProgram() {
	var greeting string
	program := cmd.Program{
		Name:  "greet",
		Short: "Greet people",
		Flags: func(flags *pflag.FlagSet) {
			flags.StringVar(&greeting, "greeting", "Hello", "how to greet")
		},
		Pipelines: func() ([]*pipeline.Pipeline, error) {
			p := pipeline.New("greet")
			names := pipeline.NewPipe[string](p, "names")
			pipeline.Stage(names, "greetings", filters.Map(func(_ context.Context, name string) (string, error) {
				return greeting + ", " + name, nil
			}), pipeline.Open())
			return []*pipeline.Pipeline{p}, nil
		},
	}
	program.Main(context.Background(), []string{"topology", "--greeting", "Good morning"}, strings.NewReader(""), os.Stdout, os.Stderr)

	// Output:
	// pipeline greet
	//
	// STAGE       READS   WRITES      GROUP             SETTINGS
	// greetings   names   greetings   greet.greetings   3 attempts, backoff 100ms to 5s
	//
	// PIPE        TOPIC             PARTITIONS   CARRIES   AS                 NOTES
	// names       greet.names       default      string    application/json   -
	// greetings   greet.greetings   default      string    application/json   open
}
