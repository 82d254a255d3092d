//go:build kafka

package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/internal/kafkatest"
)

// tables makes the tables in a schema of the test's own, and returns the URL of it.
func tables(t *testing.T) string {
	t.Helper()
	url := os.Getenv("PENSTOCK_TEST_POSTGRES")
	require.NotEmpty(t, url, "run these tests with make test-kafka, which starts a PostgreSQL")
	schema := fmt.Sprintf("orders%d", rand.Uint64())
	separator := "?"
	if strings.Contains(url, "?") {
		separator = "&"
	}
	url += separator + "search_path=" + schema
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	t.Cleanup(func() {
		_, err := conn.Exec(context.Background(), "DROP SCHEMA "+schema+" CASCADE")
		require.NoError(t, err)
		require.NoError(t, conn.Close(context.Background()))
	})
	text, err := os.ReadFile("tables.sql")
	require.NoError(t, err)
	_, err = conn.Exec(t.Context(), "CREATE SCHEMA "+schema+"; "+string(text))
	require.NoError(t, err)
	return url
}

func TestRealOrders(t *testing.T) {
	t.Parallel()
	database, address := tables(t), freeAddress(t)
	brokers := strings.Join(kafkatest.Brokers(t), ",")
	status, _, stderr := run(t, "topics", "apply", "--brokers", brokers)
	require.Zero(t, status, stderr)

	status, stdout, stderr := run(t, "--orders", "300", "--customers", "20", "--price-late", "300ms",
		"--http", address, "--to", "http://"+address, "--brokers", brokers, "--database", database)
	require.Zero(t, status, stderr)
	require.True(t, strings.HasSuffix(stdout, "\norders: accepted=300 stored=300 disordered=0\n"), stdout)
}
