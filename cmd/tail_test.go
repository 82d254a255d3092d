package cmd_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/cmd"
	"github.com/penstock/penstock/internal/brokertest"
)

type tailed struct {
	Key     *string           `json:"key"`
	ID      string            `json:"id"`
	Headers map[string]string `json:"headers"`
	Value   json.RawMessage   `json:"value"`
	Text    string            `json:"text"`
	Error   string            `json:"error"`
}

func tailLines(t testing.TB, out string) []tailed {
	t.Helper()
	var list []tailed
	for line := range strings.Lines(out) {
		var one tailed
		require.NoError(t, json.Unmarshal([]byte(line), &one), line)
		list = append(list, one)
	}
	return list
}

func TestTailShowsDecodedMessages(t *testing.T) {
	t.Parallel()
	p, addrs, brokers := shop(t)
	ok(t, p, "trigger", "placed", brokers, "--value", `{"customer":"ada","total":3}`, "--id", "o-1", "--header", "tenant=blue")
	brokertest.Produce(t, addrs, "orders.placed", brokertest.Record{Key: []byte("bob"), Value: []byte("no JSON")}, brokertest.Record{Value: []byte{0xff}})

	out := ok(t, p, "tail", "placed", brokers, "--key", "ada", "--json")
	got := tailLines(t, out)
	require.Len(t, got, 1)
	require.Equal(t, "ada", *got[0].Key)
	require.Equal(t, "o-1", got[0].ID)
	require.Equal(t, map[string]string{"tenant": "blue"}, got[0].Headers)
	require.JSONEq(t, `{"customer":"ada","total":3}`, string(got[0].Value))
	require.Empty(t, got[0].Error)

	require.Len(t, tailLines(t, ok(t, p, "tail", "placed", brokers, "--job", "o-1", "--json")), 1)
	bob := tailLines(t, ok(t, p, "tail", "placed", brokers, "--key", "bob", "--json"))
	require.Equal(t, "no JSON", bob[0].Text)
	require.Contains(t, bob[0].Error, "invalid character")

	text := ok(t, p, "tail", "placed", brokers)
	require.Contains(t, text, ` ada {"customer":"ada","total":3}`)
	require.Contains(t, text, ` bob no JSON (`)
	require.Contains(t, text, ` - 1 bytes (`)
	require.Contains(t, ok(t, operator, "tail", "orders.placed", brokers), ` bob no JSON`+"\n", "no codec is known")
	require.Empty(t, ok(t, p, "tail", "placed", brokers, "--last", "0"))
}

func TestTailBeginsWhereItIsTold(t *testing.T) {
	t.Parallel()
	p, addrs, brokers := shop(t)
	for i := range 5 {
		brokertest.Produce(t, addrs, "orders.placed", brokertest.Record{Key: []byte("ada"), Value: fmt.Appendf(nil, `{"total":%d}`, i)})
	}
	require.Len(t, tailLines(t, ok(t, p, "tail", "placed", brokers, "--last", "2", "--json")), 2)
	require.Len(t, tailLines(t, ok(t, p, "tail", "placed", brokers, "--all", "--json")), 5)
	require.Contains(t, call(t, p, "tail", "placed", brokers, "--all", "--last", "2").err, "both say where to begin")
	require.Equal(t, cmd.ExitWrongUse, call(t, p, "tail", "placed", brokers, "--last", "-1").code)
	require.Contains(t, call(t, p, "tail", "plced", brokers).err, `there is no pipe "plced"`)
	require.Equal(t, cmd.ExitTopics, call(t, operator, "tail", "nothing", brokers).code)
}

func TestTailFollows(t *testing.T) {
	t.Parallel()
	p, _, brokers := shop(t)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	r, w := io.Pipe()
	ended := make(chan int, 1)
	go func() {
		var errs strings.Builder
		ended <- p.Main(ctx, []string{"tail", "placed", brokers, "--all", "--follow", "--json"}, strings.NewReader(""), w, &errs)
		_ = w.Close()
	}()
	lines := bufio.NewScanner(r)
	for i := range 3 {
		ok(t, p, "trigger", "placed", brokers, "--value", fmt.Sprintf(`{"customer":"ada","total":%d}`, i))
		require.True(t, lines.Scan())
		require.Contains(t, lines.Text(), fmt.Sprintf(`"total":%d`, i))
	}
	stop()
	go func() { _, _ = io.Copy(io.Discard, r) }()
	require.Zero(t, <-ended)
}
