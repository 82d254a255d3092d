package cmd_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/cmd"
	"github.com/penstock/penstock/filters"
	"github.com/penstock/penstock/pipeline"
)

// order is what the pipeline of these tests is about.
type order struct {
	Customer string `json:"customer"`
	Total    int    `json:"total"`
}

// listed is a source that ends by itself.
type listed []order

func (listed) Finite() bool { return true }

func (l listed) Source(ctx context.Context, emit pipeline.Emit[order]) error {
	for i, o := range l {
		if err := emit(ctx, pipeline.Trigger[order]{Body: o, ID: fmt.Sprint("listed-", i)}); err != nil {
			return err
		}
	}
	return nil
}

// orders puts what is listed, refuses negative totals, skips zero, and passes
// the rest on.
func orders(list ...order) *pipeline.Pipeline { return ordersNamed("orders", list) }

func ordersNamed(name string, list listed) *pipeline.Pipeline {
	p := pipeline.New(name)
	key := pipeline.Key(func(o order) string { return o.Customer })
	placed := pipeline.Source(p, "placed", list, key, pipeline.Partitions(3))
	checked := pipeline.Stage(placed, "check", filters.Map(func(_ context.Context, o order) (order, error) {
		switch {
		case o.Total < 0:
			return o, filters.Rejectf("the total of %s is negative", o.Customer)
		case o.Total == 0:
			return o, filters.Skip
		}
		return o, nil
	}))
	pipeline.Stage(checked, "store", filters.Map(func(_ context.Context, o order) (order, error) { return o, nil }), pipeline.Open())
	return p
}

// program is a program of pipelines.
func program(pipelines ...*pipeline.Pipeline) cmd.Program {
	return cmd.Program{Name: "shop", Pipelines: func() ([]*pipeline.Pipeline, error) { return pipelines, nil }}
}

// operator is the operator's binary.
var operator = cmd.Program{Name: "penstock"}

// called is what a command has done.
type called struct {
	code     int
	out, err string
}

// call runs a command to its end.
func call(t testing.TB, p cmd.Program, args ...string) called {
	t.Helper()
	return callWith(t, p, "", args...)
}

// callWith is call with standard input.
func callWith(t testing.TB, p cmd.Program, stdin string, args ...string) called {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	var out, err bytes.Buffer
	code := p.Main(ctx, args, strings.NewReader(stdin), &out, &err)
	return called{code, out.String(), err.String()}
}

// ok is call of what must succeed.
func ok(t testing.TB, p cmd.Program, args ...string) string {
	t.Helper()
	c := call(t, p, args...)
	require.Equal(t, cmd.ExitOK, c.code, "%v: %s", args, c.err)
	return c.out
}

func TestEveryCommandSaysWhatItDoes(t *testing.T) {
	t.Parallel()
	for _, p := range []cmd.Program{program(orders()), operator} {
		root, err := cmd.Root(p)
		require.NoError(t, err)
		var walk func(c *cobra.Command)
		walk = func(c *cobra.Command) {
			require.NotEmpty(t, c.Short, c.CommandPath())
			require.NotEmpty(t, c.Long, c.CommandPath())
			require.Contains(t, c.Example, p.Name+" ", c.CommandPath())
			require.NotContains(t, c.Short, ".", c.CommandPath())
			c.LocalFlags().VisitAll(func(f *pflag.Flag) { require.NotEmpty(t, f.Usage, "%s --%s", c.CommandPath(), f.Name) })
			for _, sub := range c.Commands() {
				walk(sub)
			}
		}
		walk(root)
	}
}

func TestHelpTellsOfTheEnvironmentAndTheExitStatus(t *testing.T) {
	t.Parallel()
	require.Contains(t, ok(t, operator, "--help"), "PENSTOCK_DATA_DIR")
	require.Contains(t, ok(t, program(orders()), "poison", "ls", "--help"), "PENSTOCK_DATA_DIR")
	require.Regexp(t, `3 +topics are missing`, ok(t, program(orders()), "--help"))
	require.NotContains(t, ok(t, program(orders()), "topics", "--help"), "shop topics\n", "it is no command to run")
}

func TestWrongUseIsOneSentenceAndHowItIsUsed(t *testing.T) {
	t.Parallel()
	p := program(orders())
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"--nonsense"}, "unknown flag: --nonsense"},
		{[]string{"rnu"}, `unknown command "rnu" for "shop": did you mean run?`},
		{[]string{"topics"}, "which command of shop topics? There are: apply, plan"},
		{[]string{"topics", "plam"}, `unknown command "plam" for "shop topics": did you mean plan?`},
		{[]string{"run", "extra"}, `unknown command "extra" for "shop run"`},
		{[]string{"trigger"}, "accepts 1 arg(s), received 0"},
		{[]string{"run", "--partitions", "many"}, `"many"`},
		{[]string{"run", "--partitions", "0"}, "--partitions is 0: it must be between 1 and 10000"},
		{[]string{"run", "--retention", "0s"}, "--retention is 0s"},
		{[]string{"run", "--max-message-bytes", "-1"}, "--max-message-bytes is -1"},
		{[]string{"run", "--stop-timeout", "-1s"}, "--stop-timeout is -1s: it must be positive"},
		{[]string{"run", "--commit-interval", "0"}, "--commit-interval is 0s: it must be positive"},
		{[]string{"run", "--compression", "rar"}, "it is one of none, gzip, snappy, lz4, zstd"},
		{[]string{"run", "--log-level", "loud"}, "it is one of debug, info, warn, error"},
		{[]string{"run", "--json"}, "--json prints what a run that ends has done: give --drain too"},
		{[]string{"run", "--stage", "chekc"}, `there is no stage "chekc"; there are: orders.check, orders.store`},
		{[]string{"run", "--source", "x"}, `there is no source "x"; there are: orders.placed`},
		{[]string{"run", "--data-dir", ""}, "--data-dir is empty"},
		{[]string{"broker", "--data-dir", ""}, "--data-dir is empty"},
		{[]string{"broker", "--port", "70000"}, "--port is 70000"},
		{[]string{"topology", "order"}, `there is no pipeline "order"; there are: orders`},
		{[]string{"poison", "ls", "--limit", "0"}, "--limit is 0: it must be between 1 and 1000"},
		{[]string{"poison", "show", "check", "first"}, `"first" is not a position`},
		{[]string{"poison", "show", "check", "1", "--json", "--value", "-"}, "ask for two forms"},
	} {
		got := call(t, p, c.args...)
		require.Equal(t, cmd.ExitWrongUse, got.code, "%v: %s", c.args, got.err)
		require.Contains(t, got.err, c.says)
		require.Empty(t, got.out)
		lines := strings.Split(strings.TrimSpace(got.err), "\n")
		require.Len(t, lines, 3, "a sentence, the usage, where there is more: %s", got.err)
		require.True(t, strings.HasPrefix(lines[0], "shop: "))
		require.True(t, strings.HasPrefix(lines[1], "Usage: shop"))
	}
}

func TestMistakesOfAPipelineAreAllTold(t *testing.T) {
	t.Parallel()
	p := pipeline.New("broken")
	pipeline.NewPipe[order](p, "unread")
	pipeline.NewPipe[order](p, "poison")
	for _, args := range [][]string{{}, {"run"}, {"topology"}, {"topics", "plan"}, {"trigger", "x"}, {"poison", "ls"}} {
		got := call(t, program(p), append(args, "--help=false")...)
		require.Equal(t, cmd.ExitWrongUse, got.code)
		require.Contains(t, got.err, "program_test.go:")
		require.GreaterOrEqual(t, strings.Count(got.err, "\n"), 4, "a mistake a line")
		require.NotContains(t, got.err, "Usage:", "the flags are not to blame")
	}
	require.Equal(t, cmd.ExitOK, call(t, program(p), "version").code, "a command that needs no pipeline works")
}

func TestPipelinesAreNeeded(t *testing.T) {
	t.Parallel()
	require.Contains(t, call(t, program(), "topology").err, "the program has no pipelines")
	require.Contains(t, call(t, program(orders(), orders()), "topology").err, `two pipelines of the name "orders"`)
	failing := cmd.Program{Name: "shop", Pipelines: func() ([]*pipeline.Pipeline, error) { return nil, errors.New("--in is no folder") }}
	got := call(t, failing, "topology")
	require.Equal(t, cmd.ExitWrongUse, got.code)
	require.Contains(t, got.err, "shop: --in is no folder\nUsage: shop topology")
}

func TestAProgramsOwnFlags(t *testing.T) {
	var in string
	p := program(orders())
	p.Flags = func(flags *pflag.FlagSet) { flags.StringVar(&in, "in", "here", "`folder` to read") }
	ok(t, p, "topology", "--in", "there")
	require.Equal(t, "there", in)
	t.Setenv("PENSTOCK_IN", "elsewhere")
	ok(t, p, "topology")
	require.Equal(t, "elsewhere", in)
	require.Contains(t, ok(t, p, "--help"), "--in folder")
	require.Contains(t, ok(t, p, "run", "--help"), "--in folder")
	require.NotContains(t, ok(t, p, "version", "--help"), "--in folder", "it needs no pipeline")

	p.Flags = func(flags *pflag.FlagSet) { flags.Bool("drain", false, "mine") }
	got := call(t, p, "topology")
	require.Equal(t, cmd.ExitWrongUse, got.code)
	require.Contains(t, got.err, `the program's own flag --drain is also a flag of "shop"`)
	p.Flags = func(flags *pflag.FlagSet) { flags.BoolP("quiet", "q", false, "mine") }
	require.Contains(t, call(t, p, "topology").err, "short form -q")
}

// full is a standard output that takes nothing.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

func TestOutputThatIsLostIsAFailure(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"version"}, {"version", "--json"}, {"topology"}, {"topology", "--format", "json"}} {
		var stderr bytes.Buffer
		code := program(orders()).Main(t.Context(), args, strings.NewReader(""), full{}, &stderr)
		require.Equal(t, cmd.ExitFailed, code, args)
		require.Equal(t, "shop: write to standard output: no space left on device\n", stderr.String())
	}
}

func TestTheNameDefaultsToTheFile(t *testing.T) {
	t.Parallel()
	got := call(t, cmd.Program{}, "nonsense")
	require.Contains(t, got.err, filepath.Base(os.Args[0])+": unknown command")
}
