package cmd_test

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/penstock/penstock/cmd"
	"github.com/penstock/penstock/internal/brokertest"
	"github.com/penstock/penstock/router"
)

// poisoned puts values into the first pipe as they are and runs the stages
// until they have caught up.
func poisoned(t testing.TB, values ...brokertest.Record) (p cmd.Program, brokers string) {
	t.Helper()
	p, addrs, brokers := shop(t)
	brokertest.ProduceTo(t, addrs, "orders.placed", 0, values...)
	ok(t, p, "run", "--drain", brokers)
	return p, brokers
}

func TestPoisonedMessagesAreListedAndShown(t *testing.T) {
	t.Parallel()
	p, brokers := poisoned(t,
		brokertest.Record{Key: []byte("bob"), Value: []byte(`{"customer":"bob","total":-7}`), Headers: []brokertest.Header{{Key: "tenant", Value: []byte("blue")}}},
		brokertest.Record{Value: []byte("\x1b[31mred\x00")},
		brokertest.Record{Key: []byte{}, Value: nil})
	out := ok(t, p, "poison", "ls", "--messages", brokers)
	require.Regexp(t, `^STAGE +POSITION +STATE +TIME +READ FROM +ATTEMPTS +REASON\n`, out)
	require.Regexp(t, `orders\.check +\d +open +\S+ \S+ +orders\.placed/0@0 +1 +the total of bob is negative\n`, out)
	require.Regexp(t, `orders\.check +\d +open +\S+ \S+ +orders\.placed/0@1 +1 +.*invalid character`, out)
	at := positions(t, p, brokers)
	require.Equal(t, out, ok(t, operator, "poison", "ls", "--messages", brokers), "the operator sees the same")
	require.Equal(t, out, ok(t, operator, "poison", "ls", "--messages", "--stage", "check", brokers))
	require.Equal(t, "Nothing is poisoned.\n", ok(t, p, "poison", "ls", "--stage", "store", brokers))

	out = ok(t, p, "poison", "show", "check", at[0], brokers)
	for _, line := range []string{
		"stage         orders.check\n", "attempts      1\n", "reason        the total of bob is negative\n",
		"read from     orders.placed/0@0\n", "key           bob\n", "header        tenant = blue\n", "  \"total\": -7\n",
	} {
		require.Contains(t, out, line)
	}
	out = ok(t, p, "poison", "show", "orders.check", at[1], brokers)
	require.Contains(t, out, "00000000  1b 5b 33 31 6d 72 65 64  00")
	require.NotContains(t, out, "\x1b", "nothing from outside reaches the terminal raw")
	require.Contains(t, out, "key           none\n")
	out = ok(t, p, "poison", "show", "check", "0:"+at[2], brokers)
	require.Contains(t, out, "key           empty\n")
	require.Contains(t, out, "value         none: a tombstone\n")
}

// positions are where the messages of the first pipe's partition 0 are among the
// poisoned, by their offset. Messages of one key are poisoned in their order.
func positions(t testing.TB, p cmd.Program, brokers string) map[int]string {
	t.Helper()
	at := map[int]string{}
	for line := range strings.Lines(ok(t, p, "poison", "ls", "--messages", "--json", "--stage", "check", brokers)) {
		var d struct {
			Position string `json:"position"`
			Origin   struct {
				Offset int `json:"offset"`
			} `json:"origin"`
		}
		require.NoError(t, json.Unmarshal([]byte(line), &d))
		at[d.Origin.Offset] = d.Position
	}
	return at
}

func TestPoisonForScripts(t *testing.T) {
	t.Parallel()
	p, brokers := poisoned(t,
		brokertest.Record{Key: []byte{0xff}, Value: []byte(`{"customer":"bob","total":-7}`), Headers: []brokertest.Header{{Key: "h", Value: []byte{0}}}},
		brokertest.Record{Value: []byte("x")})
	at := positions(t, p, brokers)
	lines := strings.Split(strings.TrimSpace(ok(t, p, "poison", "ls", "--messages", "--json", brokers)), "\n")
	require.Len(t, lines, 2)
	var d struct {
		Stage      string  `json:"stage"`
		Position   string  `json:"position"`
		Reason     string  `json:"reason"`
		ValueBytes int     `json:"valueBytes"`
		Key        *string `json:"key"`
		Value      *string `json:"value"`
		Origin     struct {
			Topic string `json:"topic"`
		} `json:"origin"`
		Headers []struct {
			Name  string `json:"name"`
			Value string `json:"value"`
		} `json:"headers"`
	}
	if at[0] == "1" {
		lines[0], lines[1] = lines[1], lines[0]
	}
	require.NoError(t, json.Unmarshal([]byte(lines[0]), &d))
	require.Equal(t, "orders.check", d.Stage)
	require.Equal(t, at[0], d.Position)
	require.Equal(t, "the total of bob is negative", d.Reason)
	require.Equal(t, "orders.placed", d.Origin.Topic)
	require.Equal(t, base64.StdEncoding.EncodeToString([]byte{0xff}), *d.Key)
	require.Equal(t, 29, d.ValueBytes)
	require.NoError(t, json.Unmarshal([]byte(lines[1]), &d))
	require.Nil(t, d.Key, "no key is null")

	require.NoError(t, json.Unmarshal([]byte(ok(t, p, "poison", "show", "check", at[0], "--json", brokers)), &d))
	require.Equal(t, base64.StdEncoding.EncodeToString([]byte(`{"customer":"bob","total":-7}`)), *d.Value)
	require.Len(t, d.Headers, 1)
	require.Equal(t, "h", d.Headers[0].Name)
	require.Equal(t, "AA==", d.Headers[0].Value)
}

func TestTheNewestAreListedUpToALimit(t *testing.T) {
	t.Parallel()
	var values []brokertest.Record
	for i := range 25 {
		values = append(values, brokertest.Record{Key: []byte("one"), Value: fmt.Appendf(nil, `{"customer":"c%d","total":-1}`, i%5)})
	}
	p, brokers := poisoned(t, values...)
	got := call(t, p, "poison", "ls", "--messages", "--limit", "10", brokers)
	require.Equal(t, cmd.ExitOK, got.code)
	require.Contains(t, got.err, "listed the newest 10 of each stage, 10 of 25 in all; --limit lists more")
	require.Equal(t, []string{"15", "16", "17", "18", "19", "20", "21", "22", "23", "24"}, second(got.out))
	require.Len(t, second(ok(t, p, "poison", "ls", "--messages", brokers)), 25)
	require.Len(t, strings.Split(strings.TrimSpace(ok(t, p, "poison", "ls", "--messages", "--json", brokers)), "\n"), 25, "all, unless a limit is given")
	require.Len(t, strings.Split(strings.TrimSpace(call(t, p, "poison", "ls", "--messages", "--json", "--limit", "3", brokers).out), "\n"), 3)

	id := router.PoisonGroupID("orders.check", "the total of # is negative")
	groups := ok(t, p, "poison", "ls", brokers)
	require.Regexp(t, `^STAGE +GROUP +COUNT +HELD +FIRST +LAST +EXAMPLE +ERROR\n`, groups)
	require.Regexp(t, `orders\.check +`+id+` +25 +0 +\S+ \S+ +\S+ \S+ +24 +the total of # is negative\n$`, groups)
	require.Regexp(t, `^{"stage":"orders.check","group":"`+id+`","count":25,"held":0,"first":"\S+","last":"\S+","example":"24","signature":"the total of # is negative","error":"the total of c4 is negative"}\n$`,
		ok(t, p, "poison", "ls", "--json", brokers))
	require.Len(t, second(ok(t, p, "poison", "ls", "--group", id, brokers)), 25)
	require.Equal(t, "Nothing is poisoned.\n", ok(t, p, "poison", "ls", "--group", "ffffffff", brokers))
}

// second is the second column of a plain table, without its head.
func second(text string) []string {
	var cells []string
	for _, line := range strings.Split(strings.TrimSpace(text), "\n")[1:] {
		cells = append(cells, strings.Fields(line)[1])
	}
	return cells
}

func TestTheValueIsWrittenByteForByte(t *testing.T) {
	t.Parallel()
	var values [][]byte
	var records []brokertest.Record
	bytesOf := rapid.Custom(func(t *rapid.T) []byte {
		return append([]byte{'!'}, rapid.SliceOfN(rapid.Byte(), 0, 3000).Draw(t, "bytes")...) // never JSON
	})
	for seed := range 20 {
		values = append(values, bytesOf.Example(seed))
		records = append(records, brokertest.Record{Key: []byte("one"), Value: values[seed]})
	}
	values = append(values, []byte{}, []byte("\n"), []byte("a\r\n"))
	for _, v := range values[20:] {
		records = append(records, brokertest.Record{Key: []byte("one"), Value: v})
	}
	p, brokers := poisoned(t, records...)
	file := filepath.Join(t.TempDir(), "value")
	for i, v := range values {
		require.Equal(t, string(v), ok(t, p, "poison", "show", "check", fmt.Sprint(i), "--value", "-", brokers))
		require.Empty(t, ok(t, p, "poison", "show", "check", fmt.Sprint(i), "--value", file, brokers))
		written, err := os.ReadFile(file)
		require.NoError(t, err)
		require.Equal(t, string(v), string(written))
	}
}

func TestWhatIsNotThere(t *testing.T) {
	t.Parallel()
	p, addrs, brokers := shop(t, brokertest.Topic("stray.poison", 2))
	got := call(t, p, "poison", "show", "check", "3", brokers)
	require.Equal(t, cmd.ExitFailed, got.code)
	require.Contains(t, got.err, "there is no poisoned message at position 3 of topic orders.check.poison")
	got = call(t, p, "poison", "show", "chekc", "3", brokers)
	require.Equal(t, cmd.ExitWrongUse, got.code)
	require.Contains(t, got.err, `there is no stage "chekc"; there are: orders.check, orders.store`)

	brokertest.Produce(t, addrs, "stray.poison", brokertest.Record{Value: []byte("somebody else's")})
	got = call(t, operator, "poison", "ls", brokers)
	require.Equal(t, cmd.ExitOK, got.code, "records that others wrote are left out")
	require.Contains(t, got.err, "left out 1 records of topic stray.poison")
	require.Equal(t, "Nothing is poisoned.\n", got.out)

	empty := "--brokers=" + strings.Join(brokertest.New(t).Addrs(), ",")
	require.Equal(t, cmd.ExitTopics, call(t, operator, "poison", "ls", empty).code)
	got = call(t, p, "poison", "ls", empty)
	require.Equal(t, cmd.ExitTopics, got.code)
	require.Contains(t, got.err, "these topics do not exist: orders.check.poison, orders.store.poison")
	half := "--brokers=" + strings.Join(brokertest.New(t, brokertest.Topic("orders.check.poison", 1)).Addrs(), ",")
	got = call(t, p, "poison", "ls", half)
	require.Equal(t, cmd.ExitOK, got.code)
	require.Contains(t, got.err, "left out, because they do not exist: orders.store.poison")
}

func TestLongValuesAreShownUpToABound(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	cmd.WriteBody(&out, []byte(strings.Repeat("ä", 50_000)))
	require.Less(t, out.Len(), 9000)
	require.Contains(t, out.String(), "of 100000 bytes; --value writes all of them")
	require.NotContains(t, out.String(), "�", "cut between characters")
	out.Reset()
	cmd.WriteBody(&out, append([]byte(strings.Repeat("x", 5000)), 0))
	require.Less(t, out.Len(), 3000)
	require.Contains(t, out.String(), "the first 512 of 5001 bytes")
	out.Reset()
	cmd.WriteBody(&out, []byte("plain\ttext"))
	require.Equal(t, "\nplain\ttext\n", out.String())
}

func TestShortTextIsSafe(t *testing.T) {
	t.Parallel()
	require.Equal(t, "plain ä", cmd.ShortText([]byte("plain ä")))
	require.Equal(t, `"two\nlines"`, cmd.ShortText([]byte("two\nlines")))
	require.Equal(t, "0xff00", cmd.ShortText([]byte{0xff, 0}))
	rapid.Check(t, func(t *rapid.T) {
		b := rapid.SliceOfN(rapid.Byte(), 0, 400).Draw(t, "bytes")
		text := cmd.ShortText(b)
		require.Less(t, len(text), 2000)
		s := bufio.NewScanner(strings.NewReader(text))
		for n := 0; s.Scan(); n++ {
			require.Zero(t, n, "one line")
		}
		require.NotContains(t, text, "\x1b")
	})
}
