package cmd_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/spf13/pflag"
	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/cmd"
)

// greets is a program with a command of its own.
func greets(of cmd.Program) cmd.Program {
	var name string
	of.Commands = []cmd.Command{{
		Name:  "greet",
		Short: "Greet somebody",
		Flags: func(flags *pflag.FlagSet) { flags.StringVar(&name, "whom", "ann", "whom to greet") },
		Run: func(_ context.Context, args []string, stdout, stderr io.Writer) error {
			if name == "" {
				return errors.New("nobody is there")
			}
			fmt.Fprintln(stderr, "greeting")
			_, err := fmt.Fprintln(stdout, name, args)
			return err
		},
	}}
	return of
}

func TestAProgramHasCommandsOfItsOwn(t *testing.T) {
	for _, p := range []cmd.Program{operator, program(orders())} {
		require.Equal(t, "ann []\n", ok(t, greets(p), "greet"))
		require.Equal(t, "bob [twice]\n", ok(t, greets(p), "greet", "--whom", "bob", "twice"))

		help := ok(t, greets(p), "greet", "--help")
		require.Contains(t, help, "Greet somebody")
		require.Contains(t, help, "  "+p.Name+" greet\n")
		require.Contains(t, help, "--whom")
		require.Regexp(t, `greet +Greet somebody`, ok(t, greets(p), "--help"))

		failed := call(t, greets(p), "greet", "--whom=")
		require.Equal(t, cmd.ExitFailed, failed.code)
		require.Equal(t, p.Name+": nobody is there\n", failed.err)
		require.Equal(t, cmd.ExitWrongUse, call(t, greets(p), "greet", "--who").code)

		file := filepath.Join(t.TempDir(), "settings.yaml")
		require.NoError(t, os.WriteFile(file, []byte("whom: cem\n"), 0o600))
		require.Equal(t, "cem []\n", ok(t, greets(p), "greet", "--config", file))
		t.Run("environment", func(t *testing.T) {
			t.Setenv("PENSTOCK_WHOM", "dan")
			require.Equal(t, "dan []\n", ok(t, greets(p), "greet"))
		})
	}
}

func TestAProgramsCommandsAreToldApart(t *testing.T) {
	t.Parallel()
	run := func(context.Context, []string, io.Writer, io.Writer) error { return nil }
	flag := func(name string) func(*pflag.FlagSet) {
		return func(flags *pflag.FlagSet) { flags.Bool(name, false, "a flag") }
	}
	for says, own := range map[string][]cmd.Command{
		`"run" is there already`:        {{Name: "run", Run: run}},
		`"completion" is there already`: {{Name: "completion", Run: run}},
		`"help" is there already`:       {{Name: "help", Run: run}},
		`"two words": a name has`:       {{Name: "two words", Run: run}},
		`"lag ": a name has`:            {{Name: "lag ", Run: run}},
		`"--x": a name has`:             {{Name: "--x", Run: run}},
		`"Greet": a name has`:           {{Name: "Greet", Run: run}},
		`"greet" is there already`:      {{Name: "greet", Run: run}, {Name: "greet", Run: run}},
		"has no Name":                   {{Run: run}},
		`"greet" has no Run`:            {{Name: "greet"}},
		"--config is also a flag of":    {{Name: "greet", Run: run, Flags: flag("config")}},
	} {
		p := program(orders())
		p.Commands = own
		c := call(t, p, "version")
		require.Equal(t, cmd.ExitWrongUse, c.code, says)
		require.Contains(t, c.err, says)
	}
}
