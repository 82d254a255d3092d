//go:build kafka

package cmd_test

import (
	"crypto/rand"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/cmd"
	"github.com/penstock/penstock/internal/kafkatest"
)

func TestAProgramOnARealKafka(t *testing.T) {
	t.Parallel()
	name := "orders-" + strings.ToLower(rand.Text())
	brokers := "--brokers=" + strings.Join(kafkatest.Brokers(t), ",")
	p := program(ordersNamed(name, some))

	missing := call(t, p, "run", "--drain", brokers)
	require.Equal(t, cmd.ExitTopics, missing.code)
	require.Contains(t, missing.err, "make them so with: shop topics apply "+brokers)
	require.NotContains(t, ok(t, operator, "topics", "ls", brokers), name, "neither looking nor running makes a topic")

	ok(t, p, "topics", "apply", brokers)
	ok(t, p, "topics", "plan", "--check", brokers)
	ok(t, p, "trigger", "placed", "--value", `{"customer":"dan","total":-9}`, brokers)
	stored := callWith(t, p, `{"customer":"eve","total":1}`+"\n"+`{"customer":"eve","total":2}`, "trigger", "placed", "--id", "e", brokers)
	require.Equal(t, cmd.ExitOK, stored.code, stored.err)
	out := ok(t, p, "run", "--drain", brokers)
	require.Regexp(t, name+`\.check +8 +4 +1 +0 +0 +3 `, out)
	require.Regexp(t, name+`\.store +4 +4 `, out)

	require.Equal(t, []string{"0", "1", "2"}, second(ok(t, p, "poison", "ls", "--messages", brokers)))
	require.Equal(t, []string{"0", "1", "2"}, second(ok(t, operator, "poison", "ls", "--messages", "--stage", name+".check", brokers)))
	require.Contains(t, ok(t, operator, "poison", "show", name+".check", "1", "--value", "-", brokers), `"total":-`)
}
