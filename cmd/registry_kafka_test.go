//go:build kafka

package cmd_test

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/sr"

	"github.com/penstock/penstock/cmd"
	"github.com/penstock/penstock/internal/brokertest"
	"github.com/penstock/penstock/internal/kafkatest"
)

// realRegistry returns the flag of the registry that `make test-kafka` starts, and a
// client of another make.
func realRegistry(t *testing.T) (flag string, client *sr.Client) {
	t.Helper()
	url := os.Getenv("PENSTOCK_TEST_REGISTRY")
	require.NotEmpty(t, url, "PENSTOCK_TEST_REGISTRY is not set: run the tests with `make test-kafka`")
	connections := &http.Client{Transport: &http.Transport{}}
	t.Cleanup(connections.CloseIdleConnections)
	client, err := sr.NewClient(sr.URLs(url), sr.HTTPClient(connections))
	require.NoError(t, err)
	flag = "--registry=" + url
	// Its first answers take long.
	require.Eventually(t, func() bool { return call(t, operator, "schemas", "list", flag).code == cmd.ExitOK }, time.Minute, time.Second)
	return flag, client
}

// noted is an entry of the next release, with a field more.
type noted struct {
	Account string `json:"account"`
	Cents   int    `json:"cents"`
	Note    string `json:"note"`
}

const (
	notedSchema     = `{"type":"record","name":"Entry","fields":[{"name":"account","type":"string"},{"name":"cents","type":"int"},{"name":"note","type":"string","default":"none"}]}`
	noDefaultSchema = `{"type":"record","name":"Entry","fields":[{"name":"account","type":"string"},{"name":"cents","type":"int"},{"name":"note","type":"string"}]}`
)

func TestAProgramWithARealRegistryOnARealKafka(t *testing.T) {
	t.Parallel()
	name := "ledger-" + strings.ToLower(rand.Text())
	registry, client := realRegistry(t)
	addrs := kafkatest.Brokers(t)
	brokers := "--brokers=" + strings.Join(addrs, ",")
	release1 := func(entries ...entry) cmd.Program {
		return ledgerOf(name, entrySchema, func(e entry) string { return e.Account }, entries...)
	}
	release2 := func(schema string, entries ...noted) cmd.Program {
		return ledgerOf(name, schema, func(e noted) string { return e.Account }, entries...)
	}

	p := release1(entry{"ada", 7})
	ok(t, p, "topics", "apply", brokers)
	require.Contains(t, ok(t, p, "schemas", "check", registry), "new subject")
	ok(t, p, "run", "--drain", brokers, registry)
	require.Contains(t, ok(t, operator, "schemas", "list", registry), name+".checked-value")
	require.Contains(t, ok(t, p, "schemas", "check", registry), "registered")
	require.Contains(t, ok(t, release1(), "tail", "checked", brokers, registry), ` ada {"account":"ada","cents":7}`)

	// The next release reads what this one wrote.
	for _, pipe := range []string{"booked", "checked"} {
		require.NoError(t, client.SetCompatibility(t.Context(), sr.SetCompatibility{Level: sr.CompatFullTransitive}, name+"."+pipe+"-value")[0].Err)
	}
	require.Regexp(t, `booked.* compatible `, ok(t, release2(notedSchema), "schemas", "check", registry))
	ok(t, release2(notedSchema, noted{"bob", 8, "late"}), "run", "--drain", brokers, registry)
	require.Contains(t, ok(t, release2(notedSchema), "tail", "booked", brokers, registry), `{"account":"ada","cents":7,"note":"none"}`)

	// One that could not is refused, before it has written anything.
	broken := release2(noDefaultSchema, noted{"cem", 9, "never"})
	check := call(t, broken, "schemas", "check", "booked", registry)
	require.Equal(t, cmd.ExitFailed, check.code)
	require.Contains(t, check.out, "incompatible")
	run := call(t, broken, "run", "--drain", brokers, registry)
	require.Equal(t, cmd.ExitFailed, run.code)
	require.Contains(t, run.err, `"ledger schemas check `+name+`.booked" tells`)
	require.NotContains(t, ok(t, release2(notedSchema), "tail", "booked", "--all", brokers, registry), "cem")

	// A record of somebody else's schema is poison, with both ids.
	other, err := client.CreateSchema(t.Context(), name+"-other", sr.Schema{Schema: `{"type":"record","name":"Other","fields":[{"name":"size","type":"int"}]}`})
	require.NoError(t, err)
	own, err := client.SchemaByVersion(t.Context(), name+".booked-value", -1)
	require.NoError(t, err)
	value := append(binary.BigEndian.AppendUint32([]byte{0}, uint32(other.ID)), 2)
	brokertest.Produce(t, addrs, name+".booked", brokertest.Record{Value: value})
	ok(t, release2(notedSchema), "run", "--drain", brokers, registry)
	require.Contains(t, ok(t, operator, "poison", "show", name+".check", "0", brokers),
		fmt.Sprintf("written with schema %d and read with schema %d: ", other.ID, own.ID))
}
