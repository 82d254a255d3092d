package cmd_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/cmd"
	"github.com/penstock/penstock/internal/brokertest"
	"github.com/penstock/penstock/router"
)

func TestTopicsArePlannedAndApplied(t *testing.T) {
	t.Parallel()
	brokers := "--brokers=" + strings.Join(brokertest.New(t).Addrs(), ",")
	p := program(orders())
	plan := ok(t, p, "topics", "plan", "--partitions", "4", brokers)
	require.Regexp(t, `TOPIC +KIND +PARTITIONS +REPLICATION +ACTION +WHAT\n`, plan)
	require.Regexp(t, `orders\.placed +pipe +3 +1 +create +.*retention\.ms=604800000`, plan)
	require.Regexp(t, `orders\.check +pipe +4 +1 +create +.*max\.message\.bytes=1114112`, plan)
	require.Regexp(t, `orders\.check\.poison +poison +1 +1 +create +.*retention\.ms=-1`, plan)
	require.Regexp(t, `orders\.check\.retry\.placed +retry +3 +1 +create +.*message\.timestamp\.type=LogAppendTime`, plan)
	got := call(t, p, "topics", "plan", "--check", brokers)
	require.Equal(t, cmd.ExitTopics, got.code)
	require.Contains(t, got.err, "shop topics apply "+brokers)
	require.NotContains(t, ok(t, operator, "topics", "ls", brokers), "orders", "a plan changes nothing")

	require.Equal(t, 7, strings.Count(ok(t, p, "topics", "apply", "--partitions", "4", "--retention", "1h", brokers), " create "))
	require.Equal(t, "All 7 topics are as they should be.\n", ok(t, p, "topics", "apply", "--partitions", "4", "--retention", "1h", brokers))
	ok(t, p, "topics", "plan", "--check", "--partitions", "4", "--retention", "1h", brokers)
	list := ok(t, operator, "topics", "ls", brokers)
	require.Regexp(t, `orders\.placed +3 +1 +3600000 +1114112\n`, list)
	require.Regexp(t, `orders\.check +4 +1 +3600000 `, list)

	// More retention is a change; another number of partitions is by hand.
	plan = ok(t, p, "topics", "plan", "--partitions", "5", "--retention", "2h", brokers)
	require.Regexp(t, `orders\.placed +pipe +3 +- +configure +retention\.ms=7200000; retention\.ms is 3600000`, plan)
	apply := ok(t, p, "topics", "apply", "--partitions", "5", "--retention", "2h", brokers)
	require.Regexp(t, `orders\.check +.*has 4 partitions, 5 are asked for`, apply)
	again := ok(t, p, "topics", "apply", "--partitions", "5", "--retention", "2h", brokers)
	require.Regexp(t, `orders\.check +pipe +5 +- +by hand +has 4 partitions, 5 are asked for`, again)
	list = ok(t, operator, "topics", "ls", brokers)
	require.Regexp(t, `orders\.check +4 +1 +7200000 `, list)
	require.Regexp(t, `orders\.store\.retry\.check +4 +1 `, list, "a retry log has the partitions that its pipe has, whatever is asked for")
}

func TestTopicsForScripts(t *testing.T) {
	t.Parallel()
	brokers := "--brokers=" + strings.Join(brokertest.New(t).Addrs(), ",")
	p := program(orders())
	var plan, done, again []router.Change
	require.NoError(t, json.Unmarshal([]byte(ok(t, p, "topics", "plan", "--json", brokers)), &plan))
	require.NoError(t, json.Unmarshal([]byte(ok(t, p, "topics", "apply", "--json", brokers)), &done))
	require.Equal(t, plan, done)
	require.Len(t, done, 7)
	out := ok(t, p, "topics", "apply", "--json", brokers)
	require.NoError(t, json.Unmarshal([]byte(out), &again))
	require.Equal(t, "[]\n", out)
	var listed []struct {
		Name    string            `json:"name"`
		Configs map[string]string `json:"configs"`
	}
	require.NoError(t, json.Unmarshal([]byte(ok(t, operator, "topics", "ls", "--json", brokers)), &listed))
	require.Len(t, listed, 7)
	require.Equal(t, "orders.check", listed[0].Name)
	require.Equal(t, "delete", listed[0].Configs["cleanup.policy"])
}
