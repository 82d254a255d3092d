package sinks_test

import (
	"net"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/sinks"
)

type stock struct {
	SKU   string `json:"SKU"`
	Count any    `json:"Count"`
}

func stockConfig(url string) sinks.PostgresConfig[stock] {
	return sinks.PostgresConfig[stock]{
		URL: url, Table: "stock", Columns: []string{"sku", "count"},
		Values: func(s stock) ([]any, error) { return []any{s.SKU, s.Count}, nil },
	}
}

func TestPostgresWithAWrongConfigurationDoesNotOpen(t *testing.T) {
	t.Parallel()
	const url = "postgres://me:hunter2@127.0.0.1:1/shop"
	for want, change := range map[string]func(*sinks.PostgresConfig[stock]){
		"the URL is missing":               func(c *sinks.PostgresConfig[stock]) { c.URL = "" },
		"cannot parse":                     func(c *sinks.PostgresConfig[stock]) { c.URL += "?sslmode=perhaps" },
		`the Table is ""`:                  func(c *sinks.PostgresConfig[stock]) { c.Table = "" },
		`the Table is "a..b"`:              func(c *sinks.PostgresConfig[stock]) { c.Table = "a..b" },
		"Columns and Values are missing":   func(c *sinks.PostgresConfig[stock]) { c.Values = nil },
		"message_id is filled by the sink": func(c *sinks.PostgresConfig[stock]) { c.Columns = append(c.Columns, "message_id") },
		"source_offset is filled by the sink": func(c *sinks.PostgresConfig[stock]) {
			c.Columns, c.Key = append(c.Columns, "source_offset"), []string{"sku"}
		},
		"the column id of the Key is not among":   func(c *sinks.PostgresConfig[stock]) { c.Key = []string{"id"} },
		"is below what makes sense; leave it out": func(c *sinks.PostgresConfig[stock]) { c.Connections = -1 },
	} {
		cfg := stockConfig(url)
		change(&cfg)
		err := sinkOf(t, sinks.Postgres(cfg)).Open(t.Context())
		require.ErrorContains(t, err, want)
		require.NotContains(t, err.Error(), "hunter2")
		verdict, _ := pipeline.Judge(err)
		require.Equal(t, pipeline.Rejected, verdict, "trying again does not help")
	}
}

func TestPostgresThatIsAwayIsTriedAgain(t *testing.T) {
	t.Parallel()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, l.Close()) }() // it takes connections and says nothing
	for name, port := range map[string]int{"nobody listens": 1, "nobody answers": l.Addr().(*net.TCPAddr).Port} {
		cfg := stockConfig("postgres://me:hunter2@127.0.0.1:" + strconv.Itoa(port) + "/shop")
		cfg.Timeout = 100 * time.Millisecond
		err := sinkOf(t, sinks.Postgres(cfg)).Open(t.Context())
		require.ErrorContains(t, err, "Postgres sink into stock", name)
		require.NotContains(t, err.Error(), "hunter2")
		verdict, _ := pipeline.Judge(err)
		require.Equal(t, pipeline.Again, verdict, name)
	}
}

func TestPostgresHoldsMessagesWhileItIsAway(t *testing.T) {
	t.Parallel()
	n := sinkOf(t, sinks.Postgres(stockConfig("postgres://127.0.0.1")))
	require.Equal(t, 1, n.Breaker.Failures, "the first failure of all of a batch is an outage")
	require.Equal(t, 500, n.Batch.Max)
	require.Equal(t, 20*time.Millisecond, n.Batch.Wait)
}
