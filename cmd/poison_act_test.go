package cmd_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/cmd"
	"github.com/penstock/penstock/filters"
	"github.com/penstock/penstock/internal/brokertest"
	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/router"
	"github.com/penstock/penstock/sinks"
)

// billing is a pipe with two stages that read it: one refuses what is negative,
// the other counts what it sees.
func billing(seen *atomic.Int64, opts ...pipeline.Option[order]) cmd.Program {
	p := pipeline.New("billing")
	in := pipeline.NewPipe[order](p, "in", pipeline.Partitions(2))
	pipeline.Stage(in, "charge", filters.Map(func(_ context.Context, o order) (order, error) {
		if o.Total < 0 {
			return o, filters.Rejectf("total %d of %q is negative", o.Total, o.Customer)
		}
		return o, nil
	}), append(opts, pipeline.Open())...)
	pipeline.Sink(in, "count", sinks.Func(func(context.Context, order) error {
		seen.Add(1)
		return nil
	}))
	return program(p)
}

// billed has some orders in it, and those with negative totals poisoned.
func billed(t testing.TB, seen *atomic.Int64, totals []int, opts ...pipeline.Option[order]) (p cmd.Program, addrs []string, brokers string) {
	t.Helper()
	p = billing(seen, opts...)
	addrs = brokertest.New(t).Addrs()
	brokers = "--brokers=" + strings.Join(addrs, ",")
	ok(t, p, "topics", "apply", brokers)
	for _, total := range totals {
		brokertest.ProduceTo(t, addrs, "billing.in", 1, brokertest.Record{Key: []byte("ada"), Value: fmt.Appendf(nil, `{"customer":"ada","total":%d}`, total)})
	}
	ok(t, p, "run", "--drain", brokers)
	require.EqualValues(t, len(totals), seen.Load())
	return p, addrs, brokers
}

// charged are the totals of the orders that came through.
func charged(t testing.TB, addrs []string) []int {
	t.Helper()
	var totals []int
	for _, r := range brokertest.ReadAll(t, addrs, "billing.charge") {
		var o order
		require.NoError(t, json.Unmarshal(r.Value, &o))
		totals = append(totals, o.Total)
	}
	return totals
}

func TestAPoisonedMessageIsEditedAndReplayed(t *testing.T) {
	var seen atomic.Int64
	p, addrs, brokers := billed(t, &seen, []int{1, -2, 3})
	dir := t.TempDir()
	editor := filepath.Join(dir, "ed")
	require.NoError(t, os.WriteFile(editor, []byte("#!/bin/sh\necho '{\"customer\":\"ada\",\"total\":2}' > \"$2\"\n"), 0o700))
	t.Setenv("EDITOR", editor+" -w")

	require.Equal(t, "Nothing was done. It would be: Replayed 1 message of stage billing.charge.\n", ok(t, p, "poison", "replay", "charge", "0", "--edit", "--dry-run", brokers))
	require.Regexp(t, `charge +0 +open`, ok(t, p, "poison", "ls", "--messages", brokers))
	require.Equal(t, "Replayed 1 message of stage billing.charge.\n", ok(t, p, "poison", "replay", "charge", "0", "--edit", "--by", "ada@desk", brokers))

	// Asked again while it is pending: nothing more, by whichever program.
	records := len(brokertest.ReadAll(t, addrs, "billing.charge.retry.in"))
	for _, who := range []cmd.Program{p, operator} {
		again := ok(t, who, "poison", "replay", "billing.charge", "0", "--edit", brokers)
		require.Contains(t, again, "Left alone 1 message: replayed before, and the stage is not through.")
	}
	require.Len(t, brokertest.ReadAll(t, addrs, "billing.charge.retry.in"), records)
	require.Equal(t, "Nothing is poisoned.\n", ok(t, p, "poison", "ls", brokers))
	require.Contains(t, ok(t, p, "poison", "show", "charge", "0", brokers), "state         replayed, the stage is not through with it\n")

	seen.Store(0)
	ok(t, p, "run", "--drain", brokers)
	require.Zero(t, seen.Load(), "the other stage that reads the pipe sees nothing of it")
	require.Equal(t, []int{1, 3, 2}, charged(t, addrs), "once")
	ok(t, p, "run", "--drain", brokers)
	require.Len(t, charged(t, addrs), 3)

	show := ok(t, p, "poison", "show", "charge", "0", brokers)
	require.Contains(t, show, "state         replayed\n")
	require.Regexp(t, `history +\S+ replay by ada@desk, edited, as \S+~[0-9a-f]{16}\n`, show)
	got := call(t, p, "poison", "replay", "charge", "0", brokers)
	require.Equal(t, cmd.ExitFailed, got.code)
	require.Contains(t, got.err, "was replayed or dropped before")

	// What was not changed is not replayed as an edit.
	t.Setenv("EDITOR", "true")
	got = call(t, p, "poison", "replay", "charge", "0", "--again", "--edit", brokers)
	require.Equal(t, cmd.ExitFailed, got.code)
	require.Contains(t, got.err, "the value was not changed, so nothing was replayed")
	t.Setenv("EDITOR", "")
	require.Equal(t, cmd.ExitWrongUse, call(t, p, "poison", "replay", "charge", "0", "--again", "--edit", brokers).code)
}

func TestAGroupIsReplayedAndFailsAgain(t *testing.T) {
	t.Parallel()
	var seen atomic.Int64
	p, addrs, brokers := billed(t, &seen, []int{-1, -2, 3})
	id := router.PoisonGroupID("billing.charge", "total # of … is negative")
	require.Regexp(t, id+` +2 +0 .* 1 +total # of … is negative\n`, ok(t, p, "poison", "ls", brokers))
	before := len(brokertest.ReadAll(t, addrs, "billing.charge.poison"))
	require.Contains(t, ok(t, operator, "poison", "replay", "billing.charge", "--group", id, "--dry-run", brokers), "It would be: Replayed 2 messages")
	require.Len(t, brokertest.ReadAll(t, addrs, "billing.charge.poison"), before)
	require.JSONEq(t, `{"stage":"billing.charge","done":2,"released":0,"pending":0,"dryRun":false}`,
		ok(t, operator, "poison", "replay", "billing.charge", "--group", id, "--rate", "600/m", "--json", brokers))
	ok(t, p, "run", "--drain", brokers)
	list := ok(t, p, "poison", "ls", "--messages", "--json", brokers)
	require.Equal(t, 2, strings.Count(list, `"replays":1`))
	require.Equal(t, 2, strings.Count(list, `"attempts":2`))
	require.Equal(t, 2, strings.Count(list, `"state":"open"`))
	all := ok(t, p, "poison", "ls", "--messages", "--json", "--all", brokers)
	require.Equal(t, 2, strings.Count(all, `"state":"replayed"`))
	got := call(t, p, "poison", "replay", "charge", "--group", "ffffffff", brokers)
	require.Equal(t, cmd.ExitFailed, got.code)
	require.Contains(t, got.err, "has no open message of group ffffffff")

	file := filepath.Join(t.TempDir(), "fixed")
	require.NoError(t, os.WriteFile(file, []byte(`{"customer":"ada","total":7}`), 0o600))
	_, at, _ := strings.Cut(list, `"position":"`)
	at, _, _ = strings.Cut(at, `"`)
	ok(t, p, "poison", "replay", "charge", at, "--value-file", file, brokers)
	ok(t, p, "run", "--drain", brokers)
	require.Equal(t, []int{3, 7}, charged(t, addrs))
}

func TestADropReleasesAHeldKey(t *testing.T) {
	t.Parallel()
	var seen atomic.Int64
	p, addrs, brokers := billed(t, &seen, []int{-1, 2, 3},
		pipeline.Park(1, pipeline.Constant(0)), pipeline.OnPoison(pipeline.HoldKey))
	require.Empty(t, charged(t, addrs))
	require.Regexp(t, `charge +0 +held`, ok(t, p, "poison", "ls", "--messages", brokers))

	got := callWith(t, p, "no\n", "poison", "drop", "charge", "--all", brokers)
	require.Equal(t, cmd.ExitFailed, got.code)
	require.Contains(t, got.err, "Drop 1 message of stage billing.charge? [y/N]")
	require.Contains(t, got.err, "nothing was done")
	require.Regexp(t, `charge +0 +held`, ok(t, p, "poison", "ls", "--messages", brokers))

	got = callWith(t, p, "yes\n", "poison", "drop", "charge", "--all", "--reason", "a test order", brokers)
	require.Equal(t, cmd.ExitOK, got.code, got.err)
	require.Equal(t, "Dropped 1 message of stage billing.charge, 1 of them held their keys.\n", got.out)
	ok(t, p, "run", "--drain", brokers)
	require.Equal(t, []int{2, 3}, charged(t, addrs))
	require.Regexp(t, `history .* drop by \S+@\S+: a test order\n`, ok(t, p, "poison", "show", "charge", "0", brokers))
	require.Equal(t, "Dropped 0 messages of stage billing.charge.\n", ok(t, p, "poison", "drop", "charge", "--all", "--yes", brokers))
}

// Where no broker runs, replay opens the embedded broker's data itself.
func TestAReplayNeedsNoBrokerThatRuns(t *testing.T) {
	t.Parallel()
	dir := "--data-dir=" + t.TempDir()
	p := program(orders(order{Customer: "ada", Total: -1}))
	require.Contains(t, ok(t, p, "run", "--drain", dir), "poisoned: 1")
	got := callWith(t, operator, `{"customer":"ada","total":1}`, "poison", "replay", "check", "0", "--value-file", "-", dir)
	require.Equal(t, cmd.ExitOK, got.code, got.err)
	require.Contains(t, ok(t, program(orders()), "run", "--drain", dir), "nothing was poisoned")
	require.Equal(t, "Nothing is poisoned.\n", ok(t, operator, "poison", "ls", dir))
}

func TestWhatCannotBeReplayed(t *testing.T) {
	t.Parallel()
	p, _, brokers := shop(t)
	for _, c := range []struct {
		args []string
		says string
		code int
	}{
		{[]string{"replay", "check"}, "say which messages: a position, --group or --all, and one of them", cmd.ExitWrongUse},
		{[]string{"drop", "check", "1", "--all"}, "say which messages", cmd.ExitWrongUse},
		{[]string{"replay", "check", "--all", "--rate", "fast"}, "give a number above 0, as in 20/s or 20/m", cmd.ExitWrongUse},
		{[]string{"replay", "check", "--all", "--rate", "1/h"}, "give a number above 0", cmd.ExitWrongUse},
		{[]string{"replay", "check", "--all", "--edit"}, "only one message at a time can be edited", cmd.ExitWrongUse},
		{[]string{"replay", "check", "x"}, `"x" is not a position`, cmd.ExitWrongUse},
		{[]string{"replay", "check", "1", "--edit", "--value-file", "f"}, "leave one of them out", cmd.ExitWrongUse},
		{[]string{"replay", "chekc", "1"}, `there is no stage "chekc"`, cmd.ExitWrongUse},
		{[]string{"replay", "check", "1"}, "there is no poisoned message at position 1 of topic orders.check.poison", cmd.ExitFailed},
		{[]string{"drop", "check", "1"}, "there is no poisoned message at position 1 of topic orders.check.poison", cmd.ExitFailed},
	} {
		got := call(t, p, append(append([]string{"poison"}, c.args...), brokers)...)
		require.Equal(t, c.code, got.code, "%v: %s", c.args, got.err)
		require.Contains(t, got.err, c.says)
	}
}
