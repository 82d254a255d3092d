package cmd_test

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/cmd"
)

type lagOf struct {
	Stage     string `json:"stage"`
	Topic     string `json:"topic"`
	Partition *int32 `json:"partition"`
	Behind    int64  `json:"behind"`
	Runnable  int64  `json:"runnable"`
	Parked    int64  `json:"parked"`
	Held      int64  `json:"held"`
	Committed *int64 `json:"committed"`
	End       *int64 `json:"end"`
}

func TestLagTellsWhatIsToDo(t *testing.T) {
	t.Parallel()
	p, _, brokers := shop(t)
	for range 3 {
		ok(t, p, "trigger", "placed", brokers, "--value", `{"customer":"ada","total":3}`)
	}
	var got []lagOf
	require.NoError(t, json.Unmarshal([]byte(ok(t, p, "lag", brokers, "--json")), &got))
	require.Equal(t, []lagOf{
		{Stage: "orders.check", Topic: "orders.placed", Behind: 3, Runnable: 3},
		{Stage: "orders.store", Topic: "orders.check"},
	}, got)
	require.NoError(t, json.Unmarshal([]byte(ok(t, p, "lag", brokers, "--json", "--stage", "check", "--each-partition")), &got))
	require.Len(t, got, 3)
	behind := int64(0)
	for i, l := range got {
		require.Equal(t, int32(i), *l.Partition)
		require.Nil(t, l.Committed, "nothing was")
		require.Equal(t, *l.End, l.Behind)
		behind += l.Behind
	}
	require.Equal(t, int64(3), behind)

	ok(t, p, "run", brokers, "--drain")
	lines := strings.Split(strings.TrimSpace(ok(t, p, "lag", brokers)), "\n")
	require.Equal(t, []string{"STAGE", "PIPE", "BEHIND", "RUNNABLE", "PARKED", "HELD", "OLDEST"}, strings.Fields(lines[0]))
	require.Equal(t, []string{"orders.check", "orders.placed", "0", "0", "0", "0", "-"}, strings.Fields(lines[1]))
}

func TestLagIsFollowed(t *testing.T) {
	t.Parallel()
	p, _, brokers := shop(t)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	r, w := io.Pipe()
	ended := make(chan int, 1)
	go func() {
		var errs strings.Builder
		ended <- p.Main(ctx, []string{"lag", brokers, "--follow", "--every", "100ms", "--json"}, strings.NewReader(""), w, &errs)
		_ = w.Close()
	}()
	lines := bufio.NewScanner(r)
	behind := func() int64 {
		require.True(t, lines.Scan())
		var got []lagOf
		require.NoError(t, json.Unmarshal(lines.Bytes(), &got))
		return got[0].Behind
	}
	require.Zero(t, behind())
	ok(t, p, "trigger", "placed", brokers, "--value", `{"customer":"ada","total":3}`)
	for behind() == 0 { //nolint:revive // until it is seen
	}
	stop()
	go func() { _, _ = io.Copy(io.Discard, r) }()
	require.Zero(t, <-ended, "it was ended as it is to be")
}

func TestLagSaysWhatIsMissing(t *testing.T) {
	t.Parallel()
	p, _, brokers := shop(t)
	got := call(t, p, "lag", brokers, "--stage", "chek")
	require.Contains(t, got.err, `there is no stage "chek"`)
	require.Equal(t, cmd.ExitWrongUse, call(t, p, "lag", brokers, "--every", "1ms").code)
	other := program(ordersNamed("others", nil))
	got = call(t, other, "lag", brokers)
	require.Equal(t, cmd.ExitTopics, got.code)
	require.Contains(t, got.err, "topics apply")
}
