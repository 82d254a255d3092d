package cmd_test

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/cmd"
	"github.com/penstock/penstock/internal/brokertest"
)

func TestTheBrokerRunsUntilItIsStopped(t *testing.T) {
	t.Parallel()
	dir := "--data-dir=" + t.TempDir()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	out, in := io.Pipe()
	ended := make(chan int, 1)
	var stderr bytes.Buffer
	go func() { ended <- operator.Main(ctx, []string{"broker", dir}, strings.NewReader(""), in, &stderr) }()
	addr, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	addr = strings.TrimSpace(addr)

	// The other commands find it by its directory.
	p := program(orders())
	ok(t, p, "topics", "apply", dir)
	ok(t, p, "trigger", "placed", dir, "--value", `{"customer":"ada","total":-1}`)
	require.Len(t, brokertest.ReadAll(t, []string{addr}, "orders.placed"), 1)
	second := call(t, operator, "broker", dir)
	require.Equal(t, cmd.ExitFailed, second.code)
	require.Contains(t, second.err, "is in use by process")
	require.Contains(t, second.err, addr)

	cancel()
	require.Equal(t, cmd.ExitOK, <-ended, stderr.String())
	require.Contains(t, stderr.String(), "for development and tests only")

	// Now that none runs, they open the directory themselves.
	require.Contains(t, ok(t, p, "run", "--drain", dir), "poisoned: 1")
	require.Contains(t, ok(t, operator, "poison", "ls", dir), "the total of ada is negative")
	require.Contains(t, ok(t, operator, "topics", "ls", dir), "orders.placed")
}
