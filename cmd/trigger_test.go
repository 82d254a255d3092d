package cmd_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/cmd"
	"github.com/penstock/penstock/internal/brokertest"
	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/schemas"
)

// shop is a program whose topics are made, and the flag for its cluster.
func shop(t testing.TB, options ...brokertest.Option) (p cmd.Program, addrs []string, brokers string) {
	t.Helper()
	p = program(orders())
	addrs = brokertest.New(t, options...).Addrs()
	brokers = "--brokers=" + strings.Join(addrs, ",")
	ok(t, p, "topics", "apply", brokers)
	return p, addrs, brokers
}

func TestATriggerHasThePipesKeyAndAnEnvelope(t *testing.T) {
	t.Parallel()
	p, addrs, brokers := shop(t)
	out := ok(t, p, "trigger", "placed", brokers, "--value", `{"customer":"ada","total":3}`, "--id", "o-1",
		"--header", "tenant=blue", "--header", "note=a=b", "--reply-to", "answers")
	require.Equal(t, "Stored trigger o-1 in topic orders.placed.\n", out)
	ok(t, p, "trigger", "orders.placed", brokers, "--value", `{"customer":"ada"}`, "--key", "")

	records := brokertest.ReadAll(t, addrs, "orders.placed")
	require.Len(t, records, 2)
	first, second := records[0], records[1]
	if len(first.Key) == 0 {
		first, second = second, first
	}
	require.Equal(t, "ada", string(first.Key))
	require.JSONEq(t, `{"customer":"ada","total":3}`, string(first.Value))
	headers := map[string]string{}
	for _, h := range first.Headers {
		headers[h.Key] = string(h.Value)
	}
	require.Equal(t, map[string]string{
		"ce_specversion": "1.0", "ce_id": "o-1", "ce_type": "orders.placed", "ce_source": "trigger",
		"content-type": "application/json", "reply-to": "answers", "tenant": "blue", "note": "a=b",
	}, headers)
	require.Equal(t, []byte{}, second.Key, "--key wins, and an empty key is a key")
}

func TestATriggerOfAFileMayHaveManyLines(t *testing.T) {
	t.Parallel()
	p, addrs, brokers := shop(t)
	file := filepath.Join(t.TempDir(), "order.json")
	require.NoError(t, os.WriteFile(file, []byte("{\n \"customer\":\n \"ada\"\n}\n"), 0o600))
	ok(t, p, "trigger", "placed", brokers, "--file", file)
	got := callWith(t, p, "{\n\"customer\": \"bob\"}", "trigger", "placed", brokers, "--file", "-")
	require.Equal(t, cmd.ExitOK, got.code, got.err)
	require.ElementsMatch(t, []string{"ada", "bob"}, keys(brokertest.ReadAll(t, addrs, "orders.placed")))
}

func TestLinesAreStoredInOrderWithIDs(t *testing.T) {
	t.Parallel()
	p, addrs, brokers := shop(t)
	const n = 3500 // several batches
	var in strings.Builder
	for i := range n {
		fmt.Fprintf(&in, `{"customer":"c%d","total":%d}`+"\r\n", i%3, i)
	}
	got := callWith(t, p, strings.TrimSuffix(in.String(), "\r\n"), "trigger", "placed", brokers, "--id", "run")
	require.Equal(t, cmd.ExitOK, got.code, got.err)
	require.Equal(t, "Stored 3500 triggers in topic orders.placed.\n", got.out)
	last := map[string]int{"c0": -3, "c1": -2, "c2": -1}
	for _, r := range brokertest.ReadAll(t, addrs, "orders.placed") {
		var o order
		require.NoError(t, json.Unmarshal(r.Value, &o))
		require.Equal(t, last[o.Customer]+3, o.Total, "the order of a key is that of the lines")
		last[o.Customer] = o.Total
		require.Equal(t, fmt.Sprintf("run-%d", o.Total+1), header(r, schemas.HeaderID))
	}
	require.Equal(t, map[string]int{"c0": 3498, "c1": 3499, "c2": 3497}, last)
}

func TestIDsAreGivenAndPrinted(t *testing.T) {
	t.Parallel()
	p, addrs, brokers := shop(t)
	got := callWith(t, p, `{"customer":"a"}`+"\n"+`{"customer":"b"}`+"\n", "trigger", "placed", brokers, "--json")
	require.Equal(t, cmd.ExitOK, got.code, got.err)
	var printed, stored []string
	for i, line := range strings.Split(strings.TrimSpace(got.out), "\n") {
		var d struct {
			ID    string `json:"id"`
			Topic string `json:"topic"`
			Line  int    `json:"line"`
			Key   []byte `json:"key"`
		}
		require.NoError(t, json.Unmarshal([]byte(line), &d))
		require.Equal(t, "orders.placed", d.Topic)
		require.Equal(t, i+1, d.Line)
		require.Equal(t, string('a'+rune(i)), string(d.Key))
		printed = append(printed, d.ID)
	}
	for _, r := range brokertest.ReadAll(t, addrs, "orders.placed") {
		stored = append(stored, header(r, schemas.HeaderID))
	}
	require.Len(t, printed, 2)
	require.NotEqual(t, printed[0], printed[1])
	require.ElementsMatch(t, stored, printed)
}

func TestAWrongLineIsNamedAndNothingIsLost(t *testing.T) {
	t.Parallel()
	p, addrs, brokers := shop(t)
	good := func(n int) string {
		return strings.Repeat(`{"customer":"ada"}`+"\n", n)
	}
	stored := 0
	for _, c := range []struct {
		name, in string
		args     []string
		says     string
	}{
		{"no JSON", good(3) + "nonsense\n" + good(2), nil, "line 4: pipe placed: "},
		{"an empty line", good(2) + "\n" + good(2), nil, "line 3: "},
		{"a large value", good(2) + `{"customer":"` + strings.Repeat("x", 2000) + `"}` + "\n" + good(1), []string{"--max-message-bytes", "1000"}, "line 3: the value has 2"},
		{"a long line", good(1) + strings.Repeat("x", 100_000), []string{"--max-message-bytes", "1000"}, "line 2: it has more than 4000 bytes"},
		{"what the topic refuses", good(4) + `{"customer":"` + strings.Repeat("x", 2<<20) + `"}` + "\n" + good(1), []string{"--max-message-bytes", "9000000"}, "line 5: an output of "},
	} {
		got := callWith(t, p, c.in, append([]string{"trigger", "placed", brokers}, c.args...)...)
		require.Equal(t, cmd.ExitFailed, got.code, c.name)
		require.Contains(t, got.err, c.says, c.name)
		var n int
		_, err := fmt.Sscanf(got.err[strings.LastIndex(got.err, "; the "):], "; the %d lines before are stored, and none from there on", &n)
		require.NoError(t, err, got.err)
		stored += n
		require.Len(t, brokertest.ReadAll(t, addrs, "orders.placed"), stored, c.name)
	}
	require.Equal(t, 3+2+2+1+4, stored, "all lines before the wrong one")
}

func TestLinesAreStoredAsTheyCome(t *testing.T) {
	t.Parallel()
	p, addrs, brokers := shop(t)
	in, feed := io.Pipe()
	ended := make(chan called, 1)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	go func() {
		var out, err bytes.Buffer
		code := p.Main(ctx, []string{"trigger", "placed", brokers}, in, &out, &err)
		ended <- called{code, out.String(), err.String()}
	}()
	for n := 1; n <= 3; n++ {
		_, err := feed.Write([]byte(`{"customer":"ada"}` + "\n"))
		require.NoError(t, err)
		require.Eventually(t, func() bool { return len(brokertest.ReadAll(t, addrs, "orders.placed")) == n }, 30*time.Second, 10*time.Millisecond)
	}
	require.NoError(t, feed.Close())
	require.Equal(t, called{cmd.ExitOK, "Stored 3 triggers in topic orders.placed.\n", ""}, <-ended)
}

func TestTriggerThatIsStoppedSaysHowFarItCame(t *testing.T) {
	t.Parallel()
	p, addrs, brokers := shop(t)
	in, feed := io.Pipe()
	defer func() { require.NoError(t, feed.Close()) }()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan called, 1)
	go func() {
		var out, err bytes.Buffer
		code := p.Main(ctx, []string{"trigger", "placed", brokers}, in, &out, &err)
		ended <- called{code, out.String(), err.String()}
	}()
	_, err := feed.Write([]byte(`{"customer":"ada"}` + "\n"))
	require.NoError(t, err)
	require.Eventually(t, func() bool { return len(brokertest.ReadAll(t, addrs, "orders.placed")) == 1 }, 30*time.Second, 10*time.Millisecond)
	cancel()
	got := <-ended
	require.Equal(t, cmd.ExitInterrupted, got.code, got.err)
	require.Contains(t, got.err, "the 1 lines before are stored")
}

func TestWrongTriggers(t *testing.T) {
	t.Parallel()
	p, addrs, brokers := shop(t)
	for _, c := range []struct {
		code int
		args []string
		says string
	}{
		{cmd.ExitWrongUse, []string{"nowhere", "--value", "{}"}, `there is no pipe "nowhere"; there are: orders.placed, orders.check, orders.store`},
		{cmd.ExitWrongUse, []string{"placed", "--value", "{}", "--file", "x"}, "--value and --file both give the value"},
		{cmd.ExitWrongUse, []string{"placed", "--value", "{}", "--id", ""}, "--id is empty"},
		{cmd.ExitWrongUse, []string{"placed", "--value", "{}", "--id", strings.Repeat("x", 2000)}, "broken header ce_id"},
		{cmd.ExitWrongUse, []string{"placed", "--value", "{}", "--header", "tenant"}, `"tenant" is not name=value`},
		{cmd.ExitWrongUse, []string{"placed", "--value", "{}", "--header", "ce_id=7"}, "the envelope writes the header ce_id itself"},
		{cmd.ExitWrongUse, []string{"placed", "--value", "{}", "--max-message-bytes", "0"}, "--max-message-bytes is 0"},
		{cmd.ExitWrongUse, []string{"placed", "--file", "/nowhere/at/all"}, "no such file"},
		{cmd.ExitFailed, []string{"placed", "--value", "nonsense"}, "the trigger: pipe placed: "},
		{cmd.ExitFailed, []string{"placed", "--value", `{"customer":"long"}`, "--max-message-bytes", "5"}, "the trigger: the value has"},
	} {
		got := call(t, p, append([]string{"trigger", brokers}, c.args...)...)
		require.Equal(t, c.code, got.code, "%v: %s", c.args, got.err)
		require.Contains(t, got.err, c.says)
	}
	require.Empty(t, brokertest.ReadAll(t, addrs, "orders.placed"))
	got := call(t, p, "trigger", "placed", brokers)
	require.Equal(t, cmd.ExitOK, got.code)
	require.Contains(t, got.err, "standard input had no line")
}

func TestATriggerWithoutItsTopic(t *testing.T) {
	t.Parallel()
	brokers := strings.Join(brokertest.New(t).Addrs(), ",")
	got := call(t, program(orders()), "trigger", "placed", "--value", "{}", "--brokers", brokers)
	require.Equal(t, cmd.ExitTopics, got.code)
	require.Contains(t, got.err, "topic orders.placed does not exist; make it with: shop topics apply --brokers="+brokers)
	got = call(t, operator, "trigger", "orders.placed", "--value", "{}", "--brokers", brokers)
	require.Equal(t, cmd.ExitTopics, got.code)
	require.Contains(t, got.err, `the program that declares the pipe makes it with its command "topics apply"`)
}

func TestTheOperatorsTriggersAreTakenAsTheyAre(t *testing.T) {
	t.Parallel()
	addrs := brokertest.New(t, brokertest.Topic("any", 1)).Addrs()
	value := "\x00\xff{not json"
	got := callWith(t, operator, value, "trigger", "any", "--file", "-", "--key", "k", "--brokers", strings.Join(addrs, ","))
	require.Equal(t, cmd.ExitOK, got.code, got.err)
	r := brokertest.ReadAll(t, addrs, "any")[0]
	require.Equal(t, value, string(r.Value))
	require.Equal(t, "k", string(r.Key))
	require.Empty(t, header(r, schemas.HeaderContentType), "nobody knows it")
}

func TestAPipeOfBytesTakesThemAsTheyAre(t *testing.T) {
	t.Parallel()
	raw := pipeline.New("raw")
	pipeline.NewPipe[[]byte](raw, "in", pipeline.Open())
	addrs := brokertest.New(t).Addrs()
	brokers := "--brokers=" + strings.Join(addrs, ",")
	ok(t, program(raw), "topics", "apply", brokers)
	ok(t, program(raw), "trigger", "in", brokers, "--value", "{not json")
	r := brokertest.ReadAll(t, addrs, "raw.in")[0]
	require.Equal(t, "{not json", string(r.Value))
	require.Nil(t, r.Key, "no key stays no key")
}

func keys(records []brokertest.Record) []string {
	var keys []string
	for _, r := range records {
		keys = append(keys, string(r.Key))
	}
	return keys
}

func header(r brokertest.Record, name string) string {
	for _, h := range r.Headers {
		if h.Key == name {
			return string(h.Value)
		}
	}
	return ""
}
