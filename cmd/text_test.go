package cmd_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"charm.land/lipgloss/v2"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/penstock/penstock/cmd"
)

var style = regexp.MustCompile("\x1b\\[[0-9;]*m")

func TestTablesFitTheTerminal(t *testing.T) {
	t.Parallel()
	out := style.ReplaceAllString(cmd.Table(40, 1, nil, []string{"STAGE", "REASON", "N"},
		[]string{"orders.check", "a reason that is much longer than the room that there is", "1"},
		[]string{"x", "", "22"}), "")
	require.Equal(t, ""+
		"STAGE         REASON                N\n"+
		"orders.check  a reason that is mu…  1\n"+
		"x             -                     22", trimRight(out))
	head, row := []string{"A", "B", "C", "REASON"}, []string{"aaaa", "bbbb", "cccc", strings.Repeat("r", 45)}
	for width, shown := range map[int]string{65: "A B C REASON", 60: "A B C REASON", 58: "A C REASON", 54: "A C REASON", 53: "C REASON", 20: "C REASON"} {
		out := style.ReplaceAllString(cmd.Table(width, 3, []int{1, 0}, head, row), "")
		require.Equal(t, strings.Fields(shown), strings.Fields(strings.Split(out, "\n")[0]), "at %d", width)
	}
	rapid.Check(t, func(t *rapid.T) {
		width := rapid.IntRange(30, 200).Draw(t, "width")
		text := rapid.String().Draw(t, "reason")
		for line := range strings.SplitSeq(cmd.Table(width, 1, nil, []string{"STAGE", "REASON"}, []string{"orders", text}), "\n") {
			require.LessOrEqual(t, lipgloss.Width(line), width)
		}
	})
}

func trimRight(text string) string {
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.Join(lines, "\n")
}

func TestLogLinesForPeople(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	log := slog.New(cmd.NewTextHandler(&out, slog.LevelInfo))
	log.Debug("unseen")
	log.Info("two\nlines \x1b[31m")
	log.With("stage", "orders.check").WithGroup("g").Warn("poisoned", "reason", "a b", "error", errors.New("bad"), "time", 3)
	require.Regexp(t, `^\d\d:\d\d:\d\d\.\d{3} INFO  two lines .\[31m
\d\d:\d\d:\d\d\.\d{3} WARN  poisoned stage=orders\.check g\.reason="a b" g\.error=bad g\.time=3
$`, out.String())
	require.NotContains(t, out.String(), "\x1b")
	require.False(t, log.Enabled(context.Background(), slog.LevelDebug))
}

func TestLogLinesForMachines(t *testing.T) {
	t.Parallel()
	got := call(t, program(orders(some...)), "run", "--drain", "--data-dir", t.TempDir(), "--log-format", "json", "--log-level", "warn")
	require.Equal(t, cmd.ExitOK, got.code)
	lines := strings.Split(strings.TrimSpace(got.err), "\n")
	require.Len(t, lines, 2, "the poisoned ones: %s", got.err)
	for _, line := range lines {
		require.Regexp(t, `^\{"time":.*"level":"WARN".*\}$`, line)
	}
}

func TestQuotedWordsAreThemselvesToAShell(t *testing.T) {
	t.Parallel()
	require.Equal(t, "a-b/c:1,d", cmd.ShellQuote("a-b/c:1,d"))
	word := rapid.StringMatching(`[ -~\n\t]{0,20}`)
	for seed := range 20 {
		want := word.Example(seed)
		out, err := exec.CommandContext(t.Context(), "sh", "-c", "printf %s "+cmd.ShellQuote(want)).Output()
		require.NoError(t, err)
		require.Equal(t, want, string(out))
	}
}

func TestTheShellCompletesTheWordsOfEveryFlag(t *testing.T) {
	t.Parallel()
	for _, p := range []cmd.Program{program(orders()), operator} {
		root, err := cmd.Root(p)
		require.NoError(t, err)
		found := 0
		var walk func(c *cobra.Command)
		walk = func(c *cobra.Command) {
			c.LocalFlags().VisitAll(func(f *pflag.Flag) {
				words := strings.Split(f.Value.Type(), "|")
				if len(words) == 1 {
					return
				}
				found++
				args := append([]string{"__complete"}, strings.Fields(c.CommandPath())[1:]...)
				require.Equal(t, strings.Join(words, "\n")+"\n:4\n", ok(t, p, append(args, "--"+f.Name, "")...), "%s --%s", c.CommandPath(), f.Name)
			})
			for _, sub := range c.Commands() {
				walk(sub)
			}
		}
		walk(root)
		require.Greater(t, found, 5)
	}
}

func TestTheShellCompletesNames(t *testing.T) {
	t.Parallel()
	p := program(orders())
	require.Contains(t, ok(t, p, "__complete", "trigger", ""), "orders.placed\norders.check\norders.store\n")
	require.Contains(t, ok(t, p, "__complete", "run", "--stage", ""), "orders.check\norders.store\n")
	require.Contains(t, ok(t, p, "__complete", "--source", ""), "orders.placed\n")
	require.Contains(t, ok(t, p, "__complete", "topology", "--format", ""), "text\njson\nmermaid\n")
	require.Contains(t, ok(t, p, "__complete", "poison", "show", ""), "orders.check\n")
	require.NotContains(t, ok(t, p, "__complete", "poison", "show", "check", ""), "orders.check\n")
}

func TestTheCommandLineIsTheOneThatWorks(t *testing.T) {
	t.Parallel()
	const pkg = "example.com/shop/cmd/shop"
	for _, c := range []struct{ file, pkg, want string }{
		{"/usr/local/bin/shop", pkg, "shop"},
		{"/tmp/go-build123/b001/exe/shop", pkg, "go run " + pkg},
		{"/home/ada/.cache/go-build/ab/abcdef-d/shop", pkg, "go run " + pkg},
		{"/tmp/go-build123/b001/exe/main", "command-line-arguments", "shop"},
		{"/tmp/go-build123/b001/shop.test", pkg + ".test", "shop"},
		{"/tmp/go-build123/b001/exe/shop", "", "shop"},
	} {
		require.Equal(t, c.want, cmd.InvocationOf("shop", c.file, c.pkg), c.file)
	}
}
