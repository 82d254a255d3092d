package cmd_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/cmd"
	"github.com/penstock/penstock/filters"
	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/router"
)

func TestRightsAreShownAsCommandsOfKafka(t *testing.T) {
	t.Parallel()
	const start = "kafka-acls.sh --bootstrap-server kafka-1:9092 --command-config admin.properties --add --allow-principal "
	got := ok(t, program(orders()), "topics", "plan", "--acls", "--brokers", "kafka-1:9092")
	require.Equal(t, []string{
		start + "User:orders.placed --operation Write --operation DescribeConfigs --topic orders.placed",
		start + "User:orders.check --operation Read --operation DescribeConfigs --topic orders.placed",
		start + "User:orders.check --operation Read --group orders.check",
		start + "User:orders.check --operation Write --operation DescribeConfigs --topic orders.check",
		start + "User:orders.check --operation Read --operation Write --operation Delete --operation DescribeConfigs --topic orders.check.retry.placed",
		start + "User:orders.check --operation Write --operation DescribeConfigs --topic orders.check.poison",
	}, strings.Split(got, "\n")[:6])

	got = ok(t, program(orders()), "topics", "plan", "--acls", "--principal", "User:CN=the shop", "--brokers", "kafka-1:9092")
	require.Equal(t, strings.Count(got, "\n"), strings.Count(got, "--allow-principal 'User:CN=the shop' "))

	var rights []router.ACL
	require.NoError(t, json.Unmarshal([]byte(ok(t, program(orders()), "topics", "plan", "--acls", "--json", "--brokers", "kafka-1:9092")), &rights))
	require.Contains(t, rights, router.ACL{For: "orders.check", Resource: "group", Name: "orders.check", Operation: "Read"})
}

// What is exactly once writes under ids of its own.
func TestRightsToTransactionsAreForAPrefix(t *testing.T) {
	t.Parallel()
	p := pipeline.New("bank")
	payments := pipeline.NewPipe[[]byte](p, "payments")
	pipeline.Stage(payments, "book", filters.Map(func(_ context.Context, v []byte) ([]byte, error) { return v, nil }), pipeline.ExactlyOnce(), pipeline.Open())
	got := ok(t, program(p), "topics", "plan", "--acls", "--brokers", "kafka-1:9092")
	require.Contains(t, got, "--allow-principal User:bank.book --operation Write --transactional-id bank.book- --resource-pattern-type prefixed\n")
}

func TestRightsAreForACluster(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"--acls"}, "name a cluster with --brokers"},
		{[]string{"--principal", "User:shop"}, "--principal is for --acls"},
		{[]string{"--acls", "--principal", "shop", "--brokers", "a:1"}, `"shop" is no user as Kafka names it, as in User:shop`},
	} {
		got := call(t, program(orders()), append([]string{"topics", "plan"}, c.args...)...)
		require.Equal(t, cmd.ExitWrongUse, got.code)
		require.Contains(t, got.err, c.says)
	}
}
