package cmd_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/cmd"
	"github.com/penstock/penstock/internal/brokertest"
)

// child is a process that runs the program waiting.
type child struct {
	t      testing.TB
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	stderr *bufio.Scanner
}

func startChild(t testing.TB, args ...string) *child {
	t.Helper()
	c := &child{t: t, cmd: exec.CommandContext(t.Context(), os.Args[0], args...)}
	c.cmd.Env = append(os.Environ(), childVariable+"=1")
	var err error
	c.stdin, err = c.cmd.StdinPipe()
	require.NoError(t, err)
	stderr, err := c.cmd.StderrPipe()
	require.NoError(t, err)
	c.stderr = bufio.NewScanner(stderr)
	require.NoError(t, c.cmd.Start())
	return c
}

// awaits reads standard error up to a line that has the text.
func (c *child) awaits(text string) {
	c.t.Helper()
	var lines []string
	for c.stderr.Scan() {
		if strings.Contains(c.stderr.Text(), text) {
			return
		}
		lines = append(lines, c.stderr.Text())
	}
	require.Fail(c.t, "the child ended", "it never said %q, but:\n%s", text, strings.Join(lines, "\n"))
}

// ends waits for the end and returns the exit status.
func (c *child) ends() int {
	c.t.Helper()
	for c.stderr.Scan() { // to its end: Wait would close it
		c.t.Log(c.stderr.Text())
	}
	_ = c.cmd.Wait() // the status tells
	return c.cmd.ProcessState.ExitCode()
}

// work is a cluster with one message for the child.
func work(t *testing.T) (addrs []string, brokers string) {
	t.Helper()
	addrs = brokertest.New(t).Addrs()
	brokers = "--brokers=" + strings.Join(addrs, ",")
	ok(t, waiting(), "topics", "apply", brokers)
	ok(t, waiting(), "trigger", "in", "--value", "it", brokers)
	return addrs, brokers
}

func TestTheFirstSignalFinishesWhatIsInWork(t *testing.T) {
	t.Parallel()
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		addrs, brokers := work(t)
		c := startChild(t, brokers)
		c.awaits("working on it")
		require.NoError(t, c.cmd.Process.Signal(signal))
		c.awaits("stopping gracefully")
		_, err := fmt.Fprintln(c.stdin, "done")
		require.NoError(t, err)
		require.Equal(t, cmd.ExitOK, c.ends())
		require.Len(t, brokertest.ReadAll(t, addrs, "w.wait"), 1, "it was finished")

		// and committed: the next run does not do it again.
		require.Regexp(t, `w\.wait +0 +0`, ok(t, waiting(), "run", "--drain", brokers))
		require.Empty(t, brokertest.ReadAll(t, addrs, "w.wait.poison"), "being stopped is no failure")
	}
}

func TestTheSecondSignalEndsAtOnce(t *testing.T) {
	t.Parallel()
	addrs, brokers := work(t)
	c := startChild(t, brokers, "run", "--stop-timeout", "1h")
	c.awaits("working on it")
	require.NoError(t, c.cmd.Process.Signal(syscall.SIGTERM))
	c.awaits("at_most=1h0m0s")
	require.NoError(t, c.cmd.Process.Signal(syscall.SIGINT))
	c.awaits("ended at once by a second signal, SIGINT")
	require.Equal(t, cmd.ExitInterrupted, c.ends())
	require.Empty(t, brokertest.ReadAll(t, addrs, "w.wait"))
	require.Empty(t, brokertest.ReadAll(t, addrs, "w.wait.poison"))

	// Nothing is lost: the next run does it.
	again := startChild(t, brokers, "run", "--drain")
	again.awaits("working on it")
	_, err := fmt.Fprintln(again.stdin, "done")
	require.NoError(t, err)
	require.Equal(t, cmd.ExitOK, again.ends())
	require.Len(t, brokertest.ReadAll(t, addrs, "w.wait"), 1)
}

func TestASignalEndsOtherCommands(t *testing.T) {
	t.Parallel()
	_, brokers := work(t)
	c := startChild(t, "trigger", "in", brokers)
	_, err := fmt.Fprintln(c.stdin, "one")
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		return len(brokertest.ReadAll(t, strings.Split(strings.TrimPrefix(brokers, "--brokers="), ","), "w.in")) == 2
	}, 30*time.Second, 10*time.Millisecond)
	require.NoError(t, c.cmd.Process.Signal(syscall.SIGTERM))
	c.awaits("stopped by SIGTERM; the 1 lines before are stored")
	require.Equal(t, cmd.ExitInterrupted, c.ends())
}
