package cmd_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/pflag"

	"github.com/penstock/penstock/cmd"
)

// A command of the program's own takes its flags from the command line, the environment
// and the file of --config, as all others do.
func ExampleCommand() {
	var days int
	program := cmd.Program{
		Name: "shop",
		Commands: []cmd.Command{{
			Name:  "forget",
			Short: "Forget old orders",
			Flags: func(flags *pflag.FlagSet) { flags.IntVar(&days, "days", 90, "how old they are") },
			Run: func(_ context.Context, _ []string, stdout, _ io.Writer) error {
				_, err := fmt.Fprintf(stdout, "what is older than %d days is forgotten\n", days)
				return err
			},
		}},
	}
	program.Main(context.Background(), []string{"forget", "--days", "30"}, strings.NewReader(""), os.Stdout, os.Stderr)

	// Output:
	// what is older than 30 days is forgotten
}
