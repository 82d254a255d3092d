package cmd_test

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/cmd"
	"github.com/penstock/penstock/filters"
	"github.com/penstock/penstock/internal/broker"
	"github.com/penstock/penstock/internal/brokertest"
	"github.com/penstock/penstock/pipeline"
)

// some are five orders: two pass, two are poisoned, one is skipped.
var some = []order{{"ada", 3}, {"bob", -1}, {"cy", 0}, {"ada", -2}, {"bob", 4}}

func TestARunDrainsOnTheEmbeddedBroker(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	p := program(orders(some...))
	got := call(t, p, "run", "--drain", "--data-dir", dir)
	require.Equal(t, cmd.ExitOK, got.code, got.err)
	require.Regexp(t, `orders\.check +5 +2 +1 +0 +0 +2 `, got.out)
	require.Regexp(t, `orders\.store +2 +2 +0 +0 +0 `, got.out)
	require.Regexp(t, `1 +orders\.check +the total of ada is negative\n`, got.out)
	require.Regexp(t, `1 +orders\.check +the total of bob is negative\n`, got.out)
	require.Contains(t, got.out, "poisoned: 2. Look at them with: shop poison ls --data-dir="+dir)
	require.Equal(t, 1, strings.Count(got.err, "for development and tests only"))

	// What was stored is there for the commands that come after, and the next
	// run has nothing to do again.
	require.Regexp(t, `orders\.check +0 +open .*orders\.placed/\d@\d+ +1 +the total of`, ok(t, p, "poison", "ls", "--messages", "--data-dir", dir))
	again := program(orders())
	require.Contains(t, ok(t, again, "run", "--drain", "--data-dir", dir), "nothing was poisoned")
}

func TestTheSummaryForScriptsAndInOwnWords(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := program(orders(some...))
	p.Drain = func() bool { return true }
	p.Summary = func(s cmd.Summary) string {
		require.Positive(t, s.Duration)
		require.Positive(t, s.PerSecond(5))
		require.EqualValues(t, 5, s.Stage("check").In)
		require.EqualValues(t, 2, s.Stage("orders.store").In)
		require.Zero(t, s.Stage("other").In)
		require.EqualValues(t, 2, s.Poisoned())
		return "five orders looked at\n"
	}
	out := ok(t, p, "--data-dir", dir)
	require.True(t, strings.HasSuffix(out, "\n\nfive orders looked at\n"), out)
	require.NotContains(t, out, "Done in")

	p = program(orders(some...))
	var summary struct {
		DurationSeconds float64 `json:"durationSeconds"`
		Stages          []struct {
			Stage    string           `json:"stage"`
			In       int64            `json:"in"`
			Skipped  int64            `json:"skipped"`
			Poisoned int64            `json:"poisoned"`
			Reasons  map[string]int64 `json:"reasons"`
		} `json:"stages"`
	}
	out = ok(t, p, "run", "--drain", "--json", "--data-dir", t.TempDir())
	require.NoError(t, json.Unmarshal([]byte(out), &summary))
	require.Positive(t, summary.DurationSeconds)
	require.Len(t, summary.Stages, 2)
	require.Equal(t, "orders.check", summary.Stages[0].Stage)
	require.EqualValues(t, 5, summary.Stages[0].In)
	require.EqualValues(t, 1, summary.Stages[0].Skipped)
	require.EqualValues(t, 2, summary.Stages[0].Poisoned)
	require.Equal(t, map[string]int64{"the total of ada is negative": 1, "the total of bob is negative": 1}, summary.Stages[0].Reasons)
}

func TestARunOnAClusterMakesNoTopics(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t)
	brokers := strings.Join(b.Addrs(), ",")
	p := program(orders(some...))
	got := call(t, p, "run", "--drain", "--brokers", brokers, "--max-message-bytes", "5000")
	require.Equal(t, cmd.ExitTopics, got.code, got.err)
	for _, topic := range []string{"orders.placed", "orders.check", "orders.check.poison", "orders.store", "orders.store.poison"} {
		require.Contains(t, got.err, topic)
	}
	require.Contains(t, got.err, "make them so with: shop topics apply --brokers="+brokers+" --max-message-bytes=5000\n")
	require.Contains(t, ok(t, operator, "topics", "ls", "--json", "--brokers", brokers), "[]", "none was made")

	ok(t, p, "topics", "apply", "--brokers", brokers)
	require.Contains(t, ok(t, p, "run", "--drain", "--brokers", brokers), "poisoned: 2")
	require.Len(t, brokertest.ReadAll(t, b.Addrs(), "orders.store"), 2)
}

func TestChosenStagesRunAlone(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t)
	brokers := strings.Join(b.Addrs(), ",")
	p := program(orders(some...))
	p.Drain = func() bool { return true } // of a run of everything, and of no other
	got := call(t, p, "run", "--stage", "check", "--json", "--brokers", brokers)
	require.Equal(t, cmd.ExitWrongUse, got.code, "it does not end, so it has no summary")
	ok(t, p, "topics", "apply", "--brokers", brokers)
	require.NotContains(t, ok(t, p, "run", "--drain", "--source", "placed", "--brokers", brokers), "orders.check")
	require.Len(t, brokertest.ReadAll(t, b.Addrs(), "orders.placed"), 5)
	require.Empty(t, brokertest.ReadAll(t, b.Addrs(), "orders.check"))

	out := ok(t, p, "run", "--drain", "--stage", "check", "--brokers", brokers)
	require.Regexp(t, `orders\.check +5 +2`, out)
	require.NotContains(t, out, "orders.store")
	require.Len(t, brokertest.ReadAll(t, b.Addrs(), "orders.check"), 2)
	require.Empty(t, brokertest.ReadAll(t, b.Addrs(), "orders.store"))
}

func TestARunJoinsTheBrokerThatRuns(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b, err := broker.Start(t.Context(), broker.Config{Dir: dir, Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	defer func() { require.NoError(t, b.Close()) }()
	got := call(t, program(orders(some...)), "run", "--drain", "--data-dir", dir, "--partitions", "2")
	require.Equal(t, cmd.ExitOK, got.code, got.err)
	require.Contains(t, got.err, "for development and tests only")
	require.Len(t, brokertest.ReadAll(t, b.Addrs(), "orders.store"), 2, "it made the topics there")
}

func TestPartitionsThatStayAreTold(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := program(orders())
	ok(t, p, "run", "--drain", "--data-dir", dir)
	require.NotContains(t, call(t, p, "run", "--drain", "--data-dir", dir).err, "stays as it is")
	got := call(t, p, "run", "--drain", "--data-dir", dir, "--partitions", "9")
	require.Contains(t, got.err, "has 6 partitions, 9 are asked for")
	require.NotContains(t, got.err, "topic=orders.placed", "its partitions are the pipeline's own")
}

func TestAnUnreachableClusterEndsTheCommandSoon(t *testing.T) {
	t.Parallel()
	refuses := "127.0.0.1:1"
	silent, err := net.Listen("tcp", "127.0.0.1:0") // takes connections and answers nothing
	require.NoError(t, err)
	defer func() { require.NoError(t, silent.Close()) }()
	for addr, why := range map[string]string{refuses: "connection refused", silent.Addr().String(): "no answer within 10s"} {
		got := call(t, program(orders()), "run", "--drain", "--brokers", addr)
		require.Equal(t, cmd.ExitFailed, got.code)
		require.Contains(t, got.err, "cannot reach Kafka at "+addr)
		require.Contains(t, got.err, why)
		require.Equal(t, 1, strings.Count(got.err, "\n"), "one sentence: %s", got.err)
	}
}

func TestNoDataDirectoryIsToldWithWhatToDo(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "none")
	for _, args := range [][]string{{"poison", "ls"}, {"topics", "plan"}, {"trigger", "placed", "--value", `{}`}} {
		got := call(t, program(orders()), append(args, "--data-dir", dir)...)
		require.Equal(t, cmd.ExitFailed, got.code, args)
		require.Contains(t, got.err, "there is no data of an embedded broker in "+dir)
		require.Contains(t, got.err, `begin with "shop run"`)
		require.NoDirExists(t, dir, "it was not made")
	}
	require.Contains(t, call(t, operator, "poison", "ls", "--data-dir", dir).err, `begin with "penstock broker"`)
}

// endless is a source that never ends, and tells when it runs.
type endless chan struct{}

func (e endless) Source(ctx context.Context, _ pipeline.Emit[order]) error {
	close(e)
	<-ctx.Done()
	return ctx.Err()
}

func TestARunGoesOnUntilItIsStopped(t *testing.T) {
	t.Parallel()
	running := make(endless)
	p := pipeline.New("endless")
	pipeline.Source(p, "in", running, pipeline.Open())
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		<-running
		cancel()
	}()
	var out, err strings.Builder
	code := program(p).Main(ctx, []string{"--data-dir", t.TempDir()}, strings.NewReader(""), &out, &err)
	require.Equal(t, cmd.ExitOK, code, err.String())
	require.Contains(t, err.String(), "stopping gracefully")
	require.Empty(t, out.String())
}

func TestADrainThatIsStoppedDidNotSucceed(t *testing.T) {
	t.Parallel()
	running := make(endless)
	p := pipeline.New("endless")
	pipeline.Source(p, "in", stoppable{running}, pipeline.Open())
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	go func() {
		<-running
		cancel()
	}()
	var out, err strings.Builder
	code := program(p).Main(ctx, []string{"run", "--drain", "--data-dir", t.TempDir()}, strings.NewReader(""), &out, &err)
	require.Equal(t, cmd.ExitInterrupted, code, err.String())
	require.Contains(t, err.String(), "before everything was done: run it again to go on")
	require.Contains(t, out.String(), "STAGE", "what was done is told")
	require.NotContains(t, out.String(), "Done in")
}

// stoppable says that it would end.
type stoppable struct{ endless }

func (stoppable) Finite() bool { return true }

func TestARunEndsWhenTheEmbeddedBrokerCannotWrite(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	inTheWay := filepath.Join(dir, "cluster", "partitions", "fails.stage.poison-0")
	p := pipeline.New("fails")
	in := pipeline.Source(p, "in", listed{{"ada", 1}})
	pipeline.Stage(in, "stage", filters.Map(func(context.Context, order) (order, error) {
		_, err := os.Stat(inTheWay) // not before something is poisoned
		if errors.Is(err, fs.ErrNotExist) {
			err = os.WriteFile(inTheWay, nil, 0o600)
		}
		return order{}, filters.Rejectf("in the way: %w", err)
	}), pipeline.Open())
	got := call(t, program(p), "run", "--data-dir", dir, "--stop-timeout", "100ms")
	require.Equal(t, cmd.ExitFailed, got.code, got.err)
	require.Contains(t, got.err, "shop: the embedded broker cannot write to its data directory")
}
