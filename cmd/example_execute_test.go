package cmd_test

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/penstock/penstock/cmd"
	"github.com/penstock/penstock/filters"
	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/sinks"
	"github.com/penstock/penstock/sources"
)

// A program is its pipeline and one call. What it can do then is shown here for
// "echo topology".
func ExampleExecute() {
	main := func(args ...string) { // a program's own has no more in it than cmd.Execute(Echo()), which exits
		cmd.Program{Name: "echo", Pipelines: func() ([]*pipeline.Pipeline, error) {
			return []*pipeline.Pipeline{Echo()}, nil
		}}.Main(context.Background(), args, strings.NewReader(""), os.Stdout, os.Stderr)
	}
	main("topology")

	// Output:
	// pipeline echo
	//
	// SOURCE   PUTS INTO   NOTES
	// said     said        -
	//
	// STAGE   READS   WRITES   GROUP        SETTINGS
	// hear    said    hear     echo.hear    3 attempts, backoff 100ms to 5s
	// print   hear    -        echo.print   3 attempts, backoff 100ms to 5s
	//
	// PIPE   TOPIC       PARTITIONS   CARRIES   AS                 NOTES
	// said   echo.said   default      string    application/json   -
	// hear   echo.hear   default      string    application/json   -
}

// Echo prints what is said to it over HTTP.
func Echo() *pipeline.Pipeline {
	p := pipeline.New("echo")
	said := pipeline.Source(p, "said", sources.HTTP[string]("POST /said"))
	heard := pipeline.Stage(said, "hear", filters.Map(func(_ context.Context, s string) (string, error) {
		return s + ", " + s, nil
	}))
	pipeline.Sink(heard, "print", sinks.Func(func(_ context.Context, s string) error {
		fmt.Println(s)
		return nil
	}))
	return p
}
